package sqlstore

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/kakunin-go/kakunin/internal/sqlkeep"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

// row is an entry as the tables have it.
type row struct {
	idx            int64
	record, hashes []byte
	signature      []byte
	again, held    bool
	sealed         int
	part, key      []byte
}

func rowsOf(size int64, entries []evidence.Entry) ([]row, error) {
	rows := make([]row, len(entries))
	var n int
	for _, e := range entries {
		n += len(e.Hashes) * hashSize
	}
	hashes := make([]byte, 0, n)
	for i, e := range entries {
		from := len(hashes)
		for _, h := range e.Hashes {
			hashes = append(hashes, h[:]...)
		}
		signature, err := signatureBytes(e.Signature)
		if err != nil {
			return nil, err
		}
		rows[i] = row{
			idx: size + int64(i), record: e.Record, hashes: hashes[from:len(hashes):len(hashes)], signature: signature,
			again: e.Again, held: e.Held != nil, part: e.Held,
		}
		if e.Held != nil && e.Key != nil {
			rows[i].sealed, rows[i].key = 1, e.Key
		}
	}
	return rows, nil
}

// asked are the signature values of rows that nobody may have yet.
func asked(rows []row) (signatures []any) {
	for _, r := range rows {
		if r.signature != nil && !r.again {
			signatures = append(signatures, r.signature)
		}
	}
	return signatures
}

// Append implements evidence.Store.
func (s *Store) Append(ctx context.Context, size int64, entries []evidence.Entry) error {
	rows, err := rowsOf(size, entries)
	if err != nil {
		return err
	}
	if one, ok := s.dialect.appendAtOnce(size, rows); ok {
		return s.appendAtOnce(ctx, one, rows)
	}
	if s.recent != nil {
		return s.appendRecent(ctx, size, rows)
	}
	err = s.dialect.Steps(ctx, s.db, s.appendSteps(size, rows))
	if errors.Is(err, sqlkeep.ErrUnchanged) {
		return errors.Join(evidence.ErrMoved, err)
	}
	return err
}

// appendAtOnce runs the statement that is a whole append. If it adds nothing the log has another size, or one of the
// signature values.
func (s *Store) appendAtOnce(ctx context.Context, one sqlkeep.Step, rows []row) error {
	one.Statement = s.sql(one.Statement)
	result, err := s.dialect.Once(ctx, s.db, one)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err != nil || n == int64(len(rows)) {
		return err
	}
	var size int64
	if err := s.db.QueryRowContext(ctx, s.sql(`SELECT size FROM $_head`)).Scan(&size); err != nil {
		return err
	}
	found := map[string]int64{}
	if err := s.eachSigned(ctx, found, asked(rows)); err != nil {
		return err
	}
	if size == rows[0].idx && len(found) > 0 {
		return evidence.ErrSigned
	}
	return evidence.ErrMoved
}

// appendSteps are the statements of an append.
func (s *Store) appendSteps(size int64, rows []row) []sqlkeep.Step {
	all := []sqlkeep.Step{{
		Statement: s.sql(`UPDATE $_head SET size = $1 WHERE id = 1 AND size = $2`),
		Args:      []any{size + int64(len(rows)), size},
	}}
	for _, args := range inForms(asked(rows)) {
		statement := s.sql(`SELECT 1 FROM $_entries WHERE ` + s.signedIn(len(args)) + ` LIMIT 1`)
		all = append(all, sqlkeep.Step{Statement: statement, Args: args, Found: evidence.ErrSigned})
	}
	return s.insertRows(all, rows)
}

// insertRows adds the statements that insert rows.
func (s *Store) insertRows(all []sqlkeep.Step, rows []row) []sqlkeep.Step {
	var entries, held, keys table
	for _, r := range rows {
		entries = append(entries, []any{r.idx, r.record, r.hashes, r.signature})
		if r.held {
			held = append(held, []any{r.idx, r.sealed, r.part})
		}
		if r.sealed == 1 {
			keys = append(keys, []any{r.idx, r.key})
		}
	}
	all = s.inserts(all, `$_entries (idx, record, hashes, signature)`, entries)
	all = s.inserts(all, `$_held (idx, sealed, held)`, held)
	return s.inserts(all, `$_held_keys (idx, held_key)`, keys)
}

// table is rows to insert.
type table [][]any

// inserts adds the statements that insert rows: few, and of few forms, because drivers and databases remember them.
func (s *Store) inserts(all []sqlkeep.Step, into string, rows table) []sqlkeep.Step {
	for len(rows) > 0 {
		n := 64
		for n > len(rows) {
			n /= 2
		}
		args := make([]any, 0, n*len(rows[0]))
		for _, row := range rows[:n] {
			args = append(args, row...)
		}
		statement := s.sql(`INSERT INTO ` + into + ` VALUES ` + placeholders(1, n, len(rows[0])))
		all = append(all, sqlkeep.Step{Statement: statement, Args: args})
		rows = rows[n:]
	}
	return all
}

// inForms cuts arguments up into few lengths, as with inserts. The last one stands for those that are not there.
func inForms(args []any) (forms [][]any) {
	for len(args) > 0 {
		n := 1
		for n < min(len(args), 64) {
			n *= 2
		}
		form := make([]any, n)
		for i := range form {
			form[i] = args[min(i, len(args)-1)]
		}
		forms = append(forms, form)
		args = args[min(n, len(args)):]
	}
	return forms
}

// placeholders are rows of columns, numbered from some number on: ($1,$2),($3,$4).
func placeholders(from, rows, columns int) string {
	var b strings.Builder
	for i := range rows * columns {
		switch {
		case i == 0:
			b.WriteByte('(')
		case i%columns == 0:
			b.WriteString("),(")
		default:
			b.WriteByte(',')
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(from + i))
	}
	b.WriteByte(')')
	return b.String()
}

// signatureBytes reads the hexadecimal form that entries have; nil is none.
func signatureBytes(signature string) ([]byte, error) {
	if signature == "" {
		return nil, nil
	}
	b, err := hex.DecodeString(signature)
	if err != nil || hex.EncodeToString(b) != signature {
		return nil, fmt.Errorf("%w: a signature is named by its SHA-256 in lower-case hexadecimal", ErrConfiguration)
	}
	return b, nil
}
