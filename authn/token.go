package authn

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/redact"
	"github.com/kakunin-go/kakunin/internal/strictjson"
	"github.com/kakunin-go/kakunin/internal/webcall"
)

// tokens is what a code or refresh token was exchanged for.
type tokens struct {
	access         Token
	refresh        string // empty: none
	refreshExpires time.Time
	idToken        string   // empty: none
	granted        []string // nil: the response has no scope, or none that can be read
	problems       []Problem
}

// exchange sends the code.
func (c *Client) exchange(ctx context.Context, f *pendingFields, code string) (tokens, error) {
	answer, err := c.tokenCall(ctx, c.codeGrant(code, f.RedirectURL, f.Verifier))
	if err != nil {
		return tokens{}, err
	}
	t, err := answer.tokens(c.now(), &c.wire)
	if err == nil && t.idToken == "" {
		err = &Error{Reason: ReasonTokenResponse, Step: "id_token"}
	}
	return t, err
}

// Package oauth2 makes the requests to the token endpoint. By itself it would repeat one with the same code and
// assertion (AuthStyleAutoDetect), follow redirects, accept form encoding, duplicate members, any token type and a
// negative lifetime, and keep the whole answer in its errors. So each request has a configuration and an HTTP client of
// its own; the client's transport reads the answer strictly before package oauth2 sees it, and what is used of it is
// what was read there.

// tokenAnswer is a good answer of the token endpoint.
type tokenAnswer struct {
	members  map[string]json.RawMessage
	expires  int64 // seconds; -1 unknown
	problems []Problem
}

// grant makes one request with package oauth2 through the HTTP client in ctx.
type grant func(ctx context.Context, assertion string) (*oauth2.Token, error)

// codeGrant is RFC 6749, section 4.1.3 with PKCE (RFC 7636).
func (c *Client) codeGrant(code, redirectURL, verifier string) grant {
	return func(ctx context.Context, assertion string) (*oauth2.Token, error) {
		conf := oauth2.Config{
			ClientID:    c.clientID,
			RedirectURL: redirectURL,
			Endpoint:    oauth2.Endpoint{TokenURL: c.env.TokenEndpoint, AuthStyle: oauth2.AuthStyleInParams},
		}
		return conf.Exchange(
			ctx,
			code,
			oauth2.VerifierOption(verifier),
			oauth2.SetAuthURLParam(
				"client_assertion_type",
				assertionType,
			),
			oauth2.SetAuthURLParam("client_assertion", assertion),
		)
	}
}

// endpointGrant is every other grant. The refresh of oauth2.Config has no room for an assertion;
// clientcredentials.Config sends the parameters that it is given, another grant_type among them.
func (c *Client) endpointGrant(parameters url.Values) grant {
	return func(ctx context.Context, assertion string) (*oauth2.Token, error) {
		parameters.Set("client_assertion_type", assertionType)
		parameters.Set("client_assertion", assertion)
		conf := clientcredentials.Config{
			ClientID:       c.clientID,
			TokenURL:       c.env.TokenEndpoint,
			AuthStyle:      oauth2.AuthStyleInParams,
			EndpointParams: parameters,
		}
		return conf.Token(ctx)
	}
}

// tokenCall makes one request to the token endpoint, and a second one with a new assertion only if no connection could
// be had for the first: once a byte may have been sent, a code or refresh token counts as used.
func (c *Client) tokenCall(ctx context.Context, ask grant) (tokenAnswer, error) {
	for attempt := 1; ; attempt++ {
		assertion, err := c.assertion()
		if err != nil {
			return tokenAnswer{}, err
		}
		t, err := c.tokenCallOnce(ctx, ask, assertion)
		if err == nil || attempt >= webcall.MaxAttempts || !webcall.NeverSent(ctx, err) {
			return t, err
		}
	}
}

func (c *Client) tokenCallOnce(ctx context.Context, ask grant, assertion string) (tokenAnswer, error) {
	guard := &tokenGuard{base: c.http.Transport, now: c.now}
	own := *c.http
	own.Transport = guard
	if _, err := ask(context.WithValue(ctx, oauth2.HTTPClient, &own), assertion); err != nil {
		return tokenAnswer{}, tokenError(err)
	}
	return guard.answer, nil
}

// tokenGuard is the transport of one token request. Package oauth2 gets a good answer or an error of this package.
type tokenGuard struct {
	base   http.RoundTripper
	now    func() time.Time
	answer tokenAnswer
}

// RoundTrip implements http.RoundTripper.
func (g *tokenGuard) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.WithContext(r.Context()) // a copy: a RoundTripper changes no request
	r.Header = r.Header.Clone()
	r.Header.Set("Accept", "application/json")
	// Package net/http sends a POST again by itself only if nothing of it was written to a kept-alive connection.
	resp, err := g.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	a, err := webcall.Read(resp, limits.TokenResponse)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	if g.answer, err = readTokenAnswer(a, g.now()); err != nil {
		return nil, err
	}
	// Package oauth2 gets no more to read than it needs, and no token: nobody looks at what it makes of it.
	resp.Body = io.NopCloser(strings.NewReader(`{"token_type":"Bearer","access_token":"elsewhere"}`))
	resp.Header = http.Header{"Content-Type": {"application/json"}}
	return resp, nil
}

// tokenError drops everything that package oauth2 says about an answer: it would quote it.
func tokenError(err error) *Error {
	if u := (*url.Error)(nil); !errors.As(err, &u) { // what the HTTP client returns is one
		return &Error{Reason: ReasonTokenResponse, Step: "form"}
	}
	e := transportError(err)
	if e.Step == "size" {
		e.Reason = ReasonTokenResponse
	}
	return e
}

// readTokenAnswer follows RFC 6749, sections 5.1 (status 200, JSON, token_type) and 5.2 (errors).
func readTokenAnswer(a webcall.Answer, now time.Time) (tokenAnswer, error) {
	bad := func(check string) (tokenAnswer, error) {
		return tokenAnswer{}, &Error{Reason: ReasonTokenResponse, Step: check}
	}
	switch {
	case a.Status >= 300 && a.Status < 400:
		return bad("redirect")
	case a.Status >= 500 || a.Status == http.StatusTooManyRequests || a.Status == http.StatusRequestTimeout:
		e := &Error{Reason: ReasonTransport, Step: "status", Status: a.Status}
		return tokenAnswer{}, e.described(refusal(a))
	case a.Status != http.StatusOK && a.Status < 400:
		return tokenAnswer{}, &Error{Reason: ReasonTokenResponse, Step: "status", Status: a.Status}
	}
	m, err := strictjson.Members(a.Body)
	if a.Status >= 400 {
		m, err = refusal(a), nil // whatever the answer calls itself: it grants nothing
	}
	// Some services answer errors with 200, and some write an empty member beside the token where there is none.
	raw, failed := strictjson.Present(m, "error")
	text, _ := strictjson.String(raw)
	if isText := strings.HasPrefix(string(raw), `"`); isText && strings.TrimSpace(text) == "" ||
		slices.Contains([]string{"false", "0", "[]", "{}"}, string(raw)) {
		_, granted := strictjson.Present(m, "access_token")
		failed = !granted
	}
	switch {
	case a.Status >= 400 && !failed:
		// An error page, perhaps of something in between.
		e := &Error{Reason: ReasonProviderError, Step: "status", Status: a.Status}
		return tokenAnswer{}, e.described(m)
	case a.Status < 400 && !a.IsJSON():
		return bad("content-type")
	case err != nil:
		return bad("form")
	case failed:
		code, _ := strictjson.String(raw)
		e := &Error{Reason: reasonOfCode(code), Step: "token endpoint", Code: knownCode(code), Status: a.Status}
		if e.Code == "invalid_client" && clocksDiffer(a.Header.Get("Date"), now) {
			e.Detail = "the service's clock and this machine's differ, and an assertion lives for seconds"
		}
		return tokenAnswer{}, e.described(m)
	}
	if s, ok := strictjson.String(m["access_token"]); !ok || s == "" || len(s) > limits.Token {
		return bad("access_token")
	}
	// "REQUIRED. ... Value is case insensitive"; a client "MUST NOT use an access token if it does not understand the
	// token type" (RFC 6749, sections 5.1 and 7.1).
	if s, ok := strictjson.String(m["token_type"]); !ok || !strings.EqualFold(strings.TrimSpace(s), "Bearer") {
		return bad("token_type")
	}
	t := tokenAnswer{members: m, expires: -1}
	// "RECOMMENDED": a lifetime that cannot be read is an unknown one. A negative one says that the token is over.
	if raw, present := strictjson.Present(m, "expires_in"); present {
		n, ok := strictjson.Integer(raw)
		switch {
		case !ok:
			t.problems = append(t.problems, newProblem("expires_in", raw))
		case n < 0:
			return bad("expires_in")
		default:
			t.expires = n
		}
	}
	return t, nil
}

// clocksDiffer compares an answer's Date (RFC 9110, section 6.6.1) with our clock, generously: the answer took time to
// come.
func clocksDiffer(date string, now time.Time) bool {
	at, err := http.ParseTime(date)
	return err == nil && now.Sub(at).Abs() > assertionBackdate+webcall.DefaultTimeout
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
	return Token{v: redact.Seal(v)}
}

// tokens reads the other members. The ID token has its type or is none; of the others, one that cannot be read is one
// that is not there.
func (t tokenAnswer) tokens(now time.Time, w *wire.Profile) (tokens, error) {
	out := tokens{access: t.access(now), problems: t.problems}
	if raw, present := strictjson.Present(t.members, "id_token"); present {
		var ok bool
		if out.idToken, ok = strictjson.String(raw); !ok { // empty is none
			return tokens{}, &Error{Reason: ReasonTokenResponse, Step: "id_token"}
		}
	}
	if raw, present := strictjson.Present(t.members, "refresh_token"); present {
		var ok bool
		if out.refresh, ok = strictjson.String(raw); !ok || len(out.refresh) > limits.Token {
			out.refresh = ""
			// no secret in a Problem
			out.problems = append(out.problems, newProblem("refresh_token", nil))
		}
	}
	if raw, present := strictjson.Present(t.members, "scope"); present {
		if s, ok := strictjson.String(raw); ok {
			out.granted = append([]string{}, strings.Fields(s)...)
		} else {
			out.problems = append(out.problems, newProblem("scope", raw))
		}
	}
	if n, ok := strictjson.Integer(t.members[w.RefreshLifetimeField]); ok && n > 0 && out.refresh != "" {
		out.refreshExpires = now.Add(time.Duration(min(n, maxTokenLifetime)) * time.Second)
	}
	return out, nil
}

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" // RFC 7523, section 2.2

	// assertionBackdate is how far "iat" lies in the past, so that a service whose clock is a little slow does not see
	// an assertion from the future.
	assertionBackdate = 5 * time.Second

	defaultAssertionLifetime = 30 * time.Second
	minAssertionLifetime     = 10 * time.Second
	maxAssertionLifetime     = 60 * time.Second // the largest that the service's software is known to accept

	jtiSize = 16 // 128 random bits (OWASP ASVS 5.0, 11.5.1)
)

// assertionClaims are the claims of RFC 7523, section 3 and OpenID Connect Core 1.0, section 9. A fixed struct: no
// caller's string becomes a claim name. The audience is one string: arrays have been refused and have been abused.
type assertionClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	ID       string `json:"jti"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// assertion signs a new client assertion with the key that is active now; one for every request and every repetition of
// one, because the service accepts each only once.
func (c *Client) assertion() (string, error) {
	issued := c.now().Add(-assertionBackdate)
	claims, err := json.Marshal(assertionClaims{
		Issuer:   c.clientID,
		Subject:  c.clientID,
		Audience: c.assertionAudience,
		ID:       randomText(jtiSize),
		IssuedAt: issued.Unix(),
		Expires:  issued.Add(c.assertionLifetime).Unix(),
	})
	if err != nil {
		return "", &Error{Reason: ReasonKey, Step: "assertion", Err: err}
	}
	token, err := jose.Sign(c.ring.Active().signing(), c.assertionHeaderType, claims)
	if err != nil {
		return "", &Error{Reason: ReasonKey, Step: "assertion", Err: err}
	}
	return token, nil
}

// randomText returns n random bytes in base64url, an alphabet that every known round trip preserves. crypto/rand.Read
// never fails.
func randomText(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// serviceTokenMargin is how long before its end a service token is no longer handed out, so that it does not expire on
// its way to the sign API.
const serviceTokenMargin = 30 * time.Second

// serviceTokens caches the one service token. turn has room for one: whoever puts something in may fetch.
type serviceTokens struct {
	turn   chan struct{}
	cached Token // guarded by turn
	// failed is the last failure of the service, for those who were waiting meanwhile.
	failed atomic.Pointer[Error]
}

func newServiceTokens() *serviceTokens { return &serviceTokens{turn: make(chan struct{}, 1)} }

// ServiceToken gets a client_credentials token (RFC 6749, section 4.4) for the sign API. It is cached until 30 s before
// its end and shared by all callers; a token without a stated lifetime is not cached. At most one request is under way:
// others wait for it, or for the end of their context, and share its failure. It never stands for a person.
func (c *Client) ServiceToken(ctx context.Context) (Token, error) {
	s := c.service
	failed := s.failed.Load()
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return Token{}, transportError(ctx.Err())
	}
	defer func() { <-s.turn }()
	if !s.cached.IsZero() && c.now().Add(serviceTokenMargin).Before(s.cached.Expires()) {
		return s.cached, nil
	}
	if e := s.failed.Load(); e != failed {
		own := *e
		return Token{}, &own
	}
	t, err := c.fetchServiceToken(ctx)
	if err != nil {
		var own *Error
		if ctx.Err() == nil && errors.As(err, &own) { // that a caller gave up says nothing about the service
			s.failed.Store(own)
		}
		return Token{}, err
	}
	s.cached = t
	return t, nil
}

// ForgetServiceToken drops t from the cache if it is the cached one: for a caller to whom the sign API said that the
// token is no longer valid.
func (c *Client) ForgetServiceToken(ctx context.Context, t Token) {
	s := c.service
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-s.turn }()
	if s.cached.Reveal() == t.Reveal() {
		s.cached = Token{}
	}
}

func (c *Client) fetchServiceToken(ctx context.Context) (Token, error) {
	parameters := url.Values{}
	if c.wire.ServiceTokenScope != "" {
		parameters.Set("scope", c.wire.ServiceTokenScope)
	}
	answer, err := c.tokenCall(ctx, c.endpointGrant(parameters))
	if err != nil {
		return Token{}, err
	}
	return answer.access(c.now()), nil
}
