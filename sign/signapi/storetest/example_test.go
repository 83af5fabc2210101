package storetest_test

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/kakunin-go/kakunin/sign/signapi"
	"github.com/kakunin-go/kakunin/sign/signapi/storetest"
)

// The tests of a store of one's own, which is opened by its name.
func ExampleRun() {
	var open func(where string) (store signapi.Store, closeStore func(), err error)

	// TestStore runs the suite.
	_ = func(t *testing.T) {
		storetest.Run(t, func(tb testing.TB) storetest.Harness {
			where := tb.TempDir()
			return storetest.Harness{
				Open:   func() (signapi.Store, func(), error) { return open(where) },
				Shared: true,
			}
		})
	}

	// TestKilledAnyTime kills this test program over and over.
	_ = func(t *testing.T) {
		where := t.TempDir()
		storetest.Kill(t, storetest.Crash{
			Command: func() *exec.Cmd {
				cmd := exec.CommandContext(context.Background(), os.Args[0])
				cmd.Env = append(os.Environ(), storetest.ChildEnv+"="+where)
				return cmd
			},
			Open: func() (signapi.Store, func(), error) { return open(where) }, Kills: 100,
		})
	}

	// TestMain makes the test program a writer when it is one.
	_ = func(m *testing.M) {
		if where := os.Getenv(storetest.ChildEnv); where != "" {
			store, _, err := open(where)
			if err != nil {
				os.Exit(1)
			}
			storetest.Child(store)
		}
		os.Exit(m.Run())
	}
}
