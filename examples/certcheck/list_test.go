package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/jpki/crl"
)

// A list of 100,000 entries goes through the streaming reader.
func TestLargeList(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	create := func(serial int64, parent *x509.Certificate) (*x509.Certificate, string) {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "Root"}, NotBefore: now.AddDate(-1, 0, 0),
			NotAfter:              now.AddDate(1, 0, 0),
			BasicConstraintsValid: true, IsCA: parent == nil, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		}
		if parent == nil {
			parent = template
		} else {
			template.Subject.CommonName, template.KeyUsage, template.ExtKeyUsage = "Leaf",
				x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, template.SerialNumber.String())
		if err := os.WriteFile(file, der, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return c, file
	}
	root, rootFile := create(1, nil)
	_, revokedFile := create(123_457, root)
	_, goodFile := create(123_458, root)
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now, NextUpdate: now.AddDate(0, 0, 1)}
	for i := range int64(100_000) {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: big.NewInt(100_001 + 2*i), RevocationTime: now})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, root, key)
	if err != nil {
		t.Fatal(err)
	}
	listFile := filepath.Join(dir, "list")
	if err := os.WriteFile(listFile, der, 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]int{goodFile: exitValid, revokedFile: exitNotValid} {
		code, out, errOut := certcheck(t, "-anchor", rootFile, "-crl", listFile, "-time", now.Format(time.RFC3339),
			file)
		if code != want || !strings.Contains(out, "Purposes of the certificate (not judged): 1.3.6.1.5.5.7.3.8") {
			t.Errorf("exit code %d, want %d:\n%s%s", code, want, out, errOut)
		}
		if errOut != "" {
			t.Errorf("on stderr, which is no terminal: %q", errOut)
		}
	}
}

// The bar is for terminals and large lists only, and says what is going on.
func TestBar(t *testing.T) {
	var out bytes.Buffer
	b := newBar(&out, "en")
	if b.shows(1 << 30) {
		t.Error("a bar in a file")
	}
	b.terminal = true
	if b.shows(100) || !b.shows(1<<30) {
		t.Error("the size does not decide")
	}
	for done := range int64(101) {
		b.update(crl.Progress{Done: done, Total: 100})
		b.update(crl.Progress{Done: done, Total: 100})
	}
	b.update(crl.Progress{Done: 5})
	if n := strings.Count(out.String(), "\r"); n != 101 || !strings.Contains(out.String(),
		"["+strings.Repeat("#", 16)+strings.Repeat(" ", 16)+"]  50 %") {
		t.Errorf("%d drawings: %q", n, out.String())
	}
	b.end()
	if !strings.HasSuffix(out.String(), "\r") {
		t.Error("the bar stays")
	}
	b = newBar(&out, "ja")
	b.update(crl.Progress{Done: 1, Total: 2, Indexing: true})
	if !strings.Contains(out.String(), "索引") {
		t.Error("not in Japanese")
	}
}
