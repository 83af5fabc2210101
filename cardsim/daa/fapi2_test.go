package daa_test

import (
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/internal/jose"
)

// fapi2World is a service in its strictest configuration with two clients, as the plan has them.
type fapi2World struct {
	*testing.T
	one, two *relyingParty
	clock    *clock
}

func newFAPI2World(t *testing.T) *fapi2World {
	t.Helper()
	now := newClock()
	knobs := withProfile(daa.AssertionStrictFAPI2)
	knobs.Token.Refresh.Mode = daa.RefreshRotating
	knobs.Authorization.Callback.Issuer = daa.CallbackIssuerOn
	other := newKey(t)
	one := start(t, withClient("RP00000002", other), follow(t, now), daa.WithKnobs(knobs))
	one.aud = one.svc.Environment().Issuer
	two := &relyingParty{
		t: t, svc: one.svc, id: "RP00000002", aud: one.aud,
		key: jose.SigningKey{Signer: other, Algorithm: jose.ES256},
	}
	return &fapi2World{t, one, two, now}
}

// code is the code of a whole visit for client 1.
func (w *fapi2World) code() string { return w.one.approve(w.one.authorization()).Get("code") }

// refused wants an error at the token endpoint.
func (w *fapi2World) refused(a answer, code string) {
	w.Helper()
	if a.status < 400 || a.status > 499 || a.json["error"] != code || a.json["access_token"] != nil {
		w.Errorf("got %d %s, want %s", a.status, a.body, code)
	}
}

// sentBack wants an error at the redirect URL, with the state of the request and the issuer.
func (w *fapi2World) sentBack(q url.Values, code string) {
	w.Helper()
	a := w.one.do(http.MethodGet, w.one.authorizationURL(q), "", "", "")
	got := w.one.callback(a.header.Get("Location"))
	if got.Get("error") != code || got.Get("state") != q.Get("state") || got.Get("iss") != w.one.aud ||
		got.Has("code") {
		w.Errorf("%v, want %s", got, code)
	}
}

// onAPage wants an error that stays with the service.
func (w *fapi2World) onAPage(q url.Values) {
	w.Helper()
	a := w.one.do(http.MethodGet, w.one.authorizationURL(q), "", "", "")
	if a.status != http.StatusBadRequest || a.header.Get("Location") != "" ||
		!strings.Contains(string(a.body), "<main") {
		w.Errorf("%d, to %q", a.status, a.header.Get("Location"))
	}
}

// asserting sends an otherwise good token request with these claims in the assertion.
func (w *fapi2World) asserting(pairs ...any) answer {
	w.Helper()
	return w.one.serviceTokenWith(change(w.one.claims(), pairs...))
}

func fapi2Discovery(w *fapi2World) {
	a := w.one.do(http.MethodGet, w.one.aud+"/.well-known/openid-configuration", "", "", "")
	list := func(name string) []string {
		var texts []string
		values, _ := a.json[name].([]any)
		for _, v := range values {
			text, _ := v.(string)
			texts = append(texts, text)
		}
		slices.Sort(texts)
		return texts
	}
	for name, want := range map[string][]string{
		"response_types_supported":              {"code"},
		"code_challenge_methods_supported":      {"S256"},
		"token_endpoint_auth_methods_supported": {"private_key_jwt"},
		"grant_types_supported":                 {"authorization_code", "client_credentials", "refresh_token"},
	} {
		if got := list(name); !slices.Equal(got, want) {
			w.Errorf("%s: %v", name, got)
		}
	}
	for _, alg := range []string{"ES256", "PS256"} {
		if !slices.Contains(list("token_endpoint_auth_signing_alg_values_supported"), alg) {
			w.Errorf("no %s for assertions", alg)
		}
	}
	e := w.one.svc.Environment()
	for name, want := range map[string]any{
		"issuer": w.one.aud, "authorization_response_iss_parameter_supported": true, "jwks_uri": e.JWKSEndpoint,
		"authorization_endpoint": e.AuthorizationEndpoint, "token_endpoint": e.TokenEndpoint,
		"userinfo_endpoint": e.UserinfoEndpoint, "claims_parameter_supported": false,
		"request_parameter_supported": false, "request_uri_parameter_supported": false,
	} {
		if a.json[name] != want {
			w.Errorf("%s: %v, want %v", name, a.json[name], want)
		}
	}
}

func fapi2HappyFlow(w *fapi2World) {
	subjects := map[string]bool{}
	for _, rp := range []*relyingParty{w.one, w.two} {
		back := rp.approve(rp.authorization())
		if back.Get("iss") != rp.aud || back.Get("state") != "a-state" {
			w.Errorf("%v", back)
		}
		a := rp.token(rp.exchange(back.Get("code")))
		claims := rp.idClaims(a)
		if a.text("token_type") != "Bearer" || claims["aud"] != rp.id || claims["iss"] != rp.aud {
			w.Errorf("%s: %v", rp.id, claims)
		}
		info := rp.do(http.MethodGet, rp.svc.Environment().UserinfoEndpoint, a.text("access_token"), "", "")
		if info.status != http.StatusOK || info.json["sub"] != claims["sub"] || info.json["name"] == nil {
			w.Errorf("userinfo: %d %s", info.status, info.body)
		}
		subjects[info.text("sub")] = true
	}
	if len(subjects) != 2 {
		w.Errorf("%d subjects of one person at two clients", len(subjects))
	}
}

func fapi2ScopeOrder(w *fapi2World) {
	q := with(w.one.authorization(), "scope", "gender birthdate address name openid")
	a := w.one.token(w.one.exchange(w.one.approve(q).Get("code")))
	if a.status != http.StatusOK || len(strings.Fields(a.text("scope"))) != 5 {
		w.Errorf("%d %s", a.status, a.body)
	}
}

func fapi2TokenTypeCase(w *fapi2World) {
	access := w.one.mustToken(w.one.exchange(w.code()))
	for _, scheme := range []string{"bearer", "BEARER", "Bearer"} {
		a := w.one.do(http.MethodGet, w.one.svc.Environment().UserinfoEndpoint, "", "", "", func(r *http.Request) {
			r.Header.Set("Authorization", scheme+" "+access)
		})
		if a.status != http.StatusOK {
			w.Errorf("%s: %d", scheme, a.status)
		}
	}
}

func fapi2ClientID(w *fapi2World) {
	w.refused(w.one.token(with(w.one.exchange(w.code()), "client_id", w.two.id)), "invalid_client")
}

func fapi2CodeOfAnother(w *fapi2World) {
	w.refused(w.two.token(w.two.exchange(w.code())), "invalid_grant")
}

func fapi2CodeTwice(w *fapi2World) {
	code := w.code()
	first := w.one.token(w.one.exchange(code))
	w.clock.advance(time.Second)
	w.refused(w.one.token(w.one.exchange(code)), "invalid_grant")
	info := w.one.do(http.MethodGet, w.one.svc.Environment().UserinfoEndpoint, first.text("access_token"), "", "")
	if info.status != http.StatusUnauthorized {
		w.Errorf("the first access token is still good: %d", info.status)
	}
	w.refused(w.one.token(w.one.refresh(first.text("refresh_token"))), "invalid_grant")
}

func fapi2NoAssertion(w *fapi2World) {
	for _, missing := range [][]string{
		{"client_assertion", "client_assertion_type"}, {"client_assertion"}, {"client_assertion_type"},
	} {
		w.refused(w.one.token(without(w.one.exchange(w.code()), missing...)), "invalid_client")
	}
}

func fapi2BadAssertions(w *fapi2World) {
	for name, wrong := range map[string][]any{
		"iss": {nil, w.two.id, "", 7}, "sub": {nil, w.two.id, "", 7}, "aud": {nil, "", 7, w.one.aud + "/"},
		"jti": {nil, "", 7}, "exp": {nil, "soon", -1, true}, "iat": {nil, "now"},
	} {
		for _, value := range wrong {
			w.Run(name, func(t *testing.T) {
				w.one.t = t
				(&fapi2World{t, w.one, w.two, w.clock}).refused(w.asserting(name, value), "invalid_client")
			})
		}
	}
	w.one.t = w.T
	payload, err := json.Marshal(w.one.claims())
	if err != nil {
		w.Fatal(err)
	}
	b64 := base64.RawURLEncoding
	for alg, sign := range map[string]func(input string) []byte{
		"none": func(string) []byte { return nil },
		"HS256": func(input string) []byte {
			mac := hmac.New(sha256.New, []byte(w.one.id))
			mac.Write([]byte(input))
			return mac.Sum(nil)
		},
	} {
		input := b64.EncodeToString([]byte(`{"alg":"`+alg+`"}`)) + "." + b64.EncodeToString(payload)
		form := with(w.one.exchange(w.code()), "client_assertion", input+"."+b64.EncodeToString(sign(input)))
		w.refused(w.one.token(form), "invalid_client")
	}
	w.refused(w.one.token(with(w.one.exchange(w.code()), "client_assertion",
		w.one.assertion(w.two.key, w.one.claims()))), "invalid_client")
	once := w.one.exchange(w.code())
	w.one.mustToken(once)
	w.refused(w.one.token(once), "invalid_client") // RFC 7523: jti, before anybody looks at the code
	w.one.mustToken(w.one.exchange(w.code()))
}

func fapi2Refresh(w *fapi2World) {
	login := w.one.loginTokens()
	first := login.text("refresh_token")
	w.refused(w.two.token(w.two.refresh(first)), "invalid_grant")
	w.refused(w.one.token(without(w.one.refresh(first), "client_assertion")), "invalid_client")
	next := w.one.token(w.one.refresh(first))
	if next.status != http.StatusOK || next.text("refresh_token") == first || next.text("access_token") == "" {
		w.Fatalf("%d %s", next.status, next.body)
	}
	if was, is := w.one.idClaims(login), w.one.idClaims(next); was["sub"] != is["sub"] || was["iss"] != is["iss"] {
		w.Errorf("%v became %v", was, is)
	}
	w.refused(w.one.token(w.one.refresh(first)), "invalid_grant")
	w.refused(w.one.token(w.one.refresh(next.text("refresh_token"), "scope", "openid sign")), "invalid_scope")
	if again := w.one.token(w.one.refresh(next.text("refresh_token"))); again.status != http.StatusOK {
		w.Errorf("%d %s", again.status, again.body)
	}
}

func fapi2NoChallenge(w *fapi2World) {
	w.sentBack(without(w.one.authorization(), "code_challenge", "code_challenge_method"), "invalid_request")
	w.sentBack(without(w.one.authorization(), "code_challenge"), "invalid_request")
}

func fapi2NoRedirect(w *fapi2World) { w.onAPage(without(w.one.authorization(), "redirect_uri")) }

func fapi2NoVerifier(w *fapi2World) {
	w.refused(w.one.token(without(w.one.exchange(w.code()), "code_verifier")), "invalid_grant")
}

func fapi2WrongVerifier(w *fapi2World) {
	w.refused(w.one.token(with(w.one.exchange(w.code()), "code_verifier", strings.Repeat("x", 64))), "invalid_grant")
}

func fapi2PlainPKCE(w *fapi2World) {
	plain := with(w.one.authorization(), "code_challenge_method", "plain", "code_challenge", verifier)
	w.sentBack(plain, "invalid_request")
	w.sentBack(without(plain, "code_challenge_method"), "invalid_request") // RFC 7636: the default is plain
}

func fapi2Cancel(w *fapi2World) {
	for _, rp := range []*relyingParty{w.one, w.two} {
		back, err := w.one.svc.Visitor().Cancel(w.Context(), rp.authorizationURL(rp.authorization()))
		if err != nil {
			w.Fatal(err)
		}
		got := rp.callback(back)
		if got.Get("error") != "access_denied" || got.Get("state") != "a-state" || got.Get("iss") != rp.aud ||
			got.Has("code") {
			w.Errorf("%v", got)
		}
	}
}

func fapi2Nonce(w *fapi2World) {
	nonce := strings.Repeat("0123456789abcdef", 4)
	a := w.one.token(w.one.exchange(w.one.approve(with(w.one.authorization(), "nonce", nonce)).Get("code")))
	if got := w.one.idClaims(a)["nonce"]; got != nonce {
		w.Errorf("%v", got)
	}
}

func fapi2LongNonce(w *fapi2World) {
	w.sentBack(with(w.one.authorization(), "nonce", strings.Repeat("n", 384)), "invalid_request")
}

func fapi2LongState(w *fapi2World) {
	a := w.one.do(http.MethodGet, w.one.authorizationURL(
		with(w.one.authorization(), "state", strings.Repeat("s", 1000))), "", "", "")
	got := w.one.callback(a.header.Get("Location"))
	if got.Get("error") != "invalid_request" || got.Has("state") {
		w.Errorf("%v", got)
	}
}

func fapi2OtherRedirect(w *fapi2World) {
	for _, other := range []string{
		redirect + "/", redirect + "?a=b", "https://shop.example/", "https://SHOP.example/auth/callback",
		strings.Replace(redirect, "https", "http", 1), "https://shop.example:443/auth/callback",
		"https://evil.example/",
	} {
		w.onAPage(with(w.one.authorization(), "redirect_uri", other))
	}
}

func fapi2Hybrid(w *fapi2World) {
	w.sentBack(with(w.one.authorization(), "response_type", "code id_token"), "unsupported_response_type")
}

func fapi2Implicit(w *fapi2World) {
	w.sentBack(with(w.one.authorization(), "response_type", "token"), "unsupported_response_type")
}

func fapi2LateCode(w *fapi2World) {
	code := w.code()
	w.clock.advance(62 * time.Second)
	w.refused(w.one.token(w.one.exchange(code)), "invalid_grant")
}

func fapi2RS256(w *fapi2World) {
	key := w.one.svc.JPKI().Key("client with RSA")
	if err := w.one.svc.Register(daa.ClientRegistration{
		ID: "RP00000003", JWKS: jwksOf(w.T, &key.PublicKey), RedirectURLs: []string{redirect},
	}); err != nil {
		w.Fatal(err)
	}
	three := &relyingParty{t: w.T, svc: w.one.svc, id: "RP00000003", aud: w.one.aud}
	form := url.Values{"grant_type": {"client_credentials"}}
	three.key = jose.SigningKey{Signer: key, Algorithm: jose.RS256}
	for name, values := range three.credentials() {
		form[name] = values
	}
	w.refused(three.token(form), "invalid_client")
	three.key.Algorithm = jose.PS256
	three.mustToken(with(form, "client_assertion", three.credentials().Get("client_assertion")))
}

// jwksOf is a set with one RSA key for any algorithm.
func jwksOf(t *testing.T, key *rsa.PublicKey) []byte {
	t.Helper()
	set, err := jose.MarshalKeySet(jose.PublicKey{Key: key, Use: "sig"})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func fapi2OldAssertion(w *fapi2World) {
	past := w.clock.now().Add(-5 * time.Minute)
	w.refused(w.asserting("iat", past.Add(-time.Minute).Unix(), "exp", past.Unix()), "invalid_client")
	w.refused(w.asserting("exp", past.Unix()), "invalid_client")
}

func fapi2WrongAudience(w *fapi2World) {
	for _, aud := range []any{
		"https://evil.example", w.one.svc.Environment().TokenEndpoint, []string{w.one.aud},
		[]string{w.one.aud, "https://evil.example"},
	} {
		w.refused(w.asserting("aud", aud), "invalid_client")
	}
}

func fapi2NoSubject(w *fapi2World) { w.refused(w.asserting("sub", nil), "invalid_client") }

func fapi2ResponseMode(w *fapi2World) {
	for _, mode := range []string{"fragment", "form_post", "jwt", "query.jwt"} {
		w.sentBack(with(w.one.authorization(), "response_mode", mode), "invalid_request")
	}
	if w.one.approve(with(w.one.authorization(), "response_mode", "query")).Get("code") == "" {
		w.Error("query is refused")
	}
}

func fapi2RequestObject(w *fapi2World) {
	w.sentBack(with(w.one.authorization(), "request", "e30.e30."), "request_not_supported")
	w.sentBack(with(w.one.authorization(), "request_uri", "urn:example:1"), "request_uri_not_supported")
}

func fapi2Issuer(w *fapi2World) {
	if got := w.one.approve(w.one.authorization()).Get("iss"); got != w.one.aud {
		w.Errorf("%q", got)
	}
	w.sentBack(without(w.one.authorization(), "nonce"), "invalid_request") // which looks for iss
}

func fapi2CodeElsewhere(w *fapi2World) {
	w.refused(w.one.token(with(w.one.exchange(w.code()), "redirect_uri", "https://shop.example/other")),
		"invalid_grant")
}

func fapi2Secret(w *fapi2World) {
	form := without(w.one.exchange(w.code()), "client_assertion", "client_assertion_type")
	w.refused(w.one.token(with(form, "client_secret", "secret")), "invalid_client")
	a := w.one.do(http.MethodPost, w.one.svc.Environment().TokenEndpoint, "", formType, form.Encode(),
		func(r *http.Request) { r.SetBasicAuth(w.one.id, "secret") })
	w.refused(a, "invalid_client")
}

func fapi2TokenInQuery(w *fapi2World) {
	access := w.one.mustToken(w.one.exchange(w.code()))
	a := w.one.do(http.MethodGet, w.one.svc.Environment().UserinfoEndpoint+"?access_token="+access, "", "", "")
	if a.status != http.StatusBadRequest {
		w.Errorf("%d", a.status)
	}
}
