package revocation

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"math/big"
	"testing"
	"time"
)

// bareVerify is the floor: one RSA-2048 verification with its hash, measured in the same run.
func bareVerify(b *testing.B, n int) time.Duration {
	b.Helper()
	key := testKey("ca")
	message := make([]byte, 1200)
	digest := sha256.Sum256(message)
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	for range n {
		digest := sha256.Sum256(message)
		if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}

func reportRatio(b *testing.B, bare time.Duration) {
	b.Helper()
	b.ReportMetric(float64(b.Elapsed())/float64(bare), "x-bare")
}

// BenchmarkVerifyOCSP verifies a response of a delegated responder; the floor is two bare verifications.
func BenchmarkVerifyOCSP(b *testing.B) {
	w := newOCSPWorld(b)
	s := w.delegated()
	der := s.sign()
	b.ReportAllocs()
	for b.Loop() {
		if answer, err := w.verify(der, now); err != nil || answer.Status != Good {
			b.Fatal(err)
		}
	}
	reportRatio(b, bareVerify(b, 2*b.N))
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
