//go:build openssl

package crl_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/crl/internal/listgen"
)

// openssl runs the program in the directory.
func openssl(t *testing.T, directory string, arguments ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "openssl", arguments...)
	cmd.Dir = directory
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
	return string(out)
}

const opensslConfig = `
[ca]
default_ca = test
[test]
database = index.txt
crlnumber = crlnumber
default_md = sha256
default_crl_days = 1
crl_extensions = list
[list]
authorityKeyIdentifier = keyid:always
issuingDistributionPoint = critical,@point
[point]
fullname = dirName:pointname
onlyuser = TRUE
onlysomereasons = keyCompromise,CACompromise
[pointname]
C = JP
CN = point
[req]
distinguished_name = subject
[subject]
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
`

// TestOpenSSLLists reads lists that "openssl ca -gencrl" wrote, and lets "openssl crl" verify the lists of these tests.
func TestOpenSSLLists(t *testing.T) {
	directory := t.TempDir()
	// The database has a line per certificate: R, expiry, revocation date[,reason[,time]], serial number, file,
	// subject.
	var database strings.Builder
	reasons := map[string]int{"": -1, ",keyCompromise": 1, ",CACompromise": 2, ",affiliationChanged": 3,
		",superseded": 4, ",cessationOfOperation": 5,
		",certificateHold": 6, ",CAkeyTime,20260101000000Z": 2, ",keyTime,20260101000000Z": 1,
		",holdInstruction,holdInstructionReject": 6}
	serial := 0x1000
	want := map[int]int{}
	for text, code := range reasons {
		serial++
		fmt.Fprintf(&database, "R\t301231000000Z\t261102030405Z%s\t%04X\tunknown\t/CN=x\n", text, serial)
		want[serial] = code
	}
	for name, text := range map[string]string{"openssl.cnf": opensslConfig, "index.txt": database.String(),
		"crlnumber": "0102\n"} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, algorithm := range [][]string{{"rsa:2048", ""}, {"ec", "P-384"}} {
		arguments := []string{"req", "-x509", "-config", "openssl.cnf", "-extensions", "authority", "-newkey",
			algorithm[0], "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/C=JP/CN=CA", "-days", "2"}
		md := "sha256"
		if algorithm[1] != "" {
			arguments = append(arguments, "-pkeyopt", "ec_paramgen_curve:"+algorithm[1])
			md = "sha384"
		}
		openssl(t, directory, arguments...)
		openssl(t, directory, "ca", "-config", "openssl.cnf", "-gencrl", "-md", md, "-cert", "ca.pem", "-keyfile",
			"ca.key", "-out", "list.pem")
		text, err := os.ReadFile(filepath.Join(directory, "list.pem"))
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(text)
		pemCA, err := os.ReadFile(filepath.Join(directory, "ca.pem"))
		if err != nil {
			t.Fatal(err)
		}
		ca, _ := pem.Decode(pemCA)
		cert, err := x509.ParseCertificate(ca.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		u, err := crl.Parse(block.Bytes, crl.Options{})
		if err != nil {
			t.Fatal(err)
		}
		l, err := u.Verify(t.Context(), cert.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		h := l.Header()
		if l.Len() != len(want) || h.Scope == nil || !h.Scope.OnlyUserCerts || h.Scope.OnlySomeReasons != 1<<1|1<<2 ||
			len(h.Scope.Name.Names(h.Issuer)) != 1 ||
			!bytes.Equal(h.AuthorityKeyID, cert.SubjectKeyId) || !bytes.Equal(h.Issuer, cert.RawSubject) ||
			len(h.Number) == 0 {
			t.Errorf("%d entries, %+v", l.Len(), h)
		}
		for serial, reason := range want {
			e, found := l.Lookup(cert.RawSubject, []byte{byte(serial >> 8), byte(serial)})
			if !found || int(e.Reason) != reason {
				t.Errorf("serial %x: %+v, %v, want reason %d", serial, e, found, reason)
			}
		}
	}
	// OpenSSL on a list of the generator, signed with the authority's last key.
	keyPEM, err := os.ReadFile(filepath.Join(directory, "ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(keyPEM)
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		t.Fatal("not a signer")
	}
	pemCA, err := os.ReadFile(filepath.Join(directory, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	ca, _ := pem.Decode(pemCA)
	cert, err := x509.ParseCertificate(ca.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	spec := &listgen.Spec{Issuer: cert.RawSubject, Number: 9, ThisUpdate: now, NextUpdate: now.Add(day), Entries: 1000,
		SerialOctets: 8, Key: signer}
	var list bytes.Buffer
	if _, err := spec.WriteTo(&list); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(directory, "ours.crl"), list.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out := openssl(t, directory, "crl", "-inform", "DER", "-in", "ours.crl", "-noout", "-text", "-CAfile", "ca.pem")
	if !strings.Contains(out, "verify OK") || strings.Count(out, "Serial Number") != spec.Entries {
		t.Errorf("openssl crl: %.500s", out)
	}
}
