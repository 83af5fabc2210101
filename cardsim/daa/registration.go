package daa

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// ClientRegistration is a registered relying party. Exactly one of Key, JWKS and JWKSURL gives the keys of its client
// assertions.
type ClientRegistration struct {
	ID           string           // 1 to 255 characters of [0-9a-zA-Z]
	Name         string           // shown on the pages; default the ID
	Key          crypto.PublicKey // for private_key_jwt: RSA of at least 2048 bits, or P-256
	KeyID        string           // of Key, optional; when set, an assertion that names a key must name this one
	KeyForm      KeyForm          // how Key was handed in
	Algorithm    string           // of Key: default ES256 for P-256 and RS256 for RSA; or PS256
	JWKS         []byte           // a JWK Set
	JWKSURL      string           // address of a JWK Set; fetched when needed, again for a kid that is not in it
	RedirectURLs []string         // compared as exact strings; at most 255 characters, no fragment
	TestCards    bool             // the page of テストカード代替機能 stands for app and card
	Cards        Cards            // the kinds with which people may log in here
	OptionalPKCE bool             // an authorization request without code_challenge is accepted
	// result in plain JSON instead of a JWE, and the signing certificate's revocation is checked
	Government  bool
	OperatorKey *rsa.PublicKey // the platform operator's; nil = the simulator's own OperatorKey
	// EncryptionKey is what encrypted userinfo is encrypted to (RSA-OAEP-256 or ECDH-ES, A256GCM); nil = none can be
	// made.
	EncryptionKey   crypto.PublicKey
	EncryptionKeyID string
}

// Cards says with which kinds of card people may log in at a client.
type Cards string

// Values of Cards.
const (
	CardsAny   Cards = ""      // plastic cards and phones
	CardsOnly  Cards = "card"  // no phone certificates
	PhonesOnly Cards = "phone" // nothing but phone certificates
)

func (c Cards) accept(phone bool) bool { return c == CardsAny || phone == (c == PhonesOnly) }

// KeyForm says how a client's key was handed in. It decides what kid the service expects, as Keycloak does.
type KeyForm string

// Values of KeyForm.
const (
	// KeyFormJWK: a key with KeyID goes by this name, one without by any, and assertions need not name it.
	KeyFormJWK KeyForm = ""
	// KeyFormPEM: an RSA key's assertions name no key or the base64url SHA-256 of its SubjectPublicKeyInfo, and nothing
	// else, e.g. an RFC 7638 thumbprint. A P-256 key is accepted at registration and then never found.
	KeyFormPEM KeyForm = "pem"
)

// clientIDPattern: the published reference gives 1..255 characters of [0-9a-zA-Z].
var clientIDPattern = regexp.MustCompile(`^[0-9a-zA-Z]{1,255}$`)

type client struct {
	ClientRegistration
	operator *rsa.PublicKey

	mu      sync.Mutex
	keys    []jose.PublicKey
	fetched time.Time // with JWKSURL
}

func newClient(r ClientRegistration) (*client, error) {
	if !clientIDPattern.MatchString(r.ID) {
		return nil, configError("client-id", nil)
	}
	if r.Name == "" {
		r.Name = r.ID
	}
	keys, err := registeredKeys(r)
	if err != nil {
		return nil, err
	}
	if _, strong := assertionAlgorithm(r.EncryptionKey); r.EncryptionKey != nil && !strong {
		return nil, configError("encryption-key", nil)
	}
	if r.Cards != CardsAny && r.Cards != CardsOnly && r.Cards != PhonesOnly {
		return nil, configError("cards of a client", nil)
	}
	if r.KeyForm != KeyFormJWK && r.KeyForm != KeyFormPEM {
		return nil, configError("key form", nil)
	}
	if len(r.RedirectURLs) == 0 {
		return nil, configError("redirect-url", nil)
	}
	for _, raw := range r.RedirectURLs {
		if !usableRedirectURL(raw) {
			return nil, configError("redirect-url", nil)
		}
	}
	r.RedirectURLs = slices.Clone(r.RedirectURLs)
	return &client{ClientRegistration: r, keys: keys, operator: r.OperatorKey}, nil
}

// Register adds a relying party to a running service: one whose redirect URL was not known before its own server ran.
// The error is an *[Error].
func (s *Service) Register(r ClientRegistration) error {
	registered, err := newClient(r)
	if err != nil {
		return err
	}
	s.adding.Lock()
	defer s.adding.Unlock()
	clients := maps.Clone(*s.clients.Load())
	if clients[r.ID] != nil {
		return configError("duplicate client-id", nil)
	}
	if clients == nil {
		clients = make(map[string]*client)
	}
	clients[r.ID] = registered
	s.clients.Store(&clients)
	return nil
}

// client returns the registered client, nil when there is none.
func (s *Service) client(id string) *client { return (*s.clients.Load())[id] }

// registeredKeys are those that are known without asking anybody.
func registeredKeys(r ClientRegistration) ([]jose.PublicKey, error) {
	given := 0
	for _, has := range []bool{r.Key != nil, r.JWKS != nil, r.JWKSURL != ""} {
		if has {
			given++
		}
	}
	if given != 1 {
		return nil, configError("client-key", nil)
	}
	switch {
	case r.JWKSURL != "":
		u, err := url.Parse(r.JWKSURL)
		if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http") {
			return nil, configError("jwks-url", nil)
		}
		return nil, nil
	case r.JWKS != nil:
		set, err := jose.ParseKeySet(r.JWKS)
		if err != nil || len(set.Keys) == 0 {
			return nil, configError("jwks", err)
		}
		return set.Keys, nil
	}
	def, ok := assertionAlgorithm(r.Key)
	if !ok {
		return nil, configError("client-key", nil)
	}
	alg := jose.Algorithm(r.Algorithm)
	switch {
	case alg == "":
		alg = def
	case alg == def, alg == jose.PS256 && def == jose.RS256:
	default:
		return nil, configError("client-algorithm", nil)
	}
	return []jose.PublicKey{{Key: r.Key, KeyID: r.KeyID, Algorithm: string(alg), Use: "sig"}}, nil
}

// assertionAlgorithm returns the default algorithm of a key that is strong enough.
func assertionAlgorithm(key crypto.PublicKey) (jose.Algorithm, bool) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return jose.RS256, k != nil && k.N != nil && k.N.BitLen() >= 2048
	case *ecdsa.PublicKey:
		return jose.ES256, k != nil && k.Curve == elliptic.P256()
	default:
		return "", false
	}
}

// usableRedirectURL: an absolute http(s) URL without a fragment (RFC 6749, section 3.1.2).
func usableRedirectURL(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && len(raw) <= limits.AuthorizationParameter && plainHost.MatchString(u.Host) && u.User == nil &&
		!strings.Contains(raw, "#") && (u.Scheme == "https" || u.Scheme == "http")
}

// plainHost is a name or an address as it may stand in the pages' policy, where "*" and ";" would mean something.
var plainHost = regexp.MustCompile(`^([\p{L}\p{N}._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?$`)

var errNoKey = errors.New("daa: no key")

// Fetched keys are asked for again after jwksAge, and after jwksPause when an assertion names one that is not there.
const (
	jwksAge   = 5 * time.Minute
	jwksPause = 10 * time.Second
	// jwksTimeout is how long the address of a client's keys may take.
	jwksTimeout = 10 * time.Second
)

// clientKeys returns the registered keys that an assertion's header may mean.
func (s *Service) clientKeys(ctx context.Context, c *client, h jose.Header) ([]jose.PublicKey, *protocolError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	age := s.now().Sub(c.fetched).Abs() // a clock that was moved may have been set back
	fetched := c.JWKSURL != "" && (c.fetched.IsZero() || age > jwksAge)
	if fetched {
		s.fetchKeys(ctx, c)
	}
	named := c.named(h.KeyID)
	// A client whose keys nobody has seen may just be starting: it is asked each time.
	if len(named) == 0 && c.JWKSURL != "" && !fetched && (age > jwksPause || len(c.keys) == 0) {
		s.fetchKeys(ctx, c)
		named = c.named(h.KeyID)
	}
	refuse := func(d string) ([]jose.PublicKey, *protocolError) {
		return nil, &protocolError{code: "invalid_client", description: d}
	}
	if len(named) == 0 {
		switch {
		case c.KeyForm == KeyFormPEM:
			return refuse("client_assertion's kid names no registered key: the key was registered as PEM")
		case c.JWKSURL != "" && len(c.keys) == 0:
			return refuse("the client's JWK Set cannot be fetched")
		}
		return refuse("client_assertion's kid is not the registered one")
	}
	named = slices.DeleteFunc(named, func(k jose.PublicKey) bool {
		return k.Algorithm != "" && k.Algorithm != h.Algorithm
	})
	if len(named) == 0 {
		return refuse("client_assertion's alg is not the registered one, or not accepted")
	}
	return named, nil
}

// named lists the keys to which a kid leads.
func (c *client) named(kid string) []jose.PublicKey {
	var list []jose.PublicKey
	for _, k := range c.keys {
		switch {
		case c.KeyForm == KeyFormPEM:
			if _, isRSA := k.Key.(*rsa.PublicKey); isRSA && (kid == "" || kid == keyName(k)) {
				list = append(list, k)
			}
		case kid == "", k.KeyID == "", k.KeyID == kid:
			list = append(list, k)
		}
	}
	return list
}

// fetchKeys keeps the keys it has when the address does not answer. They are for all requests of the client: that the
// one that asks for them is given up ends nothing.
func (s *Service) fetchKeys(ctx context.Context, c *client) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), jwksTimeout)
	defer cancel()
	c.fetched = s.now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.JWKSURL, nil)
	if err != nil {
		return
	}
	res, err := s.http.Do(req)
	if err != nil {
		s.log.Warn("a client's JWK Set cannot be fetched")
		return
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, limits.JWKS+1))
	if err != nil || res.StatusCode != http.StatusOK {
		s.log.Warn("a client's JWK Set cannot be fetched")
		return
	}
	if set, err := jose.ParseKeySet(body); err == nil {
		c.keys = set.Keys
	}
}

func sortClients(list []*client) {
	slices.SortFunc(list, func(a, b *client) int { return strings.Compare(a.ID, b.ID) })
}
