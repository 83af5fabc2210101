package authn

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/redact"
)

// redacted makes a type show nothing of itself: for printing, for logs and for encoders. Only methods whose names begin
// with Reveal give the value away.
type redacted = redact.Mark

// Subject is the pairwise subject identifier (利用者識別子): who the person is to this relying party and to no other. It
// may change when a certificate or the individual number is reissued. It redacts itself, and can be compared with ==
// and be the key of a map.
type Subject struct {
	redacted
	v redact.Comparable[string]
}

// NewSubject is for a subject that was stored, e.g. as the key of an account.
func NewSubject(s string) Subject { return Subject{v: redact.SealComparable(s)} }

// Reveal returns the identifier, at most 255 bytes, otherwise opaque; empty for the zero Subject.
func (s Subject) Reveal() string { return s.v.Reveal() }

// Token is a bearer token; it redacts itself. The zero Token is none.
type Token struct {
	redacted
	v redact.Value[tokenValue]
}

type tokenValue struct {
	text    string
	expires time.Time
}

// Reveal returns the token, for the Authorization header; empty for the zero Token.
func (t Token) Reveal() string { return t.v.Reveal().text }

// IsZero reports whether there is no token.
func (t Token) IsZero() bool { return t.v.Empty() }

// Expires is when the service said that the token ends; the zero time when unknown.
func (t Token) Expires() time.Time { return t.v.Reveal().expires }

// Identity is a completed login. That it exists means that the person proved to hold the card and know its PIN; whether
// they may do something here is for the application to decide. It redacts itself.
type Identity struct {
	redacted
	// Subject identifies the person to this relying party.
	Subject Subject
	// Issuer is the environment's issuer; (Issuer, Subject) is the key of an account.
	Issuer string
	// ACR is the authentication context class; empty if the service does not say.
	ACR string
	// AMR are the authentication methods; nil if the service does not say.
	AMR []string
	// AuthTime is when the person authenticated; zero when the service does not say.
	AuthTime time.Time
	// IssuedAt is when the ID token was issued, by the service's clock.
	IssuedAt time.Time
	// Granted are the scope values that the token response names.
	Granted []string
	// GrantedListed is false if the token response named none; then Granted is what was asked for.
	GrantedListed bool
	// Asked are the scope values that were asked for.
	Asked []string
	// Person holds the four attributes as far as they were granted and sent.
	Person fourinfo.Person
	// Problems lists what was sent in a form that cannot be read, or not entirely, and does not decide about the login.
	Problems []Problem
	// TransactionID is the signature transaction that this login carried; empty if none.
	TransactionID string

	details redact.Value[identityDetails]
}

type identityDetails struct {
	access  Token
	refresh RefreshToken
	number  mynumber.Number
	extra   map[string]json.RawMessage
}

// Problem is something that the service sent in a form that cannot be read, and that does not decide about the login:
// it is absent from the Identity, unless Warning is set.
type Problem struct {
	// Problem names it. Attribute is one of fourinfo's Attribute… names, or the name of the claim of the ID token or
	// member of the token response; Reason is one of fourinfo's Problem… texts or ProblemUnread.
	fourinfo.Problem

	raw redact.Value[json.RawMessage]
}

// ProblemUnread is the Reason of a Problem with what is no attribute.
const ProblemUnread = "not the form that the standard gives it"

func newProblem(name string, raw json.RawMessage) Problem {
	p := Problem{Problem: fourinfo.Problem{Attribute: name, Reason: ProblemUnread}}
	p.keep(raw)
	return p
}

func (p *Problem) keep(raw json.RawMessage) {
	if len(raw) > 0 {
		p.raw = redact.Seal(slices.Clone(raw))
	}
}

// RevealRaw returns the JSON that was sent, which may be personal data; nil for what is a secret.
func (p Problem) RevealRaw() json.RawMessage { return slices.Clone(p.raw.Reveal()) }

// identity begins the result of a login.
func (c *idClaims) identity(cl *Client, f *pendingFields, t tokens) *Identity {
	id := &Identity{
		Subject: NewSubject(
			c.subject,
		),
		Issuer:        f.Issuer,
		ACR:           c.acr,
		AMR:           c.amr,
		AuthTime:      c.authTime,
		IssuedAt:      c.issuedAt,
		Granted:       t.granted,
		GrantedListed: t.granted != nil,
		Asked:         slices.Clone(f.Scopes),
		TransactionID: f.TransactionID,
		Problems:      slices.Concat(t.problems, c.problems),
	}
	if !id.GrantedListed {
		// "OPTIONAL, if identical to the scope requested by the client; otherwise, REQUIRED" (RFC 6749, section 5.1).
		id.Granted = slices.Clone(f.Scopes)
	}
	var details identityDetails
	if f.TransactionID != "" || f.KeepTokens {
		details.access = t.access
	}
	if f.KeepTokens && t.refresh != "" {
		details.refresh = RefreshToken{v: redact.Seal(&refreshFields{
			Version:  refreshVersion,
			Tenant:   cl.tenant,
			Issuer:   f.Issuer,
			ClientID: f.ClientID,
			Subject:  c.subject,
			Nonce:    f.Nonce,
			AuthTime: unixOrZero(c.authTime),
			IssuedAt: c.issuedAt.Unix(),
			Granted:  slices.Clone(id.Granted),
			Token:    t.refresh,
			Expires:  unixOrZero(t.refreshExpires),
		})}
	}
	id.details = redact.Seal(details)
	return id
}

// AccessToken is kept only when the login carried a signature transaction, whose result is fetched with it, or had
// Request.KeepTokens; otherwise, and after storing and reading back, it is the zero Token.
func (id *Identity) AccessToken() Token { return id.details.Reveal().access }

// RefreshToken is kept only when the login had Request.KeepTokens and the service issued one; otherwise, and after
// storing and reading back, it is the zero RefreshToken. Store it by itself, see [RefreshToken.RevealBytes].
func (id *Identity) RefreshToken() RefreshToken { return id.details.Reveal().refresh }

// IndividualNumber is the individual number (個人番号), whose check digit was checked, with the purpose of
// Config.IndividualNumberPurpose; absent unless the login asked for it. It is never stored with the Identity.
func (id *Identity) IndividualNumber() mynumber.Number { return id.details.Reveal().number }

// Claim returns a userinfo member that the package does not interpret, as JSON. It may be personal data. The individual
// number is none of them; see [Identity.IndividualNumber].
func (id *Identity) Claim(name string) (json.RawMessage, bool) {
	raw, ok := id.details.Reveal().extra[name]
	return slices.Clone(raw), ok
}

// Refused lists the scopes that were asked for and not granted.
func (id *Identity) Refused() []string {
	var list []string
	for _, s := range id.Asked {
		if !slices.Contains(id.Granted, s) {
			list = append(list, s)
		}
	}
	return list
}

// storedIdentity is the versioned plain form of an Identity. It has no tokens.
type storedIdentity struct {
	Version       int                        `json:"v"`
	Subject       string                     `json:"sub"`
	Issuer        string                     `json:"iss"`
	ACR           string                     `json:"acr,omitempty"`
	AMR           []string                   `json:"amr,omitempty"`
	AuthTime      time.Time                  `json:"auth_time,omitzero"`
	IssuedAt      time.Time                  `json:"iat,omitzero"`
	Granted       []string                   `json:"granted,omitempty"`
	GrantedListed bool                       `json:"granted_listed,omitempty"`
	Asked         []string                   `json:"asked,omitempty"`
	Person        fourinfo.Stored            `json:"person"`
	Problems      []storedProblem            `json:"problems,omitempty"`
	TransactionID string                     `json:"transaction,omitempty"`
	Claims        map[string]json.RawMessage `json:"claims,omitempty"`
}

type storedProblem struct {
	fourinfo.Problem
	Raw json.RawMessage `json:"raw,omitempty"`
}

const storedVersion = 1

// RevealBytes encodes the identity for a session on the server, as JSON. The bytes ARE personal data: they hold the
// subject and the four attributes in the clear. The tokens and the individual number stay behind.
func (id *Identity) RevealBytes() ([]byte, error) {
	problems := make([]storedProblem, len(id.Problems))
	for i, p := range id.Problems {
		problems[i] = storedProblem{p.Problem, p.raw.Reveal()}
	}
	return json.Marshal(storedIdentity{
		Version: storedVersion, Subject: id.Subject.Reveal(), Issuer: id.Issuer, ACR: id.ACR, AMR: id.AMR,
		AuthTime: id.AuthTime, IssuedAt: id.IssuedAt, Granted: id.Granted, GrantedListed: id.GrantedListed,
		Asked: id.Asked, Person: id.Person.RevealAll(), Problems: problems,
		TransactionID: id.TransactionID, Claims: id.details.Reveal().extra,
	})
}

// ParseIdentity decodes what RevealBytes returned. It checks the form, not the origin: keep the bytes where only the
// server writes. Errors have ReasonStored.
func ParseIdentity(b []byte) (*Identity, error) {
	bad := func(step string, err error) (*Identity, error) {
		return nil, &Error{Reason: ReasonStored, Step: step, Err: err}
	}
	var s storedIdentity
	if len(b) > limits.HTTPBody || json.Unmarshal(b, &s) != nil {
		return bad("identity", nil)
	}
	if s.Version != storedVersion {
		return bad("identity version", nil)
	}
	if s.Subject == "" || len(s.Subject) > limits.Subject || s.Issuer == "" {
		return bad("identity", nil)
	}
	person, err := s.Person.Person()
	if err != nil {
		return bad("person", err)
	}
	id := &Identity{
		Subject: NewSubject(s.Subject), Issuer: s.Issuer, ACR: s.ACR, AMR: s.AMR, AuthTime: s.AuthTime,
		IssuedAt: s.IssuedAt, Granted: s.Granted, GrantedListed: s.GrantedListed, Asked: s.Asked,
		Person: person, TransactionID: s.TransactionID,
	}
	for _, p := range s.Problems {
		back := Problem{Problem: p.Problem}
		back.keep(p.Raw)
		id.Problems = append(id.Problems, back)
	}
	if len(s.Claims) > 0 {
		id.details = redact.Seal(identityDetails{extra: s.Claims})
	}
	return id, nil
}
