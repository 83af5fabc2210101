package certpath

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// rsaImpostor returns a key of the size that signs nothing.
func rsaImpostor(bits, exponent int, seed uint64) []byte {
	random := rand.New(rand.NewPCG(seed, uint64(bits))) //nolint:gosec // test data
	octets := make([]byte, bits/8)
	for i := range octets {
		octets[i] = byte(random.Uint32())
	}
	octets[0] |= 0x80
	octets[len(octets)-1] |= 1
	der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: new(big.Int).SetBytes(octets), E: exponent})
	if err != nil {
		panic(err)
	}
	return der
}

// impostors is a pool of authorities of one name with large keys, none of which signed the leaf, which has the form of
// a signature by each.
func impostors(t testing.TB, n, bits, exponent int) (VerifierConfig, *Certificate) {
	t.Helper()
	var pool []*Certificate
	for i := range n {
		s := caSpec("Sub", "sub", "A", "A").without(oidSubjectKeyID)
		//nolint:gosec // test data
		s.serial, s.spki = []byte{1, byte(i >> 8), byte(i)}, rsaImpostor(bits, exponent, uint64(i))
		pool = append(pool, s.cert(t))
	}
	leaf := leafSpec("EE", "Sub", "sub").without(oidAuthorityKeyID)
	leaf.algorithm = seq(oidDER(1, 2, 840, 113549, 1, 1, 11), []byte{5, 0})
	leaf.signature = make([]byte, bits/8)
	leaf.signature[bits/8-1] = 2
	return testConfig([]*Certificate{rootOf(t, "A")}, pool...), leaf.cert(t)
}

// work is how much the search for a path verified, in verifications with RSA-2048.
func work(t testing.TB, n, bits, exponent int) (cost int) {
	t.Helper()
	c, leaf := impostors(t, n, bits, exponent)
	v, err := NewVerifier(c)
	if err != nil {
		t.Fatal(err)
	}
	r := &run{verifier: v, ctx: context.Background(), at: noon(), index: v.index, verified: map[signedEdge]bool{},
		comparisons: limits.NameComparisons}
	if err := r.search(leaf, func(*Certificate) bool { return true },
		func(p []*Certificate) error { return r.validate(&Result{Path: p}) }); err == nil {
		t.Fatal("an impostor signed")
	}
	for edge := range r.verified {
		for _, c := range v.config.Pool {
			if c.keyID == edge.key && soundKey(c.key) {
				cost += c.key.cost()
			}
		}
	}
	return cost
}

// TestKeySizeIsPartOfTheBudget: large keys use up what a call may cost, and exponents that nobody needs are never
// raised to.
func TestKeySizeIsPartOfTheBudget(t *testing.T) {
	base := work(t, 300, 2048, 65537)
	if base < limits.PathSignatures-2 {
		t.Errorf("RSA-2048: %d", base)
	}
	for name, got := range map[string]int{
		"RSA-8192": work(t, 300, 8192, 65537),
		"RSA-8192, the largest exponent that is used": work(t, 300, 8192, 1<<17-1),
		"RSA-4096": work(t, 300, 4096, 65537),
	} {
		if got > 2*base {
			t.Errorf("%s: %d, and %d with RSA-2048", name, got, base)
		}
	}
	for name, exponent := range map[string]int{"huge": 1<<31 - 1, "just too large": 1<<17 + 1, "even": 65538} {
		if got := work(t, 300, 2048, exponent); got != 0 {
			t.Errorf("%s exponent: %d verifications", name, got)
		}
	}
}

// TestHonestLargeKeys: a path of authorities with the largest keys stays within the budget.
func TestHonestLargeKeys(t *testing.T) {
	for bits, want := range map[int]int{2048: 1, 3072: 4, 4096: 4, 8192: 32} {
		key, err := x509.ParsePKIXPublicKey(rsaImpostor(bits, 65537, 1))
		if err != nil {
			t.Fatal(err)
		}
		if got := (PublicKey{Key: key}).cost(); got != want {
			t.Errorf("RSA-%d costs %d, want %d", bits, got, want)
		}
	}
	// Eight signatures: three authorities and a leaf, each with a list.
	if 8*32 > limits.PathSignatures || 8*curveCosts[521] > limits.PathSignatures {
		t.Error("an ordinary path of large keys does not fit")
	}
}

// BenchmarkImpostors has RSA-2048 as its floor: 300 impostors with RSA-8192 cost at most twice as much.
func BenchmarkImpostors(b *testing.B) {
	run := func(bits, exponent int) time.Duration {
		c, leaf := impostors(b, 300, bits, exponent)
		v, err := NewVerifier(c)
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		if _, err := v.Verify(context.Background(), leaf); err == nil {
			b.Fatal("valid")
		}
		return time.Since(start)
	}
	var base, large, huge time.Duration
	for b.Loop() {
		base += run(2048, 65537)
		large += run(8192, 65537)
		huge += run(8192, 1<<31-1)
	}
	b.ReportMetric(float64(large)/float64(base), "x-rsa2048")
	b.ReportMetric(float64(huge)/float64(base), "x-rsa2048-huge-e")
}
