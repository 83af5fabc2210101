package middlewaretest_test

import (
	"testing"

	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/middleware/middlewaretest"
)

// An adapter for an application's own session library is tested in one line.
func ExampleCheckSessions() {
	var newSessions func() middleware.Sessions // the application's
	test := func(t *testing.T) { middlewaretest.CheckSessions(t, newSessions()) }
	_ = test
}
