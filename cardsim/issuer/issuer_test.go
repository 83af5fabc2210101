package issuer_test

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
)

// noon is the time at which most tests happen: 2025-10-27 12:00 in Japan.
var noon = time.Date(2025, time.October, 27, 3, 0, 0, 0, time.UTC)

// clock is a clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// holderKey is a key of a holder; deriving one takes long enough to share it.
var holderKey = sync.OnceValue(func() *rsa.PrivateKey { return issuer.KeyFromSeed("test", "holder") })

func holder() issuer.Subject {
	return issuer.Subject{
		Name: "試験　花子", Address: "東京都清瀬市架空１２－７－２０２", Gender: "2", Birthdate: "19800217",
		PrefectureRomaji: "Tokyo-to", CityRomaji: "Kiyose-shi", MunicipalityCode: "13221",
	}
}

func newJPKI(t testing.TB) (*issuer.JPKI, *clock) {
	t.Helper()
	c := &clock{now: noon}
	j, err := issuer.New(issuer.Config{Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	return j, c
}

func issue(t testing.TB, ca *issuer.CA, s issuer.Subject, at time.Time) *x509.Certificate {
	t.Helper()
	der, err := ca.Issue(issuer.Request{Key: &holderKey().PublicKey, Holder: s, IssuedAt: at})
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, der)
}

func parse(t testing.TB, der []byte) *x509.Certificate {
	t.Helper()
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func wantReason(t testing.TB, err error, want issuer.Reason) {
	t.Helper()
	var e *issuer.Error
	if !errors.As(err, &e) || e.Reason != want {
		t.Errorf("error = %v, want %v", err, want)
	}
}
