package jpki

import (
	"crypto/x509"
	"testing"

	"github.com/kakunin-go/kakunin/internal/tests"
	"github.com/kakunin-go/kakunin/jpki/internal/testca"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

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
	tests.InTurns(b, "x-bare", testca.BareVerify(b, 1), verify)
}

// BenchmarkParseCertificate has crypto/x509 as its floor.
func BenchmarkParseCertificate(b *testing.B) {
	a := signingAuthority(b, "ca")
	spec := a.SigningSpec(1)
	der := spec.Sign(a.Key)
	tests.InTurns(b, "x-stdlib", func() {
		if _, err := x509.ParseCertificate(der); err != nil {
			b.Fatal(err)
		}
	}, func() {
		if _, err := ParseCertificate(der); err != nil {
			b.Fatal(err)
		}
	})
}
