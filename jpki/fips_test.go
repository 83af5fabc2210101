package jpki

import (
	"testing"

	"github.com/kakunin-go/kakunin/jpki/internal/testca"
)

// TestFIPS140Only runs every other test of the package in a process in which SHA-1 and friends panic or fail.
func TestFIPS140Only(t *testing.T) {
	testca.FIPSOnly(t, 30, "-test.skip=^(TestFIPS140Only|Fuzz.*|Benchmark.*)$")
}

// TestFIPS140Enforced shows that the mode is on in that process.
func TestFIPS140Enforced(t *testing.T) {
	testca.FIPSEnforced(t)
}
