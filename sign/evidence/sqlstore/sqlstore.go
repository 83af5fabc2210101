// Package sqlstore keeps the entries of an evidence log in an SQL database: PostgreSQL for several instances of one
// application, SQLite for one machine. It links no driver: the application brings its own. [OpenPostgreSQL] and
// [OpenSQLite] make or check the tables; evidence.OpenLog takes the result. See the example of [Store].
//
// # One writer
//
// The table head has one row with the number of entries. An append changes it from the number that the writer knows, or
// is turned away; until it is committed the row is locked (PostgreSQL), or the database (SQLite). So any number of
// instances may append, and each entry has one place. The signature values are looked up in the same step; in
// PostgreSQL all of it is one statement.
//
// # Durability
//
// PostgreSQL: an append is acknowledged when it is committed with synchronous_commit on, whatever the session's
// setting; a server with fsync off is refused. SQLite: write-ahead log with synchronous FULL.
//
// # Examples
//
// There are examples of [OpenSQLite] and [Store].
//
// # Compatibility
//
// The table meta has the version of the tables. A later version of this package changes older tables when it opens
// them; an earlier one refuses later tables with evidence.ErrLater.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/internal/fault"
	"github.com/kakunin-go/kakunin/internal/sqlkeep"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

// maxName leaves room for the rest of a table's name: PostgreSQL cuts identifiers at 63 bytes.
const maxName = 40

// Config configures a store.
type Config struct {
	// DB is the database, through any driver; required. It stays the caller's: closing it is too.
	DB *sql.DB
	// Prefix begins the names of the tables, with a schema before it or without; default kakunin_evidence.
	Prefix string
	// Now tells when an archived file was begun; what was not finished within a day is removed. Default time.Now.
	Now func() time.Time
}

// Errors of this package; package evidence wraps them, as it does those of the driver.
var (
	// ErrConfiguration: the configuration cannot work; the text names every mistake.
	ErrConfiguration = errors.New("sqlstore: configuration")
	// ErrNotDurable: the database does not keep what it acknowledges: PostgreSQL with fsync off, SQLite in memory.
	ErrNotDurable = sqlkeep.ErrNotDurable
)

// Store is a log's tables in a database. It implements evidence.Store and is safe for concurrent use.
type Store struct {
	db      *sql.DB
	dialect dialect
	prefix  string
	now     func() time.Time
	recent  *recent // nil where signature values have an index
}

var _ evidence.Store = (*Store)(nil)

// OpenPostgreSQL makes the tables in a PostgreSQL database (13 or later) if they are not there, and checks their
// version. It reads no entries.
func OpenPostgreSQL(ctx context.Context, c Config) (*Store, error) {
	return open(ctx, c, postgreSQL{sqlkeep.PostgreSQL()})
}

// OpenSQLite makes the tables in an SQLite database (3.35 or later) if they are not there, and checks their version.
// The database is a file, which it switches to the write-ahead log. It reads no entries.
func OpenSQLite(ctx context.Context, c Config) (*Store, error) {
	return open(ctx, c, sqLite{sqlkeep.SQLite()})
}

func open(ctx context.Context, c Config, d dialect) (*Store, error) {
	s := &Store{db: c.DB, dialect: d, prefix: c.Prefix, now: c.Now}
	if s.prefix == "" {
		s.prefix = "kakunin_evidence"
	}
	if s.now == nil {
		s.now = time.Now
	}
	if d.remembers() {
		s.recent = &recent{every: signedEvery}
	}
	var list fault.Mistakes
	list.Add(c.DB == nil, "DB is missing")
	list.Add(!sqlkeep.IsName(s.prefix, maxName), "Prefix must be a plain name")
	if len(list) > 0 {
		return nil, fmt.Errorf("%w: %s", ErrConfiguration, list.Detail())
	}
	if err := d.Prepare(ctx, s.db); err != nil {
		return nil, err
	}
	if err := s.migrate(ctx); err != nil {
		return nil, err
	}
	if _, err := s.Size(ctx); err != nil {
		return nil, err
	}
	return s, s.removeUnfinishedBlobs(ctx)
}

// sql puts the names of the tables into a statement.
func (s *Store) sql(statement string) string {
	return strings.ReplaceAll(statement, "$_", s.prefix+"_")
}
