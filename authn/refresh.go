package authn

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/url"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/redact"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

// RefreshToken obtains new access tokens without the person (RFC 6749, section 6). It is bound to the client that got
// it and to the login, whose issuer, subject, nonce and time a new ID token must keep. It is secret and redacts itself.
// The zero RefreshToken is none.
type RefreshToken struct {
	redacted
	v redact.Value[*refreshFields]
}

// fields is nil for the zero RefreshToken.
func (t RefreshToken) fields() *refreshFields { return t.v.Reveal() }

type refreshFields struct {
	Version  int      `json:"v"`
	Tenant   string   `json:"w,omitempty"`
	Issuer   string   `json:"i"`
	ClientID string   `json:"c"`
	Subject  string   `json:"sub"`
	Nonce    string   `json:"nonce"`
	AuthTime int64    `json:"at,omitempty"` // seconds since 1970; 0 = unknown
	IssuedAt int64    `json:"iat"`
	Granted  []string `json:"g"`
	Token    string   `json:"t"`
	Expires  int64    `json:"exp,omitempty"` // seconds since 1970; 0 = unknown
}

const refreshVersion = 1

func unixOrZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// IsZero reports whether there is no refresh token.
func (t RefreshToken) IsZero() bool { return t.fields() == nil }

// Expires is when the service said that the token ends; the zero time when it did not say.
func (t RefreshToken) Expires() time.Time {
	if f := t.fields(); f != nil && f.Expires != 0 {
		return time.Unix(f.Expires, 0)
	}
	return time.Time{}
}

// RevealBytes encodes the token for sealed storage. The bytes are a secret and hold the subject: encrypt them, and keep
// them where only the server reads.
func (t RefreshToken) RevealBytes() ([]byte, error) {
	if f := t.fields(); f != nil {
		return json.Marshal(f)
	}
	return nil, &Error{Reason: ReasonStored, Step: "refresh token"}
}

// ParseRefreshToken decodes what RevealBytes returned. It checks the form, not the origin. Errors have ReasonStored.
func ParseRefreshToken(b []byte) (RefreshToken, error) {
	bad := &Error{Reason: ReasonStored, Step: "refresh token"}
	if len(b) > limits.IdentityStored {
		return RefreshToken{}, bad
	}
	if _, err := strictjson.Object(b); err != nil {
		return RefreshToken{}, bad
	}
	f := new(refreshFields)
	if json.Unmarshal(b, f) != nil || f.Version != refreshVersion || f.Issuer == "" || !isClientID(f.ClientID) ||
		!isSecret(f.Nonce) ||
		f.Subject == "" || len(f.Subject) > limits.Subject || f.Token == "" || len(f.Token) > limits.Token ||
		len(f.Tenant) > maxTenantName || f.AuthTime < 0 || f.AuthTime >= maxUnixTime || f.IssuedAt <= 0 ||
		f.IssuedAt >= maxUnixTime ||
		f.Expires < 0 ||
		f.Expires >= maxUnixTime {
		return RefreshToken{}, bad
	}
	return RefreshToken{v: redact.Seal(f)}, nil
}

// Refreshed is the result of [Client.Refresh].
type Refreshed struct {
	// AccessToken is the new one.
	AccessToken Token
	// RefreshToken is the one to use next time: the new one if the service rotates, otherwise the old one. Store it
	// before anything else: a rotated token is usually accepted only once.
	RefreshToken RefreshToken
	// Rotated is true if RefreshToken is new.
	Rotated bool
	// Granted are the scopes of the new access token; never more than before.
	Granted []string
	// GrantedListed is false if the answer named none; then Granted is what was granted before.
	GrantedListed bool
	// IDToken is true if the answer had a new ID token. It was then checked: same issuer, subject and login.
	IDToken bool
}

// Refresh exchanges a refresh token (RFC 6749, section 6), with a client assertion of its own. It is not repeated once
// a byte may have been sent: a service that rotates takes the second use for theft. For the same reason an application
// refreshes one login from one place at a time.
//
// Refresh proves nothing about the person being there: it is no login. Errors are [*Error]; ReasonTokenRejected means
// that the person has to log in again. If an answer is not acceptable nothing of it is returned, and the old token may
// be used up.
func (c *Client) Refresh(ctx context.Context, t RefreshToken) (*Refreshed, error) {
	r, err := c.refresh(ctx, t.fields())
	if err != nil {
		c.report(ctx, RefreshRefused, nil, err)
		return nil, err
	}
	c.report(ctx, TokensRefreshed, nil, nil)
	return r, nil
}

func (c *Client) refresh(ctx context.Context, f *refreshFields) (*Refreshed, error) {
	if f == nil || f.Tenant != c.tenant || f.Issuer != c.env.Issuer || f.ClientID != c.clientID {
		// another client's, e.g. of the other environment
		return nil, &Error{Reason: ReasonStored, Step: "refresh token"}
	}
	if f.Expires != 0 && !c.now().Before(time.Unix(f.Expires, 0).Add(c.expSkew)) {
		return nil, &Error{Reason: ReasonTokenRejected, Step: "refresh token expired"}
	}
	answer, err := c.tokenCall(
		ctx,
		c.endpointGrant(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {f.Token}}),
	)
	if err != nil {
		return nil, err
	}
	got, err := answer.tokens(c.now(), &c.wire)
	if err != nil {
		return nil, err
	}
	// A login goes on without a refresh token that cannot be read. Here it may be the only one that is still good.
	if slices.ContainsFunc(got.problems, func(p Problem) bool { return p.Attribute == "refresh_token" }) {
		return nil, &Error{Reason: ReasonTokenResponse, Step: "refresh_token"}
	}
	out := &Refreshed{
		AccessToken:   got.access,
		Granted:       got.granted,
		GrantedListed: got.granted != nil,
		IDToken:       got.idToken != "",
	}
	if !out.GrantedListed {
		out.Granted = slices.Clone(f.Granted)
	}
	// "MUST NOT include any scope not originally granted by the resource owner" (RFC 6749, section 6).
	if !subset(out.Granted, f.Granted) {
		return nil, &Error{Reason: ReasonTokenResponse, Step: "scope"}
	}
	if out.IDToken {
		if err := c.verifyRefreshed(ctx, got, f); err != nil {
			return nil, err
		}
	}
	next := *f
	if out.Rotated = got.refresh != "" && got.refresh != f.Token; out.Rotated {
		next.Token, next.Expires = got.refresh, 0
	}
	if !got.refreshExpires.IsZero() {
		next.Expires = got.refreshExpires.Unix()
	}
	out.RefreshToken = RefreshToken{v: redact.Seal(&next)}
	return out, nil
}

// verifyRefreshed checks a new ID token (OpenID Connect Core 1.0, section 12.2): besides the rules of every ID token,
// "its sub Claim Value MUST be the same", "if the ID Token contains an auth_time Claim, its value MUST represent the
// time of the original authentication", "it SHOULD NOT have a nonce Claim ... however, if it is present, its value MUST
// be the same as in the ID Token issued at the time of the original authentication", and its iat is the time of the new
// token.
func (c *Client) verifyRefreshed(ctx context.Context, got tokens, f *refreshFields) error {
	_, err := c.openIDToken(ctx, got.idToken, func(m map[string]json.RawMessage, claims *idClaims) string {
		nonce, ok := strictjson.String(m["nonce"])
		_, hasNonce := strictjson.Present(m, "nonce")
		hasNonce = hasNonce && (!ok || nonce != "") // an empty one says the same as none
		switch {
		case subtle.ConstantTimeCompare([]byte(claims.subject), []byte(f.Subject)) != 1:
			return "sub"
		case hasNonce && (!ok || subtle.ConstantTimeCompare([]byte(nonce), []byte(f.Nonce)) != 1):
			return "nonce"
		case f.AuthTime != 0 && !claims.authTime.IsZero() && claims.authTime.Unix() != f.AuthTime:
			return "auth_time"
		case claims.issuedAt.Before(time.Unix(f.IssuedAt, 0).Add(-c.iatSkew)):
			return "iat"
		}
		return checkAtHash(m, got.access.Reveal(), true)
	})
	return err
}

// Reread asks userinfo again, with an access token from [Client.Refresh] or Request.KeepTokens, and returns a copy of
// id with the attributes that the service holds now. The subject must be the same. Errors are [*Error];
// ReasonTokenRejected means that the access token is no longer accepted: refresh it.
func (c *Client) Reread(ctx context.Context, id *Identity, access Token) (*Identity, error) {
	if id == nil || id.Issuer != c.env.Issuer || access.IsZero() {
		return nil, &Error{
			Reason: ReasonConfiguration,
			Step:   "identity or access token is missing or of another issuer",
		}
	}
	info, err := c.userinfo(ctx, access, id.Subject.Reveal())
	if err != nil {
		return nil, err
	}
	fresh := *id
	fresh.AMR, fresh.Granted, fresh.Asked = slices.Clone(id.AMR), slices.Clone(id.Granted), slices.Clone(id.Asked)
	c.addUserinfo(&fresh, info)
	return &fresh, nil
}
