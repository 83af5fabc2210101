package authn

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/webcall"
)

func reply(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

const (
	goodAnswer = `"access_token":"` + testAccess + `","token_type":"Bearer","id_token":"x"`
	jsonType   = "application/json"
)

func TestRefusedTokenAnswers(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		reason Reason
		check  string
	}{
		{"form-encoded", reply(200, "application/x-www-form-urlencoded", "access_token=a&token_type=Bearer&id_token=x"),
			ReasonTokenResponse, "content-type"},
		{"text", reply(200, "text/plain", "{"+goodAnswer+"}"), ReasonTokenResponse, "content-type"},
		{"HTML", reply(200, "text/html", "<html>"), ReasonTokenResponse, "content-type"},
		{"no JSON", reply(200, jsonType, "access_token"), ReasonTokenResponse, "form"},
		{"trailing bytes", reply(200, jsonType, "{"+goodAnswer+"}{}"), ReasonTokenResponse, "form"},
		{"truncated", reply(200, jsonType, "{"+goodAnswer), ReasonTokenResponse, "form"},
		{"duplicate access_token", reply(200, jsonType, `{`+goodAnswer+`,"access_token":"other"}`), ReasonTokenResponse,
			"form"},
		{"duplicate access_token in other case", reply(200, jsonType, `{`+goodAnswer+`,"Access_Token":"other"}`),
			ReasonTokenResponse, "form"},
		{"token_type missing", reply(200, jsonType, `{"access_token":"a","id_token":"x"}`), ReasonTokenResponse,
			"token_type"},
		{"token_type mac", reply(200, jsonType, `{"access_token":"a","id_token":"x","token_type":"mac"}`),
			ReasonTokenResponse, "token_type"},
		{"token_type DPoP", reply(200, jsonType, `{"access_token":"a","id_token":"x","token_type":"DPoP"}`),
			ReasonTokenResponse, "token_type"},
		{"access_token missing", reply(200, jsonType, `{"token_type":"Bearer","id_token":"x"}`), ReasonTokenResponse,
			"access_token"},
		{"access_token is a number", reply(200, jsonType, `{"token_type":"Bearer","id_token":"x","access_token":1}`),
			ReasonTokenResponse, "access_token"},
		{"access_token too long", reply(200, jsonType, `{"token_type":"Bearer","id_token":"x","access_token":"`+
			strings.Repeat("a", limits.Token+1)+`"}`), ReasonTokenResponse, "access_token"},
		{"negative expires_in", reply(200, jsonType, `{`+goodAnswer+`,"expires_in":-1}`), ReasonTokenResponse,
			"expires_in"},
		{"id_token missing", reply(200, jsonType, `{"access_token":"a","token_type":"Bearer"}`), ReasonTokenResponse,
			"id_token"},
		{"id_token is an object", reply(200, jsonType, `{"access_token":"a","token_type":"Bearer","id_token":{}}`),
			ReasonTokenResponse, "id_token"},
		{"too large", reply(200, jsonType, `{`+goodAnswer+`,"x":"`+strings.Repeat("x", limits.TokenResponse)+`"}`),
			ReasonTokenResponse, "size"},
		{"status 201", reply(201, jsonType, "{"+goodAnswer+"}"), ReasonTokenResponse, "status"},
		{"status 204", reply(204, "", ""), ReasonTokenResponse, "status"},
		{"error with status 200", reply(200, jsonType, `{`+goodAnswer+`,"error":"invalid_client"}`),
			ReasonRequestRefused, "token endpoint"},
		{"empty error with status 200", reply(200, jsonType, `{"error":""}`), ReasonProviderError, "token endpoint"},
		{"empty error and no token", reply(200, jsonType, `{"token_type":"Bearer","access_token":null,"error":""}`),
			ReasonProviderError, "token endpoint"},
		{"invalid_client", reply(401, jsonType, `{"error":"invalid_client","error_description":"secret detail"}`),
			ReasonRequestRefused, "token endpoint"},
		{"invalid_grant", reply(400, jsonType, `{"error":"invalid_grant"}`), ReasonTokenRejected, "token endpoint"},
		{"unknown error", reply(400, jsonType, `{"error":"secret detail"}`), ReasonProviderError, "token endpoint"},
		{"error page", reply(400, "text/html", "<html>secret detail"), ReasonProviderError, "status"},
		{"error that is no JSON", reply(400, jsonType, "secret detail"), ReasonProviderError, "status"},
		{"error with duplicate members", reply(400, jsonType, `{"error":"invalid_grant","error":"x"}`),
			ReasonProviderError, "status"},
		{"status 500", reply(500, jsonType, `{"error":"invalid_grant"}`), ReasonTransport, "status"},
		{"status 503", reply(503, "text/html", "secret detail"), ReasonTransport, "status"},
		{"status 429", reply(429, jsonType, "{}"), ReasonTransport, "status"},
	} {
		t.Run(c.name, func(t *testing.T) {
			op := newOP(t)
			op.token = c.answer
			id, err := op.login(op.client(), Request{Scopes: Attributes})
			e := wantError(t, err, c.reason, c.check)
			if id != nil || op.tokenHits.Load() != 1 {
				t.Errorf("%d token requests", op.tokenHits.Load())
			}
			if strings.Contains(e.Error(), "secret") || strings.Contains(e.Error(), testAccess) {
				t.Errorf("the answer leaks: %v", err)
			}
		})
	}
}

// Code and assertion go to the token endpoint and to nobody else.
func TestTokenRedirectIsNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		op, elsewhere := newOP(t), newOP(t)
		op.token = func(w http.ResponseWriter, r *http.Request) { //nolint:gosec // a redirect is what is tested
			http.Redirect(w, r, elsewhere.env.TokenEndpoint, status)
		}
		_, err := op.login(op.client(), Request{})
		wantError(t, err, ReasonTokenResponse, "redirect")
		if elsewhere.tokenHits.Load() != 0 || op.tokenHits.Load() != 1 {
			t.Errorf("status %d was followed", status)
		}
	}
}

func TestServiceCannotBeReached(t *testing.T) {
	op := newOP(t)
	c := op.client()
	begun := op.begin(c, Request{})
	q := op.authorize(begun)
	op.srv.Close()
	_, err := c.Finish(context.Background(), begun.Pending, q)
	e := wantError(t, err, ReasonTransport, "connection")
	var op2 *net.OpError
	if kakunin.FamilyOf(e) != kakunin.Unavailable || !errors.As(err, &op2) {
		t.Errorf("%v does not say why", e.Err)
	}
	if strings.Contains(e.Error(), "127.0.0.1") {
		t.Errorf("%v holds an address", e)
	}
}

func TestConnectionResetIsNotRetried(t *testing.T) {
	op := newOP(t)
	op.token = func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }
	_, err := op.login(op.client(), Request{})
	wantError(t, err, ReasonTransport, "connection")
	if op.tokenHits.Load() != 1 {
		t.Errorf("%d requests", op.tokenHits.Load())
	}
}

func TestCancelledContext(t *testing.T) {
	op := newOP(t)
	ctx, cancel := context.WithCancel(context.Background())
	op.token = func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() }
	c := op.client()
	begun := op.begin(c, Request{})
	_, err := c.Finish(ctx, begun.Pending, op.authorize(begun))
	wantError(t, err, ReasonTransport, "cancelled")
	if !errors.Is(err, context.Canceled) {
		t.Error("the cause is lost")
	}
}

func TestKeyThatCannotSign(t *testing.T) {
	op := newOP(t)
	broken := errors.New("the KMS has a secret problem")
	key, err := NewKey(brokenSigner{testClientKey().signing().Signer, broken}, "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = op.login(op.client(func(c *Config) { c.Key = key }), Request{})
	e := wantError(t, err, ReasonKey, "assertion")
	if !errors.Is(err, broken) || strings.Contains(e.Error(), "secret") ||
		kakunin.FamilyOf(err) != kakunin.Unavailable || op.tokenHits.Load() != 0 {
		t.Errorf("%v", e)
	}
}

func FuzzTokenAnswer(f *testing.F) {
	for _, s := range []string{"{" + goodAnswer + `,"expires_in":3,"scope":"a b"}`, `{"error":"x"}`,
		`{"access_token":1}`, "", "[]"} {
		f.Add(200, jsonType, s)
		f.Add(400, "text/html", s)
	}
	names := wire.Default()
	f.Fuzz(func(t *testing.T, status int, contentType, body string) {
		resp, err := canned{status, contentType, body}.RoundTrip(nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := webcall.Read(resp, limits.TokenResponse)
		if err != nil {
			return
		}
		answer, err := readTokenAnswer(a, newClock().now())
		if err != nil {
			if kakunin.FamilyOf(err).String() == "unclassified" || answer.members != nil {
				t.Fatalf("%v", err)
			}
			return
		}
		if status != 200 || answer.access(newClock().now()).Reveal() == "" {
			t.Fatal("a good answer without a token")
		}
		if _, err := answer.tokens(newClock().now(), &names); err != nil && kakunin.FamilyOf(err) != kakunin.Untrusted {
			t.Fatalf("%v", err)
		}
	})
}

// canned is a transport that answers without a network.
type canned struct {
	status      int
	contentType string
	body        string
}

func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: c.status, Header: http.Header{"Content-Type": {c.contentType}},
		Body: io.NopCloser(strings.NewReader(c.body))}, nil
}

// tokenGrants are the calls of the token endpoint; each prepares one and returns it.
func tokenGrants() map[string]func(*testing.T, *testOP, *Client) func() error {
	return map[string]func(*testing.T, *testOP, *Client) func() error{
		"code": func(_ *testing.T, op *testOP, c *Client) func() error {
			begun := op.begin(c, Request{})
			code := op.authorize(begun).Get("code")
			return func() error {
				_, err := c.exchange(context.Background(), begun.Pending.fields(), code)
				return err
			}
		},
		"refresh": func(t *testing.T, op *testOP, c *Client) func() error {
			token := keepTokens(t, op, c).RefreshToken()
			return func() error {
				_, err := c.Refresh(context.Background(), token)
				return err
			}
		},
		"client credentials": func(_ *testing.T, _ *testOP, c *Client) func() error {
			return func() error { return serviceToken(c) }
		},
	}
}

// Every request of the token endpoint has the parameters of its grant, the client's credentials in the body, and
// nothing else. The test OP checks the assertion.
func TestTokenRequests(t *testing.T) {
	client := []string{"client_assertion", "client_assertion_type", "client_id", "grant_type"}
	want := map[string]struct {
		grantType  string
		parameters []string
	}{
		"code":               {"authorization_code", []string{"code", "code_verifier", "redirect_uri"}},
		"refresh":            {"refresh_token", []string{"refresh_token"}},
		"client credentials": {"client_credentials", nil},
	}
	for name, prepare := range tokenGrants() {
		t.Run(name, func(t *testing.T) {
			op := newOP(t)
			call := prepare(t, op, op.client())
			hits := op.tokenHits.Load()
			op.token = func(w http.ResponseWriter, r *http.Request) {
				got, all := slices.Sorted(maps.Keys(r.PostForm)),
					slices.Sorted(slices.Values(append(want[name].parameters, client...)))
				if !slices.Equal(got, all) || r.PostForm.Get("grant_type") != want[name].grantType {
					t.Errorf("%s with %q, want %q", r.PostForm.Get("grant_type"), got, all)
				}
				if r.Header.Get("Accept") != jsonType || r.Header.Get(
					"Content-Type") != "application/x-www-form-urlencoded" || r.URL.RawQuery != "" {
					t.Errorf("%v %s", r.Header, r.URL)
				}
				writeJSON(w, http.StatusOK, claimsMap{"access_token": testAccess, "token_type": "bearer",
					"id_token": op.idToken("", testAccess)})
			}
			if err := call(); err != nil || op.tokenHits.Load() != hits+1 {
				t.Errorf("%d requests, %v", op.tokenHits.Load()-hits, err)
			}
		})
	}
}

// Package oauth2 takes its HTTP client from the context. An application that uses it for something else has one there:
// it must not see code and assertion, and its redirects and limits are not ours.
func TestHTTPClientInTheContextIsNotUsed(t *testing.T) {
	op := newOP(t)
	c := op.client()
	begun := op.begin(c, Request{})
	foreign := &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		t.Error("the request went through the application's client")
		return nil, io.EOF
	})}
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, foreign)
	if _, err := c.Finish(ctx, begun.Pending, op.authorize(begun)); err != nil {
		t.Error(err)
	}
	if _, err := c.ServiceToken(ctx); err != nil {
		t.Error(err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A value that the application's own transport saw is left as it was.
func TestTokenGuardChangesNoRequest(t *testing.T) {
	g := &tokenGuard{now: newClock().now, base: canned{http.StatusOK, jsonType, "{" + goodAnswer + "}"}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://op.example/token", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := g.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || len(r.Header) != 0 {
		t.Errorf("%v, %v", r.Header, err)
	}
	if strings.Contains(string(b), testAccess) || !strings.Contains(string(b), "access_token") {
		t.Errorf("package oauth2 reads %s", b)
	}
}

// What package oauth2 says about an answer quotes it.
func TestErrorsOfPackageOauth2AreDropped(t *testing.T) {
	for _, err := range []error{
		&oauth2.RetrieveError{Body: []byte("secret detail"), ErrorCode: "secret detail", Response: &http.Response{}},
		errors.New("oauth2: cannot parse json: secret detail"),
	} {
		e := wantError(t, tokenError(err), ReasonTokenResponse, "form")
		if e.Err != nil || strings.Contains(e.Error(), "secret") {
			t.Errorf("%v, %v", e, e.Err)
		}
	}
	e := wantError(t, tokenError(&url.Error{Op: "Post", URL: "https://op.example/secret", Err: io.ErrUnexpectedEOF}),
		ReasonTransport, "connection")
	if e.Err != io.ErrUnexpectedEOF { //nolint:errorlint // the URL around it is dropped
		t.Errorf("%v", e.Err)
	}
}

func TestServiceTokenIsCached(t *testing.T) {
	op := newOP(t)
	c := op.client()
	get := func() Token {
		t.Helper()
		tok, err := c.ServiceToken(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return tok
	}
	first := get()
	if first.Reveal() == "" || !first.Expires().Equal(op.clock.now().Add(300*time.Second)) {
		t.Errorf("expires %v", first.Expires())
	}
	op.clock.advance(300*time.Second - serviceTokenMargin - time.Second)
	if get().Reveal() != first.Reveal() {
		t.Error("not cached")
	}
	op.clock.advance(time.Second)
	second := get()
	if second.Reveal() == first.Reveal() || op.tokenHits.Load() != 2 {
		t.Error("kept for too long")
	}
	c.ForgetServiceToken(context.Background(), first) // not the cached one
	if get().Reveal() != second.Reveal() {
		t.Error("forgotten by mistake")
	}
	c.ForgetServiceToken(context.Background(), second)
	if get().Reveal() == second.Reveal() {
		t.Error("not forgotten")
	}
}

func TestServiceTokenWithoutLifetimeIsNotCached(t *testing.T) {
	op := newOP(t)
	op.answer = without("expires_in")
	c := op.client()
	for range 2 {
		tok, err := c.ServiceToken(context.Background())
		if err != nil || !tok.Expires().IsZero() {
			t.Fatal(tok.Expires(), err)
		}
	}
	if op.tokenHits.Load() != 2 {
		t.Error("cached")
	}
}

func TestServiceTokenSingleFlight(t *testing.T) {
	op := newOP(t)
	c := op.client()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := c.ServiceToken(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := op.tokenHits.Load(); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestServiceTokenScope(t *testing.T) {
	op := newOP(t)
	for want, scope := range map[string]string{"": "", "sign extra": "sign extra"} {
		names := wire.Default()
		names.ServiceTokenScope = scope
		op.token = func(w http.ResponseWriter, r *http.Request) {
			if r.PostForm.Get("scope") != want || r.PostForm.Has("scope") != (want != "") {
				t.Errorf("scope %q", r.PostForm.Get("scope"))
			}
			writeJSON(w, 200, claimsMap{"access_token": "a", "token_type": "Bearer"})
		}
		if _, err := op.client(func(c *Config) { c.Wire = &names }).ServiceToken(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

func TestServiceTokenErrors(t *testing.T) {
	op := newOP(t)
	c := op.client()
	op.token = reply(401, jsonType, `{"error":"invalid_client"}`)
	_, err := c.ServiceToken(context.Background())
	wantError(t, err, ReasonRequestRefused, "token endpoint")
	op.token = reply(200, jsonType, `{"access_token":"a","token_type":"mac"}`)
	_, err = c.ServiceToken(context.Background())
	wantError(t, err, ReasonTokenResponse, "token_type")
	op.token = nil
	if _, err := c.ServiceToken(context.Background()); err != nil {
		t.Errorf("an error was cached: %v", err)
	}
	c.service.turn <- struct{}{} // someone else is fetching
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = c.ServiceToken(ctx)
	wantError(t, err, ReasonTransport, "cancelled")
	c.ForgetServiceToken(ctx, Token{}) // returns
	<-c.service.turn
}
