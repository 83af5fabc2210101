package authn

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
)

const (
	defaultSkew       = 60 * time.Second
	maxSkew           = 5 * time.Minute
	defaultPendingTTL = 15 * time.Minute // the person has to fetch card and phone
	minPendingTTL     = time.Minute
	maxPendingTTL     = 24 * time.Hour
)

// Config configures a client; New validates and copies it. Environment, ClientID, Key and RedirectURL are required.
type Config struct {
	// Environment: [Sandbox], [Production], [Custom] or [Discover].
	Environment Environment
	// ClientID is the id given at registration: 1 to 255 letters and digits.
	ClientID string
	// Key signs the client assertions (private_key_jwt); its public half is registered with the service.
	Key Key
	// RedirectURL is the registered callback, https unless it is on this machine; compared exactly by the service. Use
	// different ones for test environment and production (RFC 9700, section 4.4).
	RedirectURL string

	// HTTPClient is copied and hardened: a timeout of 10 s if it has none, no redirects, no cookies, bodies of at most
	// 1 MiB. Default: a client of our own. One that skips the verification of certificates is refused.
	HTTPClient *http.Client
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Logger gets one record for each login finished or refused, without personal data; default: discard.
	Logger *slog.Logger
	// Wire holds the names that are not officially confirmed; default DefaultWireProfile.
	Wire *WireProfile

	// ACRValues is sent as acr_values. nil means the default, aal3 crl; an empty list sends none.
	ACRValues []string
	// RequireACR lists the accepted acr values of the ID token; empty means that it is only recorded.
	RequireACR []string
	// IDTokenAlgorithms are the accepted signature algorithms of ID tokens; default ES256 and RS256, since it is not
	// settled which one the service uses. Each is bound to its kind of key.
	IDTokenAlgorithms []Algorithm
	// IDTokenSkew is how far the service's clock may be off when iat, nbf and exp are checked; default 60 s, at most 5 min.
	IDTokenSkew time.Duration
	// PendingTTL is how long a login may take; default 15 min, from 1 min to 24 h.
	PendingTTL time.Duration
	// AssertionAudience is the aud of client assertions, always one string; default the token endpoint.
	AssertionAudience string
	// AssertionType is the typ of client assertions; default JWT (RFC 7523 bis wants client-authentication+jwt).
	AssertionType string
	// AssertionLifetime is from iat to exp of client assertions; default 30 s, from 10 s to 60 s.
	AssertionLifetime time.Duration
	// AtHashOptional verifies at_hash only if it is present. By default it is required, although OpenID Connect Core 1.0
	// makes it optional in the code flow: the service sends it.
	AtHashOptional bool
}

// Client logs people in. It is made by [New], never changes and is safe for concurrent use. It caches the service's
// signing keys and its own service token, and remembers finished logins to refuse their replay; it starts no goroutine.
type Client struct {
	env         Environment
	clientID    string
	key         Key
	redirectURL string
	http        *http.Client
	now         func() time.Time
	log         *slog.Logger
	wire        WireProfile

	acrValues  []string
	requireACR []string
	pendingTTL time.Duration
	skew       time.Duration
	atHashOpt  bool

	assertionAudience   string
	assertionHeaderType string
	assertionLifetime   time.Duration

	tokenRules jose.VerifyOptions
	floor      *oidc.Config
	keys       *keyCache
	service    *serviceTokens
	finished   *replays
}

// New validates and copies the configuration. The error names every mistake at once; its family is Configuration.
func New(c Config) (*Client, error) {
	list := c.mistakes()
	hardened, err := harden(c.HTTPClient)
	if err != nil {
		list = append(list, err)
	}
	if err := misconfigured("", list); err != nil {
		return nil, err
	}
	wire := DefaultWireProfile()
	if c.Wire != nil {
		wire = c.Wire.Clone()
	}
	cl := &Client{
		env: c.Environment, clientID: c.ClientID, key: c.Key, redirectURL: c.RedirectURL,
		http: hardened, now: c.Now, log: c.Logger, wire: wire,
		acrValues: slices.Clone(c.ACRValues), requireACR: slices.Clone(c.RequireACR),
		pendingTTL: orDuration(c.PendingTTL, defaultPendingTTL), skew: orDuration(c.IDTokenSkew, defaultSkew),
		atHashOpt:           c.AtHashOptional,
		assertionAudience:   orString(c.AssertionAudience, c.Environment.TokenEndpoint),
		assertionHeaderType: orString(c.AssertionType, "JWT"),
		assertionLifetime:   orDuration(c.AssertionLifetime, defaultAssertionLifetime),
	}
	if cl.now == nil {
		cl.now = time.Now
	}
	if cl.log == nil {
		cl.log = slog.New(slog.DiscardHandler)
	}
	if c.ACRValues == nil {
		cl.acrValues = []string{"aal3", "crl"}
	}
	algorithms := slices.Clone(c.IDTokenAlgorithms)
	if len(algorithms) == 0 {
		algorithms = []Algorithm{ES256, RS256}
	}
	// OWASP ASVS 5.0, 9.2.2: an access token (at+jwt) or logout token (logout+jwt) is not an ID token.
	cl.tokenRules = jose.VerifyOptions{Algorithms: algorithms, Types: []string{"", "JWT"}}
	cl.floor = cl.newFloor(algorithms)
	cl.keys = newKeyCache(c.Environment.JWKSEndpoint, hardened, cl.now, cl.log)
	cl.service = newServiceTokens()
	cl.finished = newReplays()
	return cl, nil
}

// mistakes lists what is wrong with the configuration.
func (c Config) mistakes() []error {
	list := c.Environment.mistakes()
	add := func(wrong bool, text string) {
		if wrong {
			list = append(list, mistake(text))
		}
	}
	add(!isClientID(c.ClientID), "ClientID must be 1 to 255 letters and digits")
	if err := c.Key.signing().Check(); err != nil {
		list = append(list, mistake("Key: "+err.Error()))
	}
	if err := checkRedirectURL(c.RedirectURL); err != nil {
		list = append(list, err)
	}
	add(slices.ContainsFunc(c.ACRValues, func(s string) bool { return !isScopeToken(s) }),
		"ACRValues must be values without spaces")
	add(slices.Contains(c.RequireACR, ""), "RequireACR must not contain the empty value")
	add(slices.ContainsFunc(c.IDTokenAlgorithms, func(a Algorithm) bool { return a != ES256 && a != RS256 && a != PS256 }),
		"IDTokenAlgorithms may contain ES256, RS256 and PS256")
	add(c.IDTokenSkew < 0 || c.IDTokenSkew > maxSkew, "IDTokenSkew must be at most 5 minutes")
	add(c.PendingTTL != 0 && (c.PendingTTL < minPendingTTL || c.PendingTTL > maxPendingTTL),
		"PendingTTL must be from 1 minute to 24 hours")
	add(c.AssertionLifetime != 0 && (c.AssertionLifetime < minAssertionLifetime || c.AssertionLifetime > maxAssertionLifetime),
		"AssertionLifetime must be from 10 to 60 seconds")
	if c.Wire != nil {
		list = append(list, c.Wire.mistakes()...)
	}
	return list
}

func isClientID(s string) bool {
	return s != "" && len(s) <= limits.AuthorizationParameter && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

func checkRedirectURL(s string) error {
	const name = "RedirectURL"
	if len(s) > limits.AuthorizationParameter {
		return mistake(name + " must be at most 255 characters")
	}
	return checkURL(name, s, true) // a query is allowed (RFC 6749, section 3.1.2)
}

func orString(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func orDuration(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// Environment returns the endpoints in use.
func (c *Client) Environment() Environment { return c.env }

// ClientID returns the registered client id.
func (c *Client) ClientID() string { return c.clientID }

// RedirectURL returns the registered callback.
func (c *Client) RedirectURL() string { return c.redirectURL }

// PendingTTL returns how long a login may take.
func (c *Client) PendingTTL() time.Duration { return c.pendingTTL }

// Wire returns a copy of the wire profile in use.
func (c *Client) Wire() WireProfile { return c.wire.Clone() }

// HTTPClient returns a copy of the hardened HTTP client: it has a timeout, follows no redirects, keeps no cookies and
// ends bodies at 1 MiB.
func (c *Client) HTTPClient() *http.Client {
	h := *c.http
	return &h
}
