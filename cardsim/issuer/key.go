package issuer

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"sync"

	"github.com/kakunin-go/kakunin/internal/primes"
)

const (
	// keyBits is the modulus size of every JPKI key of this card generation.
	keyBits = 2048
	// publicExponent is F4, the exponent of every JPKI key.
	publicExponent = 65537
	// millerRabinRounds are on top of the Baillie-PSW test that ProbablyPrime always runs, and that no composite is
	// known to pass. More of them only make every test suite slower.
	millerRabinRounds = 5
)

// KeyFromSeed derives an RSA-2048 key with exponent 65537: the same seed and label give the same key in every process
// and with every release of this package, so that certificates, card images and golden files stay stable. It takes in
// the order of 50 ms, a tenth of that for the keys that every simulated world needs, and it never fails.
//
// The key is as public as its seed. Use it for tests only. Safe for concurrent use.
//
// The primes are made here, because [rsa.GenerateKey] deliberately ignores a deterministic random source.
func KeyFromSeed(seed, label string) *rsa.PrivateKey {
	from := origin{seed, label}
	known, often := found[from]
	if !often {
		key, _ := derive(newStream(seed, label), places{})
		return key
	}
	once, _ := derived.LoadOrStore(from, sync.OnceValue(func() *rsa.PrivateKey {
		key, _ := derive(newStream(seed, label), known)
		return key
	}))
	key := *once.(func() *rsa.PrivateKey)() // the caller's own
	return &key
}

// derived has the keys of the table that were needed: one for all the worlds of a process, and never another.
var derived sync.Map // origin → func() *rsa.PrivateKey

// places say where the search for the two primes of a key ends: how many odd numbers after its random start each prime
// is, and 1 more, so that the zero value means that nothing is known.
type places [2]uint16

// origin is what a key is derived from.
type origin struct{ seed, label string }

// derive makes a key from a stream and says where its primes were found.
func derive(random stream, known places) (*rsa.PrivateKey, places) {
	e := big.NewInt(publicExponent)
	one := big.NewInt(1)
	for ; ; known = (places{}) {
		p, first := prime(random, keyBits/2, known[0])
		q, second := prime(random, keyBits/2, known[1])
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
			return key, places{first, second}
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

// prime returns the first prime at or after a random odd number of exactly that many bits, with the two top bits set
// so that the product of two such primes has exactly twice the bits. It also returns its place, 0 when a second start
// was drawn. A known place spares the search.
func prime(random stream, bits int, known uint16) (p *big.Int, place uint16) {
	for draw := 0; ; draw++ {
		b := random.bytes(bits / 8)
		b[0] |= 0xC0
		b[len(b)-1] |= 1
		start := new(big.Int).SetBytes(b)
		if draw == 0 && known > 0 {
			if p := new(big.Int).Add(start, big.NewInt(2*int64(known-1))); p.BitLen() == bits && usablePrime(p) {
				return p, known
			}
		}
		p, at := primes.Next(start, func(p *big.Int) bool {
			return usablePrime(p) && p.ProbablyPrime(millerRabinRounds)
		})
		switch {
		case p == nil || p.BitLen() != bits: // a new start is drawn
		case draw > 0:
			return p, 0
		default:
			return p, uint16(at + 1) //nolint:gosec // within the window
		}
	}
}

// usablePrime reports whether p is prime, by the Baillie-PSW test alone, and p-1 is coprime to the public exponent.
func usablePrime(p *big.Int) bool {
	m := new(big.Int).Sub(p, big.NewInt(1))
	// The exponent is prime, so only a multiple of it shares a factor with it.
	if new(big.Int).Mod(m, big.NewInt(publicExponent)).Sign() == 0 {
		return false
	}
	return p.ProbablyPrime(0)
}
