package authn

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/internal/fault"
	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
)

const (
	defaultSkew       = 60 * time.Second
	maxSkew           = 5 * time.Minute
	defaultPendingTTL = 15 * time.Minute // the person has to fetch card and phone
	minPendingTTL     = time.Minute
	maxPendingTTL     = 24 * time.Hour
	maxDecryptionKeys = 8 // one in use, one before it, and room

	// defaultCircuitAfter and defaultCircuitPause: with the default timeout of 10 s, a service that hangs costs each of
	// a few people ten seconds and everybody after them nothing, and it is looked at again twice a minute.
	defaultCircuitAfter = 5
	defaultCircuitPause = 30 * time.Second
	maxCircuitAfter     = 1000
	maxCircuitPause     = 10 * time.Minute
)

// Config configures a client; New validates and copies it. Environment, ClientID, Key (or Keys) and RedirectURL are
// required, everything else has a default that suits the service.
type Config struct {
	// Environment: [Sandbox], [Production], [Custom] or [Discover].
	Environment Environment

	// ClientID is the id given at registration: 1 to 255 letters and digits. One client stands for one registered
	// application; for several, see [Tenants].
	ClientID string
	// Key signs the client assertions (private_key_jwt); its public half is registered with the service.
	Key Key
	// Keys replaces Key where the key is to be changed while logins go on.
	Keys *KeyRing
	// RedirectURL is the registered callback, https unless it is on this machine (a loopback address, localhost, or a
	// name below it such as acme.localhost); compared exactly by the service. Use
	// different ones for test environment and production (RFC 9700, section 4.4).
	RedirectURL string
	// Profile is the reference that the application is registered under; default PrivateSector.
	Profile Profile
	// IndividualNumberPurpose is the lawful purpose that individual numbers (個人番号) are obtained for, with which each
	// arrives: required once Wire names their scope or claim.
	IndividualNumberPurpose mynumber.Purpose

	// Rules are what a login asks for and has to hold to.
	Rules Rules
	// Encryption opens answers that the service encrypts to this application. Default: they are refused.
	Encryption Encryption
	// Assertion shapes the client assertions.
	Assertion Assertion
	// Circuit says when calls of a service that does not answer are given up.
	Circuit Circuit

	// Wire holds the names that are not officially confirmed; default wire.Default.
	Wire *wire.Profile
	// HTTPClient is copied and hardened: a timeout of 10 s if it has none, no redirects, no cookies, bodies of at most
	// 1 MiB. Default: a client of our own. One that skips the verification of certificates is refused.
	HTTPClient *http.Client
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Logger gets what operators should know, e.g. that keys cannot be refreshed, without personal data; and the
	// events, if Audit is nil. Default: discard.
	Logger *slog.Logger
	// Audit is called for every login that is begun, finished or refused and for every refresh, exactly once each, in
	// the goroutine of the call: it must be quick and safe for concurrent use. Default: the events go to Logger, as
	// [AuditLog] does.
	Audit func(context.Context, Event)
}

// Rules are what a login asks for and has to hold to. The zero value has the defaults.
type Rules struct {
	// ACRValues is sent as acr_values. nil means the default, aal3 crl; an empty list sends none.
	ACRValues []string
	// RequireACR lists the accepted acr values of the ID token; empty means that it is only recorded.
	RequireACR []string
	// Algorithms are the accepted signature algorithms of ID tokens and signed userinfo; default ES256 and RS256, since
	// it is not settled which one the service uses. Each is bound to its kind of key. HS256 and none cannot be named.
	Algorithms []Algorithm
	// IssuedAtSkew is how far ahead of ours the service's clock may be when iat, nbf and auth_time are checked; default
	// 60 s, at most 5 min. A check is never left out: a nanosecond means practically none.
	IssuedAtSkew time.Duration
	// ExpirySkew is how long after its exp an ID token is still accepted; default 60 s, at most 5 min.
	ExpirySkew time.Duration
	// PendingTTL is how long a login may take; default 15 min, from 1 min to 24 h.
	PendingTTL time.Duration
	// AtHashOptional verifies at_hash only if it is present. By default it is required, although OpenID Connect Core
	// 1.0 makes it optional in the code flow: the service sends it.
	AtHashOptional bool
}

// Encryption opens userinfo and ID tokens that the service encrypts to this application, which is not documented for
// this service.
type Encryption struct {
	// Keys open them, at most 8 (rotation). Without any, encrypted answers are refused.
	Keys []DecryptionKey
	// KeyAlgorithms and ContentAlgorithms are the accepted "alg" and "enc"; default RSA-OAEP-256, ECDH-ES,
	// ECDH-ES+A256KW and A256GCM, A128CBC-HS256, A256CBC-HS512. RSA-OAEP, ECDH-ES+A128KW and A128GCM may be named;
	// nothing else, RSA1_5 and zip among it, can be.
	KeyAlgorithms, ContentAlgorithms []string
}

// Assertion shapes the client assertions (private_key_jwt). The zero value has the defaults.
type Assertion struct {
	// Audience is the aud, always one string; default the token endpoint. RFC 7523 bis and FAPI 2.0 want the issuer.
	Audience string
	// Type is the typ; default JWT (RFC 7523 bis wants client-authentication+jwt).
	Type string
	// Lifetime is from iat to exp; default 30 s, from 10 s to 60 s.
	Lifetime time.Duration
}

// Circuit says when calls of an endpoint are given up for a while. The zero value has the defaults.
type Circuit struct {
	// After is how many calls of one endpoint must fail in a row (no connection, timeout, status 502, 503 or 504)
	// before further ones are refused without a request; default 5, at most 1000, -1 for never.
	After int
	// Pause is how long they are refused before one call probes whether the endpoint answers again; default 30 s, at
	// most 10 min.
	Pause time.Duration
}

// ring returns the keys to sign with; nil if none are configured.
func (c Config) ring() (*KeyRing, []string) {
	switch {
	case c.Keys != nil && c.Key.signing().Signer != nil:
		return nil, []string{"Key and Keys must not both be set"}
	case c.Keys != nil:
		if err := c.Keys.Active().signing().Check(); err != nil {
			return nil, []string{"Keys: make it with NewKeyRing"}
		}
		return c.Keys, nil
	}
	if err := c.Key.signing().Check(); err != nil {
		return nil, []string{"Key: " + err.Error()}
	}
	r, err := NewKeyRing(c.Key)
	if err != nil {
		return nil, []string{"Key: " + err.Error()}
	}
	return r, nil
}

// auditHook is nil if nobody listens.
func (c Config) auditHook() func(context.Context, Event) {
	if c.Audit == nil && c.Logger != nil {
		return AuditLog(c.Logger)
	}
	return c.Audit
}

// registrationMistakes lists what is wrong with what belongs to one registered application, other than its keys.
func (c Config) registrationMistakes() []string {
	var l fault.Mistakes
	l.Add(!isClientID(c.ClientID), "ClientID must be 1 to 255 letters and digits")
	l = append(l, checkRedirectURL(c.RedirectURL)...)
	l.Add(c.Profile != PrivateSector && c.Profile != Government, "Profile must be PrivateSector or Government")
	return l
}

// commonMistakes lists what is wrong with the rest, which several applications can have in common.
func (c Config) commonMistakes() []string {
	l := fault.Mistakes(c.Environment.mistakes())
	l.Add(slices.ContainsFunc(c.Rules.ACRValues, func(s string) bool { return !isScopeToken(s) }),
		"Rules.ACRValues must be values without spaces")
	l.Add(slices.Contains(c.Rules.RequireACR, ""), "Rules.RequireACR must not contain the empty value")
	l.Add(
		slices.ContainsFunc(
			c.Rules.Algorithms,
			func(a Algorithm) bool { return a != ES256 && a != RS256 && a != PS256 },
		),
		"Rules.Algorithms may contain ES256, RS256 and PS256",
	)
	l.Add(c.Rules.IssuedAtSkew < 0 || c.Rules.IssuedAtSkew > maxSkew, "Rules.IssuedAtSkew must be at most 5 minutes")
	l.Add(c.Rules.ExpirySkew < 0 || c.Rules.ExpirySkew > maxSkew, "Rules.ExpirySkew must be at most 5 minutes")
	l.Add(c.Rules.PendingTTL != 0 && (c.Rules.PendingTTL < minPendingTTL || c.Rules.PendingTTL > maxPendingTTL),
		"Rules.PendingTTL must be from 1 minute to 24 hours")
	l.Add(
		c.Assertion.Lifetime != 0 &&
			(c.Assertion.Lifetime < minAssertionLifetime || c.Assertion.Lifetime > maxAssertionLifetime),
		"Assertion.Lifetime must be from 10 to 60 seconds",
	)
	l.Add(len(c.Encryption.Keys) > maxDecryptionKeys, "Encryption.Keys must be at most 8")
	l.Add(slices.ContainsFunc(c.Encryption.Keys, func(k DecryptionKey) bool { return k.v.Reveal().check() != nil }),
		"Encryption.Keys must be made with NewDecryptionKey")
	l.Add(
		!subset(c.Encryption.KeyAlgorithms, jose.KeyAlgorithms()),
		"Encryption.KeyAlgorithms has an algorithm that is not accepted",
	)
	l.Add(
		!subset(c.Encryption.ContentAlgorithms, jose.ContentAlgorithms()),
		"Encryption.ContentAlgorithms has an algorithm that is not accepted",
	)
	l.Add(c.Circuit.After < -1 || c.Circuit.After > maxCircuitAfter, "Circuit.After must be from 1 to 1000, or -1")
	l.Add(c.Circuit.Pause < 0 || c.Circuit.Pause > maxCircuitPause, "Circuit.Pause must be at most 10 minutes")
	if c.Wire != nil {
		l.Add(
			(c.Wire.ScopeIndividualNumber != "" || c.Wire.ClaimIndividualNumber != "") &&
				!c.IndividualNumberPurpose.Valid(),
			"IndividualNumberPurpose must name the lawful purpose, because Wire names the individual number",
		)
		l = append(l, wireMistakes(c.Wire)...)
	}
	return l
}

func subset(list, of []string) bool {
	return !slices.ContainsFunc(list, func(s string) bool { return !slices.Contains(of, s) })
}

func isClientID(s string) bool {
	return s != "" && len(s) <= limits.AuthorizationParameter && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

func checkRedirectURL(s string) []string {
	const name = "RedirectURL"
	if len(s) > limits.AuthorizationParameter {
		return []string{name + " must be at most 255 characters"}
	}
	return checkURL(name, s, true)
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
