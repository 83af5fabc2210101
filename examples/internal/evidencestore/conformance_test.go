package evidencestore

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/kakunin-go/kakunin/examples/internal/databases"
	"github.com/kakunin-go/kakunin/examples/internal/dbtest"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/storetest"
)

// TestSQLite runs the suite of all stores on SQLite files.
func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(tb testing.TB) storetest.Harness {
		where := "sqlite:" + filepath.Join(tb.TempDir(), "log #1.db")
		return storetest.Harness{Open: opener(tb, where), Shared: true, Tamper: tamperer(tb, where)}
	})
}

func opener(tb testing.TB, where string) func() (evidence.Store, func(), error) {
	tb.Helper()
	return dbtest.Opener[evidence.Store](tb, where, Open)
}

// tamperer changes rows by hand.
func tamperer(tb testing.TB, where string) storetest.Tamper {
	tb.Helper()
	with := func(tb testing.TB, f func(db *sql.DB, exec func(query string, args ...any))) {
		tb.Helper()
		db, err := databases.Connect(where)
		if err != nil {
			tb.Fatal(err)
		}
		f(db, func(query string, args ...any) {
			tb.Helper()
			if _, err := db.ExecContext(tb.Context(), query, args...); err != nil {
				tb.Fatal(err)
			}
		})
		if err := db.Close(); err != nil {
			tb.Fatal(err)
		}
	}
	bytesOf := func(tb testing.TB, db *sql.DB, query string, args ...any) (b []byte) {
		tb.Helper()
		if err := db.QueryRowContext(tb.Context(), query, args...).Scan(&b); err != nil {
			tb.Fatal(err)
		}
		return b
	}
	const entries = "kakunin_evidence_entries"
	return storetest.Tamper{
		Rewrite: func(tb testing.TB, index int64, change func([]byte) []byte) {
			with(tb, func(db *sql.DB, exec func(string, ...any)) {
				b := bytesOf(tb, db, "SELECT record FROM "+entries+" WHERE idx = $1", index)
				exec("UPDATE "+entries+" SET record = $1 WHERE idx = $2", change(b), index)
			})
		},
		Swap: func(tb testing.TB, a, b int64) {
			with(tb, func(db *sql.DB, exec func(string, ...any)) {
				for _, column := range []string{"record", "signature"} {
					first := bytesOf(tb, db, "SELECT "+column+" FROM "+entries+" WHERE idx = $1", a)
					second := bytesOf(tb, db, "SELECT "+column+" FROM "+entries+" WHERE idx = $1", b)
					exec("UPDATE "+entries+" SET "+column+" = $1 WHERE idx = $2", second, a)
					exec("UPDATE "+entries+" SET "+column+" = $1 WHERE idx = $2", first, b)
				}
			})
		},
		Cut: func(tb testing.TB, size int64) {
			with(tb, func(_ *sql.DB, exec func(string, ...any)) {
				for _, table := range []string{entries, "kakunin_evidence_held", "kakunin_evidence_held_keys"} {
					exec("DELETE FROM "+table+" WHERE idx >= $1", size)
				}
				exec("UPDATE kakunin_evidence_head SET size = $1", size)
			})
		},
		DropHeld: func(tb testing.TB, index int64) {
			with(tb, func(_ *sql.DB, exec func(string, ...any)) {
				exec("DELETE FROM kakunin_evidence_held WHERE idx = $1", index)
			})
		},
		SwapHeld: func(tb testing.TB, a, b int64) {
			with(tb, func(_ *sql.DB, exec func(string, ...any)) {
				for _, table := range []string{"kakunin_evidence_held", "kakunin_evidence_held_keys"} {
					for _, move := range [][2]int64{{a, -1}, {b, a}, {-1, b}} {
						exec("UPDATE "+table+" SET idx = $1 WHERE idx = $2", move[1], move[0])
					}
				}
			})
		},
		RewriteBlob: func(tb testing.TB, hash evidence.Hash, change func([]byte) []byte) {
			with(tb, func(db *sql.DB, exec func(string, ...any)) {
				const of = " WHERE seq = 1 AND id = (SELECT id FROM kakunin_evidence_blobs WHERE hash = $1)"
				b := bytesOf(tb, db, "SELECT data FROM kakunin_evidence_chunks"+of, hash[:])
				exec("UPDATE kakunin_evidence_chunks SET data = $2"+of, hash[:], change(b))
			})
		},
	}
}
