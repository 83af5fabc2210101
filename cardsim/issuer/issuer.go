package issuer

import (
	"cmp"
	"crypto/rsa"
	"crypto/x509"
	"slices"
	"strconv"
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

// generation is one set of CA keys. All generations have the same names: only the key identifiers tell them apart.
type generation struct {
	year int // in which it begins
	// early marks a change of keys before its time, see [JPKI.Successor].
	early bool
}

// Generations begin every five years on 16 July, as the third one of J-LIS did in 2023, and are valid for ten years.
const (
	referenceGeneration = 2023
	generationYears     = 5
	validityYears       = 10
)

// generationAt returns the youngest regular generation that has begun.
func generationAt(now time.Time) generation {
	g := generation{year: referenceGeneration}
	for now.Before(g.notBefore()) {
		g.year -= generationYears
	}
	for !now.Before(generation{year: g.year + generationYears}.notBefore()) {
		g.year += generationYears
	}
	return g
}

// String is the name of the generation in the labels of keys and in the addresses of what is published.
func (g generation) String() string {
	s := strconv.Itoa(g.year)
	if g.early {
		s += "-early"
	}
	return s
}

// before orders generations by age; an early one follows the regular one of its year.
func (g generation) before(other generation) bool {
	return g.year < other.year || g.year == other.year && !g.early && other.early
}

// notBefore is the morning of 16 July in Japan.
func (g generation) notBefore() time.Time {
	return time.Date(g.year, time.July, 16, 0, 0, 0, 0, time.UTC)
}

// notAfter is the end of 15 July in Japan.
func (g generation) notAfter() time.Time {
	return time.Date(g.year+validityYears, time.July, 15, 14, 59, 59, 0, time.UTC)
}

// family is what the generations of a JPKI share: the keys that were derived, and each other.
type family struct {
	mu      sync.Mutex
	keys    map[string]func() *rsa.PrivateKey
	members map[generation]func() (*JPKI, error)
	opened  []*JPKI
}

// member returns the JPKI of a generation, made once from the seed and the clock of another.
func (f *family) member(like *JPKI, g generation) (*JPKI, error) {
	f.mu.Lock()
	open, ok := f.members[g]
	if !ok {
		open = sync.OnceValues(func() (*JPKI, error) {
			j, err := (&JPKI{seed: like.seed, now: like.now, generation: g, family: f}).open()
			if err != nil {
				return nil, err
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			f.opened = append(f.opened, j)
			return j, nil
		})
		f.members[g] = open
	}
	f.mu.Unlock()
	return open()
}

// others returns the other members that were made so far, the youngest first.
func (f *family) others(than *JPKI) []*JPKI {
	f.mu.Lock()
	list := slices.DeleteFunc(slices.Clone(f.opened), func(j *JPKI) bool { return j == than })
	f.mu.Unlock()
	slices.SortFunc(list, func(a, b *JPKI) int {
		if a.generation.before(b.generation) {
			return 1
		}
		return -1
	})
	return list
}

// At returns the JPKI as it was or will be at a time: the same seed, with the CAs of the generation that was the
// youngest then. The same generation gives the same JPKI, with what it has issued and revoked. The error is an
// *[Error].
func (j *JPKI) At(t time.Time) (*JPKI, error) { return j.family.member(j, generationAt(t)) }

// Older returns the JPKI of the generation before this one: the same names under older keys. The last certificates of
// it are still valid for years after the change. The error is an *[Error].
func (j *JPKI) Older() (*JPKI, error) { return j.At(j.generation.notBefore().Add(-time.Second)) }

// Successor returns the JPKI after a change of keys that came early: valid since the latest 16 July before a time, with
// the same names and keys that nobody's Trust but its own has. Programs that hold a fixed set of anchors meet it one
// day. The error is an *[Error].
func (j *JPKI) Successor(at time.Time) (*JPKI, error) {
	g := generation{year: at.Year(), early: true}
	if at.Before(g.notBefore()) {
		g.year--
	}
	return j.family.member(j, g)
}

// Authorities returns the CAs of this generation, then those of the others that were made so far, the youngest first:
// where to look for the issuer of a certificate.
func (j *JPKI) Authorities() []*CA {
	out := []*CA{j.signing, j.authentication}
	for _, other := range j.family.others(j) {
		out = append(out, other.signing, other.authentication)
	}
	return out
}
