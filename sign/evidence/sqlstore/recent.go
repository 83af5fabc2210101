package sqlstore

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"sync"

	"github.com/kakunin-go/kakunin/internal/sqlkeep"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

// In SQLite an index of signature values is dear: they come in no order, and each is on another page, which an append
// writes. So the table signed has those of the entries before head.signed alone; of the some thousand behind it every
// program that appends remembers them, and reads them when it begins. Now and then an append moves them into the table,
// in its order.

// signedEvery is how many entries are behind head.signed before they are moved.
const signedEvery = 4096

// keyLength is how much of a signature value the table has. Whoever asks compares the whole.
const keyLength = 8

// recent are the signature values that the table signed has not.
type recent struct {
	mu    sync.Mutex
	every int64
	known bool
	// signed is what the head says; from is the first entry that is remembered, to the one behind the last.
	signed, from, to int64
	first            map[string]int64 // by the signature value
}

// begin forgets what is remembered.
func (r *recent) begin(from int64) { r.from, r.to, r.first = from, from, map[string]int64{} }

func (r *recent) remember(signature []byte, index int64) {
	if _, known := r.first[string(signature)]; !known && signature != nil {
		r.first[string(signature)] = index
	}
}

// refresh reads what was appended since, by whomever.
func (s *Store) refresh(ctx context.Context) error {
	r := s.recent
	var size, signed int64
	rows, err := s.dialect.Query(ctx, s.db, sqlkeep.Step{Statement: s.sql(`SELECT size, signed FROM $_head`)})
	if err != nil {
		return err
	}
	there := rows.Next()
	if there {
		err = rows.Scan(&size, &signed)
	}
	if err := errors.Join(err, rows.Err(), rows.Close()); err != nil {
		return err
	}
	if !there {
		return damaged("the head is gone")
	}
	// Should somebody have cut the log off by hand, what is appended from now on is not in the table.
	if from := min(signed, size); !r.known || signed != r.signed || from != r.from || size < r.to {
		r.begin(from)
	}
	r.known, r.signed = false, signed
	if r.to < size {
		if err := s.readSignatures(ctx, size); err != nil {
			return err
		}
	}
	r.known, r.to = true, size
	return nil
}

func (s *Store) readSignatures(ctx context.Context, to int64) (err error) {
	rows, err := s.dialect.Query(ctx, s.db, sqlkeep.Step{
		Statement: s.sql(`SELECT idx, signature FROM $_entries` +
			` WHERE idx >= $1 AND idx < $2 AND signature IS NOT NULL ORDER BY idx`),
		Args: []any{s.recent.to, to},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var index int64
		var signature []byte
		if err := rows.Scan(&index, &signature); err != nil {
			return err
		}
		s.recent.remember(signature, index)
	}
	return rows.Err()
}

// appendRecent is an append where signature values are remembered. Size and what the table has are as they were when
// they were looked up, or the head is not changed.
func (s *Store) appendRecent(ctx context.Context, size int64, rows []row) error {
	r := s.recent
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if !r.known || r.to != size {
			if err := s.refresh(ctx); err != nil {
				return err
			}
		}
		if r.to != size {
			return evidence.ErrMoved
		}
		for _, row := range rows {
			if _, known := r.first[string(row.signature)]; known && !row.again {
				return evidence.ErrSigned
			}
		}
		err := s.dialect.Steps(ctx, s.db, s.recentSteps(size, rows))
		switch {
		case err == nil:
			s.appended(size, rows)
			return nil
		case errors.Is(err, evidence.ErrSigned):
			return err
		}
		before := r.signed
		r.known = false // nobody knows what was committed
		if !errors.Is(err, sqlkeep.ErrUnchanged) {
			return err
		}
		if err := s.refresh(ctx); err != nil {
			return err
		}
		if r.to == size && r.signed == before {
			return evidence.ErrSigned
		}
	}
}

// recentSteps are the statements of an append.
func (s *Store) recentSteps(size int64, rows []row) []sqlkeep.Step {
	r, end := s.recent, size+int64(len(rows))
	signed := min(r.signed, size)
	moving := end-r.from >= r.every
	if moving {
		signed = end
	}
	head := sqlkeep.Step{
		Statement: s.sql(`UPDATE $_head SET size = $1, signed = $2 WHERE id = 1 AND size = $3 AND signed = $4`),
		Args:      []any{end, signed, size, r.signed},
	}
	var all []sqlkeep.Step
	for i, keys := range inForms(asked(rows)) {
		for i, signature := range keys {
			keys[i] = keyOf(signature)
		}
		const known = `SELECT 1 FROM $_signed WHERE key IN `
		if i == 0 {
			head.Statement += s.sql(` AND NOT EXISTS (` + known + placeholders(len(head.Args)+1, 1, len(keys)) + `)`)
			head.Args = append(head.Args, keys...)
			continue
		}
		all = append(all, sqlkeep.Step{
			Statement: s.sql(known + placeholders(1, 1, len(keys)) + ` LIMIT 1`), Args: keys, Found: evidence.ErrSigned,
		})
	}
	all = slices.Insert(all, 0, head)
	all = s.insertRows(all, rows)
	if moving {
		all = append(all, sqlkeep.Step{Statement: s.sql(fillSigned), Args: []any{r.from, end}})
	}
	return all
}

// fillSigned puts the signature values of entries into the table, in its order.
const fillSigned = `INSERT OR IGNORE INTO $_signed (key, idx) SELECT substr(signature, 1, 8), idx FROM $_entries` +
	` WHERE idx >= $1 AND idx < $2 AND signature IS NOT NULL ORDER BY 1, 2`

// appended remembers what was appended.
func (s *Store) appended(size int64, rows []row) {
	r, end := s.recent, size+int64(len(rows))
	if r.signed = min(r.signed, size); end-r.from >= r.every {
		r.signed = end
		r.begin(end)
		return
	}
	for _, row := range rows {
		r.remember(row.signature, row.idx)
	}
	r.to = end
}

// keyOf is the beginning of a signature value.
func keyOf(signature any) []byte {
	b, _ := signature.([]byte)
	return b[:min(len(b), keyLength)]
}

// signedRecent finds the first entry with each signature value: first what is remembered, then what the table has,
// where it is if it was moved meanwhile.
func (s *Store) signedRecent(ctx context.Context, found map[string]int64, asked []any) error {
	s.recent.mu.Lock()
	defer s.recent.mu.Unlock()
	if err := s.refresh(ctx); err != nil {
		return err
	}
	for _, args := range inForms(asked) {
		keys := make([]any, len(args))
		for i, signature := range args {
			keys[i] = keyOf(signature)
		}
		statement := s.sql(`SELECT e.signature, min(e.idx) FROM $_signed s CROSS JOIN $_entries e ON e.idx = s.idx` +
			` WHERE s.key IN ` + placeholders(1, 1, len(args)) + ` AND substr(e.signature, 1, 8) = s.key GROUP BY e.signature`)
		if err := s.find(ctx, found, sqlkeep.Step{Statement: statement, Args: keys}); err != nil {
			return err
		}
	}
	wanted := make(map[string]bool, len(asked))
	for _, signature := range asked {
		b, _ := signature.([]byte)
		name := hex.EncodeToString(b)
		wanted[name] = true
		if index, known := s.recent.first[string(b)]; known {
			if first, known := found[name]; !known || index < first {
				found[name] = index
			}
		}
	}
	for name := range found { // the key may be another's, too
		if !wanted[name] {
			delete(found, name)
		}
	}
	return nil
}

// checkSigned compares the table with the entries.
func (s *Store) checkSigned(ctx context.Context) error {
	var lacking int64
	err := s.db.QueryRowContext(ctx, s.sql(`SELECT count(*) FROM $_entries e WHERE e.signature IS NOT NULL AND`+
		` e.idx < (SELECT signed FROM $_head) AND NOT EXISTS`+
		` (SELECT 1 FROM $_signed s WHERE s.key = substr(e.signature, 1, 8) AND s.idx = e.idx)`)).Scan(&lacking)
	if err == nil && lacking > 0 {
		err = damaged("%d signature values are not found", lacking)
	}
	return err
}
