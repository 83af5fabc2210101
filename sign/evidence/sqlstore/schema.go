package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/kakunin-go/kakunin/internal/sqlkeep"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

// migrations are the statements that lead to each version of the tables, the first to version 1. BYTES is the type of
// byte strings, INDEX that of an entry's index.
//
//   - entries: a record or note; hashes are those that it adds to the tree, 32 bytes each; signature is the SHA-256 of
//     the signature value.
//   - held and held_keys: the parts that can be deleted alone, and the wrapped keys of those that are encrypted.
//   - blobs and chunks: archived files in pieces.
//
// In SQLite, version 2 has a smaller index of signature values, and version 3 a table of them instead, which new ones
// come into by thousands.
func migrations(d dialect) [][]string {
	return append([][]string{
		{
			`CREATE TABLE $_head (id INTEGER PRIMARY KEY CHECK (id = 1), size BIGINT NOT NULL CHECK (size >= 0))`,
			`INSERT INTO $_head (id, size) VALUES (1, 0)`,
			`CREATE TABLE $_entries (idx INDEX PRIMARY KEY, record BYTES NOT NULL, hashes BYTES NOT NULL, signature BYTES)`,
			`CREATE INDEX INDEX_signature ON $_entries (signature) WHERE signature IS NOT NULL`,
			`CREATE TABLE $_held (idx INDEX PRIMARY KEY, sealed INTEGER NOT NULL, held BYTES NOT NULL)`,
			`CREATE TABLE $_held_keys (idx INDEX PRIMARY KEY, held_key BYTES NOT NULL)`,
			`CREATE TABLE $_blobs (hash BYTES PRIMARY KEY, id VARCHAR(64) NOT NULL, size BIGINT NOT NULL)`,
			`CREATE TABLE $_chunks (id VARCHAR(64) NOT NULL, seq BIGINT NOT NULL, data BYTES NOT NULL, PRIMARY KEY (id, seq))`,
		},
	}, d.changes()...)
}

// migrate brings the tables to the present version, one instance at a time.
func (s *Store) migrate(ctx context.Context) error {
	return s.dialect.Locked(ctx, s.db, s.prefix, func(tx sqlkeep.Execer) error {
		if _, err := tx.ExecContext(ctx, s.sql(
			`CREATE TABLE IF NOT EXISTS $_meta (name VARCHAR(40) PRIMARY KEY, value BIGINT NOT NULL)`)); err != nil {
			return err
		}
		var version sql.NullInt64
		row := tx.QueryRowContext(ctx, s.sql(`SELECT max(value) FROM $_meta WHERE name = 'version'`))
		if err := row.Scan(&version); err != nil {
			return err
		}
		steps := migrations(s.dialect)
		if version.Int64 > int64(len(steps)) || version.Int64 < 0 {
			return fmt.Errorf("sqlstore: tables of version %d: %w", version.Int64, evidence.ErrLater)
		}
		if version.Int64 == int64(len(steps)) {
			return nil
		}
		for _, statements := range steps[version.Int64:] {
			for _, statement := range statements {
				statement = strings.ReplaceAll(statement, "BYTES", s.dialect.Bytes())
				statement = strings.ReplaceAll(statement, "INDEX PRIMARY", s.dialect.index()+" PRIMARY")
				// The name of an index stands without a schema.
				statement = strings.ReplaceAll(
					statement,
					"INDEX_",
					s.prefix[strings.LastIndexByte(s.prefix, '.')+1:]+"_",
				)
				if _, err := tx.ExecContext(ctx, s.sql(statement)); err != nil {
					return err
				}
			}
		}
		if _, err := tx.ExecContext(ctx, s.sql(`DELETE FROM $_meta WHERE name = 'version'`)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, s.sql(`INSERT INTO $_meta (name, value) VALUES ('version', $1)`), len(steps))
		return err
	})
}
