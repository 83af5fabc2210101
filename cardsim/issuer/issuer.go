package issuer

import (
	"cmp"
	"crypto/rsa"
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

// JPKI is a signing and an authentication CA. It is safe for concurrent use.
type JPKI struct {
	seed                    string
	signing, authentication *CA

	mu   sync.Mutex
	keys map[string]func() *rsa.PrivateKey
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
	j := &JPKI{seed: c.Seed, keys: map[string]func() *rsa.PrivateKey{}}
	g := generationAt(c.Now())
	var signing, authentication error
	var both sync.WaitGroup // deriving a key takes long enough to do it beside the other
	both.Go(func() { j.signing, signing = newCA(j, signingProfile(), g, c.Now) })
	both.Go(func() { j.authentication, authentication = newCA(j, authenticationProfile(), g, c.Now) })
	both.Wait()
	if err := cmp.Or(signing, authentication); err != nil {
		return nil, err
	}
	return j, nil
}

// Trust returns the test anchors. A verifier for production refuses them.
func (j *JPKI) Trust() jpki.Trust {
	return jpki.TestTrust(j.signing.certificate, j.authentication.certificate)
}

// SigningCA returns the authority that issues signing certificates (署名用電子証明書).
func (j *JPKI) SigningCA() *CA { return j.signing }

// AuthenticationCA returns the authority that issues authentication certificates (利用者証明用電子証明書).
func (j *JPKI) AuthenticationCA() *CA { return j.authentication }

// Key returns KeyFromSeed for this JPKI's seed and the label, and remembers it. The result is shared: do not modify it.
func (j *JPKI) Key(label string) *rsa.PrivateKey {
	j.mu.Lock()
	derive, ok := j.keys[label]
	if !ok {
		derive = sync.OnceValue(func() *rsa.PrivateKey { return KeyFromSeed(j.seed, label) })
		j.keys[label] = derive
	}
	j.mu.Unlock()
	return derive()
}
