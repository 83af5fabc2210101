package sqlstore

import (
	"context"
	"database/sql"

	"github.com/kakunin-go/kakunin/internal/sqlkeep"
)

// dialect is in what the databases differ.
type dialect interface {
	sqlkeep.Dialect
	// index is the type of an entry's index.
	index() string
	// appendAtOnce is the statement that is a whole append, with the rows that it changes; ok is false when that is no
	// quicker than a transaction.
	appendAtOnce(size int64, rows []row) (one sqlkeep.Step, ok bool)
	// remembers tells whether new signature values are remembered, and moved into their table later.
	remembers() bool
	// changes are the statements that lead from version 1 of the tables to each later one.
	changes() [][]string
	// check compares the database's indexes with its tables, if it can.
	check(ctx context.Context, db *sql.DB) error
}

type postgreSQL struct{ sqlkeep.Dialect }

func (postgreSQL) index() string { return "BIGINT" }

func (postgreSQL) remembers() bool { return false }

func (postgreSQL) changes() [][]string { return [][]string{nil} }

// check does nothing: that is what PostgreSQL's checksums of pages and its module amcheck are for.
func (postgreSQL) check(context.Context, *sql.DB) error { return nil }

type sqLite struct{ sqlkeep.Dialect }

// index is the type that makes the index the number of the row, so that it needs no tree of its own.
func (sqLite) index() string { return "INTEGER" }

func (sqLite) remembers() bool { return true }

func (sqLite) changes() [][]string {
	return [][]string{
		{
			`DROP INDEX INDEX_signature`,
			`CREATE INDEX INDEX_signature ON $_entries (substr(signature, 1, 8)) WHERE signature IS NOT NULL`,
		},
		{
			`CREATE TABLE $_signed (key BYTES NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (key, idx)) WITHOUT ROWID`,
			`INSERT INTO $_signed (key, idx) SELECT substr(signature, 1, 8), idx FROM $_entries` +
				` WHERE signature IS NOT NULL ORDER BY 1, 2`,
			`ALTER TABLE $_head ADD COLUMN signed BIGINT NOT NULL DEFAULT 0`,
			`UPDATE $_head SET signed = size`,
			`DROP INDEX INDEX_signature`,
		},
	}
}

func (sqLite) appendAtOnce(int64, []row) (sqlkeep.Step, bool) { return sqlkeep.Step{}, false }

func (sqLite) check(ctx context.Context, db *sql.DB) error {
	var answer string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&answer); err != nil {
		return err
	}
	if answer != "ok" {
		return damaged("the file's pages do not agree")
	}
	return nil
}
