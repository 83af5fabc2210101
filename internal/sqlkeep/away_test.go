package sqlkeep_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"

	"github.com/kakunin-go/kakunin/internal/sqlkeep"
)

var errAway = errors.New("the database is away")

// away is a database that nobody reaches.
type away struct{}

func (away) Connect(context.Context) (driver.Conn, error) { return nil, errAway }
func (away) Driver() driver.Driver                        { return nil }

// TestDatabaseAway: nothing is acknowledged by a database that is away, nothing runs, and the error is the driver's.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	db := sql.OpenDB(away{})
	t.Cleanup(func() { _ = db.Close() })
	write := sqlkeep.Step{Statement: "UPDATE t SET a = 1"}
	for name, d := range map[string]sqlkeep.Dialect{"PostgreSQL": sqlkeep.PostgreSQL(), "SQLite": sqlkeep.SQLite()} {
		ran := false
		run := func(sqlkeep.Execer) error { ran = true; return nil }
		for what, err := range map[string]error{
			"Prepare": d.Prepare(t.Context(), db),
			"Locked":  d.Locked(t.Context(), db, "name", run),
			"Write":   d.Write(t.Context(), db, run),
			"Steps":   d.Steps(t.Context(), db, []sqlkeep.Step{write}),
			"Once":    second(d.Once(t.Context(), db, write)),
			"Query":   queried(d.Query(t.Context(), db, sqlkeep.Step{Statement: "SELECT 1"})),
		} {
			if !errors.Is(err, errAway) || errors.Is(err, sqlkeep.ErrUnchanged) ||
				errors.Is(err, sqlkeep.ErrNotDurable) {
				t.Errorf("%s: %s: %v", name, what, err)
			}
		}
		if ran {
			t.Errorf("%s: what was to be written ran", name)
		}
	}
	// PostgreSQL has nothing to forget; SQLite cannot say that it did.
	if err := sqlkeep.SQLite().Forget(t.Context(), db); !errors.Is(err, errAway) {
		t.Errorf("SQLite: Forget: %v", err)
	}
}

func second(_ sql.Result, err error) error { return err }

func queried(rows *sql.Rows, err error) error {
	if rows == nil {
		return err
	}
	return errors.Join(err, rows.Err(), rows.Close())
}
