package authn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

// tokens is what the code was exchanged for.
type tokens struct {
	access  Token
	idToken string
	granted []string // nil: the response has no scope
}

// exchange sends the code (RFC 6749, section 4.1.3) with PKCE (RFC 7636) and private_key_jwt.
func (c *Client) exchange(ctx context.Context, f *pendingFields, code string) (tokens, error) {
	assertion, err := c.assertion()
	if err != nil {
		return tokens{}, err
	}
	conf := oauth2.Config{
		ClientID:    c.clientID,
		RedirectURL: f.RedirectURL,
		// Never AuthStyleAutoDetect: on an error it sends the same code and assertion a second time.
		Endpoint: oauth2.Endpoint{TokenURL: c.env.TokenEndpoint, AuthStyle: oauth2.AuthStyleInParams},
	}
	ctx, guard := c.guarded(ctx)
	_, err = conf.Exchange(ctx, code,
		oauth2.VerifierOption(f.Verifier),
		oauth2.SetAuthURLParam("client_assertion_type", assertionType),
		oauth2.SetAuthURLParam("client_assertion", assertion))
	if err != nil {
		return tokens{}, tokenError(err)
	}
	t := tokens{access: guard.token(c.now())}
	var ok bool
	if t.idToken, ok = strictjson.String(guard.members["id_token"]); !ok || t.idToken == "" {
		return tokens{}, &Error{Reason: ReasonTokenResponse, Check: "id_token"}
	}
	if raw, present := guard.members["scope"]; present {
		s, ok := strictjson.String(raw)
		if !ok {
			return tokens{}, &Error{Reason: ReasonTokenResponse, Check: "scope"}
		}
		t.granted = append([]string{}, strings.Fields(s)...)
	}
	return t, nil
}

// tokenError turns what package oauth2 returned into an error without the answer's text: oauth2.RetrieveError holds the
// whole body.
func tokenError(err error) *Error {
	var retrieve *oauth2.RetrieveError
	if errors.As(err, &retrieve) {
		return &Error{Reason: reasonOfCode(retrieve.ErrorCode), Check: "token endpoint", Code: knownCode(retrieve.ErrorCode)}
	}
	var u interface{ Timeout() bool } // *url.Error: the request failed
	var own *Error
	if errors.As(err, &own) || errors.As(err, &u) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		e := transportError(err)
		if e.Check == "size" {
			e.Reason = ReasonTokenResponse
		}
		return e
	}
	return &Error{Reason: ReasonTokenResponse, Check: "form"}
}

// guarded returns a context whose HTTP client checks the token endpoint's answer before package oauth2 reads it, which
// would accept form encoding, duplicate members, any token type and a negative lifetime.
func (c *Client) guarded(ctx context.Context) (context.Context, *tokenGuard) {
	g := &tokenGuard{base: c.http.Transport}
	h := *c.http
	h.Transport = g
	return context.WithValue(ctx, oauth2.HTTPClient, &h), g
}

// tokenGuard is the transport for exactly one token request.
type tokenGuard struct {
	base    http.RoundTripper
	members map[string]json.RawMessage // of a good answer
	expires int64                      // seconds; -1 unknown
}

// RoundTrip implements http.RoundTripper.
func (g *tokenGuard) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Accept", "application/json")
	resp, err := g.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	a, err := readAnswer(resp, limits.TokenResponse)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	if err := g.check(a); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(a.body))
	// Whatever the parameters of the type were, package oauth2 is to read the body as the JSON that was checked.
	resp.Header = resp.Header.Clone()
	resp.Header.Set("Content-Type", "application/json")
	return resp, nil
}

// check follows RFC 6749, sections 5.1 (status 200, JSON, token_type) and 5.2 (errors).
func (g *tokenGuard) check(a answer) error {
	bad := func(check string) error { return &Error{Reason: ReasonTokenResponse, Check: check} }
	switch {
	case a.status >= 300 && a.status < 400:
		return bad("redirect")
	case a.status >= 500 || a.status == http.StatusTooManyRequests || a.status == http.StatusRequestTimeout:
		return &Error{Reason: ReasonTransport, Check: "status"}
	case a.status != http.StatusOK && a.status < 400:
		return bad("status")
	}
	if a.status != http.StatusOK {
		if _, err := strictjson.Object(a.body); err != nil || !a.isJSON() {
			return &Error{Reason: ReasonProviderError, Check: "status"} // an error page, perhaps of something in between
		}
		return nil // package oauth2 reads the code
	}
	if !a.isJSON() {
		return bad("content-type")
	}
	m, err := strictjson.Object(a.body)
	if err != nil {
		return bad("form")
	}
	if raw, failed := m["error"]; failed { // some services answer errors with 200
		code, _ := strictjson.String(raw)
		return &Error{Reason: reasonOfCode(code), Check: "token endpoint", Code: knownCode(code)}
	}
	if s, ok := strictjson.String(m["access_token"]); !ok || s == "" || len(s) > limits.Token {
		return bad("access_token")
	}
	// "REQUIRED. ... Value is case insensitive"; a client "MUST NOT use an access token if it does not understand the
	// token type" (RFC 6749, sections 5.1 and 7.1).
	if s, ok := strictjson.String(m["token_type"]); !ok || !strings.EqualFold(s, "Bearer") {
		return bad("token_type")
	}
	g.expires = -1
	if raw, present := m["expires_in"]; present {
		n, ok := strictjson.Integer(raw)
		if !ok || n < 0 {
			return bad("expires_in")
		}
		g.expires = n
	}
	g.members = m
	return nil
}

// maxTokenLifetime keeps the arithmetic of times in range; nothing here lives that long.
const maxTokenLifetime = 365 * 24 * 60 * 60

// token returns the access token of a good answer.
func (g *tokenGuard) token(now time.Time) Token {
	s, _ := strictjson.String(g.members["access_token"])
	t := tokenValue{text: s}
	if g.expires >= 0 {
		t.expires = now.Add(time.Duration(min(g.expires, maxTokenLifetime)) * time.Second)
	}
	return Token{seal(t)}
}
