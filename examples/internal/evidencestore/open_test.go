package evidencestore

import (
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin/examples/internal/databases"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/storetest"
)

// TestOpen: a directory and a file are opened by their names, made when they are not there, and found again.
func TestOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, where := range []string{filepath.Join(dir, "log"), "sqlite:" + filepath.Join(dir, "log.db")} {
		for i := range 2 {
			s, err := Open(t.Context(), where)
			if err != nil {
				t.Fatal(err)
			}
			l := storetest.Log(t, s)
			kept, err := l.Append(t.Context(), storetest.Report(i, i), evidence.WithCertificate())
			if err != nil || kept.Index != int64(2*i) || !kept.Record.RecordedAt.Equal(storetest.Now()) {
				t.Fatalf("%s: %d, %v", where, kept.Index, err)
			}
			if _, err := l.AppendRecords(t.Context(), storetest.Record(t, i)); err != nil {
				t.Fatal(err)
			}
			if state, err := l.Verify(t.Context(), evidence.Verification{}); err != nil || state.Held != int64(i+1) {
				t.Errorf("%s: %+v, %v", where, state, err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestLaterVersion: tables of a later version are left alone.
func TestLaterVersion(t *testing.T) {
	t.Parallel()
	where := "sqlite:" + filepath.Join(t.TempDir(), "log.db")
	s, err := Open(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := databases.Connect(where)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "UPDATE kakunin_evidence_meta SET value = 9"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), where); s != nil || !errors.Is(err, evidence.ErrLater) {
		t.Errorf("%v", err)
	}
	// In memory nothing is kept, whatever is acknowledged.
	if s, err := Open(t.Context(), "sqlite::memory:"); s != nil || err == nil {
		t.Errorf("in memory: %v", err)
	}
}

// before are the statements that make tables of earlier versions of those of now.
var before = map[string][]string{
	"1": {
		"CREATE INDEX kakunin_evidence_signature ON kakunin_evidence_entries (signature) WHERE signature IS NOT NULL",
		"UPDATE kakunin_evidence_meta SET value = 1",
	},
	"2": {
		"CREATE INDEX kakunin_evidence_signature ON kakunin_evidence_entries (substr(signature, 1, 8))" +
			" WHERE signature IS NOT NULL",
		"UPDATE kakunin_evidence_meta SET value = 2",
	},
}

// TestEarlierVersions: tables of versions 1 and 2, which have an index of signature values, are changed when they are
// opened, and what they have is found.
func TestEarlierVersions(t *testing.T) {
	t.Parallel()
	where := "sqlite:" + filepath.Join(t.TempDir(), "log.db")
	for _, version := range []string{"", "1", "2"} {
		if version != "" {
			statements := append([]string{"DROP TABLE kakunin_evidence_signed",
				"ALTER TABLE kakunin_evidence_head DROP COLUMN signed"}, before[version]...)
			execAll(t, where, statements...)
		}
		s, err := Open(t.Context(), where)
		if err != nil {
			t.Fatal(err)
		}
		l := storetest.Log(t, s)
		if version == "" {
			for i := range 5 {
				if _, err := l.Append(t.Context(), storetest.Report(i, i)); err != nil {
					t.Fatal(err)
				}
			}
		}
		var e *evidence.Error
		_, err = l.Append(t.Context(), storetest.Report(3, 99)) // the same signature value in another transaction
		if !errors.As(err, &e) || e.Reason != evidence.ReasonReused {
			t.Errorf("version %s: %v", version, err)
		}
		if state, err := l.Verify(t.Context(), evidence.Verification{}); err != nil || state.Records != 5 {
			t.Errorf("version %s: %+v, %v", version, state, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		indexes, rows := 0, 0
		db, err := databases.Connect(where)
		if err != nil {
			t.Fatal(err)
		}
		err = db.QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM sqlite_master WHERE name ="+
			" 'kakunin_evidence_signature'), (SELECT count(*) FROM kakunin_evidence_signed)").Scan(&indexes, &rows)
		if err := errors.Join(err, db.Close()); err != nil || indexes != 0 || version != "" && rows != 5 {
			t.Errorf("version %s: %d indexes, %d signature values in the table, %v", version, indexes, rows, err)
		}
	}
}

// execAll runs statements in a database that is closed otherwise.
func execAll(t *testing.T, where string, statements ...string) {
	t.Helper()
	db, err := databases.Connect(where)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestFileIsKeptOnce: however often a list is archived, the database has its pieces once, also when two do it at once.
func TestFileIsKeptOnce(t *testing.T) {
	t.Parallel()
	where := "sqlite:" + filepath.Join(t.TempDir(), "log.db")
	s, err := Open(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	l := storetest.Log(t, s)
	list := strings.Repeat("revocation list ", 40_000) // three pieces
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := l.Archive(t.Context(), strings.NewReader(list)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := databases.Connect(where)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var files, pieces int
	err = db.QueryRowContext(t.Context(),
		"SELECT (SELECT count(*) FROM kakunin_evidence_blobs), (SELECT count(*) FROM kakunin_evidence_chunks)",
	).Scan(&files, &pieces)
	if err != nil || files != 1 || pieces != 3 {
		t.Errorf("%d files of %d pieces, %v", files, pieces, err)
	}
}
