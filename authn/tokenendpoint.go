package authn

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

// Package oauth2 is not used here: it repeats a request with the same code and assertion, follows redirects, accepts form
// encoding, duplicate members, any token type and a negative lifetime, keeps the whole answer in its errors, and has no
// client assertions.

// tokenAnswer is a good answer of the token endpoint.
type tokenAnswer struct {
	members map[string]json.RawMessage
	expires int64 // seconds; -1 unknown
}

// tokenCall makes one request to the token endpoint, and a second one with a new assertion only if no connection could be
// had for the first: once a byte may have been sent, a code or refresh token counts as used. parameters are names and
// values in turn; the client's are added.
func (c *Client) tokenCall(ctx context.Context, parameters ...string) (tokenAnswer, error) {
	for attempt := 1; ; attempt++ {
		assertion, err := c.assertion()
		if err != nil {
			return tokenAnswer{}, err
		}
		t, err := c.tokenCallOnce(ctx, form(append(parameters[:len(parameters):len(parameters)],
			"client_id", c.clientID, "client_assertion_type", assertionType, "client_assertion", assertion)))
		if err == nil || attempt >= maxAttempts || !neverSent(ctx, err) {
			return t, err
		}
	}
}

// form is application/x-www-form-urlencoded (RFC 6749, appendix B).
func form(parameters []string) string {
	var b strings.Builder
	size := 0
	for _, p := range parameters {
		size += len(p) + 8
	}
	b.Grow(size)
	for i := 0; i < len(parameters); i += 2 {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(parameters[i])
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(parameters[i+1]))
	}
	return b.String()
}

// tokenCallOnce posts a form. The client's credentials are in it and nowhere else (RFC 6749, section 2.3: no second method).
func (c *Client) tokenCallOnce(ctx context.Context, body string) (tokenAnswer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.env.TokenEndpoint, strings.NewReader(body))
	if err != nil {
		return tokenAnswer{}, &Error{Reason: ReasonConfiguration, Check: "URL"}
	}
	// Package net/http sends a POST again by itself only if nothing of it was written to a kept-alive connection.
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return tokenAnswer{}, transportError(err)
	}
	a, err := readAnswer(resp, limits.TokenResponse)
	_ = resp.Body.Close()
	if err != nil {
		e := transportError(err)
		if e.Check == "size" {
			e.Reason = ReasonTokenResponse
		}
		return tokenAnswer{}, e
	}
	return readTokenAnswer(a)
}

// readTokenAnswer follows RFC 6749, sections 5.1 (status 200, JSON, token_type) and 5.2 (errors).
func readTokenAnswer(a answer) (tokenAnswer, error) {
	bad := func(check string) (tokenAnswer, error) {
		return tokenAnswer{}, &Error{Reason: ReasonTokenResponse, Check: check}
	}
	switch {
	case a.status >= 300 && a.status < 400:
		return bad("redirect")
	case a.status >= 500 || a.status == http.StatusTooManyRequests || a.status == http.StatusRequestTimeout:
		return tokenAnswer{}, &Error{Reason: ReasonTransport, Check: "status"}
	case a.status != http.StatusOK && a.status < 400:
		return bad("status")
	}
	m, err := strictjson.Object(a.body)
	raw, failed := m["error"] // some services answer errors with 200
	switch {
	case a.status >= 400 && (!a.isJSON() || err != nil || !failed):
		return tokenAnswer{}, &Error{Reason: ReasonProviderError, Check: "status"} // an error page, perhaps of something in between
	case !a.isJSON():
		return bad("content-type")
	case err != nil:
		return bad("form")
	case failed:
		code, _ := strictjson.String(raw)
		return tokenAnswer{}, &Error{Reason: reasonOfCode(code), Check: "token endpoint", Code: knownCode(code)}
	}
	if s, ok := strictjson.String(m["access_token"]); !ok || s == "" || len(s) > limits.Token {
		return bad("access_token")
	}
	// "REQUIRED. ... Value is case insensitive"; a client "MUST NOT use an access token if it does not understand the
	// token type" (RFC 6749, sections 5.1 and 7.1).
	if s, ok := strictjson.String(m["token_type"]); !ok || !strings.EqualFold(s, "Bearer") {
		return bad("token_type")
	}
	t := tokenAnswer{members: m, expires: -1}
	if raw, present := m["expires_in"]; present {
		n, ok := strictjson.Integer(raw)
		if !ok || n < 0 {
			return bad("expires_in")
		}
		t.expires = n
	}
	return t, nil
}

// maxTokenLifetime keeps the arithmetic of times in range; nothing here lives that long.
const maxTokenLifetime = 365 * 24 * 60 * 60

// access returns the access token.
func (t tokenAnswer) access(now time.Time) Token {
	s, _ := strictjson.String(t.members["access_token"])
	v := tokenValue{text: s}
	if t.expires >= 0 {
		v.expires = now.Add(time.Duration(min(t.expires, maxTokenLifetime)) * time.Second)
	}
	return Token{seal(v)}
}

// tokens reads the other members that are there; those that are must have their type.
func (t tokenAnswer) tokens(now time.Time, w *WireProfile) (tokens, error) {
	out := tokens{access: t.access(now)}
	for _, f := range [...]struct {
		name string
		to   *string
	}{{"id_token", &out.idToken}, {"refresh_token", &out.refresh}} {
		if raw, present := t.members[f.name]; present {
			var ok bool
			if *f.to, ok = strictjson.String(raw); !ok { // empty is none
				return tokens{}, &Error{Reason: ReasonTokenResponse, Check: f.name}
			}
		}
	}
	if len(out.refresh) > limits.Token {
		return tokens{}, &Error{Reason: ReasonTokenResponse, Check: "refresh_token"}
	}
	if raw, present := t.members["scope"]; present {
		s, ok := strictjson.String(raw)
		if !ok {
			return tokens{}, &Error{Reason: ReasonTokenResponse, Check: "scope"}
		}
		out.granted = append([]string{}, strings.Fields(s)...)
	}
	if n, ok := strictjson.Integer(t.members[w.RefreshLifetimeField]); ok && n > 0 && out.refresh != "" {
		out.refreshExpires = now.Add(time.Duration(min(n, maxTokenLifetime)) * time.Second)
	}
	return out, nil
}
