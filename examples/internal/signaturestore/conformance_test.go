package signaturestore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/kakunin-go/kakunin/examples/internal/dbtest"
	"github.com/kakunin-go/kakunin/sign/signapi"
	"github.com/kakunin-go/kakunin/sign/signapi/sqlstore"
	"github.com/kakunin-go/kakunin/sign/signapi/storetest"
)

// TestMain makes the test program a writer, or an instance of an application, that works until it is killed.
func TestMain(m *testing.M) {
	if where := os.Getenv(storetest.ChildEnv); where != "" {
		storetest.Child(mustOpen(where))
	}
	if text := os.Getenv(instanceVariable); text != "" {
		fmt.Println("instance:", signForever(text))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func mustOpen(where string) *Opened {
	s, err := Open(context.Background(), where)
	if err != nil {
		fmt.Println("child:", err)
		os.Exit(1)
	}
	return s
}

func opener(tb testing.TB, where string) func() (signapi.Store, func(), error) {
	tb.Helper()
	return dbtest.Opener[signapi.Store](tb, where, Open)
}

// TestSQLite runs the suite of all stores on SQLite files.
func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(tb testing.TB) storetest.Harness {
		return storetest.Harness{Open: opener(tb, filepath.Join(tb.TempDir(), "signatures #1.db")), Shared: true}
	})
}

func kills() int {
	if testing.Short() {
		return 10
	}
	return 100
}

func killed(t *testing.T, where string) {
	t.Helper()
	storetest.Kill(t, storetest.Crash{
		Command: func() *exec.Cmd { return dbtest.Self(t.Context(), storetest.ChildEnv+"="+where) },
		Open:    opener(t, where), Kills: kills(),
	})
}

func TestSQLiteKilledAnyTime(t *testing.T) {
	t.Parallel()
	killed(t, filepath.Join(t.TempDir(), "signatures.db"))
}

// TestLaterVersion: a table of a later version is left alone, and a database in memory is refused.
func TestLaterVersion(t *testing.T) {
	t.Parallel()
	where := filepath.Join(t.TempDir(), "signatures.db")
	s, err := Open(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	const later = "UPDATE kakunin_signatures SET version = 2 WHERE state = 0"
	if _, err := s.db.ExecContext(t.Context(), later); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), where); s != nil || !errors.Is(err, sqlstore.ErrLater) {
		t.Error(err)
	}
	if s, err := Open(t.Context(), ":memory:"); s != nil || !errors.Is(err, sqlstore.ErrNotDurable) {
		t.Error(err)
	}
}
