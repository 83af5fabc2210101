//go:build unix

package filestore_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/kakunin-go/kakunin/internal/tests"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/filestore"
	"github.com/kakunin-go/kakunin/sign/evidence/storetest"
)

// TestMain makes the test program a writer that appends until it is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(storetest.ChildEnv); dir != "" {
		s, err := filestore.Open(dir)
		if err != nil {
			fmt.Println("child:", err)
			os.Exit(1)
		}
		storetest.Child(s)
	}
	os.Exit(m.Run())
}

// openDir opens the directory for the suite.
func openDir(dir string) func() (evidence.Store, func(), error) {
	return func() (evidence.Store, func(), error) {
		s, err := filestore.Open(dir)
		if err != nil {
			return nil, nil, err
		}
		return s, func() { _ = s.Close() }, nil
	}
}

// TestKilledAnyTime kills a writer over and over while it appends.
func TestKilledAnyTime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	storetest.Kill(t, storetest.Crash{
		Command: func() *exec.Cmd {
			cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this test itself
			cmd.Env = append(os.Environ(), storetest.ChildEnv+"="+dir)
			return cmd
		},
		Open: openDir(dir), Kills: tests.Size(20, 200),
	})
}

const fullEnv = "KAKUNIN_EVIDENCE_FULL"

// TestFullDisk: an append that finds no room is undone; with room again the log goes on, and nothing is lost. The limit
// is the process's, so the test runs in one of its own.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if os.Getenv(fullEnv) == "" {
		//nolint:gosec // this test itself
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFullDisk$")
		cmd.Env = append(os.Environ(), fullEnv+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return
	}
	dir := t.TempDir()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	storetest.FullDisk(t, storetest.Harness{Open: openDir(dir)}, func(full bool) {
		limit := old
		if full {
			limit.Cur = 40_000
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
	})
}

// TestFlippedBits: no bit of any file can be flipped unnoticed.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, closeStore, err := openDir(dir)()
	if err != nil {
		t.Fatal(err)
	}
	l := storetest.Log(t, s)
	for i := range 6 {
		if _, err := l.Append(t.Context(), storetest.Report(i, i), evidence.WithCertificate()); err != nil {
			t.Fatal(err)
		}
	}
	point := storetest.Point(t, s)
	closeStore()
	storetest.Flips(t, storetest.Flip{
		Files: func(tb testing.TB) map[string][]byte {
			tb.Helper()
			files := map[string][]byte{}
			err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				name, err := filepath.Rel(dir, path)
				if err == nil {
					files[name], err = os.ReadFile(path)
				}
				return err
			})
			if err != nil {
				tb.Fatal(err)
			}
			return files
		},
		Write: func(tb testing.TB, files map[string][]byte) (evidence.Store, func(), error) {
			tb.Helper()
			to := tb.TempDir()
			for name, content := range files {
				path := filepath.Join(to, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					tb.Fatal(err)
				}
				if err := os.WriteFile(path, content, 0o600); err != nil {
					tb.Fatal(err)
				}
			}
			return openDir(to)()
		},
		Flips: tests.Size(40, 150),
	}, point)
}
