package sqlstore

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/kakunin-go/kakunin/internal/sqlkeep"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

const hashSize = 32

// damaged names what is wrong with the tables.
func damaged(format string, args ...any) error {
	return fmt.Errorf("sqlstore: %w: "+format, append([]any{evidence.ErrDamaged}, args...)...)
}

// Size implements evidence.Store. The last entry must be the one that the head counts: rows that somebody removed or
// added by hand are no other size.
func (s *Store) Size(ctx context.Context) (int64, error) {
	var size, last int64
	err := s.db.QueryRowContext(ctx, s.sql(`SELECT size, coalesce((SELECT max(idx) FROM $_entries), -1) FROM $_head`)).
		Scan(&size, &last)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, damaged("the head is gone")
	case err != nil:
		return 0, err
	case last != size-1:
		return 0, damaged("%d entries are counted, the last is number %d", size, last)
	}
	return size, nil
}

// Entries implements evidence.Store.
func (s *Store) Entries(ctx context.Context, first int64, n int) (_ []evidence.Entry, err error) {
	rows, err := s.db.QueryContext(
		ctx,
		s.sql(`SELECT e.idx, e.record, e.hashes, e.signature, h.held, h.sealed, k.held_key`+
			` FROM $_entries e LEFT JOIN $_held h ON h.idx = e.idx LEFT JOIN $_held_keys k ON k.idx = e.idx`+
			` WHERE e.idx >= $1 AND e.idx < $2 ORDER BY e.idx`),
		first,
		first+int64(max(n, 0)),
	)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var entries []evidence.Entry
	for rows.Next() {
		var idx int64
		var sealed sql.NullInt64
		var hashes, signature, held, key []byte
		var e evidence.Entry
		if err := rows.Scan(&idx, &e.Record, &hashes, &signature, &held, &sealed, &key); err != nil {
			return nil, err
		}
		if want := first + int64(len(entries)); idx != want {
			return nil, damaged("entry %d is gone", want)
		}
		if len(hashes) == 0 || len(hashes)%hashSize != 0 {
			return nil, damaged("entry %d has no hashes", idx)
		}
		for h := range slices.Chunk(hashes, hashSize) {
			e.Hashes = append(e.Hashes, evidence.Hash(h))
		}
		e.Signature = hex.EncodeToString(signature)
		// An encrypted part without its key is as good as gone.
		if sealed.Valid && (sealed.Int64 == 0) == (key == nil) {
			e.Held, e.Key = held, key
		}
		entries = append(entries, e)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(entries) == n && n > 0 {
		return entries, nil
	}
	// Fewer than asked for: at the end, or is something gone?
	next := first + int64(len(entries))
	size, err := s.Size(ctx)
	switch {
	case err != nil:
		return nil, err
	case first < 0 || first >= size:
		return nil, evidence.ErrAbsent
	case next >= min(size, first+int64(n)):
		return entries, nil
	}
	var there int
	err = s.db.QueryRowContext(ctx, s.sql(`SELECT count(*) FROM $_entries WHERE idx = $1`), next).Scan(&there)
	switch {
	case err != nil:
		return nil, err
	case there == 0:
		return nil, damaged("entry %d is gone", next)
	case len(entries) == 0: // somebody appended it since the question
		return s.Entries(ctx, first, n)
	}
	return entries, nil
}

// Hashes implements evidence.Store: an entry has the hashes of all parts of the tree that it completes, the smallest
// first.
func (s *Store) Hashes(ctx context.Context, positions []int64) ([]evidence.Hash, error) {
	if len(positions) == 0 {
		return nil, nil
	}
	indexes := make([]int64, len(positions))
	levels := make([]int, len(positions))
	for i, p := range positions {
		if p < 0 {
			return nil, evidence.ErrAbsent
		}
		level, n := tlog.SplitStoredHashIndex(p)
		indexes[i], levels[i] = (n+1)<<level-1, level
	}
	rows := map[int64][]byte{}
	wanted := slices.Clone(indexes)
	slices.Sort(wanted)
	if err := s.readHashes(ctx, slices.Compact(wanted), rows); err != nil {
		return nil, err
	}
	hashes := make([]evidence.Hash, len(positions))
	for i, idx := range indexes {
		b, from := rows[idx], levels[i]*hashSize
		if len(b) < from+hashSize {
			return nil, evidence.ErrAbsent
		}
		hashes[i] = evidence.Hash(b[from : from+hashSize])
	}
	return hashes, nil
}

// readHashes reads the column of entries given in order: a range where they stand side by side, single rows otherwise.
func (s *Store) readHashes(ctx context.Context, indexes []int64, into map[int64][]byte) error {
	const most = 64
	for len(indexes) > 0 {
		if last := len(indexes) - 1; indexes[last]-indexes[0] == int64(last) {
			return s.query(ctx, into, `SELECT idx, hashes FROM $_entries WHERE idx >= $1 AND idx <= $2`,
				indexes[0], indexes[last])
		}
		// As with inserts: few forms of the statement. The last index stands for those that are not there.
		n := 1
		for n < min(len(indexes), most) {
			n *= 2
		}
		args := make([]any, n)
		for i := range args {
			args[i] = indexes[min(i, len(indexes)-1)]
		}
		err := s.query(ctx, into, `SELECT idx, hashes FROM $_entries WHERE idx IN `+placeholders(1, 1, n), args...)
		if err != nil {
			return err
		}
		indexes = indexes[min(n, len(indexes)):]
	}
	return nil
}

func (s *Store) query(ctx context.Context, into map[int64][]byte, query string, args ...any) (err error) {
	rows, err := s.db.QueryContext(ctx, s.sql(query), args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var idx int64
		var b []byte
		if err := rows.Scan(&idx, &b); err != nil {
			return err
		}
		into[idx] = b
	}
	return rows.Err()
}

// Signed implements evidence.Store.
func (s *Store) Signed(ctx context.Context, signatures ...string) (map[string]int64, error) {
	found := map[string]int64{}
	var asked []any
	for _, signature := range signatures {
		// What is no signature, nothing has.
		if b, err := signatureBytes(signature); err == nil && b != nil {
			asked = append(asked, b)
		}
	}
	if s.recent != nil {
		return found, s.signedRecent(ctx, found, asked)
	}
	return found, s.eachSigned(ctx, found, asked)
}

// signedIn is the condition that a row has one of n signature values.
func (s *Store) signedIn(n int) string {
	return `signature IS NOT NULL AND signature IN ` + placeholders(1, 1, n)
}

// eachSigned finds the first entry with each signature value.
func (s *Store) eachSigned(ctx context.Context, found map[string]int64, asked []any) error {
	for _, args := range inForms(asked) {
		if err := s.signed(ctx, found, args); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) signed(ctx context.Context, found map[string]int64, args []any) error {
	statement := s.sql(
		`SELECT signature, min(idx) FROM $_entries WHERE ` + s.signedIn(len(args)) + ` GROUP BY signature`)
	return s.find(ctx, found, sqlkeep.Step{Statement: statement, Args: args})
}

// find asks for signature values and the first entries that have them.
func (s *Store) find(ctx context.Context, found map[string]int64, q sqlkeep.Step) (err error) {
	rows, err := s.dialect.Query(ctx, s.db, q)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var signature []byte
		var index int64
		if err := rows.Scan(&signature, &index); err != nil {
			return err
		}
		found[hex.EncodeToString(signature)] = index
	}
	return rows.Err()
}

// Check implements evidence.Checker: SQLite compares its indexes with the tables; PostgreSQL has other means.
func (s *Store) Check(ctx context.Context) error {
	if err := s.dialect.check(ctx, s.db); err != nil || s.recent == nil {
		return err
	}
	return s.checkSigned(ctx)
}
