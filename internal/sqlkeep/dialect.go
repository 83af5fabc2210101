// Package sqlkeep writes to SQL databases so that what is acknowledged is on the disk: PostgreSQL with
// synchronous_commit on, SQLite with its write-ahead log and synchronous FULL. The stores that keep what nobody may
// lose are built on it. It links no driver.
package sqlkeep

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"sync"
)

// ErrNotDurable says that the database does not keep what it acknowledges.
var ErrNotDurable = errors.New("sqlstore: the database does not keep what it acknowledges")

// ErrStillRead says that what was deleted still stands in a file, because somebody reads.
var ErrStillRead = errors.New("sqlstore: what was deleted is still being read; it has to be deleted again")

// Execer is a transaction, or what stands for one.
type Execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Dialect is in what the databases differ.
type Dialect interface {
	// Bytes is the type of byte strings.
	Bytes() string
	// Prepare checks that the database keeps what it acknowledges.
	Prepare(ctx context.Context, db *sql.DB) error
	// Locked runs f in a transaction that no other of the same name overlaps with.
	Locked(ctx context.Context, db *sql.DB, name string, f func(Execer) error) error
	// Write runs f in a transaction that is durable when Write returns nil.
	Write(ctx context.Context, db *sql.DB, f func(Execer) error) error
	// Durably is a condition that always holds. In the WHERE of a statement of Once it makes it durable.
	Durably() string
	// Once runs a single statement, which has Durably in its WHERE, as a transaction that is durable when Once returns
	// nil. A server has all of it in one message: it finishes the statement even if the program ends right after.
	Once(ctx context.Context, db *sql.DB, s Step) (sql.Result, error)
	// Steps runs statements in one transaction that is durable when Steps returns nil. The first must change one row;
	// otherwise nothing is done and the answer is ErrUnchanged. One with Found must find none.
	Steps(ctx context.Context, db *sql.DB, all []Step) error
	// Query asks what is asked again and again.
	Query(ctx context.Context, db *sql.DB, q Step) (*sql.Rows, error)
	// Forget makes what was deleted unreadable in the database's files, as far as it can be told to; ErrStillRead when
	// somebody reads it: then it has to be called again.
	Forget(ctx context.Context, db *sql.DB) error
}

// PostgreSQL is version 13 or later.
func PostgreSQL() Dialect { return postgreSQL{} }

// SQLite is version 3.35 or later, in a file.
func SQLite() Dialect { return sqLite{new(settings), new(prepared)} }

type postgreSQL struct{}

func (postgreSQL) Bytes() string { return "BYTEA" }

func (postgreSQL) Prepare(ctx context.Context, db *sql.DB) error {
	var fsync string
	if err := db.QueryRowContext(ctx, `SHOW fsync`).Scan(&fsync); err != nil {
		return err
	}
	if fsync != "on" {
		return fmt.Errorf("%w: fsync is off", ErrNotDurable)
	}
	return nil
}

func (p postgreSQL) Locked(ctx context.Context, db *sql.DB, name string, f func(Execer) error) error {
	return p.Write(ctx, db, func(tx Execer) error {
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtext($1))`, name); err != nil {
			return err
		}
		return f(tx)
	})
}

// Durable is an expression of PostgreSQL that makes this transaction's commit wait for the disk.
const Durable = `CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', true) END`

func (postgreSQL) Durably() string { return `(` + Durable + `) IS DISTINCT FROM 'off'` }

func (postgreSQL) Once(ctx context.Context, db *sql.DB, s Step) (sql.Result, error) {
	return db.ExecContext(ctx, s.Statement, s.Args...)
}

func (postgreSQL) Write(ctx context.Context, db *sql.DB, f func(Execer) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	err = f(tx)
	if err == nil {
		_, err = tx.ExecContext(ctx, `SELECT `+Durable)
	}
	if err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return tx.Commit()
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// Forget does nothing: PostgreSQL removes dead rows when it is vacuumed, which is its operators' business. Without the
// keys the parts are worth nothing.
func (postgreSQL) Forget(context.Context, *sql.DB) error { return nil }

type sqLite struct {
	settings *settings
	prepared *prepared
}

// settings are the connections on which settings were made: they belong to a connection, and the pool has many.
type settings struct {
	mu   sync.Mutex
	made map[any]bool
}

// make makes the settings, once on a connection.
func (s *settings) make(ctx context.Context, conn *sql.Conn) error {
	var known bool
	var key any
	err := conn.Raw(func(driverConn any) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if reflect.TypeOf(driverConn).Comparable() {
			key = driverConn
			known = s.made[key]
		}
		return nil
	})
	if err != nil || known {
		return err
	}
	// The last two are for speed: room for the pages of an index whose rows come in no order, 16 MiB, and a write-ahead
	// log that is emptied when such a page has been written to it several times.
	const pragmas = `PRAGMA synchronous = FULL; PRAGMA fullfsync = 1; PRAGMA secure_delete = ON;` +
		` PRAGMA busy_timeout = 10000; PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 4000`
	if _, err := conn.ExecContext(ctx, pragmas); err != nil || key == nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	const most = 64 // connections that are gone are forgotten some time
	if s.made == nil || len(s.made) >= most {
		s.made = map[any]bool{}
	}
	s.made[key] = true
	return nil
}

func (sqLite) Bytes() string { return "BLOB" }

func (sqLite) Prepare(ctx context.Context, db *sql.DB) error {
	var mode string
	if err := db.QueryRowContext(ctx, `PRAGMA journal_mode = WAL`).Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("%w: no write-ahead log", ErrNotDurable)
	}
	return nil
}

func (s sqLite) Locked(ctx context.Context, db *sql.DB, _ string, f func(Execer) error) error {
	return s.Write(ctx, db, f)
}

func (s sqLite) Write(ctx context.Context, db *sql.DB, f func(Execer) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	if err = s.settings.make(ctx, conn); err == nil {
		err = writeOn(ctx, conn, f)
	}
	return errors.Join(err, conn.Close())
}

func (sqLite) Durably() string { return `1 = 1` }

func (s sqLite) Once(ctx context.Context, db *sql.DB, one Step) (result sql.Result, err error) {
	err = s.Write(ctx, db, func(tx Execer) (err error) {
		result, err = tx.ExecContext(ctx, one.Statement, one.Args...)
		return err
	})
	return result, err
}

// writeOn begins the transaction by hand: the lock is taken at once, and not when the first row is written, where it
// could be too late.
func writeOn(ctx context.Context, conn *sql.Conn, f func(Execer) error) error {
	if _, err := conn.ExecContext(ctx, `BEGIN IMMEDIATE`); err != nil {
		return err
	}
	err := f(conn)
	if err == nil {
		if _, err = conn.ExecContext(ctx, `COMMIT`); err == nil {
			return nil
		}
	}
	// Also when the context is over. Some errors have rolled back already.
	_, _ = conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
	return err
}

// Forget empties the write-ahead log, where deleted rows still stand; in the file itself they are overwritten. It waits
// a second for those who read.
func (s sqLite) Forget(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	if err = s.settings.make(ctx, conn); err == nil {
		err = emptyLog(ctx, conn)
	}
	return errors.Join(err, conn.Close())
}

func emptyLog(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, `PRAGMA busy_timeout = 1000`); err != nil {
		return err
	}
	var busy, log, done int
	err := conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &done)
	if err == nil && busy != 0 {
		err = ErrStillRead
	}
	_, again := conn.ExecContext(context.WithoutCancel(ctx), `PRAGMA busy_timeout = 10000`)
	return errors.Join(err, again)
}
