//go:build openssl

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An authority made and run by the openssl program (3.0 or later): its certificates, lists and OCSP responses go
// through certcheck.

type opensslCA struct{ dir string }

const opensslConfig = `
[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
serial = serial
crlnumber = crlnumber
default_md = sha256
default_days = 30
default_crl_days = 7
policy = any
crl_extensions = crl_ext
unique_subject = no
[any]
commonName = supplied
[crl_ext]
authorityKeyIdentifier = keyid
[req]
distinguished_name = dn
prompt = no
[dn]
CN = replaced
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[responder]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = OCSPSigning
noCheck = ignored
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
`

func newOpenSSLCA(t *testing.T) *opensslCA {
	t.Helper()
	ca := &opensslCA{t.TempDir()}
	for name, text := range map[string]string{"openssl.cnf": opensslConfig, "index.txt": "", "serial": "1000\n",
		"crlnumber": "01\n"} {
		if err := os.WriteFile(ca.file(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ca.run(t, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "30",
		"-subj", "/CN=OpenSSL Root",
		"-config", "openssl.cnf", "-extensions", "root")
	return ca
}

func (ca *opensslCA) file(name string) string { return filepath.Join(ca.dir, name) }

func (ca *opensslCA) run(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "openssl", args...)
	c.Dir = ca.dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (ca *opensslCA) issue(t *testing.T, name, profile string) {
	t.Helper()
	ca.run(t, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", name+".key", "-out", name+".csr", "-subj", "/CN="+name,
		"-config", "openssl.cnf")
	ca.run(t, "ca", "-batch", "-config", "openssl.cnf", "-keyfile", "ca.key", "-cert", "ca.pem", "-in", name+".csr",
		"-out", name+".pem",
		"-notext", "-extensions", profile)
}

func TestOpenSSLAuthority(t *testing.T) {
	ca := newOpenSSLCA(t)
	for _, name := range []string{"good", "bad", "held"} {
		ca.issue(t, name, "leaf")
	}
	ca.issue(t, "responder", "responder")
	ca.run(t, "ca", "-config", "openssl.cnf", "-keyfile", "ca.key", "-cert", "ca.pem", "-revoke", "bad.pem",
		"-crl_reason", "superseded")
	ca.run(t, "ca", "-config", "openssl.cnf", "-keyfile", "ca.key", "-cert", "ca.pem", "-revoke", "held.pem",
		"-crl_hold", "holdInstructionCallIssuer")
	ca.run(t, "ca", "-config", "openssl.cnf", "-keyfile", "ca.key", "-cert", "ca.pem", "-gencrl", "-out", "list.pem")
	ca.run(t, "crl", "-in", "list.pem", "-outform", "DER", "-out", "list.der")
	// A minute ahead, so that data made this very second is not from the future.
	at := time.Now().Add(time.Minute).UTC().Format(time.RFC3339)
	want := map[string]string{"good": "VALID\n", "bad": "A certificate has been revoked.",
		"held": "A certificate is suspended."}
	for _, list := range []string{"list.pem", "list.der"} {
		for name, text := range want {
			code, out, errOut := certcheck(t, "-anchor", ca.file("ca.pem"), "-crl", ca.file(list), "-time", at,
				ca.file(name+".pem"))
			if (code == 0) != (name == "good") || !strings.Contains(out, text) {
				t.Errorf("%s, %s: exit code %d\n%s%s", list, name, code, out, errOut)
			}
		}
	}
	// The responder answers from the authority's index, with its own certificate and as the authority itself.
	for _, signer := range []string{"responder", "ca"} {
		for name, text := range want {
			ca.run(t, "ocsp", "-issuer", "ca.pem", "-cert", name+".pem", "-reqout", "request.der", "-no_nonce")
			answer := fmt.Sprintf("%s-%s.der", signer, name)
			ca.run(t, "ocsp", "-index", "index.txt", "-CA", "ca.pem", "-rsigner", signer+".pem", "-rkey", signer+".key",
				"-reqin", "request.der",
				"-respout", answer, "-ndays", "1", "-rmd", "sha256")
			code, out, errOut := certcheck(t, "-anchor", ca.file("ca.pem"), "-ocsp", ca.file(answer), "-time", at,
				ca.file(name+".pem"))
			if (code == 0) != (name == "good") || !strings.Contains(out, text) {
				t.Errorf("%s about %s: exit code %d\n%s%s", signer, name, code, out, errOut)
			}
			if name == "good" {
				// The answer about one certificate says nothing about another.
				if code, _, _ := certcheck(t, "-anchor", ca.file("ca.pem"), "-ocsp", ca.file(answer), "-time", at,
					ca.file("bad.pem")); code != exitNotValid {
					t.Errorf("%s: exit code %d for another certificate", signer, code)
				}
			}
		}
	}
	// An ordinary certificate of the same authority is no responder.
	ca.run(t, "ocsp", "-issuer", "ca.pem", "-cert", "bad.pem", "-reqout", "request.der", "-no_nonce")
	ca.run(t, "ocsp", "-index", "index.txt", "-CA", "ca.pem", "-rsigner", "good.pem", "-rkey", "good.key", "-reqin",
		"request.der", "-respout", "forged.der", "-ndays", "1")
	if code, out, _ := certcheck(t, "-anchor", ca.file("ca.pem"), "-ocsp", ca.file("forged.der"), "-time", at,
		ca.file("bad.pem")); code != exitNotValid || strings.Contains(out, "revoked.") {
		t.Errorf("exit code %d for a response by an ordinary certificate\n%s", code, out)
	}
}
