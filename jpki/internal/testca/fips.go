package testca

import (
	"crypto/fips140"
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// FIPSOnly runs other tests of the same package in a process in which SHA-1 and friends panic or fail: those that args
// choose, of which at least so many must pass. In that process it does nothing. The package's TestFIPS140Enforced is
// among them; [FIPSEnforced] is what it asks.
func FIPSOnly(t *testing.T, least int, args ...string) {
	t.Helper()
	if fips140.Enforced() {
		return // this is that process
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	//nolint:gosec // this test itself
	cmd := exec.CommandContext(t.Context(), self, append([]string{"-test.v"}, args...)...)
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if passed := len(regexp.MustCompile(`(?m)^--- PASS: Test`).FindAll(out, -1)); passed < least {
		t.Errorf("only %d tests ran\n%s", passed, out)
	}
	if !regexp.MustCompile(`(?m)^--- PASS: TestFIPS140Enforced`).Match(out) {
		t.Error("FIPS 140-3 was not enforced")
	}
}

// FIPSEnforced shows that the mode is on in the process of [FIPSOnly].
func FIPSEnforced(t *testing.T) {
	t.Helper()
	if os.Getenv("GODEBUG") == "fips140=only" && !fips140.Enforced() {
		t.Error("not enforced")
	}
}
