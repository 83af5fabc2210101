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

// Append implements evidence.Store.
func (s *Store) Append(ctx context.Context, size int64, entries []evidence.Entry) error {
	var rows table
	var held, keys table
	for i, e := range entries {
		idx := size + int64(i)
		hashes := make([]byte, 0, len(e.Hashes)*hashSize)
		for _, h := range e.Hashes {
			hashes = append(hashes, h[:]...)
		}
		signature, err := signatureBytes(e.Signature)
		if err != nil {
			return err
		}
		rows = append(rows, []any{idx, e.Record, hashes, signature})
		if e.Held != nil {
			sealed := 0
			if e.Key != nil {
				sealed = 1
				keys = append(keys, []any{idx, e.Key})
			}
			held = append(held, []any{idx, sealed, e.Held})
		}
	}
	if one := s.dialect.appendOne(); one != "" && len(rows) == 1 && len(held) == 0 {
		var added int64
		var ignored any
		args := append([]any{size + 1}, rows[0]...)
		if err := s.db.QueryRowContext(ctx, s.sql(one), args...).Scan(&added, &ignored); err != nil {
			return err
		}
		if added != 1 {
			return evidence.ErrMoved
		}
		return nil
	}
	head := sqlkeep.Step{
		Statement: s.sql(`UPDATE $_head SET size = $1 WHERE id = 1 AND size = $2`),
		Args:      []any{size + int64(len(rows)), size},
	}
	all := s.inserts([]sqlkeep.Step{head}, `$_entries (idx, record, hashes, signature)`, rows)
	all = s.inserts(all, `$_held (idx, sealed, held)`, held)
	all = s.inserts(all, `$_held_keys (idx, held_key)`, keys)
	err := s.dialect.Steps(ctx, s.db, all)
	if errors.Is(err, sqlkeep.ErrUnchanged) {
		return errors.Join(evidence.ErrMoved, err)
	}
	return err
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
		statement := s.sql(`INSERT INTO ` + into + ` VALUES ` + placeholders(n, len(rows[0])))
		all = append(all, sqlkeep.Step{Statement: statement, Args: args})
		rows = rows[n:]
	}
	return all
}

// placeholders are rows of columns, numbered from 1: ($1,$2),($3,$4).
func placeholders(rows, columns int) string {
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
		b.WriteString(strconv.Itoa(i + 1))
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
