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
	// signatureKey is the expression under which the index finds a signature value.
	signatureKey(signature string) string
	// reindex are the statements that make the index of these expressions from that of whole signature values.
	reindex() []string
	// check compares the database's indexes with its tables, if it can.
	check(ctx context.Context, db *sql.DB) error
}

type postgreSQL struct{ sqlkeep.Dialect }

func (postgreSQL) index() string { return "BIGINT" }

func (postgreSQL) signatureKey(signature string) string { return signature }

func (postgreSQL) reindex() []string { return nil }

// check does nothing: that is what PostgreSQL's checksums of pages and its module amcheck are for.
func (postgreSQL) check(context.Context, *sql.DB) error { return nil }

type sqLite struct{ sqlkeep.Dialect }

// index is the type that makes the index the number of the row, so that it needs no tree of its own.
func (sqLite) index() string { return "INTEGER" }

// signatureKey is the beginning: the values come in no order, and an append writes every page of the index that one of
// them is on. Of 8 bytes there are a third of the pages. Whoever asks compares the whole.
func (sqLite) signatureKey(signature string) string { return `substr(` + signature + `, 1, 8)` }

func (d sqLite) reindex() []string {
	return []string{
		`DROP INDEX INDEX_signature`,
		`CREATE INDEX INDEX_signature ON $_entries (` + d.signatureKey("signature") + `) WHERE signature IS NOT NULL`,
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
