//go:build pcsc

package sign_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
)

// Signatures that OpenSC had the card in pcscd make, verified. OPENSC_FILES is the folder of the CI step "pcsc", which
// gives what this writes, a CMS signature, to OpenSSL.
func TestOpenSCSignatures(t *testing.T) {
	dir := os.Getenv("OPENSC_FILES")
	if dir == "" {
		t.Fatal("OPENSC_FILES names no folder with signatures")
	}
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	certificate := func(name string) []byte {
		block, _ := pem.Decode(read(name))
		if block == nil {
			t.Fatalf("%s is no PEM", name)
		}
		return block.Bytes
	}
	authority, err := x509.ParseCertificate(certificate("4.pem"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := sign.NewVerifier(sign.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: jpki.InsecureTestTrust(authority),
		Revocation: revocation.InsecureNoRevocation(), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	verify := func(name string, mode sign.Mode, document []byte) (*sign.Report, error) {
		return v.Verify(t.Context(), sign.NewOpened(read(name), certificate("2.pem")),
			sign.Expect{Document: bytes.NewReader(document), Mode: mode})
	}
	document := read("document")
	var report *sign.Report
	for name, mode := range map[string]sign.Mode{
		"2-256.sig": sign.ModeDigestInfo, "2-15.sig": sign.ModeDigestInfo, "2-bare.sig": sign.ModeBareHash,
	} {
		r, err := verify(name, mode, document)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if mode == sign.ModeDigestInfo {
			report = r
		}
		if _, err := verify(name, mode, append(bytes.Clone(document), '.')); err == nil {
			t.Errorf("%s: another document is accepted", name)
		}
		other := sign.ModeDigestInfo
		if mode == other {
			other = sign.ModeBareHash
		}
		if _, err := verify(name, other, document); !errors.Is(err, &sign.Error{Reason: sign.ReasonOtherMode}) {
			t.Errorf("%s in the other mode: %v", name, err)
		}
	}
	// The authentication certificate signs no documents.
	_, err = v.Verify(t.Context(), sign.NewOpened(read("1-256.sig"), certificate("1.pem")),
		sign.Expect{Document: bytes.NewReader(document), Mode: sign.ModeDigestInfo})
	if !errors.Is(err, &sign.Error{Reason: sign.ReasonCertificateForm}) {
		t.Errorf("an authentication certificate: %v", err)
	}
	if report == nil {
		t.Fatal("nothing to write as CMS")
	}
	cms, err := sign.CMS(report)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "2.p7s"), cms, 0o600); err != nil {
		t.Fatal(err)
	}
}
