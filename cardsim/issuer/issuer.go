package issuer

import (
	"cmp"
	"crypto/rsa"
	"crypto/x509"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin/jpki"
)

// DefaultSeed is the seed of a Config that has none.
const DefaultSeed = "kakunin"

// Config configures a test JPKI. The zero value is useful.
type Config struct {
	// Now is the clock; nil is time.Now. It decides the generation of the CAs, once, and dates what is published.
	Now func() time.Time
	// Seed makes the keys; "" is DefaultSeed. The same seed gives the same keys.
	Seed string
}

// JPKI is a signing and an authentication CA of one generation. It is safe for concurrent use.
type JPKI struct {
	seed                    string
	now                     func() time.Time
	generation              generation
	signing, authentication *CA
	family                  *family
}

// New makes the CAs. Keys come from the seed; the validity follows J-LIS's five-year generations of CA keys, such as
// 2023-07-16 to 2033-07-15. It takes as long as deriving two keys. Errors are
// *[Error].
func New(c Config) (*JPKI, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Seed == "" {
		c.Seed = DefaultSeed
	}
	f := &family{keys: map[string]func() *rsa.PrivateKey{}, members: map[generation]func() (*JPKI, error){}}
	return f.member(&JPKI{seed: c.Seed, now: c.Now, family: f}, generationAt(c.Now()))
}

// open makes the CAs of a generation.
func (j *JPKI) open() (*JPKI, error) {
	var signing, authentication error
	var both sync.WaitGroup // deriving a key takes long enough to do it beside the other
	both.Go(func() { j.signing, signing = newCA(j, signingProfile(), j.generation, j.now) })
	both.Go(func() { j.authentication, authentication = newCA(j, authenticationProfile(), j.generation, j.now) })
	both.Wait()
	if err := cmp.Or(signing, authentication); err != nil {
		return nil, err
	}
	return j, nil
}

// Trust returns the test anchors: those of this generation and of the older ones that [JPKI.At] has made so far, as a
// verifier keeps the anchors of earlier generations. A verifier for production refuses them.
func (j *JPKI) Trust() jpki.Trust {
	anchors := []*x509.Certificate{j.signing.certificate, j.authentication.certificate}
	for _, other := range j.family.others(j) {
		if other.generation.before(j.generation) {
			anchors = append(anchors, other.signing.certificate, other.authentication.certificate)
		}
	}
	return jpki.InsecureTestTrust(anchors...)
}

// Seed returns the seed of the keys.
func (j *JPKI) Seed() string { return j.seed }

// SigningCA returns the authority that issues signing certificates (署名用電子証明書).
func (j *JPKI) SigningCA() *CA { return j.signing }

// AuthenticationCA returns the authority that issues authentication certificates (利用者証明用電子証明書).
func (j *JPKI) AuthenticationCA() *CA { return j.authentication }

// Key returns KeyFromSeed for this JPKI's seed and the label, and remembers it. The result is shared: do not modify it.
func (j *JPKI) Key(label string) *rsa.PrivateKey {
	f := j.family
	f.mu.Lock()
	derive, ok := f.keys[label]
	if !ok {
		derive = sync.OnceValue(func() *rsa.PrivateKey { return KeyFromSeed(j.seed, label) })
		f.keys[label] = derive
	}
	f.mu.Unlock()
	return derive()
}
