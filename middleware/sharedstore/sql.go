package sharedstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/kakunin-go/kakunin/internal/fault"
	"github.com/kakunin-go/kakunin/internal/sqlkeep"
)

// maxName is where PostgreSQL cuts identifiers.
const maxName = 63

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
	var list fault.Mistakes
	list.Add(c.DB == nil, "DB is missing")
	list.Add(!sqlkeep.IsName(s.table, maxName), "Table must be a plain name")
	if len(list) > 0 {
		return nil, &Error{Reason: ReasonConfiguration, Detail: list.Detail()}
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
	return s.claim(ctx, Value{Key: key, For: ttl})
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
	//nolint:gosec // the table's name was checked by New
	_, err := s.db.ExecContext(ctx, "INSERT INTO "+s.table+insert+"1 = 1", key, value, s.now().Add(ttl).UnixMilli())
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

// Claim stores the value unless the key has one that is not over: then it returns that one. Of concurrent calls one
// claims. The error is an [*Error].
func (s *SQL) Claim(ctx context.Context, v Value) (stored []byte, claimed bool, err error) {
	for range claimTries {
		if claimed, err = s.claim(ctx, v); claimed || err != nil {
			return nil, claimed, err
		}
		//nolint:gosec // the table's name was checked by New
		err = s.db.QueryRowContext(ctx, "SELECT value FROM "+s.table+" WHERE name = $1 AND expires > $2", v.Key,
			s.now().UnixMilli()).Scan(&stored)
		switch {
		case err == nil:
			return stored, false, nil
		case !errors.Is(err, sql.ErrNoRows): // otherwise it ran out, or was released, between the two
			return nil, false, &Error{Reason: ReasonStore, Err: err}
		}
	}
	return nil, false, &Error{Reason: ReasonStore, Detail: "a value comes and goes"}
}

// claim takes the row if nobody has it.
func (s *SQL) claim(ctx context.Context, v Value) (bool, error) {
	now := s.now()
	//nolint:gosec // the table's name was checked by New
	result, err := s.db.ExecContext(ctx, "INSERT INTO "+s.table+insert+s.table+".expires <= $4",
		v.Key, v.Value, now.Add(v.For).UnixMilli(), now.UnixMilli())
	if err != nil {
		return false, &Error{Reason: ReasonStore, Err: err}
	}
	n, err := result.RowsAffected()
	if err != nil {
		return false, &Error{Reason: ReasonStore, Err: err}
	}
	return n == 1, nil
}

// Replace stores the value, whatever was there. The error is an [*Error].
func (s *SQL) Replace(ctx context.Context, v Value) error { return s.Put(ctx, v.Key, v.Value, v.For) }

// Release forgets the key. The error is an [*Error].
func (s *SQL) Release(ctx context.Context, key string) error {
	_, err := s.Take(ctx, key)
	return err
}

// Sweep removes the rows that are over.
func (s *SQL) Sweep(ctx context.Context) error {
	//nolint:gosec // the table's name was checked by New
	if _, err := s.db.ExecContext(ctx, "DELETE FROM "+s.table+" WHERE expires <= $1", s.now().UnixMilli()); err != nil {
		return &Error{Reason: ReasonStore, Err: err}
	}
	return nil
}
