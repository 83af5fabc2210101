package authn

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/redact"
	"github.com/kakunin-go/kakunin/internal/strictjson"
	"github.com/kakunin-go/kakunin/internal/webcall"
)

// userinfo fetches the claims about the subject (OpenID Connect Core 1.0, section 5.3). The token goes into the header,
// never into the query (RFC 6750, section 5.3).
func (c *Client) userinfo(ctx context.Context, access Token, subject string) (map[string]json.RawMessage, error) {
	a, err := c.getUserinfo(ctx, access)
	if err != nil {
		e := transportError(err)
		if e.Step == "size" {
			return nil, &Error{Reason: ReasonUserinfo, Step: "size"}
		}
		return nil, &Error{Reason: e.Reason, Step: "userinfo: " + e.Step, Err: e.Err}
	}
	return c.readUserinfo(ctx, a, subject)
}

// getUserinfo asks twice if the connection breaks: reading changes nothing at the service, and the code that the access
// token cost cannot be used again.
func (c *Client) getUserinfo(ctx context.Context, access Token) (webcall.Answer, error) {
	q := webcall.Query{
		URL:    c.env.UserinfoEndpoint,
		Limit:  limits.Userinfo,
		Accept: "application/json, application/jwt",
		Bearer: access.Reveal(),
	}
	a, err := webcall.Get(ctx, c.http, q)
	if err != nil && webcall.Explain(err).Problem == webcall.Connection && !webcall.NeverSent(ctx, err) {
		a, err = webcall.GetOnce(ctx, c.http, q)
	}
	return a, err
}

func (c *Client) readUserinfo(
	ctx context.Context,
	a webcall.Answer,
	subject string,
) (map[string]json.RawMessage, error) {
	bad := func(check string) (map[string]json.RawMessage, error) {
		return nil, &Error{Reason: ReasonUserinfo, Step: check}
	}
	refused := func(reason Reason) (map[string]json.RawMessage, error) {
		e := &Error{Reason: reason, Step: "userinfo: status", Status: a.Status}
		return nil, e.described(refusal(a))
	}
	switch {
	case a.Status >= 300 && a.Status < 400:
		return bad("redirect")
	case a.Status >= 500 || a.Status == http.StatusTooManyRequests:
		return refused(ReasonTransport)
	case a.Status == http.StatusUnauthorized: // RFC 6750, section 3.1: the token expired or was revoked
		return refused(ReasonTokenRejected)
	case a.Status != http.StatusOK:
		return refused(ReasonProviderError)
	}
	body, isJWT := a.Body, false
	switch {
	case a.IsJSON() && !isCompact(body):
	case a.IsJSON() || isJWTType(a.MediaType):
		var err error
		if body, isJWT, err = c.openUserinfo(ctx, strings.TrimSpace(string(a.Body))); err != nil {
			return nil, err
		}
	default:
		return bad("content-type")
	}
	m, err := strictjson.Members(body)
	if err != nil {
		return bad("form")
	}
	if isJWT {
		// "the UserInfo Response ... SHOULD contain the Claims iss ... and aud": if they are there, they are about us.
		if iss, present := strictjson.Present(m, "iss"); present {
			if s, ok := strictjson.String(iss); !ok || s != c.env.Issuer {
				return bad("iss")
			}
		}
		if _, present := strictjson.Present(m, "aud"); present && checkAudience(m, c.clientID) != "" {
			return bad("aud")
		}
	}
	// "The sub Claim in the UserInfo Response MUST be verified to exactly match the sub Claim in the ID Token; if they
	// do not match, the UserInfo Response values MUST NOT be used."
	code, _ := strictjson.String(m["error"])
	if _, present := strictjson.Present(m, "sub"); !present && code != "" { // a refusal with status 200
		if code == "invalid_token" {
			return refused(ReasonTokenRejected)
		}
		return refused(ReasonProviderError)
	}
	if sub, ok := strictjson.String(m["sub"]); !ok || subtle.ConstantTimeCompare([]byte(sub), []byte(subject)) != 1 {
		return bad("sub")
	}
	return m, nil
}

// isJWTType accepts the types of a JWT and those of the +jwt family (RFC 8725, section 3.11).
func isJWTType(mediaType string) bool {
	return mediaType == "application/jwt" || mediaType == "application/jwe" || mediaType == "application/jose" ||
		strings.HasPrefix(mediaType, "application/") && strings.HasSuffix(mediaType, "+jwt")
}

// isCompact recognises the compact form, which begins with an object in base64url: some servers call it JSON.
func isCompact(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("eyJ"))
}

// refusal reads error and error_description out of a JSON body or out of the challenge, where RFC 6750, section 3 has
// them. A body in another encoding than UTF-8 is read as far as that goes: what it grants is nothing.
func refusal(a webcall.Answer) map[string]json.RawMessage {
	if m, err := strictjson.Members(bytes.ToValidUTF8(a.Body, []byte("\uFFFD"))); err == nil {
		if _, ok := m["error"]; ok {
			return m
		}
	}
	members := map[string]json.RawMessage{}
	for _, challenge := range a.Header.Values("WWW-Authenticate") { // one for each scheme, in one header or in several
		for _, name := range [...]string{"error_description", "error"} {
			if value, ok := challengeParameter(challenge, name); ok && members[name] == nil {
				members[name], _ = json.Marshal(value) // a string always can be
			}
		}
	}
	return members
}

// challengeParameter finds a parameter of a challenge, name=token or name="quoted \" string" (RFC 9110, section 11.2).
// What looks like one inside another's quotes is none.
func challengeParameter(challenge, name string) (value string, ok bool) {
	for i := 0; i < len(challenge); i++ {
		if challenge[i] == '"' {
			_, n, _ := quotedString(challenge[i:])
			i += n - 1
			continue
		}
		if i > 0 && !strings.ContainsAny(challenge[i-1:i], " \t,") || len(challenge)-i < len(name) ||
			!strings.EqualFold(challenge[i:i+len(name)], name) {
			continue // a part of another word
		}
		after, isParameter := strings.CutPrefix(strings.TrimLeft(challenge[i+len(name):], " \t"), "=")
		if !isParameter {
			continue
		}
		after = strings.TrimLeft(after, " \t")
		if strings.HasPrefix(after, `"`) {
			value, _, ok = quotedString(after)
			return value, ok
		}
		if end := strings.IndexAny(after, ", \t"); end >= 0 {
			after = after[:end]
		}
		return after, true
	}
	return "", false
}

// quotedString reads a quoted-string (RFC 9110, section 5.6.4) at the start of a text, and says how long it is there.
// Without an end it is as long as the text, and not ok.
func quotedString(s string) (value string, n int, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] == '"' {
			return b.String(), i + 1, true
		}
		if s[i] == '\\' {
			if i++; i == len(s) {
				break
			}
		}
		b.WriteByte(s[i])
	}
	return "", len(s), false
}

// openUserinfo reads the signed, the encrypted and the nested form ("signed then encrypted", sections 5.3.2 and 16.14),
// with the keys and algorithms of ID tokens. What is encrypted without a signature is JSON, and as good as JSON that
// came without encryption: anybody can encrypt to a public key, but only the service answers on this connection.
func (c *Client) openUserinfo(ctx context.Context, raw string) (body []byte, isJWT bool, err error) {
	if c.decrypter.opens(raw) {
		content, err := c.decrypter.open(raw)
		if err != nil {
			return nil, false, userinfoError(err)
		}
		// What begins like an object is no compact JWS, whatever the header's "cty" says of it: some servers write JWT
		// there always.
		if bytes.HasPrefix(bytes.TrimLeft(content, " \t\r\n"), []byte("{")) {
			return content, true, nil // its iss and aud, if any, are checked as well
		}
		raw = string(content)
	}
	token, err := jose.Parse(raw)
	if err == nil {
		if body, err = c.keys.verify(ctx, token, c.tokenRules); err == nil {
			return body, true, nil
		}
	}
	return nil, false, c.withoutKey(userinfoError(err), raw)
}

func userinfoError(err error) error {
	e := idTokenError(err)
	own, ok := e.(*Error) //nolint:errorlint // idTokenError returns it unwrapped
	if ok && own.Reason == ReasonIDToken {
		own.Reason = ReasonUserinfo
	}
	return e
}

// addUserinfo fills in the four attributes. One that cannot be read is a Problem and does not fail the login; a claim
// of another name stays reachable through Identity.Claim.
func (c *Client) addUserinfo(id *Identity, claims map[string]json.RawMessage) {
	names := fourinfo.ClaimNames{
		Name:      c.wire.ClaimName,
		Address:   c.wire.ClaimAddress,
		Birthdate: c.wire.ClaimBirthdate,
		Gender:    c.wire.ClaimGender,
	}
	var problems []fourinfo.Problem
	id.Person, problems = fourinfo.FromUserinfo(claims, names)
	claimOf := map[string]string{
		fourinfo.AttributeName: names.Name, fourinfo.AttributeAddress: names.Address,
		fourinfo.AttributeBirthdate: names.Birthdate, fourinfo.AttributeGender: names.Gender,
	}
	// Those of an earlier reading of userinfo are over; those of the login itself stay.
	id.Problems = slices.DeleteFunc(slices.Clone(id.Problems), func(p Problem) bool {
		_, attribute := claimOf[p.Attribute]
		return attribute || p.Attribute == c.wire.ClaimIndividualNumber
	})
	for _, p := range problems {
		own := Problem{Problem: p}
		own.keep(claims[claimOf[p.Attribute]])
		id.Problems = append(id.Problems, own)
	}
	extra := make(map[string]json.RawMessage)
	for name, value := range claims {
		switch name {
		case c.wire.ClaimIndividualNumber, "sub", names.Name, names.Address, names.Birthdate, names.Gender:
		default:
			extra[name] = json.RawMessage(string(value)) // a copy: the body can go
		}
	}
	details := id.details.Reveal()
	details.extra = extra
	details.number = c.individualNumber(id, claims)
	id.details = redact.Seal(details)
}

// individualNumber reads the individual number of a login that asked for it. One that nobody asked for is dropped: the
// law allows nobody to keep it (番号法20条). What is no number is a Problem, without a word of what was sent.
func (c *Client) individualNumber(id *Identity, claims map[string]json.RawMessage) mynumber.Number {
	raw, present := strictjson.Present(claims, c.wire.ClaimIndividualNumber)
	if !present || c.wire.ClaimIndividualNumber == "" || !slices.Contains(id.Asked, c.wire.ScopeIndividualNumber) {
		return mynumber.Number{}
	}
	text, ok := strictjson.String(raw)
	number, err := mynumber.New(text, c.purpose)
	if !ok || err != nil {
		id.Problems = append(id.Problems, newProblem(c.wire.ClaimIndividualNumber, nil))
		return mynumber.Number{}
	}
	return number
}
