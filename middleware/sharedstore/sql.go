package sharedstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
)

// SQLConfig configures a SQL; NewSQL validates it.
type SQLConfig struct {
	// DB is a PostgreSQL (9.5 or later) or an SQLite (3.35 or later), through any driver.
	DB *sql.DB
	// Table is the table's name, with its schema or without; default kakunin_shared. See [SQL.Schema].
	Table string
	Now   func() time.Time // default time.Now
}

// SQL is a middleware.Shared. It is safe for concurrent use. Rows that are over are replaced when their key comes
// again; the application has the others removed by [SQL.Sweep] from time to time.
type SQL struct {
	db    *sql.DB
	table string
	now   func() time.Time
}

// NewSQL validates the configuration and sends nothing. The error is an [*Error] that names every mistake.
func NewSQL(c SQLConfig) (*SQL, error) {
	s := &SQL{db: c.DB, table: c.Table, now: c.Now}
	if s.table == "" {
		s.table = "kakunin_shared"
	}
	if s.now == nil {
		s.now = time.Now
	}
	var mistakes []string
	if c.DB == nil {
		mistakes = append(mistakes, "DB is missing")
	}
	if !isName(s.table) {
		mistakes = append(mistakes, "Table must be a plain name")
	}
	if len(mistakes) > 0 {
		return nil, &Error{Reason: ReasonConfiguration, Detail: strings.Join(mistakes, "; ")}
	}
	return s, nil
}

// Schema is the statement that makes the table, for the application's migrations. In SQLite BYTEA is a name for BLOB.
func (s *SQL) Schema() string {
	return "CREATE TABLE IF NOT EXISTS " + s.table +
		" (name VARCHAR(80) PRIMARY KEY, value BYTEA, expires BIGINT NOT NULL)" // milliseconds since 1970
}

// insert takes the row if there is none, or one that is over; otherwise it changes nothing.
const insert = " (name, value, expires) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE SET value = excluded.value," +
	" expires = excluded.expires WHERE "

// Use implements middleware.Shared.
func (s *SQL) Use(ctx context.Context, key string, ttl time.Duration) (bool, error) {
	now := s.now()
	result, err := s.db.ExecContext(ctx, "INSERT INTO "+s.table+insert+s.table+".expires <= $4", //nolint:gosec // the table's name was checked by New
		key, nil, now.Add(ttl).UnixMilli(), now.UnixMilli())
	if err != nil {
		return false, &Error{Reason: ReasonStore, Err: err}
	}
	n, err := result.RowsAffected()
	if err != nil {
		return false, &Error{Reason: ReasonStore, Err: err}
	}
	return n == 1, nil
}

// Used implements middleware.Shared.
func (s *SQL) Used(ctx context.Context, key string) (bool, error) {
	var one int
	err := s.db.QueryRowContext(
		ctx,
		"SELECT 1 FROM "+s.table+" WHERE name = $1 AND expires > $2",
		key,
		s.now().UnixMilli(),
	).Scan(
		&one,
	)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, &Error{Reason: ReasonStore, Err: err}
	}
	return true, nil
}

// Put implements middleware.Shared.
func (s *SQL) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	_, err := s.db.ExecContext(ctx, "INSERT INTO "+s.table+insert+"1 = 1", key, value, s.now().Add(ttl).UnixMilli()) //nolint:gosec // the table's name was checked by New
	if err != nil {
		return &Error{Reason: ReasonStore, Err: err}
	}
	return nil
}

// Take implements middleware.Shared.
func (s *SQL) Take(ctx context.Context, key string) ([]byte, error) {
	var value []byte
	var expires int64
	err := s.db.QueryRowContext(
		ctx,
		"DELETE FROM "+s.table+" WHERE name = $1 RETURNING value, expires",
		key,
	).Scan(
		&value,
		&expires,
	)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, &Error{Reason: ReasonStore, Err: err}
	}
	if expires <= s.now().UnixMilli() {
		return nil, nil
	}
	return value, nil
}

// Sweep removes the rows that are over.
func (s *SQL) Sweep(ctx context.Context) error {
	if _, err := s.db.ExecContext(ctx, "DELETE FROM "+s.table+" WHERE expires <= $1", s.now().UnixMilli()); err != nil { //nolint:gosec // the table's name was checked by New
		return &Error{Reason: ReasonStore, Err: err}
	}
	return nil
}
