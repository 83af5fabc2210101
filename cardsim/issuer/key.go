package issuer

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
)

const (
	// keyBits is the modulus size of every JPKI key of this card generation.
	keyBits = 2048
	// publicExponent is F4, the exponent of every JPKI key.
	publicExponent = 65537
	// millerRabinRounds are on top of the Baillie-PSW test that ProbablyPrime always runs, and that no composite is
	// known to pass. More of them only make every test suite slower.
	millerRabinRounds = 5
	// sieveLimit bounds the small primes: about one candidate in 36 that survives this sieve is prime.
	sieveLimit = 1 << 16
)

// KeyFromSeed derives an RSA-2048 key with exponent 65537: the same seed and label give the same key in every process
// and with every release of this package, so that certificates, card images and golden files stay stable. It takes in
// the order of 50 ms, and it never fails.
//
// The key is as public as its seed. Use it for tests only. Safe for concurrent use.
//
// The primes are made here, because [rsa.GenerateKey] deliberately ignores a deterministic random source.
func KeyFromSeed(seed, label string) *rsa.PrivateKey {
	random := newStream(seed, label)
	sieve := newSieve()
	e := big.NewInt(publicExponent)
	one := big.NewInt(1)
	for {
		p := sieve.prime(random, keyBits/2)
		q := sieve.prime(random, keyBits/2)
		if p.Cmp(q) == 0 {
			continue
		}
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(e, phi)
		if d == nil {
			continue
		}
		key := &rsa.PrivateKey{
			PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: publicExponent},
			D:         d,
			Primes:    []*big.Int{p, q},
		}
		key.Precompute()
		if key.Validate() == nil {
			return key
		}
	}
}

// stream is a deterministic byte stream: AES-256 in counter mode, keyed by SHA-256 of the seed and the label.
type stream struct{ cipher.Stream }

func newStream(seed, label string) stream {
	h := sha256.New()
	// The lengths are part of the hash so that ("a", "bc") and ("ab", "c") differ.
	for _, s := range []string{"kakunin test key v1", seed, label} {
		h.Write(binaryLength(len(s)))
		h.Write([]byte(s))
	}
	block, err := aes.NewCipher(h.Sum(nil))
	if err != nil {
		panic("issuer: a SHA-256 digest is always a valid AES-256 key: " + err.Error())
	}
	// A fixed counter start is sound, because each key makes one stream only.
	return stream{cipher.NewCTR(block, make([]byte, aes.BlockSize))} //nolint:gosec // see above
}

func binaryLength(n int) []byte { return big.NewInt(int64(n)).FillBytes(make([]byte, 8)) }

// bytes returns the next n bytes.
func (s stream) bytes(n int) []byte {
	b := make([]byte, n)
	s.XORKeyStream(b, b)
	return b
}

// sieve holds the odd primes below sieveLimit.
type sieve []uint32

func newSieve() sieve {
	composite := make([]bool, sieveLimit)
	var primes sieve
	for i := 3; i < sieveLimit; i += 2 {
		if composite[i] {
			continue
		}
		primes = append(primes, uint32(i))
		for j := i * i; j < sieveLimit; j += 2 * i {
			composite[j] = true
		}
	}
	return primes
}

// prime returns the first prime at or after a random odd number of exactly that many bits, with the two top bits set
// so that the product of two such primes has exactly twice the bits.
func (s sieve) prime(random stream, bits int) *big.Int {
	// A window of 4096 odd numbers holds on average more than eleven primes of 1024 bits; should one hold none, a
	// new start is drawn.
	const window = 1 << 12
	for {
		b := random.bytes(bits / 8)
		b[0] |= 0xC0
		b[len(b)-1] |= 1
		start := new(big.Int).SetBytes(b)
		composite := s.mark(start, window)
		for i := range window {
			if composite[i] {
				continue
			}
			candidate := new(big.Int).Add(start, big.NewInt(int64(2*i)))
			if candidate.BitLen() != bits {
				break
			}
			if usablePrime(candidate) {
				return candidate
			}
		}
	}
}

// mark returns, for each of the odd numbers start, start+2, …, whether a small prime divides it.
func (s sieve) mark(start *big.Int, window int) []bool {
	composite := make([]bool, window)
	modulus, rest := new(big.Int), new(big.Int)
	for _, p := range s {
		r := int(rest.Mod(start, modulus.SetUint64(uint64(p))).Int64())
		n := int(p)
		// The first i with start+2i ≡ 0 (mod p): i = -r/2 (mod p).
		i := n - r
		if r == 0 {
			i = 0
		} else if i%2 == 1 {
			i += n
		}
		for i /= 2; i < window; i += n {
			composite[i] = true
		}
	}
	return composite
}

// usablePrime reports whether p is prime and p-1 is coprime to the public exponent.
func usablePrime(p *big.Int) bool {
	m := new(big.Int).Sub(p, big.NewInt(1))
	// The exponent is prime, so only a multiple of it shares a factor with it.
	if new(big.Int).Mod(m, big.NewInt(publicExponent)).Sign() == 0 {
		return false
	}
	// A single cheap test rejects almost every composite; the many rounds are spent on the survivor only.
	return p.ProbablyPrime(0) && p.ProbablyPrime(millerRabinRounds)
}
