//go:build openssl

package revocation

import (
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// TestOpenSSLOCSPKinds: the openssl program decides each of the cases as TestOCSPKinds does.
func TestOpenSSLOCSPKinds(t *testing.T) {
	for _, c := range ocspKinds(t) {
		dir := t.TempDir()
		response, issuer := filepath.Join(dir, "response.der"), filepath.Join(dir, "issuer.pem")
		armored := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.issuer})
		for name, data := range map[string][]byte{response: c.response, issuer: armored} {
			if err := os.WriteFile(name, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		out, err := exec.CommandContext(t.Context(), "openssl", "ocsp", "-respin", response, "-partial_chain",
			"-attime", strconv.FormatInt(now.Unix(), 10), "-CAfile", issuer, "-verify_other", issuer, "-no-CApath",
			"-no-CAstore").CombinedOutput()
		if (err == nil) != c.valid {
			t.Errorf("%s: %v\n%s", c.name, err, out)
		}
	}
}
