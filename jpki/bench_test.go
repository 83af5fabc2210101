package jpki

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/jpki/revocation"
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

// maxVerifyAllocs is how many allocations the verification of a parsed certificate with a loaded list may cost.
const maxVerifyAllocs = 40

func TestVerifyAllocations(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	spec := a.List(1, entry([]byte{0x77}, now.Add(-day)))
	v := newVerifier(t, revocation.Require(a.trusting(t, spec.Sign(a.Key))), a)
	allocs := testing.AllocsPerRun(100, func() {
		if res, err := v.Verify(t.Context(), c); err != nil || res.Status != Good {
			t.Fatal(err)
		}
	})
	if allocs > maxVerifyAllocs {
		t.Errorf("%.0f allocations", allocs)
	}
}

// BenchmarkVerifyCRL verifies a parsed certificate with chain and a loaded CRL; the floor is one bare verification.
func BenchmarkVerifyCRL(b *testing.B) {
	a := signingAuthority(b, "ca")
	c := a.signingLeaf(b)
	entries := make([][]byte, 1000)
	for i := range entries {
		entries[i] = entry([]byte{1, byte(i >> 8), byte(i), 1}, now.Add(-day), reasonExt(4))
	}
	spec := a.List(1, entries...)
	v := newVerifier(b, revocation.Require(added(b, spec.Sign(a.Key))), a)
	verify := func() {
		if res, err := v.Verify(b.Context(), c); err != nil || res.Status != Good {
			b.Fatal(err)
		}
	}
	verify() // the list's own signature is verified once
	if allocs := testing.AllocsPerRun(100, verify); allocs > maxVerifyAllocs {
		b.Errorf("%.0f allocations, at most %d are wanted", allocs, maxVerifyAllocs)
	}
	b.ReportAllocs()
	for b.Loop() {
		verify()
	}
	reportRatio(b, bareVerify(b, b.N))
}

// BenchmarkParseCertificate has crypto/x509 as its floor.
func BenchmarkParseCertificate(b *testing.B) {
	a := signingAuthority(b, "ca")
	spec := a.SigningSpec(1)
	der := spec.Sign(a.Key)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseCertificate(der); err != nil {
			b.Fatal(err)
		}
	}
	n, start := b.N, time.Now()
	for range n {
		if _, err := x509.ParseCertificate(der); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(time.Since(start)), "x-stdlib")
}
