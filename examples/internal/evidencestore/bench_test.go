package evidencestore

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/examples/internal/databases"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/storetest"
)

// BenchmarkAppend compares with plain inserts of the same bytes: lines of a file that is synced, rows of a table
// without an index, written in one transaction by statements of as many rows as are quickest.
func BenchmarkAppend(b *testing.B) {
	eachAppend(b, "files/", func(b *testing.B, k appended) {
		f, err := os.Create(filepath.Join(b.TempDir(), "plain"))
		if err != nil {
			b.Fatal(err)
		}
		benchmarkAppend(b, filepath.Join(b.TempDir(), "log"), storetest.Plain{N: k.n, Held: k.held,
			Insert: func(entries []evidence.Entry) {
				if _, err := f.Write(storetest.Lines(entries)); err != nil {
					b.Fatal(err)
				}
				if err := f.Sync(); err != nil {
					b.Fatal(err)
				}
			}})
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	})
	eachAppend(b, "sqlite/", func(b *testing.B, k appended) {
		where := "sqlite:" + filepath.Join(b.TempDir(), "plain.db")
		plain, insert := plainTable(b, where, k)
		if _, err := plain.ExecContext(b.Context(), "PRAGMA journal_mode = WAL"); err != nil {
			b.Fatal(err)
		}
		where = "sqlite:" + filepath.Join(b.TempDir(), "log.db")
		benchmarkAppend(b, where, storetest.Plain{N: k.n, Held: k.held, Insert: insert})
	})
}

// appended is what is appended, and what it is compared with.
type appended struct {
	name    string
	n       int
	held    bool // with the part that can be deleted; the default is without
	indexed bool // the plain table has an index of signatures too, as the log must have
}

// eachAppend measures one record and a hundred.
func eachAppend(b *testing.B, prefix string, one func(b *testing.B, k appended)) {
	b.Helper()
	for _, k := range []appended{
		{name: "1", n: 1}, {name: "100", n: 100},
		{name: "held-1", n: 1, held: true}, {name: "held-100", n: 100, held: true},
		{name: "indexed-1", n: 1, indexed: true}, {name: "indexed-100", n: 100, indexed: true},
	} {
		if k.indexed && strings.HasPrefix(prefix, "files") {
			continue
		}
		b.Run(prefix+k.name, func(b *testing.B) { one(b, k) })
	}
}

func benchmarkAppend(b *testing.B, where string, p storetest.Plain) {
	b.Helper()
	s, err := Open(b.Context(), where)
	if err != nil {
		b.Fatal(err)
	}
	storetest.Append(b, s, p)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}

// plainTable makes a table of rows with a number, and returns what inserts them in one transaction.
func plainTable(b *testing.B, where string, k appended) (*sql.DB, func([]evidence.Entry)) {
	b.Helper()
	db, err := databases.Connect(where)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	table := "CREATE TABLE plain (idx BIGINT PRIMARY KEY, record BYTEA NOT NULL, hashes BYTEA NOT NULL," +
		" signature BYTEA, held BYTEA, held_key BYTEA)"
	statements := []string{"DROP TABLE IF EXISTS plain", table}
	if databases.IsSQLite(where) {
		db.SetMaxOpenConns(1) // the setting is the connection's
		table = strings.NewReplacer("BIGINT", "INTEGER", "BYTEA", "BLOB").Replace(table)
		statements = []string{"PRAGMA synchronous = FULL", table}
	}
	if k.indexed {
		statements = append(statements, "CREATE INDEX plain_signature ON plain (signature)")
	}
	for _, statement := range statements {
		if _, err := db.ExecContext(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	next := 0
	insert := func(tx execer, entries []evidence.Entry) {
		var args []any
		for _, e := range entries {
			var hashes []byte
			for _, h := range e.Hashes {
				hashes = append(hashes, h[:]...)
			}
			signature, err := hex.DecodeString(e.Signature)
			if err != nil {
				b.Fatal(err)
			}
			args = append(args, next, e.Record, hashes, signature, e.Held, e.Key)
			next++
		}
		if _, err := tx.ExecContext(b.Context(), plainStatement(len(entries)), args...); err != nil {
			b.Fatal(err)
		}
	}
	return db, func(entries []evidence.Entry) {
		if len(entries) <= plainRows {
			insert(db, entries)
			return
		}
		tx, err := db.BeginTx(b.Context(), nil)
		if err != nil {
			b.Fatal(err)
		}
		for chunk := range slices.Chunk(entries, plainRows) {
			insert(tx, chunk)
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
}

type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// plainRows is how many rows a plain statement inserts: of 1, 10, 25, 50 and 100 the quickest, in both databases.
const plainRows = 25

// plainStatement inserts so many rows.
func plainStatement(rows int) string {
	values := make([]string, rows)
	for i := range values {
		n := 6 * i
		values[i] = fmt.Sprintf("($%d,$%d,$%d,$%d,$%d,$%d)", n+1, n+2, n+3, n+4, n+5, n+6)
	}
	return "INSERT INTO plain (idx, record, hashes, signature, held, held_key) VALUES " + strings.Join(values, ",")
}
