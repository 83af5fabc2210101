package daa_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/daa"
)

func TestNewRefusesUnusableConfigurations(t *testing.T) {
	j, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	key := newKey(t)
	weak := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(3), 1022), E: 65537}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	registered := func(change func(*daa.ClientRegistration)) func(*daa.Config) {
		return func(c *daa.Config) {
			r := daa.ClientRegistration{ID: rpID, Key: key.Public(), RedirectURLs: []string{redirect}}
			change(&r)
			c.Clients = append(c.Clients, r)
		}
	}
	good := func() daa.Config { return daa.Config{BaseURL: "http://127.0.0.1:9000", JPKI: j} }
	if _, err := daa.New(good()); err != nil {
		t.Fatal(err)
	}
	unusual := good()
	w := wire.Default()
	w.Sign.PendingStatus, w.Sign.JWEKeyAlgorithms = http.StatusTooEarly, nil
	unusual.Wire = &w
	if _, err := daa.New(unusual); err != nil {
		t.Errorf("a profile that the SDK accepts: %v", err)
	}
	for name, change := range map[string]func(*daa.Config){
		"no base URL":          func(c *daa.Config) { c.BaseURL = "" },
		"base URL with a path": func(c *daa.Config) { c.BaseURL += "/x" },
		"base URL, other":      func(c *daa.Config) { c.BaseURL = "ftp://127.0.0.1" },
		"base URL with a user": func(c *daa.Config) { c.BaseURL = "http://a:b@127.0.0.1" },
		"no JPKI":              func(c *daa.Config) { c.JPKI = nil },
		"nil card":             func(c *daa.Config) { c.Cards = []*cardsim.Card{nil} },
		"no client id":         registered(func(r *daa.ClientRegistration) { r.ID = "" }),
		"client id, hyphen":    registered(func(r *daa.ClientRegistration) { r.ID = "RP-1" }),
		"long client id":       registered(func(r *daa.ClientRegistration) { r.ID = strings.Repeat("1", 256) }),
		"no key":               registered(func(r *daa.ClientRegistration) { r.Key = nil }),
		"weak key":             registered(func(r *daa.ClientRegistration) { r.Key = weak }),
		"other curve":          registered(func(r *daa.ClientRegistration) { r.Key = p384.Public() }),
		"other algorithm":      registered(func(r *daa.ClientRegistration) { r.Algorithm = "RS256" }),
		"HS256":                registered(func(r *daa.ClientRegistration) { r.Algorithm = "HS256" }),
		"no redirect URL":      registered(func(r *daa.ClientRegistration) { r.RedirectURLs = nil }),
		"relative redirect":    registered(func(r *daa.ClientRegistration) { r.RedirectURLs = []string{"/callback"} }),
		"redirect, fragment": registered(func(r *daa.ClientRegistration) {
			r.RedirectURLs = []string{redirect + "#x"}
		}),
		"redirect, any host": registered(func(r *daa.ClientRegistration) {
			r.RedirectURLs = []string{"https://*.example/callback"}
		}),
		"redirect, host with a policy": registered(func(r *daa.ClientRegistration) {
			r.RedirectURLs = []string{"https://a;script-src'unsafe-inline'/callback"}
		}),
		"redirect, no host but a port": registered(func(r *daa.ClientRegistration) {
			r.RedirectURLs = []string{"https://:443/callback"}
		}),
		"redirect, script": registered(func(r *daa.ClientRegistration) {
			r.RedirectURLs = []string{"javascript:alert(1)"}
		}),
		"long redirect": registered(func(r *daa.ClientRegistration) {
			r.RedirectURLs = []string{redirect + strings.Repeat("a", 255)}
		}),
		"two of one id": func(c *daa.Config) {
			registered(func(*daa.ClientRegistration) {})(c)
			registered(func(*daa.ClientRegistration) {})(c)
		},
		"empty wire name": func(c *daa.Config) { w := wire.Default(); w.Sign.StartHashField = ""; c.Wire = &w },
		"wire status":     func(c *daa.Config) { w := wire.Default(); w.Sign.PendingStatus = 0; c.Wire = &w },
		"pending = ready": func(c *daa.Config) { w := wire.Default(); w.Sign.PendingStatus = 200; c.Wire = &w },
		"no RSA for JWE": func(c *daa.Config) {
			w := wire.Default()
			w.Sign.JWEKeyAlgorithms = []string{"ECDH-ES"}
			c.Wire = &w
		},
		"wire lifetime": func(c *daa.Config) { w := wire.Default(); w.Sign.StartDefaultLifetime = 0; c.Wire = &w },
	} {
		t.Run(name, func(t *testing.T) {
			c := good()
			change(&c)
			_, err := daa.New(c)
			var e *daa.Error
			if !errors.As(err, &e) || e.Reason != daa.ReasonConfiguration ||
				kakunin.FamilyOf(err) != kakunin.Configuration {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A registered RSA key may be bound to PS256 instead of RS256.
func TestRegisteredAlgorithm(t *testing.T) {
	j, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	key := j.Key("a client")
	for _, alg := range []string{"", "RS256", "PS256"} {
		if _, err := daa.New(daa.Config{BaseURL: "https://sim.example", JPKI: j, Clients: []daa.ClientRegistration{
			{ID: rpID, Key: key.Public(), Algorithm: alg, RedirectURLs: []string{redirect}},
		}}); err != nil {
			t.Errorf("%q: %v", alg, err)
		}
	}
}

// The operator's key is the same wherever the seed is.
func TestOperatorKeyIsStable(t *testing.T) {
	j, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	twin, err := daa.New(daa.Config{BaseURL: "http://127.0.0.1:1", JPKI: j})
	if err != nil {
		t.Fatal(err)
	}
	if rp := start(t); !twin.OperatorKey().Equal(rp.svc.OperatorKey()) {
		t.Error("keys differ")
	}
}

func TestErrorsSayNothingOfTheNetwork(t *testing.T) {
	rp := start(t)
	v := rp.svc.Visitor()
	for _, target := range []string{"http://127.0.0.1:1/secret-path?code=abc", "::secret"} {
		_, err := v.Approve(t.Context(), target)
		if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "abc") {
			t.Errorf("%v", err)
		}
		if f := kakunin.FamilyOf(err); f != kakunin.Unavailable && f != kakunin.Configuration {
			t.Errorf("family %v", f)
		}
		if kakunin.MessageFor(err, kakunin.English) == "" {
			t.Error("no message")
		}
	}
}

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Now()} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}
