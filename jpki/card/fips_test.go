package card_test

import (
	"testing"

	"github.com/kakunin-go/kakunin/jpki/internal/testca"
)

// TestFIPS140Only runs the tests of signatures, of signed data and of secure messaging in a process in which everything
// that FIPS 140-3 does not approve panics or fails.
func TestFIPS140Only(t *testing.T) {
	testca.FIPSOnly(t, 8,
		"-test.run=^(TestFIPS140Enforced|TestSignedDataOfAGenuineCard|TestCopiedCard|TestUnknownRoots|TestIndividualNumber|TestConfirm.*|TestIssuerData|TestSimDigestInfo)$")
}

func TestFIPS140Enforced(t *testing.T) { testca.FIPSEnforced(t) }
