package authn

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

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

// Every request of the token endpoint has the parameters of its grant, the client's credentials in the body, and nothing
// else. The test OP checks the assertion.
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
				got, all := slices.Sorted(maps.Keys(r.PostForm)), slices.Sorted(slices.Values(append(want[name].parameters, client...)))
				if !slices.Equal(got, all) || r.PostForm.Get("grant_type") != want[name].grantType {
					t.Errorf("%s with %q, want %q", r.PostForm.Get("grant_type"), got, all)
				}
				if r.Header.Get("Accept") != jsonType || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.URL.RawQuery != "" {
					t.Errorf("%v %s", r.Header, r.URL)
				}
				writeJSON(w, http.StatusOK, claimsMap{"access_token": testAccess, "token_type": "bearer", "id_token": op.idToken("", testAccess)})
			}
			if err := call(); err != nil || op.tokenHits.Load() != hits+1 {
				t.Errorf("%d requests, %v", op.tokenHits.Load()-hits, err)
			}
		})
	}
}

// Package oauth2 takes its HTTP client from the context. An application that uses it for something else has one there: it
// must not see code and assertion, and its redirects and limits are not ours.
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
	g := &tokenGuard{base: canned{http.StatusOK, jsonType, "{" + goodAnswer + "}"}}
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
	if want := `{"token_type":"Bearer","access_token":"` + testAccess + `"}`; string(b) != want {
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
	e := wantError(t, tokenError(&url.Error{Op: "Post", URL: "https://op.example/secret", Err: io.ErrUnexpectedEOF}), ReasonTransport, "connection")
	if e.Err != io.ErrUnexpectedEOF { //nolint:errorlint // the URL around it is dropped
		t.Errorf("%v", e.Err)
	}
}
