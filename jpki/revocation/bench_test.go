package revocation

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/internal/tests"
	"github.com/kakunin-go/kakunin/jpki/internal/testca"
)

// BenchmarkVerifyOCSP verifies a response of a delegated responder; the floor is two bare verifications.
func BenchmarkVerifyOCSP(b *testing.B) {
	w := newOCSPWorld(b)
	s := w.delegated()
	der := s.sign()
	tests.InTurns(b, "x-bare", testca.BareVerify(b, 2), func() {
		if answer, err := w.verify(der, now); err != nil || answer.Status != Good {
			b.Fatal(err)
		}
	})
}

// BenchmarkAddCRL parses and indexes 100,000 entries; crypto/x509 is the comparison, SHA-256 over the bytes the floor.
func BenchmarkAddCRL(b *testing.B) {
	a := signingAuthority(b, "ca")
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(day)}
	for i := range 100_000 {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: big.NewInt(1 + int64(i)*40503%(1<<31)), RevocationTime: now.Add(-day), ReasonCode: 4,
		})
	}
	der, err := x509.CreateRevocationList(nil, template, a.Cert, a.Key)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(der)))
	b.ReportAllocs()
	for b.Loop() {
		if err := new(Store).Add(b.Context(), bytes.NewReader(der)); err != nil {
			b.Fatal(err)
		}
	}
	start := time.Now()
	for range b.N {
		if _, err := x509.ParseRevocationList(der); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(time.Since(start)), "x-stdlib")
	start = time.Now()
	for range b.N {
		sha256.Sum256(der)
	}
	b.ReportMetric(float64(b.Elapsed())/float64(time.Since(start)), "x-sha256")
}
