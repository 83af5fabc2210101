package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// An OCSP response from a file, by the issuer itself and by an authorised responder, and one by somebody else.
func TestOCSP(t *testing.T) {
	dir := t.TempDir()
	// The test library stamps producedAt with the clock of the machine, so the verification time is that, too.
	now := time.Now().Add(time.Minute).UTC()
	issue := func(serial int64, name string, ca bool, parent *x509.Certificate, parentKey crypto.Signer,
		usage ...x509.ExtKeyUsage) (*x509.Certificate, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: now.AddDate(-20, 0, 0),
			NotAfter:              now.AddDate(20, 0, 0),
			BasicConstraintsValid: true, IsCA: ca, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: usage,
		}
		if ca {
			template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
		}
		if len(usage) > 0 {
			template.ExtraExtensions = []pkix.Extension{{Id: []int{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}, Value: []byte{5, 0}}}
		}
		if parent == nil {
			parent, parentKey = template, key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return c, key
	}
	write := func(name string, der []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, der, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	root, rootKey := issue(1, "Root", true, nil, nil)
	leaf, leafKey := issue(2, "Leaf", false, root, rootKey)
	delegate, delegateKey := issue(3, "Responder", false, root, rootKey, x509.ExtKeyUsageOCSPSigning)
	anchorFile, leafFile := write("root.der", root.Raw), write("leaf.der", leaf.Raw)
	response := func(status int, signer *x509.Certificate, key crypto.Signer) string {
		template := ocsp.Response{
			Status: status, SerialNumber: leaf.SerialNumber, ThisUpdate: now.Add(-time.Hour),
			NextUpdate: now.Add(time.Hour),
			RevokedAt:  now.AddDate(0, 0, -1), RevocationReason: ocsp.Superseded,
		}
		if signer != root {
			template.Certificate = signer
		}
		der, err := ocsp.CreateResponse(root, signer, template, key)
		if err != nil {
			t.Fatal(err)
		}
		return write("answer.der", der)
	}
	for name, c := range map[string]struct {
		status int
		signer *x509.Certificate
		key    crypto.Signer
		code   int
	}{
		"issuer says good":        {ocsp.Good, root, rootKey, 0},
		"issuer says revoked":     {ocsp.Revoked, root, rootKey, 1},
		"issuer does not know":    {ocsp.Unknown, root, rootKey, 1},
		"responder says good":     {ocsp.Good, delegate, delegateKey, 0},
		"another holder says so":  {ocsp.Good, leaf, leafKey, 1},
		"issuer's name, no key":   {ocsp.Good, root, leafKey, 1},
		"responder says revoked":  {ocsp.Revoked, delegate, delegateKey, 1},
		"responder does not know": {ocsp.Unknown, delegate, delegateKey, 1},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errOut := certcheck(t, "-anchor", anchorFile, "-ocsp", response(c.status, c.signer, c.key),
				"-time", now.Format(time.RFC3339), leafFile)
			if code != c.code {
				t.Errorf("exit code %d, want %d:\n%s%s", code, c.code, out, errOut)
			}
		})
	}
}
