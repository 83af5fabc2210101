// Package primes finds primes near a number that somebody else chose: what keys that follow from a seed are made of.
package primes

import (
	"math/big"
	"sync"
)

const (
	// sieveLimit bounds the small primes: about one candidate in 36 that survives this sieve is a prime of 1024 bits.
	sieveLimit = 1 << 16
	// Window is how many odd numbers Next looks at: on average more than eleven primes of 1024 bits.
	Window = 1 << 12
)

// Next returns the first of the odd numbers start, start+2, … that usable takes, and which one it is, from 0. Only
// numbers without a small factor are offered; that they are prime is for usable to say. Without one among Window
// numbers it returns nil.
func Next(start *big.Int, usable func(*big.Int) bool) (p *big.Int, place int) {
	for i, composite := range mark(start) {
		if composite {
			continue
		}
		if p := new(big.Int).Add(start, big.NewInt(int64(2*i))); usable(p) {
			return p, i
		}
	}
	return nil, 0
}

// mark returns, for each of the odd numbers start, start+2, …, whether a small prime divides it.
func mark(start *big.Int) []bool {
	composite := make([]bool, Window)
	modulus, rest := new(big.Int), new(big.Int)
	for _, p := range small() {
		r := int(rest.Mod(start, modulus.SetUint64(uint64(p))).Int64())
		n := int(p)
		// The first i with start+2i ≡ 0 (mod p): i = -r/2 (mod p).
		i := n - r
		if r == 0 {
			i = 0
		} else if i%2 == 1 {
			i += n
		}
		for i /= 2; i < Window; i += n {
			composite[i] = true
		}
	}
	return composite
}

// small are the odd primes below sieveLimit.
var small = sync.OnceValue(func() []uint32 {
	composite := make([]bool, sieveLimit)
	var primes []uint32
	for i := 3; i < sieveLimit; i += 2 {
		if composite[i] {
			continue
		}
		primes = append(primes, uint32(i))
		if i > sieveLimit/i {
			continue // its square is beyond the limit, and may be beyond an int of 32 bits
		}
		for j := i * i; j < sieveLimit; j += 2 * i {
			composite[j] = true
		}
	}
	return primes
})
