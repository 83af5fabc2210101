package sqlstore

import (
	"context"
	"errors"

	"github.com/kakunin-go/kakunin/internal/sqlkeep"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

// HeldFrom implements evidence.Store.
func (s *Store) HeldFrom(ctx context.Context, first int64, n int) (indexes []int64, err error) {
	rows, err := s.db.QueryContext(ctx, s.sql(`SELECT h.idx FROM $_held h LEFT JOIN $_held_keys k ON k.idx = h.idx`+
		` WHERE h.idx >= $1 AND (h.sealed = 0 OR k.idx IS NOT NULL) ORDER BY h.idx LIMIT $2`), first, max(n, 0))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var idx int64
		if err := rows.Scan(&idx); err != nil {
			return nil, err
		}
		indexes = append(indexes, idx)
	}
	return indexes, rows.Err()
}

// DeleteHeld implements evidence.Store. SQLite has what was deleted in its write-ahead log, too, and cannot empty that
// while somebody reads: then there is an error, and deleting again, be it nothing, does the rest.
func (s *Store) DeleteHeld(ctx context.Context, indexes ...int64) error {
	if len(indexes) == 0 {
		return s.dialect.Forget(ctx, s.db)
	}
	size, err := s.Size(ctx)
	if err != nil {
		return err
	}
	for _, i := range indexes {
		if i < 0 || i >= size {
			return evidence.ErrAbsent
		}
	}
	err = s.dialect.Write(ctx, s.db, func(tx sqlkeep.Execer) error {
		for _, i := range indexes {
			for _, statement := range []string{`DELETE FROM $_held_keys WHERE idx = $1`,
				`DELETE FROM $_held WHERE idx = $1`} {
				if _, err := tx.ExecContext(ctx, s.sql(statement), i); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.dialect.Forget(ctx, s.db)
}
