// Package sqlstore keeps signature transactions in an SQL database: PostgreSQL for several instances of one
// application, SQLite for one machine. It links no driver: the application brings its own. [OpenPostgreSQL] and
// [OpenSQLite] make or check the table; signapi.NewKeeper takes the result. See the example of [Store].
//
// # Durability
//
// PostgreSQL: a write is acknowledged when it is committed with synchronous_commit on, whatever the session's setting;
// a server with fsync off is refused. SQLite: write-ahead log with synchronous FULL.
//
// # Examples
//
// There are examples of [OpenSQLite] and [Store].
//
// # Compatibility
//
// The table has a row with the version of its form. A later version of this package changes older tables when it opens
// them; an earlier one refuses later tables with [ErrLater].
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kakunin-go/kakunin/internal/fault"
	"github.com/kakunin-go/kakunin/internal/sqlkeep"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// maxName leaves room for the rest of an index's name: PostgreSQL cuts identifiers at 63 bytes.
const maxName = 40

// Config configures a store.
type Config struct {
	// DB is the database, through any driver; required. It stays the caller's: closing it is too.
	DB *sql.DB
	// Table is the table's name, with a schema before it or without; default kakunin_signatures.
	Table string
}

// Errors of this package beside those of signapi.Store and of the driver.
var (
	// ErrConfiguration: the configuration cannot work; the text names every mistake.
	ErrConfiguration = errors.New("sqlstore: configuration")
	// ErrNotDurable: the database does not keep what it acknowledges: PostgreSQL with fsync off, SQLite in memory.
	ErrNotDurable = sqlkeep.ErrNotDurable
	// ErrLater: the table is of a later version of this package.
	ErrLater = errors.New("sqlstore: the table is of a later version")
)

// Store is a table in a database. It implements signapi.Store and is safe for concurrent use.
type Store struct {
	db      *sql.DB
	dialect sqlkeep.Dialect
	table   string
}

var _ signapi.Store = (*Store)(nil)

// OpenPostgreSQL makes the table in a PostgreSQL database (13 or later) if it is not there, and checks its version.
func OpenPostgreSQL(ctx context.Context, c Config) (*Store, error) {
	return open(ctx, c, sqlkeep.PostgreSQL())
}

// OpenSQLite makes the table in an SQLite database (3.35 or later) if it is not there, and checks its version. The
// database is a file, which it switches to the write-ahead log.
func OpenSQLite(ctx context.Context, c Config) (*Store, error) {
	return open(ctx, c, sqlkeep.SQLite())
}

func open(ctx context.Context, c Config, d sqlkeep.Dialect) (*Store, error) {
	s := &Store{db: c.DB, dialect: d, table: c.Table}
	if s.table == "" {
		s.table = "kakunin_signatures"
	}
	var list fault.Mistakes
	list.Add(c.DB == nil, "DB is missing")
	list.Add(!sqlkeep.IsName(s.table, maxName), "Table must be a plain name")
	if len(list) > 0 {
		return nil, fmt.Errorf("%w: %s", ErrConfiguration, list.Detail())
	}
	if err := d.Prepare(ctx, s.db); err != nil {
		return nil, err
	}
	return s, s.migrate(ctx)
}

// version is that of the table's form. It stands in a row of its own, which no transaction can have: ids are not empty.
const version = 1

// migrate makes the table, one instance at a time. The texts are byte strings: databases compare texts by rules of
// languages, and ids are compared byte by byte.
func (s *Store) migrate(ctx context.Context) error {
	return s.dialect.Locked(ctx, s.db, s.table, func(tx sqlkeep.Execer) error {
		bytes := s.dialect.Bytes()
		plain := s.table[strings.LastIndexByte(s.table, '.')+1:] // the name of an index stands without a schema
		for _, statement := range []string{
			`CREATE TABLE IF NOT EXISTS $_ (id ` + bytes + ` PRIMARY KEY, request ` + bytes + ` UNIQUE,` +
				` version BIGINT NOT NULL, state INTEGER NOT NULL, record ` + bytes + ` NOT NULL, answer ` + bytes + `)`,
			`CREATE INDEX IF NOT EXISTS ` + plain + `_state ON $_ (state, id)`,
			`INSERT INTO $_ (id, request, version, state, record, answer) VALUES ($1, NULL, $2, 0, $3, NULL)` +
				` ON CONFLICT (id) DO NOTHING`,
		} {
			var args []any
			if strings.Contains(statement, "$1") {
				args = []any{[]byte{}, version, []byte{}}
			}
			if _, err := tx.ExecContext(ctx, s.sql(statement), args...); err != nil {
				return err
			}
		}
		var found int64
		row := tx.QueryRowContext(ctx, s.sql(`SELECT version FROM $_ WHERE id = $1`), []byte{})
		if err := row.Scan(&found); err != nil {
			return err
		}
		if found > version {
			return fmt.Errorf("%w: %d", ErrLater, found)
		}
		return nil
	})
}

// sql puts the name of the table into a statement.
func (s *Store) sql(statement string) string { return strings.ReplaceAll(statement, "$_", s.table) }

// keyOf is the column of a key: the empty one is none, and none is unlike all others.
func keyOf(key string) any {
	if key == "" {
		return nil
	}
	return []byte(key)
}

// notNil: drivers send nil as NULL.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// write runs one statement, and returns none when it changed nothing. $! stands for what makes it durable.
func (s *Store) write(ctx context.Context, none error, statement string, args ...any) error {
	statement = strings.ReplaceAll(s.sql(statement), "$!", s.dialect.Durably())
	result, err := s.dialect.Once(ctx, s.db, sqlkeep.Step{Statement: statement, Args: args})
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		err = none
	}
	return err
}

// Add implements signapi.Store.
func (s *Store) Add(ctx context.Context, e signapi.Entry) error {
	// Without a target the conflict may be one of the id or of the key.
	return s.write(ctx, signapi.ErrExists,
		`INSERT INTO $_ (id, request, version, state, record, answer) SELECT $1, $2, 1, $3, $4, $5 WHERE $!`+
			` ON CONFLICT DO NOTHING`,
		[]byte(e.ID), keyOf(e.Key), int64(e.State), notNil(e.Record), e.Answer)
}

// Replace implements signapi.Store.
func (s *Store) Replace(ctx context.Context, e signapi.Entry) error {
	err := s.write(ctx, signapi.ErrMoved,
		`UPDATE $_ SET request = $1, version = version + 1, state = $2, record = $3, answer = $4`+
			` WHERE id = $5 AND version = $6 AND $!`,
		keyOf(e.Key), int64(e.State), notNil(e.Record), e.Answer, []byte(e.ID), e.Version)
	if err == nil || e.Key == "" || errors.Is(err, signapi.ErrMoved) {
		return err
	}
	// Drivers call a key that is taken each by another name; the row that has it says so itself.
	if other, findErr := s.Find(ctx, e.Key); findErr == nil && other.ID != e.ID {
		return errors.Join(signapi.ErrExists, err)
	}
	return err
}

// Delete implements signapi.Store.
func (s *Store) Delete(ctx context.Context, e signapi.Entry) error {
	return s.write(ctx, signapi.ErrMoved, `DELETE FROM $_ WHERE id = $1 AND version = $2 AND state > 0 AND $!`,
		[]byte(e.ID), e.Version)
}

// Get implements signapi.Store.
func (s *Store) Get(ctx context.Context, id string) (signapi.Entry, error) {
	return s.one(ctx, `id = $1`, id)
}

// Find implements signapi.Store.
func (s *Store) Find(ctx context.Context, key string) (signapi.Entry, error) {
	return s.one(ctx, `request = $1`, key)
}

func (s *Store) one(ctx context.Context, where, value string) (signapi.Entry, error) {
	row := s.db.QueryRowContext(ctx, s.sql(`SELECT id, request, version, state, record, answer FROM $_ WHERE state > 0 AND `+
		where), []byte(value))
	e, err := scan(row)
	if errors.Is(err, sql.ErrNoRows) {
		err = signapi.ErrAbsent
	}
	return e, err
}

// scan reads a row of all columns.
func scan(row interface{ Scan(dest ...any) error }) (e signapi.Entry, err error) {
	var id, key []byte
	var state int64
	if err := row.Scan(&id, &key, &e.Version, &state, &e.Record, &e.Answer); err != nil {
		return signapi.Entry{}, err
	}
	e.ID, e.Key, e.State = string(id), string(key), signapi.State(state)
	return e, nil
}

// List implements signapi.Store.
func (s *Store) List(ctx context.Context, l signapi.List) (entries []signapi.Entry, err error) {
	where := `state > 0`
	if len(l.States) > 0 {
		var states []string
		for _, state := range l.States {
			states = append(states, strconv.Itoa(int(state)))
		}
		slices.Sort(states)
		where += ` AND state IN (` + strings.Join(slices.Compact(states), ", ") + `)`
	}
	rows, err := s.db.QueryContext(ctx, s.sql(`SELECT id, request, version, state, record, NULL FROM $_ WHERE `+where+
		` AND id > $1 ORDER BY id LIMIT $2`), []byte(l.After), max(l.Limit, 0))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		e, err := scan(rows)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, rows.Err()
}
