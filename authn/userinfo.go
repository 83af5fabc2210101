package authn

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/http"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

// userinfo fetches the claims about the subject (OpenID Connect Core 1.0, section 5.3). The token goes into the header,
// never into the query (RFC 6750, section 5.3).
func (c *Client) userinfo(ctx context.Context, access Token, subject string) (map[string]json.RawMessage, error) {
	a, err := get(ctx, c.http, c.env.UserinfoEndpoint, limits.Userinfo, "application/json, application/jwt", access.Reveal())
	if err != nil {
		e := transportError(err)
		if e.Check == "size" {
			return nil, &Error{Reason: ReasonUserinfo, Check: "size"}
		}
		return nil, &Error{Reason: e.Reason, Check: "userinfo: " + e.Check, Err: e.Err}
	}
	return c.readUserinfo(ctx, a, subject)
}

func (c *Client) readUserinfo(ctx context.Context, a answer, subject string) (map[string]json.RawMessage, error) {
	bad := func(check string) (map[string]json.RawMessage, error) {
		return nil, &Error{Reason: ReasonUserinfo, Check: check}
	}
	switch {
	case a.status >= 300 && a.status < 400:
		return bad("redirect")
	case a.status >= 500 || a.status == http.StatusTooManyRequests:
		return nil, &Error{Reason: ReasonTransport, Check: "userinfo: status"}
	case a.status != http.StatusOK:
		return nil, &Error{Reason: ReasonProviderError, Check: "userinfo: status"}
	}
	body := a.body
	switch {
	case a.isJSON():
	case a.mediaType == "application/jwt":
		var err error
		if body, err = c.openSignedUserinfo(ctx, string(a.body)); err != nil {
			return nil, err
		}
	default:
		return bad("content-type")
	}
	m, err := strictjson.Object(body)
	if err != nil {
		return bad("form")
	}
	if a.mediaType == "application/jwt" {
		// "the UserInfo Response ... SHOULD contain the Claims iss ... and aud": if they are there, they are about us.
		if iss, present := m["iss"]; present {
			if s, ok := strictjson.String(iss); !ok || s != c.env.Issuer {
				return bad("iss")
			}
		}
		if _, present := m["aud"]; present && checkAudience(m, c.clientID) != "" {
			return bad("aud")
		}
	}
	// "The sub Claim in the UserInfo Response MUST be verified to exactly match the sub Claim in the ID Token; if they do
	// not match, the UserInfo Response values MUST NOT be used."
	if sub, ok := strictjson.String(m["sub"]); !ok || subtle.ConstantTimeCompare([]byte(sub), []byte(subject)) != 1 {
		return bad("sub")
	}
	return m, nil
}

// openSignedUserinfo verifies the signed form (section 5.3.2) with the keys and algorithms of ID tokens.
func (c *Client) openSignedUserinfo(ctx context.Context, raw string) ([]byte, error) {
	token, err := jose.Parse(raw)
	if err == nil {
		var payload []byte
		if payload, err = c.keys.verify(ctx, token, c.tokenRules); err == nil {
			return payload, nil
		}
	}
	e := idTokenError(err)
	if own, ok := e.(*Error); ok && own.Reason == ReasonIDToken { //nolint:errorlint // idTokenError returns it unwrapped
		own.Reason = ReasonUserinfo
	}
	return nil, e
}

// addUserinfo fills in the four attributes. One that cannot be read is a Problem and does not fail the login; a claim of
// another name stays reachable through Identity.Claim.
func (c *Client) addUserinfo(id *Identity, claims map[string]json.RawMessage) {
	names := fourinfo.ClaimNames{
		Name: c.wire.ClaimName, Address: c.wire.ClaimAddress, Birthdate: c.wire.ClaimBirthdate, Gender: c.wire.ClaimGender,
	}
	id.Person, id.Problems = fourinfo.FromUserinfo(claims, names)
	extra := make(map[string]json.RawMessage)
	for name, value := range claims {
		switch name {
		case "sub", names.Name, names.Address, names.Birthdate, names.Gender:
		default:
			extra[name] = json.RawMessage(string(value)) // a copy: the body can go
		}
	}
	id.details = seal(identityDetails{access: id.AccessToken(), extra: extra})
}
