package daa

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// ClientRegistration is a registered relying party.
type ClientRegistration struct {
	ID           string           // 1 to 255 characters of [0-9a-zA-Z]
	Name         string           // shown on the pages; default the ID
	Key          crypto.PublicKey // for private_key_jwt: RSA of at least 2048 bits, or P-256
	KeyID        string           // optional; when set, an assertion that names a key must name this one
	Algorithm    string           // of the assertions: default ES256 for P-256 and RS256 for RSA; or PS256
	RedirectURLs []string         // compared as exact strings; at most 255 characters, no fragment
	Government   bool             // result in plain JSON instead of a JWE, and the signing certificate's revocation is checked
	OperatorKey  *rsa.PublicKey   // the platform operator's; nil = the simulator's own OperatorKey
	// EncryptionKey is what encrypted userinfo is encrypted to (RSA-OAEP-256 or ECDH-ES, A256GCM); nil = none can be made.
	EncryptionKey   crypto.PublicKey
	EncryptionKeyID string
}

// Config configures the service. New copies it.
type Config struct {
	BaseURL string // scheme and host under which the service is reached, e.g. http://127.0.0.1:9000
	Clients []ClientRegistration
	JPKI    *issuer.JPKI     // issued the cards' certificates; the service's own keys derive from its seed, too
	Cards   []*cardsim.Card  // in the simulated phone's hand; the first is the default; without one no visit succeeds
	Wire    *wire.Profile    // default wire.Default
	Now     func() time.Time // default time.Now
	Logger  *slog.Logger     // default: discard; never sees PINs, tokens, codes or attributes
	Knobs   Knobs
	// ShowPINs prints the PINs and passwords of the simulated cards on the pages that ask for them, for demonstrations.
	ShowPINs bool

	personas []person.Persona // for Start
}

// clientIDPattern: the published reference gives 1..255 characters of [0-9a-zA-Z].
var clientIDPattern = regexp.MustCompile(`^[0-9a-zA-Z]{1,255}$`)

type client struct {
	ClientRegistration
	key      jose.PublicKey
	operator *rsa.PublicKey
}

func newClient(r ClientRegistration) (*client, error) {
	if !clientIDPattern.MatchString(r.ID) {
		return nil, configError("client-id", nil)
	}
	if r.Name == "" {
		r.Name = r.ID
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
	if _, strong := assertionAlgorithm(r.EncryptionKey); r.EncryptionKey != nil && !strong {
		return nil, configError("encryption-key", nil)
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
	return &client{
		ClientRegistration: r,
		key:                jose.PublicKey{Key: r.Key, KeyID: r.KeyID, Algorithm: string(alg), Use: "sig"},
		operator:           r.OperatorKey,
	}, nil
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
	return err == nil && len(raw) <= limits.AuthorizationParameter && u.Host != "" && u.User == nil &&
		u.Fragment == "" && (u.Scheme == "https" || u.Scheme == "http")
}

func checkBaseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil ||
		(u.Scheme != "http" && u.Scheme != "https") {
		return nil, configError("base-url", nil)
	}
	return u, nil
}

// checkWire refuses a profile under which an answer of the service could not be written.
func checkWire(w wire.Profile) error {
	x := w.Sign
	for _, name := range []string{
		w.ClaimName, w.ClaimAddress, w.ClaimBirthdate, w.ClaimGender, x.AuthorizationIDParam, x.StartHashField,
		x.StartIDField, x.ResultSuffix, x.ResultJWEField, x.ResultSignatureField, x.ResultCertificateField, x.ErrorField,
	} {
		if name == "" {
			return configError("wire profile: empty name", nil)
		}
	}
	for _, code := range slices.Concat(x.StartStatuses, x.ResultStatuses) {
		if code < 200 || code > 299 {
			return configError("wire profile: status", nil)
		}
	}
	if x.PendingStatus < 200 || x.PendingStatus > 599 || slices.Contains(x.ResultStatuses, x.PendingStatus) {
		return configError("wire profile: pending status", nil)
	}
	if _, ok := keyAlgorithm(x); !ok {
		return configError("wire profile: no key algorithm for an RSA key", nil)
	}
	if x.StartDefaultLifetime <= 0 {
		return configError("wire profile: lifetime", nil)
	}
	return nil
}

// Reason says what went wrong.
type Reason int

// Reasons. The zero value means that nothing more is known.
const (
	ReasonUnknown Reason = iota
	// ReasonConfiguration: the configuration given to New or Start is unusable.
	ReasonConfiguration
)

// Error is every error of this package. It carries no text from the network, no URL and nothing personal.
type Error struct {
	Reason Reason
	Step   string // stable name of what failed, e.g. "base-url"
	Err    error
}

// Error implements error.
func (e *Error) Error() string {
	text := "daa: unknown error"
	if e.Reason == ReasonConfiguration {
		text = "daa: unusable configuration"
	}
	if e.Step != "" {
		text += ": " + e.Step
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is compares reasons, and the steps when the target names one.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Reason == e.Reason && (t.Step == "" || t.Step == e.Step)
}

// Family implements the classification of the module.
func (e *Error) Family() kakunin.Family { return kakunin.Configuration }

// UserMessage is empty: the family's message fits.
func (e *Error) UserMessage() kakunin.Message { return kakunin.Message{} }

func configError(step string, err error) error {
	return &Error{Reason: ReasonConfiguration, Step: step, Err: err}
}
