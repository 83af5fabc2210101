package testca

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"math/big"
	"sync"

	"github.com/kakunin-go/kakunin/internal/primes"
)

// places are how many odd numbers after its start a prime is found, for the labels that many tests need.
var places = map[string]int64{
	"ca p": 872, "ca q": 79, "leaf p": 181, "leaf q": 160, "signer p": 891, "signer q": 671,
	"responder p": 133, "responder q": 45, "other p": 32, "other q": 803, "another p": 19, "another q": 431,
	"third p": 1538, "third q": 176, "ca2 p": 329, "ca2 q": 374,
}

var keys sync.Map // label → func() *rsa.PrivateKey

// TestKey returns the key of a label. It follows from the label alone, so that the workers of a fuzz run, which are
// processes of their own, have the same authority.
func TestKey(label string) *rsa.PrivateKey {
	once, _ := keys.LoadOrStore(label, sync.OnceValue(func() *rsa.PrivateKey {
		e, one := big.NewInt(65537), big.NewInt(1)
		p, q := testPrime(label+" p", e), testPrime(label+" q", e)
		n := new(big.Int).Mul(p, q)
		d := new(big.Int).ModInverse(e, new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one)))
		key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: int(e.Int64())}, D: d, Primes: []*big.Int{p, q}}
		key.Precompute()
		if err := key.Validate(); err != nil || n.BitLen() != 2048 {
			panic(err)
		}
		return key
	}))
	return once.(func() *rsa.PrivateKey)()
}

// testPrime returns the first 1024-bit prime after the hashes of the label that suits the exponent.
func testPrime(label string, e *big.Int) *big.Int {
	one, gcd := big.NewInt(1), new(big.Int)
	usable := func(p *big.Int) bool {
		return p.ProbablyPrime(0) && gcd.GCD(nil, nil, e, new(big.Int).Sub(p, one)).Cmp(one) == 0
	}
	start := testStart(label)
	// A place that were wrong would cost the search that it spares.
	if place, known := places[label]; known {
		if p := new(big.Int).Add(start, big.NewInt(2*place)); usable(p) {
			return p
		}
	}
	for ; ; start.Add(start, big.NewInt(2*primes.Window)) {
		if p, _ := primes.Next(start, usable); p != nil {
			return p
		}
	}
}

// testStart is the odd number from which the prime of a label is searched.
func testStart(label string) *big.Int {
	var octets []byte
	for i := range byte(4) {
		part := sha256.Sum256(append([]byte(label), i))
		octets = append(octets, part[:]...)
	}
	octets[0] |= 0xc0
	octets[len(octets)-1] |= 1
	return new(big.Int).SetBytes(octets)
}

// SPKI returns the SubjectPublicKeyInfo of the key.
func SPKI(key *rsa.PrivateKey) []byte {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		panic(err)
	}
	return der
}
