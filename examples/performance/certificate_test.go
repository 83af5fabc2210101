package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// person is a certificate of the test JPKI with what is published about it.
type person struct {
	ca         *x509.Certificate
	leaf       *x509.Certificate
	list, ocsp []byte
	trust      jpki.Trust
	now        func() time.Time
}

func newPerson(b *testing.B) person {
	b.Helper()
	now := time.Date(2026, time.November, 2, 3, 0, 0, 0, time.UTC)
	p := person{now: func() time.Time { return now }}
	authorities, err := issuer.New(issuer.Config{Now: p.now})
	if err != nil {
		b.Fatal(err)
	}
	ca := authorities.SigningCA()
	p.ca, p.trust = ca.Certificate(), authorities.Trust()
	der, err := ca.Issue(issuer.Request{Key: &issuer.KeyFromSeed("benchmark", "holder").PublicKey,
		Holder: issuer.Subject{
			Name: "試験　花子", Address: "東京都清瀬市架空１２－７", Gender: "2", Birthdate: "19800217",
			PrefectureRomaji: "Tokyo-to", CityRomaji: "Kiyose-shi", MunicipalityCode: "13221",
		}, IssuedAt: now.AddDate(-1, 0, 0)})

	if err != nil {
		b.Fatal(err)
	}
	if p.leaf, err = x509.ParseCertificate(der); err != nil {
		b.Fatal(err)
	}
	if p.list, err = ca.CRL(p.leaf); err != nil {
		b.Fatal(err)
	}
	question, err := ocsp.CreateRequest(p.leaf, p.ca, &ocsp.RequestOptions{Hash: crypto.SHA1})
	if err != nil {
		b.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/sign/ocsp", bytes.NewReader(question))
	r.Header.Set("Content-Type", "application/ocsp-request")
	authorities.Handler().ServeHTTP(w, r)
	p.ocsp = w.Body.Bytes()
	return p
}

// verifications returns the floor: n verifications of an RSA-2048 signature with its hash.
func verifications(b *testing.B, n int) func() {
	b.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	message := make([]byte, 1200)
	digest := sha256.Sum256(message)
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	return func() {
		for range n {
			digest := sha256.Sum256(message)
			if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkCertificate verifies a person's signing certificate from its bytes. This module checks the profile of JPKI,
// its one-step chain and a revocation list that is loaded; crypto/x509 the chain alone, with its own rules; the list is
// looked through as x509 gives it, because it has no index.
func BenchmarkCertificate(b *testing.B) {
	p := newPerson(b)
	b.Run("kakunin", func(b *testing.B) { p.kakunin(b) })
	b.Run("x509", func(b *testing.B) {
		roots := x509.NewCertPool()
		roots.AddCert(p.ca)
		list, err := x509.ParseRevocationList(p.list)
		if err != nil {
			b.Fatal(err)
		}
		options := x509.VerifyOptions{Roots: roots, CurrentTime: p.now(), KeyUsages: []x509.ExtKeyUsage{
			x509.ExtKeyUsageAny}}
		inTurns(b, verifications(b, 1), func() {
			leaf, err := x509.ParseCertificate(p.leaf.Raw)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := leaf.Verify(options); err != nil {
				b.Fatal(err)
			}
			for i := range list.RevokedCertificateEntries {
				if list.RevokedCertificateEntries[i].SerialNumber.Cmp(leaf.SerialNumber) == 0 {
					b.Fatal("revoked")
				}
			}
		})
	})
}

func (p person) kakunin(b *testing.B) {
	b.Helper()
	ctx := context.Background()
	lists, err := revocation.OpenStore(ctx, revocation.StoreConfig{Authorities: p.trust.Authorities()})
	if err != nil {
		b.Fatal(err)
	}
	if err := lists.Add(ctx, bytes.NewReader(p.list)); err != nil {
		b.Fatal(err)
	}
	v, err := jpki.NewVerifier(jpki.VerifierConfig{Hierarchy: jpki.Simulated, Trust: p.trust,
		Revocation: revocation.Require(lists), Now: p.now})
	if err != nil {
		b.Fatal(err)
	}
	verify := func() {
		leaf, err := jpki.ParseCertificate(p.leaf.Raw)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := v.Verify(ctx, leaf, jpki.For(jpki.SigningCard)); err != nil {
			b.Fatal(err)
		}
	}
	verify() // the list's signature is verified at its first use
	inTurns(b, verifications(b, 1), verify)
}

// BenchmarkOCSP reads and verifies the answer of a delegated responder, beside two bare verifications: of the
// responder's certificate and of the answer.
func BenchmarkOCSP(b *testing.B) {
	p := newPerson(b)
	b.Run("x-crypto", func(b *testing.B) {
		inTurns(b, verifications(b, 2), func() {
			if answer, err := ocsp.ParseResponseForCert(p.ocsp, p.leaf, p.ca); err != nil ||
				answer.Status != ocsp.Good {
				b.Fatal(err)
			}
		})
	})
	b.Run("kakunin", func(b *testing.B) {
		leaf, err := revocation.ParseCertificate(p.leaf.Raw)
		if err != nil {
			b.Fatal(err)
		}
		ca, err := revocation.ParseCertificate(p.ca.Raw)
		if err != nil {
			b.Fatal(err)
		}
		query := revocation.Query{Certificate: leaf, Issuer: ca, At: p.now()}
		inTurns(b, verifications(b, 2), func() {
			recorded := revocation.RecordedOCSP{Response: p.ocsp}
			if answer, err := recorded.Check(context.Background(), query); err != nil ||
				answer.Status != revocation.Good {
				b.Fatal(answer.Status, err)
			}
		})
	})
}
