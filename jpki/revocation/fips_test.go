package revocation

import (
	"crypto/fips140"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
)

// TestFIPS140Only runs every other test of the package in a process in which SHA-1 and friends panic or fail.
func TestFIPS140Only(t *testing.T) {
	if fips140.Enforced() {
		return // this is that process
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.v", "-test.skip=^(TestFIPS140Only|Fuzz.*|Benchmark.*)$")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	passed := len(regexp.MustCompile(`(?m)^--- PASS: Test`).FindAll(out, -1))
	if passed < 30 {
		t.Errorf("only %s tests ran", strconv.Itoa(passed))
	}
	if !regexp.MustCompile(`(?m)^--- PASS: TestFIPS140Enforced`).Match(out) {
		t.Error("FIPS 140-3 was not enforced")
	}
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
	if os.Getenv("GODEBUG") == "fips140=only" && !fips140.Enforced() {
		t.Error("not enforced")
	}
}
