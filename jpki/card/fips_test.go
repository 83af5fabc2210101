package card_test

import (
	"crypto/fips140"
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// TestFIPS140Only runs the tests of signatures, of signed data and of secure messaging in a process in which everything
// that FIPS 140-3 does not approve panics or fails.
func TestFIPS140Only(t *testing.T) {
	if fips140.Enforced() {
		return // this is that process
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.v",
		"-test.run=^(TestFIPS140Enforced|TestSignedDataOfAGenuineCard|TestCopiedCard|TestUnknownRoots|TestIndividualNumber|TestConfirm.*|TestIssuerData|TestSimDigestInfo)$")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := len(regexp.MustCompile(`(?m)^--- PASS: Test`).FindAll(out, -1)); n < 8 {
		t.Errorf("only %d tests ran\n%s", n, out)
	}
}

func TestFIPS140Enforced(t *testing.T) {
	if os.Getenv("GODEBUG") == "fips140=only" && !fips140.Enforced() {
		t.Error("not enforced")
	}
}
