package authn

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/once"
	"github.com/kakunin-go/kakunin/internal/webcall"
)

// Client logs people in. It is made by [New] or [Tenants.Add], never changes and is safe for concurrent use. It caches
// the service's signing keys and its own service token, and remembers finished logins to refuse their replay; it starts
// no goroutine.
type Client struct {
	env         Environment
	tenant      string
	clientID    string
	ring        *KeyRing
	redirectURL string
	profile     Profile
	purpose     mynumber.Purpose // of individual numbers
	http        *http.Client
	now         func() time.Time
	log         *slog.Logger
	audit       func(context.Context, Event)
	wire        wire.Profile

	acrValues  []string
	requireACR []string
	pendingTTL time.Duration
	iatSkew    time.Duration
	expSkew    time.Duration
	atHashOpt  bool
	begin      authorizationRequest

	assertionAudience   string
	assertionHeaderType string
	assertionLifetime   time.Duration

	tokenRules jose.VerifyOptions
	floor      *oidc.Config
	decrypter  decrypter
	keys       *keyCache
	service    *serviceTokens
	finished   *once.Memory
}

// shared is what the clients of one service have in common: connections, circuits and the service's signing keys.
type shared struct {
	http *http.Client
	keys *keyCache
	now  func() time.Time
	log  *slog.Logger
}

// New validates and copies the configuration. The error names every mistake at once; its family is Configuration.
func New(c Config) (*Client, error) {
	s, list := newShared(c)
	ring, keyMistakes := c.ring()
	list = slices.Concat(list, c.registrationMistakes(), keyMistakes)
	if err := misconfigured("", list...); err != nil {
		return nil, err
	}
	return newClient(c, ring, s, ""), nil
}

// newShared checks the common part of the configuration and builds what depends on nothing else.
func newShared(c Config) (*shared, []string) {
	list := c.commonMistakes()
	hardened, mistakes := hardened(c.HTTPClient)
	list = append(list, mistakes...)
	if hardened == nil {
		return nil, list
	}
	s := &shared{http: hardened, now: c.Now, log: c.Logger}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	breaker := webcall.Breaker{
		After: c.Circuit.After, Pause: orDuration(c.Circuit.Pause, defaultCircuitPause), Now: s.now, Log: s.log,
	}
	switch {
	case breaker.After == 0:
		breaker.After = defaultCircuitAfter
	case breaker.After < 0:
		breaker.After = 0
	}
	s.http.Transport = webcall.Guard(s.http.Transport, breaker,
		webcall.Endpoint{Name: "token", URL: c.Environment.TokenEndpoint},
		webcall.Endpoint{Name: "userinfo", URL: c.Environment.UserinfoEndpoint},
		webcall.Endpoint{Name: "signing keys", URL: c.Environment.JWKSEndpoint},
		webcall.Endpoint{Name: "sign API", URL: c.Environment.SignEndpoint, Below: true})
	s.keys = newKeyCache(c.Environment.JWKSEndpoint, s.http, s.now, s.log)
	return s, list
}

// hardened is the client of package webcall; it is nil if there is a mistake.
func hardened(given *http.Client) (*http.Client, []string) {
	h, err := webcall.Client(given)
	if err != nil {
		return nil, []string{"HTTPClient " + strings.TrimPrefix(err.Error(), "webcall: ")}
	}
	return h, nil
}

// newClient copies a configuration that has been checked.
func newClient(c Config, ring *KeyRing, s *shared, tenant string) *Client {
	cl := &Client{
		env:                 c.Environment,
		tenant:              tenant,
		clientID:            c.ClientID,
		ring:                ring,
		redirectURL:         c.RedirectURL,
		profile:             c.Profile,
		purpose:             c.IndividualNumberPurpose,
		http:                s.http,
		keys:                s.keys,
		now:                 s.now,
		log:                 s.log,
		audit:               c.auditHook(),
		wire:                wire.Default(),
		acrValues:           slices.Clone(c.Rules.ACRValues),
		requireACR:          slices.Clone(c.Rules.RequireACR),
		pendingTTL:          orDuration(c.Rules.PendingTTL, defaultPendingTTL),
		iatSkew:             orDuration(c.Rules.IssuedAtSkew, defaultSkew),
		expSkew:             orDuration(c.Rules.ExpirySkew, defaultSkew),
		atHashOpt:           c.Rules.AtHashOptional,
		assertionAudience:   orString(c.Assertion.Audience, c.Environment.TokenEndpoint),
		assertionHeaderType: orString(c.Assertion.Type, "JWT"),
		assertionLifetime:   orDuration(c.Assertion.Lifetime, defaultAssertionLifetime),
		decrypter:           newDecrypter(c),
		service:             newServiceTokens(),
		finished:            once.New(limits.FinishedLogins, once.Forget),
	}
	if c.Wire != nil {
		cl.wire = c.Wire.Clone()
	}
	if c.Rules.ACRValues == nil {
		cl.acrValues = []string{"aal3", "crl"}
	}
	algorithms := make([]jose.Algorithm, len(c.Rules.Algorithms))
	for i, a := range c.Rules.Algorithms {
		algorithms[i] = jose.Algorithm(a)
	}
	if len(algorithms) == 0 {
		algorithms = []jose.Algorithm{jose.ES256, jose.RS256}
	}
	// OWASP ASVS 5.0, 9.2.2: an access token (at+jwt) or logout token (logout+jwt) is not an ID token.
	cl.tokenRules = jose.VerifyOptions{Algorithms: algorithms, Types: []string{"", "JWT"}}
	cl.floor = cl.newFloor(algorithms)
	cl.begin = newAuthorizationRequest(cl)
	return cl
}

// Environment returns the endpoints in use.
func (c *Client) Environment() Environment { return c.env }

// ClientID returns the registered client id.
func (c *Client) ClientID() string { return c.clientID }

// RedirectURL returns the registered callback.
func (c *Client) RedirectURL() string { return c.redirectURL }

// Profile returns the reference that the application is registered under.
func (c *Client) Profile() Profile { return c.profile }

// PendingTTL returns how long a login may take.
func (c *Client) PendingTTL() time.Duration { return c.pendingTTL }

// Wire returns a copy of the wire profile in use.
func (c *Client) Wire() wire.Profile { return c.wire.Clone() }

// HTTPClient returns a copy of the hardened HTTP client: it has a timeout, follows no redirects, keeps no cookies, ends
// bodies at 1 MiB and refuses calls of an endpoint of the service that has stopped answering (see
// Config.Circuit.After).
func (c *Client) HTTPClient() *http.Client {
	h := *c.http
	return &h
}
