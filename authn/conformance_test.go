package authn

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
)

// conformanceModule is a module of the OpenID Foundation's test plans for relying parties, run against a provider that
// does what the module's provider does. The result of run must be want: "accepts", or "rejects" with reason and check
// of the error.
type conformanceModule struct {
	name string
	does string // the provider
	want string
	run  func(*testing.T, *testOP) error
}

const accepts = "accepts"

// verdict names the outcome of a login as the table does.
func verdict(err error) string {
	if err == nil {
		return accepts
	}
	var e *Error
	if !errors.As(err, &e) {
		return "rejects without an error of this package"
	}
	return "rejects (" + e.Reason.String() + ": " + e.Step + ")"
}

func TestConformance(t *testing.T) {
	for _, m := range conformanceModules() {
		t.Run(m.name, func(t *testing.T) {
			op := newOP(t)
			err := m.run(t, op)
			if got := verdict(err); got != m.want {
				t.Errorf("%s, want %s", got, m.want)
			}
			if e := new(Error); errors.As(err, &e) && e.Family() == kakunin.User {
				t.Error("a fault of the provider is blamed on the person")
			}
		})
	}
}

// whole runs a whole login against a provider that was prepared. A refused ID token must not be used for anything.
func whole(prepare func(*testOP), change ...func(*Config)) func(*testing.T, *testOP) error {
	return func(t *testing.T, op *testOP) error {
		prepare(op)
		return op.complete(t, op.client(change...))
	}
}

func (op *testOP) complete(t *testing.T, c *Client) error {
	t.Helper()
	before := op.infoHits.Load()
	id, err := op.login(c, Request{Scopes: Attributes})
	switch {
	case err == nil && (!id.Person.Name.Present() || op.infoHits.Load() != before+1):
		t.Error("the login is not complete")
	case err != nil && id != nil:
		t.Error("an identity came with an error")
	}
	if e := new(Error); errors.As(err, &e) && e.Reason == ReasonIDToken && op.infoHits.Load() != before {
		t.Error("the access token that came with a refused ID token was used")
	}
	return err
}

// redirected runs a login whose authorization response was changed. A refused one must not reach the token endpoint.
func redirected(change func(*testOP, url.Values)) func(*testing.T, *testOP) error {
	return func(t *testing.T, op *testOP) error {
		op.callback = func(q url.Values) { change(op, q) }
		err := op.complete(t, op.client())
		if err != nil && op.tokenHits.Load() != 0 {
			t.Error("the token endpoint was called")
		}
		return err
	}
}

func nothing(*testOP) {}

// rsaSigned makes the provider sign with RS256.
func rsaSigned(op *testOP) { op.idKey = testRSAKey() }

func both(f, g func(*testOP)) func(*testOP) { return func(op *testOP) { f(op); g(op) } }

func claim(name string, value any) func(*testOP) {
	return func(op *testOP) { op.claims = set(name, value) }
}
func noClaim(name string) func(*testOP) { return func(op *testOP) { op.claims = without(name) } }

// foreignSignature signs with a key that is not published under the key id of one that is.
func foreignSignature(alg string, published, foreign func() Key) func(*testOP) {
	return func(op *testOP) {
		op.idKey = foreign()
		op.header = `{"alg":"` + alg + `","kid":"` + published().KeyID() + `"}`
	}
}

// fapi is the registration that FAPI 2.0 wants: ES256, and the issuer as the audience of assertions.
func fapi(c *Config) {
	c.Assertion.Audience = c.Environment.Issuer
	c.Rules.Algorithms = []Algorithm{ES256, PS256}
}

// fapiWhole is whole for a provider whose metadata promise the parameter iss (RFC 9207, section 3), and that sends it.
func fapiWhole(prepare func(*testOP)) func(*testing.T, *testOP) error {
	return func(t *testing.T, op *testOP) error {
		op.metadata = set("authorization_response_iss_parameter_supported", true)
		if err := op.discover(t); err != nil {
			return err
		}
		op.audience = op.env.Issuer
		op.callback = func(q url.Values) { q.Set("iss", op.env.Issuer) }
		return whole(prepare, fapi)(t, op)
	}
}

// fapiRedirected is redirected for the same provider.
func fapiRedirected(change func(*testOP, url.Values)) func(*testing.T, *testOP) error {
	return func(t *testing.T, op *testOP) error {
		op.metadata = set("authorization_response_iss_parameter_supported", true)
		if err := op.discover(t); err != nil {
			return err
		}
		return redirected(func(op *testOP, q url.Values) {
			q.Set("iss", op.env.Issuer)
			change(op, q)
		})(t, op)
	}
}

// discover takes the endpoints from the provider's metadata.
func (op *testOP) discover(t *testing.T) error {
	t.Helper()
	env, err := Discover(t.Context(), op.srv.Client(), op.env.Issuer)
	if err == nil {
		op.env = env
	}
	return err
}

// twice logs in once, lets the provider change its keys, and logs in again with the same client.
func twice(between func(*testOP)) func(*testing.T, *testOP) error {
	return func(t *testing.T, op *testOP) error {
		c := op.client()
		if err := op.complete(t, c); err != nil {
			return err
		}
		between(op)
		err := op.complete(t, c)
		if n := op.jwksHits.Load(); n != 2 {
			t.Errorf("%d requests for keys, want one and another", n)
		}
		return err
	}
}

func newKeys(op *testOP) {
	op.publish(testOtherEC())
	op.idKey = testOtherEC()
}

// refreshed logs in and refreshes; change prepares the provider in between.
func refreshed(change func(*testOP)) func(*testing.T, *testOP) error {
	return func(t *testing.T, op *testOP) error {
		op.refresh = true
		c := op.client()
		id, err := op.login(c, Request{Scopes: Attributes, KeepTokens: true})
		if err != nil {
			t.Fatal(err)
		}
		change(op)
		got, err := c.Refresh(t.Context(), id.RefreshToken())
		if err != nil {
			if got != nil {
				t.Error("a token came with an error")
			}
			return err
		}
		// The new access token works.
		if got.AccessToken.Reveal() != refreshedAccess {
			t.Error("the old access token came back")
		}
		_, err = c.Reread(t.Context(), id, got.AccessToken)
		return err
	}
}

func conformanceModules() []conformanceModule {
	const core, secure = "oidcc-client-test", "fapi2-security-profile-final-client-test-"
	idToken := func(check string) string { return "rejects (ID token: " + check + ")" }
	list := []conformanceModule{
		{core, "answers correctly", accepts, whole(nothing)},
		{core + "-invalid-iss", "another iss in the ID token", idToken("iss"),
			whole(claim("iss", "https://op.example"))},
		{core + "-missing-sub", "no sub in the ID token", idToken("sub"), whole(noClaim("sub"))},
		{core + "-invalid-aud", "another aud in the ID token", idToken("aud"), whole(claim("aud", "another-client"))},
		{core + "-missing-aud", "no aud in the ID token", idToken("aud"), whole(noClaim("aud"))},
		{core + "-missing-iat", "no iat in the ID token", idToken("iat"), whole(noClaim("iat"))},
		{core + "-kid-absent-single-jwks", "one RSA key, no kid in the header", accepts, whole(func(op *testOP) {
			rsaSigned(op)
			op.header = `{"alg":"RS256"}`
			op.publish(testRSAKey())
		})},
		{core + "-kid-absent-multiple-jwks", "two RSA keys that fit, no kid in the header", idToken("key"),
			whole(func(op *testOP) {
				rsaSigned(op)
				op.header = `{"alg":"RS256"}`
				op.publish(testRSAKey(), testOtherRSA())
			})},
		{core + "-idtoken-sig-rs256", "an ID token signed with RS256", accepts, whole(rsaSigned)},
		{core + "-idtoken-sig-none", "an ID token with alg none", idToken("alg"), whole(unsigned)},
		{core + "-invalid-sig-rs256", "an RS256 signature by another key", idToken("signature"),
			whole(foreignSignature("RS256", testRSAKey, testOtherRSA))},
		{core + "-invalid-sig-es256", "an ES256 signature by another key", idToken("signature"),
			whole(foreignSignature("ES256", testECKey, testOtherEC))},
		{core + "-invalid-sig-hs256", "an HS256 signature keyed with the published key", idToken("alg"),
			whole(symmetric)},
		{core + "-invalid-athash", "at_hash of another access token", idToken("at_hash"),
			whole(claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"))},
		{core + "-missing-athash", "no at_hash (Rules.AtHashOptional allows it)", idToken("at_hash"),
			whole(noClaim("at_hash"))},
		{core + "-userinfo-invalid-sub", "userinfo about another subject", "rejects (userinfo: sub)",
			whole(func(op *testOP) {
				op.person = with(op.person, "sub", "another")
			})},
		{core + "-nonce-invalid", "another nonce in the ID token", idToken("nonce"),
			whole(claim("nonce", randomText(secretSize)))},
		{core + "-nonce-unless-code-flow", "expects a nonce in the request", accepts, whole(nothing)},
		{core + "-scope-userinfo-claims", "the attributes of the scopes in userinfo", accepts, scopeClaims},
		{core + "-userinfo-bearer-header", "expects the access token in the header", accepts, whole(nothing)},
		{core + "-userinfo-signed", "userinfo signed with RS256", accepts, whole(func(op *testOP) {
			op.info = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/jwt")
				_, _ = w.Write([]byte(op.signedInfo(testRSAKey())))
			}
		})},
		{core + "-form-post-error", "posts an error as form data", "rejects (request refused: error)", formPostError},

		{core + "-discovery-openid-config", "metadata", accepts, discovered(nothing)},
		{core + "-discovery-jwks-uri-keys", "jwks_uri at a place of its own", accepts, discovered(func(op *testOP) {
			op.metadata = set("jwks_uri", op.srv.URL+"/keys/"+randomText(8))
		})},
		{core + "-discovery-issuer-mismatch", "another issuer in the metadata",
			"rejects (configuration: discovery issuer)", discovered(func(op *testOP) {
				op.metadata = set("issuer", "https://op.example")
			})},
		{core + "-signing-key-rotation", "new keys between two logins", accepts, twice(newKeys)},
		{core + "-signing-key-rotation-just-before-signing", "new keys while the token request is answered", accepts,
			twice(func(op *testOP) {
				op.claims = func(claimsMap) { newKeys(op) }
			})},

		{core + "-refresh-token", "a new access token, which userinfo accepts", accepts, refreshed(nothing)},
		{core + "-refresh-token-invalid-issuer", "another iss in the refreshed ID token", idToken("iss"),
			refreshed(claim("iss", "https://op.example"))},
		{core + "-refresh-token-invalid-sub", "another sub in the refreshed ID token", idToken("sub"),
			refreshed(claim("sub", "another"))},

		{secure + "happy-path", "answers correctly, with iss", accepts, fapiWhole(nothing)},
		{secure + "happy-path-no-dpop-nonce", "answers correctly, and never asks for DPoP", accepts,
			fapiWhole(nothing)},
		{secure + "token-endpoint-response-without-expires_in", "no expires_in in the token response", accepts,
			fapiWhole(func(op *testOP) {
				op.answer = without("expires_in")
			})},
		{secure + "token-type-case-insensitivity", "token_type bEaReR", accepts, fapiWhole(func(op *testOP) {
			op.answer = set("token_type", "bEaReR")
		})},
		{secure + "valid-aud-as-array", "aud as an array of one", accepts,
			fapiWhole(claim("aud", []string{testClientID}))},
		{secure + "invalid-iss", "another iss in the ID token", idToken("iss"),
			fapiWhole(claim("iss", "https://op.example"))},
		{secure + "invalid-aud", "another aud in the ID token", idToken("aud"),
			fapiWhole(claim("aud", "another-client"))},
		{secure + "invalid-secondary-aud", "a stranger beside us in aud, no azp", idToken("azp"),
			fapiWhole(func(op *testOP) {
				op.claims = func(m claimsMap) { m["aud"] = []string{testClientID, "stranger"}; delete(m, "azp") }
			})},
		{secure + "invalid-null-alg", "an ID token with alg none", idToken("alg"), fapiWhole(unsigned)},
		{secure + "invalid-alternate-alg", "RS256 where ES256 or PS256 was agreed", idToken("alg"),
			fapiWhole(rsaSigned)},
		{secure + "invalid-expired-exp", "an ID token that expired more than 5 min ago", idToken("exp"),
			fapiWhole(func(op *testOP) {
				op.claims = set("exp", op.clock.now().Add(-5*time.Minute-time.Second).Unix())
			})},
		{secure + "invalid-missing-exp", "no exp in the ID token", idToken("exp"), fapiWhole(noClaim("exp"))},
		{secure + "invalid-missing-aud", "no aud in the ID token", idToken("aud"), fapiWhole(noClaim("aud"))},
		{secure + "invalid-missing-iss", "no iss in the ID token", idToken("iss"), fapiWhole(noClaim("iss"))},
		{secure + "invalid-nonce", "another nonce in the ID token", idToken("nonce"),
			fapiWhole(claim("nonce", randomText(secretSize)))},
		{secure + "invalid-missing-nonce", "no nonce in the ID token", idToken("nonce"), fapiWhole(noClaim("nonce"))},
		{secure + "discovery-issuer-mismatch", "another issuer in the metadata",
			"rejects (configuration: discovery issuer)", discovered(func(op *testOP) {
				op.metadata = func(m claimsMap) { m["issuer"] = m["issuer"].(string) + "/" }
			})},
		{secure + "invalid-authorization-response-iss", "another iss in the redirect", "rejects (issuer mismatch: iss)",
			fapiRedirected(func(_ *testOP, q url.Values) {
				q.Set("iss", "https://op.example")
			})},
		{secure + "remove-authorization-response-iss", "no iss in the redirect, though the metadata promise it",
			"rejects (issuer mismatch: iss)", fapiRedirected(func(_ *testOP, q url.Values) {
				q.Del("iss")
			})},
		{secure + "ensure-authorization-response-with-invalid-state-fails", "another state in the redirect",
			"rejects (state mismatch: state)", fapiRedirected(func(_ *testOP, q url.Values) {
				q.Set("state", randomText(secretSize))
			})},
		{secure + "ensure-authorization-response-with-invalid-missing-state-fails", "no state in the redirect",
			"rejects (state mismatch: state)", fapiRedirected(func(_ *testOP, q url.Values) {
				q.Del("state")
			})},
		{"fapi2-security-profile-final-client-refresh-token-test",
			"401 for the access token, then two refreshes with rotation", accepts, refreshAfter401},
	}
	return list
}

// unsigned makes ID tokens with alg none and an empty signature.
func unsigned(op *testOP) {
	op.alterID = func(s string) string { return b64(`{"alg":"none"}`) + "." + strings.Split(s, ".")[1] + "." }
}

// symmetric makes ID tokens with HS256 and the public key as the secret, as in the classic confusion of key types.
func symmetric(op *testOP) {
	op.alterID = func(s string) string {
		secret, err := x509.MarshalPKIXPublicKey(testECKey().signing().Signer.Public())
		if err != nil {
			op.tb.Error(err)
		}
		signed := b64(`{"alg":"HS256","kid":"`+testECKey().KeyID()+`"}`) + "." + strings.Split(s, ".")[1]
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(signed))
		return signed + "." + b64(string(mac.Sum(nil)))
	}
}

// discovered is a login with the endpoints from the metadata.
func discovered(prepare func(*testOP)) func(*testing.T, *testOP) error {
	return func(t *testing.T, op *testOP) error {
		prepare(op)
		if err := op.discover(t); err != nil {
			return err
		}
		var asked []string
		seen := op.env.JWKSEndpoint
		op.setKeys(func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, op.srv.URL+r.URL.Path)
			op.setKeys(nil)
			op.serveKeys(w, r)
		})
		err := op.complete(t, op.client())
		if !slices.Equal(asked, []string{seen}) {
			t.Errorf("keys were fetched from %q, the metadata say %q", asked, seen)
		}
		return err
	}
}

func scopeClaims(t *testing.T, op *testOP) error {
	id, err := op.login(op.client(), Request{Scopes: Attributes})
	if err == nil && (!id.Person.Name.Present() || !id.Person.Address.Present() || !id.Person.Birthdate.Present() ||
		!id.Person.Gender.Present()) {
		t.Error("an attribute is missing")
	}
	return err
}

// formPostError: whatever the response mode, an error response is read the same way, and leads nowhere.
func formPostError(t *testing.T, op *testOP) error {
	c := op.client()
	begun := op.begin(c, Request{})
	body := url.Values{"error": {"invalid_request"}, "error_description": {"<script>"},
		"state": {begun.Pending.State()}}
	r := httptest.NewRequest(http.MethodPost, "/auth/callback", strings.NewReader(body.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if err := r.ParseForm(); err != nil {
		t.Fatal(err)
	}
	id, err := c.Finish(t.Context(), begun.Pending, r.PostForm)
	if id != nil || op.tokenHits.Load() != 0 {
		t.Error("something came of it")
	}
	if text := kakunin.MessageFor(err, kakunin.English); text == "" || strings.Contains(text+err.Error(), "script") {
		t.Errorf("the error page would say %q", text)
	}
	return err
}

// refreshAfter401: the provider's checks on every assertion make sure that each refresh has one of its own.
func refreshAfter401(t *testing.T, op *testOP) error {
	op.audience, op.refresh, op.rotate = op.env.Issuer, true, true
	c := op.client(fapi)
	id, err := op.login(c, Request{KeepTokens: true})
	if err != nil {
		return err
	}
	op.info = func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusUnauthorized, claimsMap{"error": "invalid_token"})
	}
	_, err = c.Reread(t.Context(), id, id.AccessToken())
	wantError(t, err, ReasonTokenRejected, "userinfo: status")
	op.info = nil
	token, access := id.RefreshToken(), Token{}
	for range 2 {
		got, err := c.Refresh(t.Context(), token)
		if err != nil {
			return err
		}
		if !got.Rotated {
			t.Error("the new refresh token was not taken")
		}
		token, access = got.RefreshToken, got.AccessToken
	}
	if _, err := c.Refresh(t.Context(), id.RefreshToken()); err == nil {
		t.Error("the provider takes a refresh token that was replaced")
	}
	_, err = c.Reread(t.Context(), id, access)
	return err
}
