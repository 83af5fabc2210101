package daa

import (
	"context"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/platform"
)

// Knobs change the behaviour for tests, grouped by endpoint. The zero value is the default; every knob's zero value is
// its default. Change them on a running service with [Service.SetKnobs]; do not modify maps and slices that were handed
// over. In JSON, for programs in other languages, a knob has its Go name in snake case, times are texts like "90s", and
// what is unknown is refused; Wait has no JSON.
type Knobs struct {
	Authorization AuthorizationKnobs // the authorization endpoint, the pages behind it, and the redirect back
	Token         TokenKnobs         // the token endpoint, with client assertions and ID tokens
	Userinfo      UserinfoKnobs
	Keys          KeyKnobs // the JWK Set
	Discovery     Discovery
	Sign          SignKnobs
	Operator      platform.Knobs // the simulated platform operator
	Network       NetworkKnobs
	Lifetimes     Lifetimes
	// ClockSkew is how far the service's clock is ahead of the configured one (behind, when negative) where it writes
	// the times of tokens and checks those of client assertions.
	ClockSkew time.Duration
	// SubjectGeneration changes every pairwise subject when it changes, as the re-issue of a revoked certificate or a
	// new individual number may.
	SubjectGeneration int
}

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
func (l Lifetimes) refreshToken() time.Duration { return orDefault(l.RefreshToken, 30*time.Minute) }
func (l Lifetimes) idToken() time.Duration      { return orDefault(l.IDToken, 5*time.Minute) }
func (l Lifetimes) serviceToken() time.Duration { return orDefault(l.ServiceToken, 5*time.Minute) }

// AuthorizationKnobs change what lies between the authorization request and the redirect back.
type AuthorizationKnobs struct {
	Handover Handover
	Scopes   ScopeKnobs
	Failures FailureKnobs
	Callback CallbackKnobs
}

// Handover says who gets the page with the QR code.
type Handover string

// Values of Handover.
const (
	// HandoverAuto: visitors whose User-Agent has none of "Mobile", "Android" and "iPhone".
	HandoverAuto Handover = ""
	// HandoverNever: every visitor goes to the phone screen at once.
	HandoverNever Handover = "never"
	// HandoverAlways: every visitor gets the page.
	HandoverAlways Handover = "always"
)

// ScopeKnobs change what is granted.
type ScopeKnobs struct {
	// GrantOnly lists the scopes that may be granted beside openid; nil = all that were asked.
	GrantOnly []string
	// UserCertificate allows the scope that the wire profile calls ScopeUserCertificate.
	UserCertificate bool
	// IndividualNumber allows the scope that the wire profile calls ScopeIndividualNumber, if it names scope and claim.
	IndividualNumber bool
}

// FailureKnobs choose the error codes of redirects that are not successes.
type FailureKnobs struct {
	Cancelled           string // default: the first of the wire profile's CancelCodes
	CardBlocked         string // default: access_denied
	CertificateUnusable string // default: access_denied
	OmitDescription     bool
}

// CallbackKnobs change the redirect back to the relying party.
type CallbackKnobs struct {
	OmitSessionState bool
	Issuer           CallbackIssuer
	Extra            map[string]string // further parameters; a client must ignore unknown ones
	// CutStateAtSemicolon ends state at its first ";", as the real service was seen to do.
	CutStateAtSemicolon bool
}

// CallbackIssuer says whether the redirect carries iss (RFC 9207), and whether the provider metadata promise it.
type CallbackIssuer string

// Values of CallbackIssuer.
const (
	CallbackIssuerOff   CallbackIssuer = ""
	CallbackIssuerOn    CallbackIssuer = "on"
	CallbackIssuerWrong CallbackIssuer = "wrong"
	// CallbackIssuerMissing: the metadata promise it and it is not there.
	CallbackIssuerMissing CallbackIssuer = "missing"
)

// TokenKnobs change the token endpoint.
type TokenKnobs struct {
	Assertion    AssertionKnobs
	IDToken      IDTokenKnobs
	Refresh      RefreshKnobs
	AccessTokens AccessTokenAlgorithm
	OmitScope    bool // leaves scope out of the answers
	// SetMembers are added to or replaced in the answers of every grant type, after everything else.
	SetMembers  map[string]any
	OmitMembers []string
}

// AccessTokenAlgorithm says what signs access tokens, which relying parties must treat as opaque.
type AccessTokenAlgorithm string

// Values of AccessTokenAlgorithm. "" is RS256, as in the only published sample of one.
const (
	// AccessTokenES256 is the algorithm of ID tokens: a Keycloak whose realm signs with it signs both so.
	AccessTokenES256 AccessTokenAlgorithm = "ES256"
)

// AssertionKnobs change what client assertions are accepted.
type AssertionKnobs struct {
	Profile         AssertionProfile
	Audiences       []string      // accepted instead of the profile's, which are the token endpoint and the issuer
	Type            string        // required "typ", lower case; empty = any
	MaxLifetime     time.Duration // exp - iat, or exp - now without iat; 0 = the profile's
	Algorithms      []string      // accepted beside being the registered one; nil = any
	RequireKeyID    bool
	RequireClientID bool // require client_id in the form
}

// AssertionProfile says whose rules client assertions have to follow. What is accepted, and would not be by the
// strictest profile, is logged and shown by the inspector.
type AssertionProfile string

// Values of AssertionProfile. "" is AssertionKeycloak260: it accepts what the only relying party that is known to have
// passed the Sandbox sends.
const (
	AssertionKeycloak260 AssertionProfile = "keycloak-26.0"
	// AssertionKeycloak264 wants one audience, and iat of the last minute or exp within the next.
	AssertionKeycloak264 AssertionProfile = "keycloak-26.4"
	// AssertionStrictFAPI2 wants the issuer as the audience, as a single string, iat, and at most a minute from iat to
	// exp.
	AssertionStrictFAPI2 AssertionProfile = "strict-fapi2"
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

// IDTokenFault is one thing that is wrong with every ID token.
type IDTokenFault string

// ID token faults. A client must refuse every one of them.
const (
	FaultNone            IDTokenFault = ""
	FaultNonce           IDTokenFault = "nonce"
	FaultIssuer          IDTokenFault = "issuer"
	FaultAudience        IDTokenFault = "audience"
	FaultAccessTokenHash IDTokenFault = "at-hash"
	// signed by a key that is not published, under the published key id
	FaultForeignKey      IDTokenFault = "foreign-key"
	FaultSignature       IDTokenFault = "signature" // one bit of the signature is wrong
	FaultAlgNone         IDTokenFault = "alg-none"
	FaultAlgHS256        IDTokenFault = "alg-hs256" // keyed with the public key, as in the classic confusion attack
	FaultExpired         IDTokenFault = "expired"
	FaultFutureIssuedAt  IDTokenFault = "future-iat"
	FaultKeyType         IDTokenFault = "key-type"          // an EC signature under the key id of the RSA key
	FaultUnknownKeyID    IDTokenFault = "unknown-kid"       // the right key under a key id that is not published
	FaultAccessTokenType IDTokenFault = "access-token-type" // typ at+jwt: an access token (RFC 9068) in its place
)

// RefreshKnobs change the refreshing of tokens.
type RefreshKnobs struct {
	Mode RefreshMode
	// OmitIDToken leaves the ID token out of refresh answers, as OpenID Connect Core 1.0, section 12.2 allows.
	OmitIDToken bool
	// SetClaims are added to or replaced in the ID tokens of refresh answers, e.g. another iss or sub.
	SetClaims map[string]any
}

// RefreshMode says whether and how refresh tokens are issued.
type RefreshMode string

// Values of RefreshMode.
const (
	// RefreshOff issues none and refuses the grant type.
	RefreshOff RefreshMode = ""
	// RefreshOn issues one with each code; it can be used until it expires, and no answer brings another.
	RefreshOn RefreshMode = "on"
	// RefreshRotating answers every use with a new one and ends the old one.
	RefreshRotating RefreshMode = "rotating"
	// RefreshReuseDetection rotates, and takes the use of an ended one for theft: all tokens of the login are revoked
	// (RFC 9700, section 4.14.2).
	RefreshReuseDetection RefreshMode = "reuse-detection"
)

// UserinfoKnobs change userinfo answers.
type UserinfoKnobs struct {
	Attributes      AttributeKnobs
	SubjectMismatch bool
	Form            UserinfoForm
	ContentType     string // default application/json, or application/jwt for the other forms
	SetClaims       map[string]any
	OmitClaims      []string
	// Error is answered instead, as a bearer error of RFC 6750, section 3.1, e.g. "invalid_token"; empty = none.
	Error string
}

// UserinfoForm says how the claims are wrapped (OpenID Connect Core 1.0, section 5.3.2).
type UserinfoForm string

// Values of UserinfoForm.
const (
	// UserinfoJSON is plain JSON.
	UserinfoJSON UserinfoForm = ""
	// UserinfoSigned is a JWS by the key and algorithm of ID tokens.
	UserinfoSigned UserinfoForm = "signed"
	// UserinfoEncrypted is a JWE of the plain JSON, to the EncryptionKey of the registration.
	UserinfoEncrypted UserinfoForm = "encrypted"
	// UserinfoSignedEncrypted is a JWE of the JWS.
	UserinfoSignedEncrypted UserinfoForm = "signed-encrypted"
	// UserinfoForged is a JWS by a key that is not published, under the published key id.
	UserinfoForged UserinfoForm = "forged"
)

// AttributeKnobs change the forms of the four attributes in userinfo. The documents leave them open, and a client has
// to understand all of them.
type AttributeKnobs struct {
	Address       AddressForm
	Birthdate     BirthdateForm
	Gender        GenderForm
	NameSeparator NameSeparator
}

// AddressForm says how the address is written.
type AddressForm string

// Values of AddressForm.
const (
	// AddressString is a plain string.
	AddressString AddressForm = ""
	// AddressObject is an object with a member "formatted" (OpenID Connect Core 1.0, section 5.1.1).
	AddressObject AddressForm = "object"
)

// BirthdateForm says how the birthdate is written.
type BirthdateForm string

// Values of BirthdateForm.
const (
	// BirthdateCompact is YYYYMMDD.
	BirthdateCompact BirthdateForm = ""
	// BirthdateISO is YYYY-MM-DD (OpenID Connect Core 1.0, section 5.1).
	BirthdateISO BirthdateForm = "iso"
	// BirthdateUnknownDay is YYYYMM00: few cards do not know the day.
	BirthdateUnknownDay BirthdateForm = "unknown-day"
	// BirthdateUnknownMonth is YYYY0000.
	BirthdateUnknownMonth BirthdateForm = "unknown-month"
)

// GenderForm says how the gender is written.
type GenderForm string

// Values of GenderForm.
const (
	// GenderCode is the card's code of one character.
	GenderCode GenderForm = ""
	// GenderWord is "male" or "female" (OpenID Connect Core 1.0, section 5.1); other codes stay codes.
	GenderWord GenderForm = "word"
	// GenderUnlisted is a code that no list has.
	GenderUnlisted GenderForm = "unlisted"
)

// NameSeparator says what stands between the parts of a name.
type NameSeparator string

// Values of NameSeparator.
const (
	// NameFullWidth is U+3000, as on the card.
	NameFullWidth NameSeparator = ""
	// NameHalfWidth is U+0020.
	NameHalfWidth NameSeparator = "half-width"
	// NameUnseparated is nothing.
	NameUnseparated NameSeparator = "none"
)

// KeyKnobs change the published JWK Set.
type KeyKnobs struct {
	// Decoys surrounds the real keys with others that share their key id but not their purpose, algorithm or type, and
	// with a key of the right kind under another id. A client has to choose by kid, alg, use and kty together.
	Decoys bool
	// UnknownTypes adds keys of types and curves that no client needs to know, a symmetric one and a broken one. They
	// must be skipped (RFC 7517, section 5).
	UnknownTypes bool
	// More is how many further ordinary keys are listed before the real ones.
	More int
	// OmitKeyIDs leaves kid out of every key.
	OmitKeyIDs bool
}

// Discovery says how the provider metadata document behaves.
type Discovery string

// Values of Discovery.
const (
	// DiscoveryOn serves a correct document.
	DiscoveryOn Discovery = ""
	// DiscoveryOff answers 404.
	DiscoveryOff Discovery = "off"
	// DiscoveryWrongIssuer serves another issuer (OpenID Connect Discovery 1.0, section 4.3: the client must refuse
	// it).
	DiscoveryWrongIssuer Discovery = "wrong-issuer"
)

// SignKnobs change the sign API.
type SignKnobs struct {
	PendingResults  int  // that many result requests per transaction are answered "not finished" first
	Retrievals      int  // how often a result can be fetched; default 1
	SwapCertificate bool // the result carries another person's signing certificate
	AlterSignature  bool // one bit of the signature value is wrong
	BareJWE         bool // the sealed result is the whole body, without JSON around it
	SkipHashCheck   bool // any bytes may be sent as hash; the card then refuses what it cannot sign
	// client_credentials needs the wire profile's ServiceTokenScope, or sign when that is empty
	RequireServiceScope  bool
	GovernmentSealed     bool // government relying parties get a JWE too
	CancelledTransaction bool // every result request finds the transaction cancelled
}

// NetworkKnobs change how the endpoints are reached. Pages below /phone/ are never affected.
type NetworkKnobs struct {
	Fault NetworkFault
	// Endpoints are affected; nil = all but the authorization endpoint, which is the browser's.
	Endpoints []Endpoint
	// Times is how many requests are affected since the knobs were set; 0 = all.
	Times int
	// Status of NetworkStatus and NetworkHTMLPage; default 503.
	Status int
	// RetryAfter is sent with Status, e.g. "120"; empty = not sent.
	RetryAfter string
	// Wait is called before an affected answer, whatever the Fault: latency. The service never sleeps by itself; a test
	// moves its clock here, or waits until the request's context ends. It may be called from several goroutines at
	// once.
	Wait func(context.Context, Endpoint)
}

// Endpoint names an endpoint of the service.
type Endpoint string

// Values of Endpoint.
const (
	EndpointAuthorization Endpoint = "authorization"
	EndpointToken         Endpoint = "token"
	EndpointUserinfo      Endpoint = "userinfo"
	EndpointKeys          Endpoint = "keys"      // the JWK Set
	EndpointDiscovery     Endpoint = "discovery" // the provider metadata
	EndpointSign          Endpoint = "sign"      // start and result of signature transactions
	EndpointOperator      Endpoint = "operator"  // the simulated platform operator
)

// NetworkFault is what goes wrong between client and service.
type NetworkFault string

// Values of NetworkFault.
const (
	NetworkNormal NetworkFault = ""
	// NetworkStatus answers NetworkKnobs.Status, with an error in JSON and RetryAfter.
	NetworkStatus NetworkFault = "status"
	// NetworkHTMLPage answers the error page of something in between, with NetworkKnobs.Status.
	NetworkHTMLPage NetworkFault = "html-page"
	// NetworkReset closes the connection without an answer.
	NetworkReset NetworkFault = "reset"
	// NetworkTruncated announces the whole answer, sends half of it and closes the connection.
	NetworkTruncated NetworkFault = "truncated"
	// NetworkOversize sends the answer followed by more white space than any client should read.
	NetworkOversize NetworkFault = "oversize"
	// NetworkSlow sends the header, and the body byte by byte with NetworkKnobs.Wait before each (slow loris). Without
	// Wait, nothing follows the first byte until the client gives up.
	NetworkSlow NetworkFault = "slow"
)
