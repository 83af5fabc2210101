package issuer_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"strconv"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
)

// goldenModulus is SHA-256 of the modulus of KeyFromSeed("seed", "label").
const goldenModulus = "d47ee4bc4b54183648f0860923bc97ecef53d2bf4926b38900648ac71d0efaab"

func TestKeyFromSeedIsDeterministicAndSound(t *testing.T) {
	t.Parallel()
	a := issuer.KeyFromSeed("seed", "label")
	b := issuer.KeyFromSeed("seed", "label")
	if !a.Equal(b) {
		t.Fatal("the same seed and label gave two keys")
	}
	// Golden: certificates and card images made from a seed must not change between releases.
	sum := sha256.Sum256(a.N.Bytes())
	if got, want := hex.EncodeToString(sum[:]), goldenModulus; got != want {
		t.Errorf("modulus digest = %s, want %s", got, want)
	}
	if a.N.BitLen() != 2048 || a.E != 65537 {
		t.Errorf("key has %d bits and exponent %d", a.N.BitLen(), a.E)
	}
	if err := a.Validate(); err != nil {
		t.Errorf("Validate: %v", err)
	}
	for _, p := range a.Primes {
		if p.BitLen() != 1024 || !p.ProbablyPrime(64) {
			t.Errorf("a factor has %d bits, prime %v", p.BitLen(), p.ProbablyPrime(64))
		}
		if new(big.Int).GCD(nil, nil, new(big.Int).Sub(p, big.NewInt(1)), big.NewInt(65537)).Int64() != 1 {
			t.Error("p-1 shares a factor with the exponent")
		}
	}
	digest := sha256.Sum256([]byte("document"))
	sig, err := rsa.SignPKCS1v15(rand.Reader, a, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	if err := rsa.VerifyPKCS1v15(&b.PublicKey, crypto.SHA256, digest[:], sig); err != nil {
		t.Errorf("signature: %v", err)
	}
}

func TestKeyFromSeedSeparatesSeedAndLabel(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, in := range [][2]string{{"a", "bc"}, {"ab", "c"}, {"", "abc"}, {"abc", ""}} {
		n := issuer.KeyFromSeed(in[0], in[1]).N.String()
		if other, dup := seen[n]; dup {
			t.Errorf("%q and %q give the same key", in, other)
		}
		seen[n] = in[0] + "|" + in[1]
	}
}

func BenchmarkKeyFromSeed(b *testing.B) {
	for i := 0; b.Loop(); i++ {
		issuer.KeyFromSeed("seed", strconv.Itoa(i)) // the time depends on the key, so take many
	}
}
