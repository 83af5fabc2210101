package daa

import (
	"time"

	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/cardsim/daa/internal/page"
)

// Knobs change the behaviour for tests. The zero value is the strict default; every knob's zero value is its default.
// Change them on a running service with [Service.SetKnobs]; do not modify maps and slices that were handed over.
type Knobs struct {
	Handover   Handover
	Discovery  Discovery
	Lifetimes  Lifetimes
	Callback   CallbackKnobs
	Assertion  AssertionKnobs
	Token      TokenKnobs
	IDToken    IDTokenKnobs
	Keys       KeyKnobs
	Refresh    RefreshKnobs
	Userinfo   UserinfoKnobs
	Attributes AttributeKnobs
	Scopes     ScopeKnobs
	Sign       SignKnobs
	Failures   FailureKnobs
	Network    NetworkKnobs
	// ClockSkew is how far the service's clock is ahead of the configured one (behind, when negative) where it writes the
	// times of tokens and checks those of client assertions.
	ClockSkew time.Duration
	// SubjectGeneration changes every pairwise subject when it changes, as the re-issue of a revoked certificate or a new
	// individual number may.
	SubjectGeneration int
}

// Handover says who gets the page with the QR code.
type Handover int

// Values of Handover.
const (
	// HandoverAuto: visitors whose User-Agent has none of "Mobile", "Android" and "iPhone".
	HandoverAuto Handover = iota
	// HandoverNever: every visitor goes to the phone screen at once.
	HandoverNever
	// HandoverAlways: every visitor gets the page.
	HandoverAlways
)

// Discovery says how the provider metadata document behaves.
type Discovery int

// Values of Discovery.
const (
	// DiscoveryOn serves a correct document.
	DiscoveryOn Discovery = iota
	// DiscoveryOff answers 404.
	DiscoveryOff
	// DiscoveryWrongIssuer serves another issuer (OpenID Connect Discovery 1.0, section 4.3: the client must refuse it).
	DiscoveryWrongIssuer
)

// Lifetimes say how long things are good for; zero means the default in the comment.
type Lifetimes struct {
	Interaction  time.Duration // 15 min: from the authorization request to the redirect back
	QRCode       time.Duration // 5 min: until the phone opens the QR code's address
	Number       time.Duration // 5 min: the six-digit number
	Code         time.Duration // 60 s
	AccessToken  time.Duration // 300 s
	RefreshToken time.Duration // 30 min
	IDToken      time.Duration // 300 s
	ServiceToken time.Duration // 300 s: client_credentials
	Transaction  time.Duration // the wire profile's default lifetime of a signature transaction
}

func orDefault(d, def time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return def
}

func (l Lifetimes) interaction() time.Duration  { return orDefault(l.Interaction, 15*time.Minute) }
func (l Lifetimes) qrCode() time.Duration       { return orDefault(l.QRCode, 5*time.Minute) }
func (l Lifetimes) number() time.Duration       { return orDefault(l.Number, 5*time.Minute) }
func (l Lifetimes) code() time.Duration         { return orDefault(l.Code, time.Minute) }
func (l Lifetimes) accessToken() time.Duration  { return orDefault(l.AccessToken, 5*time.Minute) }
func (l Lifetimes) idToken() time.Duration      { return orDefault(l.IDToken, 5*time.Minute) }
func (l Lifetimes) serviceToken() time.Duration { return orDefault(l.ServiceToken, 5*time.Minute) }

// CallbackKnobs change the redirect back to the relying party.
type CallbackKnobs struct {
	OmitSessionState bool
	Issuer           CallbackIssuer
	Extra            map[string]string // further parameters; a client must ignore unknown ones
	// CutStateAtSemicolon ends state at its first ";", as the real service was seen to do.
	CutStateAtSemicolon bool
}

// CallbackIssuer says whether the redirect carries iss (RFC 9207), and whether the provider metadata promise it.
type CallbackIssuer int

// Values of CallbackIssuer.
const (
	CallbackIssuerOff CallbackIssuer = iota
	CallbackIssuerOn
	CallbackIssuerWrong
	// CallbackIssuerMissing: the metadata promise it and it is not there.
	CallbackIssuerMissing
)

// AssertionKnobs change what client assertions are accepted.
type AssertionKnobs struct {
	Audiences       []string      // accepted beside the token endpoint, e.g. the issuer
	OnlyAudiences   bool          // Audiences replace the token endpoint
	AudienceArray   bool          // accept an array of one
	Type            string        // required "typ", lower case; empty = any
	MaxLifetime     time.Duration // exp - iat; default 60 s
	AnyLifetime     bool          // no limit of exp - iat
	OptionalIssued  bool          // iat may be absent; then exp is compared with the clock
	Algorithms      []string      // accepted beside being the registered one; nil = any
	RequireKeyID    bool
	RequireClientID bool // require client_id in the form
}

// TokenKnobs change the token endpoint's answers, of every grant type.
type TokenKnobs struct {
	SetMembers  map[string]any // added or replaced, after everything else
	OmitMembers []string
}

// IDTokenFault is one thing that is wrong with every ID token.
type IDTokenFault int

// ID token faults. A client must refuse every one of them.
const (
	FaultNone IDTokenFault = iota
	FaultNonce
	FaultIssuer
	FaultAudience
	FaultAccessTokenHash
	FaultForeignKey // signed by a key that is not published, under the published key id
	FaultSignature  // one bit of the signature is wrong
	FaultAlgNone
	FaultAlgHS256 // keyed with the public key, as in the classic confusion attack
	FaultExpired
	FaultFutureIssuedAt
	FaultKeyType         // an EC signature under the key id of the RSA key
	FaultUnknownKeyID    // the right key under a key id that is not published
	FaultAccessTokenType // typ at+jwt: an access token (RFC 9068) in the place of an ID token
)

// IDTokenKnobs change ID tokens.
type IDTokenKnobs struct {
	Fault     IDTokenFault
	Algorithm string // "ES256" (default), "RS256" or "PS256"
	OmitKeyID bool
	// RotateFirst publishes and uses a new key each time, just before signing.
	RotateFirst bool
	// RotationKeepsKeyID gives the new key of a rotation the key id of the old one.
	RotationKeepsKeyID bool
	AudienceArray      bool
	SetClaims          map[string]any // added or replaced, after everything else
	OmitClaims         []string
}

// UserinfoKnobs change userinfo answers.
type UserinfoKnobs struct {
	SubjectMismatch bool
	Form            UserinfoForm
	ContentType     string // default application/json, or application/jwt for the other forms
	SetClaims       map[string]any
	OmitClaims      []string
	// Error is answered instead, as a bearer error of RFC 6750, section 3.1, e.g. "invalid_token"; empty = none.
	Error string
}

// UserinfoForm says how the claims are wrapped (OpenID Connect Core 1.0, section 5.3.2).
type UserinfoForm int

// Values of UserinfoForm.
const (
	// UserinfoJSON is plain JSON.
	UserinfoJSON UserinfoForm = iota
	// UserinfoSigned is a JWS by the key and algorithm of ID tokens.
	UserinfoSigned
	// UserinfoEncrypted is a JWE of the plain JSON, to the EncryptionKey of the registration.
	UserinfoEncrypted
	// UserinfoSignedEncrypted is a JWE of the JWS.
	UserinfoSignedEncrypted
	// UserinfoForged is a JWS by a key that is not published, under the published key id.
	UserinfoForged
)

// ScopeKnobs change what is granted.
type ScopeKnobs struct {
	// GrantOnly lists the scopes that may be granted beside openid; nil = all that were asked.
	GrantOnly []string
	// OmitFromResponse leaves scope out of the token response.
	OmitFromResponse bool
	// UserCertificate allows the scope that the wire profile calls ScopeUserCertificate.
	UserCertificate bool
	// IndividualNumber allows the scope that the wire profile calls ScopeIndividualNumber, if it names scope and claim.
	IndividualNumber bool
}

// SignKnobs change the sign API.
type SignKnobs struct {
	PendingResults       int  // that many result requests per transaction are answered "not finished" first
	Retrievals           int  // how often a result can be fetched; default 1
	SwapCertificate      bool // the result carries another person's signing certificate
	AlterSignature       bool // one bit of the signature value is wrong
	BareJWE              bool // the sealed result is the whole body, without JSON around it
	SkipHashCheck        bool // any bytes may be sent as hash; the card then refuses what it cannot sign
	RequireServiceScope  bool // client_credentials needs the wire profile's ServiceTokenScope, or sign when that is empty
	GovernmentSealed     bool // government relying parties get a JWE too
	CancelledTransaction bool // every result request finds the transaction cancelled
}

// FailureKnobs choose the error codes of redirects that are not successes.
type FailureKnobs struct {
	Cancelled           string // default: the first of the wire profile's CancelCodes
	CardBlocked         string // default: access_denied
	CertificateUnusable string // default: access_denied
	OmitDescription     bool
}

// code returns the error code of a redirect. Which one means "cancelled" is for the wire profile to say.
func (f FailureKnobs) code(o page.Outcome, w wire.Profile) string {
	switch o {
	case page.Cancelled:
		if f.Cancelled == "" && len(w.CancelCodes) > 0 {
			return w.CancelCodes[0]
		}
		return orText(f.Cancelled, "access_denied")
	case page.Blocked:
		return orText(f.CardBlocked, "access_denied")
	case page.Certificate:
		return orText(f.CertificateUnusable, "access_denied")
	case page.Pending, page.Approved, page.CardFault:
	}
	return "server_error"
}

func orText(s, def string) string {
	if s == "" {
		return def
	}
	return s
}
