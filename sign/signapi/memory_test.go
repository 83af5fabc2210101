package signapi_test

import (
	"testing"

	"github.com/kakunin-go/kakunin/sign/signapi"
	"github.com/kakunin-go/kakunin/sign/signapi/storetest"
)

// TestMemory runs the suite of all stores.
func TestMemory(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(testing.TB) storetest.Harness {
		m := signapi.NewMemory()
		return storetest.Harness{
			Open: func() (signapi.Store, func(), error) { return m, func() {}, nil }, Shared: true, Forgets: true,
		}
	})
}
