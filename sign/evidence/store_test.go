package evidence_test

import (
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/storetest"
)

// TestMemory runs the suite of all stores on the one in memory.
func TestMemory(t *testing.T) {
	t.Parallel()
	const reason = "whoever can write to this program's memory can change what it answers, too"
	leftOut := map[string]string{}
	for _, name := range []string{"Rewrite", "Swap", "Cut", "DropHeld", "SwapHeld", "RewriteBlob"} {
		leftOut[name] = reason
	}
	storetest.Run(t, func(testing.TB) storetest.Harness {
		s := evidence.NewMemory()
		return storetest.Harness{
			Open:   func() (evidence.Store, func(), error) { return s, func() {}, nil },
			Shared: true, Tamper: storetest.Tamper{LeftOut: leftOut},
		}
	})
}
