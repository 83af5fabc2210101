package revocation

import (
	"crypto/fips140"
	"testing"

	"github.com/kakunin-go/kakunin/internal/tests"
	"github.com/kakunin-go/kakunin/jpki/internal/testca"
)

// TestFIPS140Only runs every other test of the package in a process in which SHA-1 and friends panic or fail; a plain
// run leaves out those of files, which sign what the others do.
func TestFIPS140Only(t *testing.T) {
	skip := "TestFIPS140Only|Fuzz.*|Benchmark.*"
	if tests.Size(0, 1) == 0 {
		skip += "|TestDamage.*|TestStore.*|TestMissing.*|TestCRLDirectory|TestCRLSwap.*|TestManifest.*" // files, mostly
	}
	testca.FIPSOnly(t, 30, "-test.skip=^("+skip+")$")
}

// TestFIPS140Enforced shows which hash identifies certificates in which mode.
func TestFIPS140Enforced(t *testing.T) {
	o, err := NewOCSP(OCSPConfig{Responder: silent{}})
	if err != nil {
		t.Fatal(err)
	}
	want := "SHA-1"
	if fips140.Enforced() {
		want = "SHA-256"
	}
	if got := o.config.CertIDHash.String(); got != want {
		t.Errorf("identifiers by %s, want %s", got, want)
	}
	_, err = NewOCSP(OCSPConfig{Responder: silent{}, CertIDHash: 3 /* crypto.SHA1 */})
	if (err != nil) != fips140.Enforced() {
		t.Errorf("SHA-1 by configuration: %v", err)
	}
	testca.FIPSEnforced(t)
}
