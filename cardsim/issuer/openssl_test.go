//go:build openssl

package issuer_test

import (
	"crypto"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
)

// OpenSSL as an independent judge of certificates, lists and OCSP responses. Needs the openssl program (3.0 or later),
// so it runs with the build tag openssl only.

func openssl(t *testing.T, arguments ...string) (output string, ok bool) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "openssl", arguments...).CombinedOutput()
	return string(out), err == nil
}

func write(t *testing.T, directory, name, pemType string, der []byte) string {
	t.Helper()
	file := filepath.Join(directory, name)
	data := der
	if pemType != "" {
		data = pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der})
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestOpenSSLAgrees(t *testing.T) {
	t.Parallel()
	j, _ := newJPKI(t)
	at := strconv.FormatInt(noon.Unix(), 10)
	for path, ca := range map[string]*issuer.CA{"sign": j.SigningCA(), "auth": j.AuthenticationCA()} {
		dir := t.TempDir()
		leaf := issue(t, ca, holder(), noon)
		caFile := write(t, dir, "ca.pem", "CERTIFICATE", ca.Certificate().Raw)
		leafFile := write(t, dir, "leaf.pem", "CERTIFICATE", leaf.Raw)
		check := func(want string, wantOK bool) {
			t.Helper()
			crl, err := ca.CRL(leaf)
			if err != nil {
				t.Fatal(err)
			}
			crlFile := write(t, dir, "list.pem", "X509 CRL", crl)
			out, ok := openssl(t, "verify", "-attime", at, "-check_ss_sig", "-x509_strict", "-policy_check",
				"-crl_check", "-extended_crl",
				"-CRLfile", crlFile, "-CAfile", caFile, leafFile)
			if ok != wantOK || !strings.Contains(out, want) {
				t.Errorf("%s: openssl verify: %s", path, out)
			}
			answer := ask(t, j.Handler(), "/"+path+"/ocsp", request(t, leaf, ca.Certificate(), crypto.SHA256))
			out, ok = openssl(t, "ocsp", "-respin", write(t, dir, "answer.der", "", answer), "-issuer", caFile,
				"-sha256", "-cert", leafFile,
				"-CAfile", caFile, "-no_nonce", "-attime", at, "-validity_period", "999999999")
			status := "good"
			if !wantOK {
				status = "revoked"
			}
			if !ok || !strings.Contains(out, "Response verify OK") || !strings.Contains(out, leafFile+": "+status) {
				t.Errorf("%s: openssl ocsp: %s", path, out)
			}
		}
		check("OK", true)
		if err := ca.Revoke(leaf.SerialNumber, issuer.Revocation{Reason: issuer.AffiliationChanged,
			At: noon}); err != nil {
			t.Fatal(err)
		}
		check("certificate revoked", false)

		// The order of the extensions, as another parser prints it.
		out, ok := openssl(t, "x509", "-in", leafFile, "-noout", "-text")
		if !ok {
			t.Fatal(out)
		}
		got := regexp.MustCompile(`(?m)^ {12}X509v3 (.*?): ?(critical)?\s*$`).FindAllStringSubmatch(out, -1)
		var names []string
		for _, m := range got {
			names = append(names, strings.TrimSpace(m[1]+" "+m[2]))
		}
		want := []string{
			"Key Usage critical", "Subject Alternative Name", "Certificate Policies critical",
			"Issuer Alternative Name",
			"CRL Distribution Points", "Authority Key Identifier", "Subject Key Identifier",
		}
		if path == "auth" { // authorityInfoAccess has no "X509v3" in front
			want[1] = "Extended Key Usage"
		}
		if !slices.Equal(names, want) {
			t.Errorf("%s: extensions %q, want %q", path, names, want)
		}
	}
}
