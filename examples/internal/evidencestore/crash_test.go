//go:build unix

package evidencestore

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/kakunin-go/kakunin/examples/internal/dbtest"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/storetest"
)

// TestMain makes the test program a writer that appends until it is killed.
func TestMain(m *testing.M) {
	if where := os.Getenv(storetest.ChildEnv); where != "" {
		s, err := Open(context.Background(), where)
		if err != nil {
			fmt.Println("child:", err)
			os.Exit(1)
		}
		storetest.Child(s)
	}
	os.Exit(m.Run())
}

func kills() int {
	if testing.Short() {
		return 10
	}
	return 200
}

// killed kills writers of a store that is opened by its name.
func killed(t *testing.T, where string) {
	t.Helper()
	storetest.Kill(t, storetest.Crash{
		Command: func() *exec.Cmd { return dbtest.Self(t.Context(), storetest.ChildEnv+"="+where) },
		Open:    opener(t, where), Kills: kills(),
	})
}

func TestSQLiteKilledAnyTime(t *testing.T) {
	t.Parallel()
	killed(t, "sqlite:"+filepath.Join(t.TempDir(), "log.db"))
}

// TestSQLiteFullDisk: the limit of a file's size is the process's, so the test runs in one of its own.
func TestSQLiteFullDisk(t *testing.T) {
	t.Parallel()
	if !dbtest.InOwnProcess(t) {
		return
	}
	where := "sqlite:" + filepath.Join(t.TempDir(), "log.db")
	storetest.FullDisk(t, storetest.Harness{Open: opener(t, where)}, dbtest.FullFiles(t, 600_000))
}

// TestSQLiteFlippedBits: no bit of the file can be flipped unnoticed.
func TestSQLiteFlippedBits(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log.db")
	s, closeStore, err := opener(t, "sqlite:"+path)()
	if err != nil {
		t.Fatal(err)
	}
	l := storetest.Log(t, s)
	for i := range 12 {
		if _, err := l.Append(t.Context(), storetest.Report(i, i), evidence.WithCertificate()); err != nil {
			t.Fatal(err)
		}
	}
	point := storetest.Point(t, s)
	closeStore()
	flips := 200
	if testing.Short() {
		flips = 20
	}
	storetest.Flips(t, storetest.Flip{
		Files: func(tb testing.TB) map[string][]byte {
			tb.Helper()
			b, err := os.ReadFile(path)
			if err != nil {
				tb.Fatal(err)
			}
			return map[string][]byte{"log.db": b}
		},
		Write: func(tb testing.TB, files map[string][]byte) (evidence.Store, func(), error) {
			tb.Helper()
			to := filepath.Join(tb.TempDir(), "log.db")
			if err := os.WriteFile(to, files["log.db"], 0o600); err != nil {
				tb.Fatal(err)
			}
			return opener(tb, "sqlite:"+to)()
		},
		Flips: flips,
	}, point)
}
