package evidencestore

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/sqlstore"
)

// plainSQLite opens the file as an application does that sets nothing up.
func plainSQLite(t *testing.T, path string) (*sqlstore.Store, *sql.DB) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s, err := sqlstore.OpenSQLite(t.Context(), sqlstore.Config{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	return s, db
}

// TestSQLiteWritersWait: files are archived by several at once, without a setting of the application's.
func TestSQLiteWritersWait(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log.db")
	one, _ := plainSQLite(t, path)
	two, _ := plainSQLite(t, path)
	var wg sync.WaitGroup
	for i, s := range []*sqlstore.Store{one, two, one, two} {
		wg.Go(func() {
			for j := range 20 {
				file := bytes.NewReader(fmt.Appendf(nil, "list %d %d", i, j))
				if _, err := s.PutBlob(t.Context(), file); err != nil {
					t.Errorf("file %d %d: %v", i, j, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestSQLiteDeletesFromTheLog: a deletion that leaves the key in the write-ahead log is none. It is said, and deleting
// again, be it nothing, does the rest.
func TestSQLiteDeletesFromTheLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log.db")
	s, db := plainSQLite(t, path)
	key := bytes.Repeat([]byte("a wrapped key "), 4)
	err := s.Append(t.Context(), 0, []evidence.Entry{{
		Record: []byte(`{"number":0}`), Held: []byte("held"), Key: key, Hashes: []evidence.Hash{{1}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	stands := func() bool {
		for _, name := range []string{path, path + "-wal"} {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(b, key) {
				return true
			}
		}
		return false
	}
	if !stands() {
		t.Fatal("the key is not where it is looked for")
	}
	reader, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	row := reader.QueryRowContext(t.Context(), "SELECT count(*) FROM kakunin_evidence_entries")
	if err := row.Scan(&n); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteHeld(t.Context(), 0); err == nil && stands() {
		t.Error("the key is deleted, and stands in the file")
	}
	if err := reader.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteHeld(t.Context()); err != nil || stands() {
		t.Errorf("deleted again: %v, the key stands there: %v", err, stands())
	}
}
