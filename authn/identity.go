package authn

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// Subject is the pairwise subject identifier (利用者識別子): who the person is to this relying party and to no other. It
// may change when a certificate or the individual number is reissued. It redacts itself.
type Subject string

// Reveal returns the identifier, at most 255 bytes, otherwise opaque.
func (s Subject) Reveal() string { return string(s) }

// Token is a bearer token; it redacts itself. The zero Token is none.
type Token struct{ sealed *sealed[tokenValue] }

type tokenValue struct {
	text    string
	expires time.Time
}

// Reveal returns the token, for the Authorization header; empty for the zero Token.
func (t Token) Reveal() string {
	return t.sealed.value().text
}

// Expires is when the service said that the token ends; the zero time when unknown.
func (t Token) Expires() time.Time {
	return t.sealed.value().expires
}

// Identity is a completed login. That it exists means that the person proved to hold the card and know its PIN; whether
// they may do something here is for the application to decide. It redacts itself.
type Identity struct {
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
	// Problems lists attributes that were sent in a form that cannot be read.
	Problems []fourinfo.Problem
	// TransactionID is the signature transaction that this login carried; empty if none.
	TransactionID string

	details *sealed[identityDetails] // nil is fine
}

type identityDetails struct {
	access  Token
	refresh RefreshToken
	extra   map[string]json.RawMessage
}

// identity begins the result of a login.
func (c *idClaims) identity(cl *Client, f *pendingFields, t tokens) *Identity {
	id := &Identity{
		Subject: Subject(c.subject), Issuer: f.Issuer, ACR: c.acr, AMR: c.amr, AuthTime: c.authTime, IssuedAt: c.issuedAt,
		Granted: t.granted, GrantedListed: t.granted != nil, Asked: slices.Clone(f.Scopes), TransactionID: f.TransactionID,
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
		details.refresh = RefreshToken{seal(&refreshFields{
			Version: refreshVersion, Tenant: cl.tenant, Issuer: f.Issuer, ClientID: f.ClientID, Subject: c.subject, Nonce: f.Nonce,
			AuthTime: unixOrZero(c.authTime), IssuedAt: c.issuedAt.Unix(), Granted: slices.Clone(id.Granted),
			Token: t.refresh, Expires: unixOrZero(t.refreshExpires),
		})}
	}
	id.details = seal(details)
	return id
}

// AccessToken is kept only when the login carried a signature transaction, whose result is fetched with it, or had
// Request.KeepTokens; otherwise, and after storing and reading back, it is the zero Token.
func (id *Identity) AccessToken() Token { return id.details.value().access }

// RefreshToken is kept only when the login had Request.KeepTokens and the service issued one; otherwise, and after storing
// and reading back, it is the zero RefreshToken. Store it by itself, see [RefreshToken.RevealBytes].
func (id *Identity) RefreshToken() RefreshToken { return id.details.value().refresh }

// Claim returns a userinfo member that the package does not interpret, as JSON. It may be personal data.
func (id *Identity) Claim(name string) (json.RawMessage, bool) {
	raw, ok := id.details.value().extra[name]
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

// StoredIdentity is the explicit, versioned plain form of an Identity for a session on the server. It IS personal data:
// its fields and its JSON hold the subject and the four attributes in the clear. It has no access token.
type StoredIdentity struct {
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
	Problems      []fourinfo.Problem         `json:"problems,omitempty"`
	TransactionID string                     `json:"transaction,omitempty"`
	Claims        map[string]json.RawMessage `json:"claims,omitempty"`
}

const storedVersion = 1

// RevealStored returns the plain form; the access token stays behind.
func (id *Identity) RevealStored() StoredIdentity {
	s := StoredIdentity{
		Version: storedVersion, Subject: id.Subject.Reveal(), Issuer: id.Issuer, ACR: id.ACR, AMR: slices.Clone(id.AMR),
		AuthTime: id.AuthTime, IssuedAt: id.IssuedAt, Granted: slices.Clone(id.Granted), GrantedListed: id.GrantedListed,
		Asked: slices.Clone(id.Asked), Person: id.Person.RevealAll(), Problems: slices.Clone(id.Problems),
		TransactionID: id.TransactionID,
	}
	if extra := id.details.value().extra; len(extra) > 0 {
		s.Claims = maps.Clone(extra)
	}
	return s
}

// Identity reads a stored form back. It checks the form, not the origin: keep it where only the server writes. Errors
// have ReasonStored.
func (s StoredIdentity) Identity() (*Identity, error) {
	if s.Version != storedVersion {
		return nil, &Error{Reason: ReasonStored, Step: "identity version"}
	}
	if s.Subject == "" || len(s.Subject) > limits.Subject || s.Issuer == "" {
		return nil, &Error{Reason: ReasonStored, Step: "identity"}
	}
	person, err := s.Person.Person()
	if err != nil {
		return nil, &Error{Reason: ReasonStored, Step: "person", Err: err}
	}
	id := &Identity{
		Subject: Subject(s.Subject), Issuer: s.Issuer, ACR: s.ACR, AMR: slices.Clone(s.AMR), AuthTime: s.AuthTime,
		IssuedAt: s.IssuedAt, Granted: slices.Clone(s.Granted), GrantedListed: s.GrantedListed, Asked: slices.Clone(s.Asked),
		Person: person, Problems: slices.Clone(s.Problems), TransactionID: s.TransactionID,
	}
	if len(s.Claims) > 0 {
		id.details = seal(identityDetails{extra: maps.Clone(s.Claims)})
	}
	return id, nil
}
