// Package dbtest is what the tests of the stores need that keep something in a database: a process to be killed, a disk
// that is full, and, with the build tag servers, a PostgreSQL of their own. Those need Debian's package postgresql and
// root.
package dbtest

import (
	"context"
	"io"
	"os"
	"os/exec"
	"testing"
)

// Self is this test program as another process, with one more environment variable.
func Self(ctx context.Context, variable string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...) //nolint:gosec // this test itself
	cmd.Env = append(os.Environ(), variable)
	return cmd
}

// ownProcess is set in a process that is there for one test.
const ownProcess = "KAKUNIN_TEST_OF_ITS_OWN"

// InOwnProcess runs a test in a process of its own, because it changes what belongs to the process. It reports whether
// this is that process; otherwise the test has been run.
func InOwnProcess(t *testing.T) bool {
	t.Helper()
	if os.Getenv(ownProcess) == t.Name() {
		return true
	}
	cmd := Self(t.Context(), ownProcess+"="+t.Name(), "-test.run=^"+t.Name()+"$", "-test.v")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return false
}

// Opener returns a function that opens a store by its name, as the suites of stores ask for one.
func Opener[Store any, Opened io.Closer](
	tb testing.TB, where string, open func(ctx context.Context, where string) (Opened, error),
) func() (store Store, closeStore func(), err error) {
	tb.Helper()
	return func() (store Store, closeStore func(), err error) {
		s, err := open(tb.Context(), where)
		if err != nil {
			return store, nil, err
		}
		store, ok := any(s).(Store)
		if !ok {
			tb.Fatalf("%T is no store", s)
		}
		return store, func() {
			if err := s.Close(); err != nil {
				tb.Error(err)
			}
		}, nil
	}
}
