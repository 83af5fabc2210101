package daa_test

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/internal/jose"
)

func withClient(id string, key *ecdsa.PrivateKey) daa.Option {
	return daa.WithClient(daa.ClientRegistration{ID: id, Key: key.Public(), RedirectURLs: []string{redirect}})
}

func change(claims map[string]any, pairs ...any) map[string]any {
	for i := 0; i+1 < len(pairs); i += 2 {
		name, _ := pairs[i].(string)
		if pairs[i+1] == nil {
			delete(claims, name)
			continue
		}
		claims[name] = pairs[i+1]
	}
	return claims
}

func withProfile(p daa.AssertionProfile) daa.Knobs {
	return daa.Knobs{Token: daa.TokenKnobs{Assertion: daa.AssertionKnobs{Profile: p}}}
}

// Every check that an OpenID Provider has to make on private_key_jwt (OpenID Connect Core 1.0, section 9; RFC 7523,
// section 3; FAPI 2.0 Security Profile).
func TestClientAssertionRefused(t *testing.T) {
	rp := start(t, daa.WithKnobs(withProfile(daa.AssertionStrictFAPI2)))
	issuer := rp.svc.Environment().Issuer
	strict := func() map[string]any { return change(rp.claims(), "aud", issuer) }
	now := time.Now()
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	for name, claims := range map[string]map[string]any{
		"no iss":                    change(strict(), "iss", nil),
		"iss of another":            change(strict(), "iss", "RP99999999"),
		"no sub":                    change(strict(), "sub", nil),
		"sub of another":            change(strict(), "sub", "RP99999999"),
		"sub not a string":          change(strict(), "sub", 1),
		"no aud":                    change(strict(), "aud", nil),
		"aud is the token endpoint": change(strict(), "aud", rp.svc.Environment().TokenEndpoint),
		"aud with a slash":          change(strict(), "aud", issuer+"/"),
		"aud is an array":           change(strict(), "aud", []string{issuer}),
		"aud is an array of two":    change(strict(), "aud", []string{issuer, "https://other.example"}),
		"no jti":                    change(strict(), "jti", nil),
		"empty jti":                 change(strict(), "jti", ""),
		"jti not a string":          change(strict(), "jti", 7),
		"long jti":                  change(strict(), "jti", strings.Repeat("j", 256)),
		"no exp":                    change(strict(), "exp", nil),
		"exp as text":               change(strict(), "exp", "soon"),
		"expired":                   change(strict(), "iat", at(-20*time.Second), "exp", at(-time.Second)),
		"expired 5 minutes ago":     change(strict(), "iat", at(-6*time.Minute), "exp", at(-5*time.Minute)),
		"lifetime of 61 s":          change(strict(), "iat", at(0), "exp", at(61*time.Second)),
		"lifetime of a day":         change(strict(), "exp", at(24*time.Hour)),
		"no iat":                    change(strict(), "iat", nil),
		"iat null":                  change(strict(), "iat", json.RawMessage("null")),
		"iat a minute ahead":        change(strict(), "iat", at(time.Minute), "exp", at(90*time.Second)),
		"nbf more than a minute on": change(strict(), "nbf", at(70*time.Second)),
		"nbf as text":               change(strict(), "nbf", "now"),
	} {
		t.Run(name, func(t *testing.T) {
			form := rp.credentials()
			form.Set("grant_type", "client_credentials")
			form.Set("client_assertion", rp.assertion(rp.key, claims))
			wantRefused(t, rp.token(form), http.StatusUnauthorized, "invalid_client")
		})
	}
}

func TestClientAssertionAccepted(t *testing.T) {
	rp := start(t)
	for name, claims := range map[string]map[string]any{
		"nbf 8 s ahead": change(rp.claims(), "nbf", time.Now().Add(8*time.Second).Unix()),
		"iat 5 s ahead": change(rp.claims(), "iat", time.Now().Add(5*time.Second).Unix()),
		"fractions":     change(rp.claims(), "iat", float64(time.Now().UnixMilli())/1000),
		"unknown claim": change(rp.claims(), "x", "y"),
	} {
		t.Run(name, func(t *testing.T) {
			form := without(rp.credentials(), "client_id") // it is in the assertion
			form.Set("grant_type", "client_credentials")
			form.Set("client_assertion", rp.assertion(rp.key, claims))
			if a := rp.token(form); a.status != http.StatusOK {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
}

func TestClientAuthenticationRefused(t *testing.T) {
	other := newKey(t)
	rp := start(t, withClient("RP00000002", other))
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	payload, _ := json.Marshal(rp.claims())
	b64 := base64.RawURLEncoding.EncodeToString
	none := b64([]byte(`{"alg":"none"}`)) + "." + b64(payload) + "."
	input := b64([]byte(`{"alg":"HS256"}`)) + "." + b64(payload)
	mac := hmac.New(sha256.New, []byte(rpID))
	mac.Write([]byte(input))
	good := func() url.Values {
		f := rp.credentials()
		f.Set("grant_type", "client_credentials")
		return f
	}
	tampered := good().Get("client_assertion")
	tampered = tampered[:len(tampered)-8] + "AAAAAAAA"
	used := good()
	if a := rp.token(used); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for name, form := range map[string]url.Values{
		"nothing": without(good(), "client_assertion", "client_assertion_type"),
		"no type": without(good(), "client_assertion_type"),
		"other type": with(good(), "client_assertion_type",
			"urn:ietf:params:oauth:client-assertion-type:saml2-bearer"),
		"no assertion": without(good(), "client_assertion"),
		"not a JWS":    with(good(), "client_assertion", "a.b.c"),
		"a JWE":        with(good(), "client_assertion", strings.Repeat("e30.", 4)+"e30"),
		"none":         with(good(), "client_assertion", none),
		"HS256":        with(good(), "client_assertion", input+"."+b64(mac.Sum(nil))),
		"tampered":     with(good(), "client_assertion", tampered),
		"foreign key": with(good(), "client_assertion",
			rp.assertion(jose.SigningKey{Signer: newKey(t), Algorithm: jose.ES256}, rp.claims())),
		"another's key": with(good(), "client_assertion",
			rp.assertion(jose.SigningKey{Signer: other, Algorithm: jose.ES256}, rp.claims())),
		"another algorithm": with(good(), "client_assertion",
			rp.assertion(jose.SigningKey{Signer: rsaKey, Algorithm: jose.RS256}, rp.claims())),
		"used before":        used,
		"another client_id":  with(good(), "client_id", "RP00000002"),
		"secret beside it":   with(good(), "client_secret", "x"),
		"client_secret_post": with(without(good(), "client_assertion", "client_assertion_type"), "client_secret", "x"),
	} {
		t.Run(name, func(t *testing.T) {
			wantRefused(t, rp.token(form), http.StatusBadRequest, "invalid_client")
		})
	}
	t.Run("Basic", func(t *testing.T) {
		a := rp.do(http.MethodPost, rp.svc.Environment().TokenEndpoint, "", formType, good().Encode(),
			func(r *http.Request) { r.SetBasicAuth(rpID, "secret") })
		wantRefused(t, a, http.StatusUnauthorized, "invalid_client")
	})
	t.Run("key id", func(t *testing.T) {
		key := newKey(t)
		rp := start(t, daa.WithClient(daa.ClientRegistration{
			ID: "RP00000003", Key: key.Public(), KeyID: "k1", RedirectURLs: []string{redirect},
		}))
		rp.id = "RP00000003"
		for kid, want := range map[string]int{"k1": http.StatusOK, "": http.StatusOK, "k2": http.StatusBadRequest} {
			rp.key = jose.SigningKey{Signer: key, Algorithm: jose.ES256, KeyID: kid}
			form := rp.credentials()
			form.Set("grant_type", "client_credentials")
			if a := rp.token(form); a.status != want {
				t.Errorf("kid %q: %d, want %d", kid, a.status, want)
			}
		}
	})
}

func wantRefused(t *testing.T, a answer, status int, code string) {
	t.Helper()
	if a.status != status || a.json["error"] != code || a.json["access_token"] != nil {
		t.Errorf("got %d %s, want %d %s", a.status, a.body, status, code)
	}
	if a.header.Get("Cache-Control") != "no-store" {
		t.Error("the answer may be cached")
	}
}

func TestTokenRequestShape(t *testing.T) {
	rp := start(t)
	good := func() url.Values {
		f := rp.credentials()
		f.Set("grant_type", "client_credentials")
		return f
	}
	endpoint := rp.svc.Environment().TokenEndpoint
	twice := good()
	twice.Add("grant_type", "client_credentials")
	wantRefused(t, rp.token(twice), http.StatusBadRequest, "invalid_request")
	wantRefused(t, rp.token(without(good(), "grant_type")), http.StatusBadRequest, "invalid_request")
	for _, grant := range []string{"password", "refresh_token", "implicit"} {
		wantRefused(t, rp.token(with(good(), "grant_type", grant)), http.StatusBadRequest, "unsupported_grant_type")
	}
	wantRefused(t, rp.do(http.MethodPost, endpoint, "", "application/json", "{}"), http.StatusBadRequest,
		"invalid_request")
	wantRefused(t, rp.do(http.MethodPost, endpoint+"?grant_type=client_credentials", "", formType, good().Encode()),
		http.StatusBadRequest, "invalid_request")
	wantRefused(t, rp.do(http.MethodPost, endpoint, "", formType, strings.Repeat("a", 1<<20)), http.StatusBadRequest,
		"invalid_request")
	if a := rp.do(http.MethodGet, endpoint, "", "", ""); a.status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", a.status)
	}
}

func TestCodeIsBoundAndUsedOnce(t *testing.T) {
	other := newKey(t)
	rp := start(t, withClient("RP00000002", other))
	code := func() string { return rp.approve(rp.authorization()).Get("code") }

	for name, form := range map[string]url.Values{
		"other redirect_uri":      with(rp.exchange(code()), "redirect_uri", redirect+"/"),
		"other verifier":          with(rp.exchange(code()), "code_verifier", strings.Repeat("x", 43)),
		"short verifier":          with(rp.exchange(code()), "code_verifier", "short"),
		"challenge, not verifier": with(rp.exchange(code()), "code_verifier", challenge(verifier)),
		"unknown code":            with(rp.exchange(code()), "code", "unknown"),
	} {
		t.Run(name, func(t *testing.T) { wantRefused(t, rp.token(form), http.StatusBadRequest, "invalid_grant") })
	}
	for missing, want := range map[string]string{
		"code": "invalid_request", "redirect_uri": "invalid_request", "code_verifier": "invalid_grant",
	} {
		wantRefused(t, rp.token(without(rp.exchange(code()), missing)), http.StatusBadRequest, want)
	}

	stolen := code()
	thief := &relyingParty{t: t, svc: rp.svc, id: "RP00000002",
		key: jose.SigningKey{Signer: other, Algorithm: jose.ES256}}
	wantRefused(t, thief.token(thief.exchange(stolen)), http.StatusBadRequest, "invalid_grant")
	rp.mustToken(rp.exchange(stolen)) // the thief's attempt did not burn it

	replayed := code()
	access := rp.mustToken(rp.exchange(replayed))
	userinfo := rp.svc.Environment().UserinfoEndpoint
	if a := rp.do(http.MethodGet, userinfo, access, "", ""); a.status != http.StatusOK {
		t.Fatalf("userinfo: %d", a.status)
	}
	wantRefused(t, rp.token(rp.exchange(replayed)), http.StatusBadRequest, "invalid_grant")
	// RFC 6749, section 4.1.2: the tokens of a replayed code should be revoked.
	if a := rp.do(http.MethodGet, userinfo, access, "", ""); a.status != http.StatusUnauthorized {
		t.Errorf("userinfo after the replay: %d", a.status)
	}
}

func TestCodeAndTokensExpire(t *testing.T) {
	clock := newClock()
	rp := start(t, follow(t, clock))
	code := rp.approve(rp.authorization()).Get("code")
	clock.advance(59 * time.Second)
	a := rp.token(withAssertionAt(rp, rp.exchange(code), clock.now()))
	access, _ := a.json["access_token"].(string)
	if access == "" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	late := rp.approve(rp.authorization()).Get("code")
	clock.advance(60 * time.Second)
	wantRefused(t, rp.token(withAssertionAt(rp, rp.exchange(late), clock.now())), http.StatusBadRequest,
		"invalid_grant")
	userinfo := rp.svc.Environment().UserinfoEndpoint
	if a := rp.do(http.MethodGet, userinfo, access, "", ""); a.status != http.StatusOK {
		t.Errorf("after a minute: %d", a.status)
	}
	clock.advance(5 * time.Minute)
	if a := rp.do(http.MethodGet, userinfo, access, "", ""); a.status != http.StatusUnauthorized {
		t.Errorf("after six minutes: %d", a.status)
	}
}

func withAssertionAt(rp *relyingParty, form url.Values, now time.Time) url.Values {
	claims := change(rp.claims(), "iat", now.Unix(), "exp", now.Add(30*time.Second).Unix())
	form.Set("client_assertion", rp.assertion(rp.key, claims))
	return form
}

func TestTokenResponseAndUserinfo(t *testing.T) {
	rp := start(t)
	callback := rp.approve(with(rp.authorization(), "scope", "openid name birthdate"))
	if callback.Get("state") != "a-state" || callback.Get("session_state") == "" || callback.Has("iss") {
		t.Errorf("callback %v", callback)
	}
	a := rp.token(rp.exchange(callback.Get("code")))
	if a.status != http.StatusOK || a.json["token_type"] != "Bearer" || a.json["expires_in"] != 300.0 ||
		a.json["scope"] != "openid name birthdate" || a.json["session_state"] != callback.Get("session_state") ||
		a.json["not-before-policy"] != 0.0 {
		t.Errorf("%d %s", a.status, a.body)
	}
	access, _ := a.json["access_token"].(string)
	info := rp.do(http.MethodGet, rp.svc.Environment().UserinfoEndpoint, access, "", "")
	person := rp.svc.Card().Person().Reveal()
	sub, _ := info.json["sub"].(string)
	if info.header.Get("Content-Type") != "application/json" || len(info.json) != 3 || sub == "" ||
		info.json["name"] != person.Name || info.json["birthdate"] != person.Subject.Birthdate {
		t.Errorf("userinfo %s", info.body)
	}
	if !strings.Contains(person.Name, "\u3000") {
		t.Error("the name has no ideographic space")
	}

	idToken, _ := a.json["id_token"].(string)
	if idToken == "" {
		t.Fatal("no ID token")
	}
	keys := rp.do(http.MethodGet, rp.svc.Environment().JWKSEndpoint, "", "", "")
	set, err := jose.ParseKeySet(keys.body)
	if err != nil || len(set.Keys) != 2 {
		t.Fatalf("key set: %v, %d keys", err, len(set.Keys))
	}
	for _, private := range []string{`"d"`, `"p"`, `"q"`} {
		if strings.Contains(string(keys.body), private) {
			t.Errorf("the key set has %s", private)
		}
	}
	payload, header, err := jose.Verify(idToken, set, jose.VerifyOptions{Algorithms: []jose.Algorithm{jose.ES256}})
	if err != nil || header.KeyID == "" {
		t.Fatalf("ID token: %v", err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(access))
	if claims["aud"] != rpID || claims["sub"] != sub || claims["nonce"] != "a-nonce" || claims["acr"] != "aal3" ||
		claims["iss"] != rp.svc.Environment().Issuer || claims["auth_time"] == nil ||
		claims["at_hash"] != base64.RawURLEncoding.EncodeToString(sum[:16]) {
		t.Errorf("claims %v", claims)
	}
	if _, h, err := jose.Verify(access, set, jose.VerifyOptions{Algorithms: []jose.Algorithm{jose.RS256}}); err != nil {
		t.Errorf("access token: %v", err)
	} else if h.KeyID == header.KeyID {
		t.Error("one key for both tokens")
	}
}

// Access tokens may be signed as ID tokens are; nothing else changes for a relying party, also after a rotation.
func TestAccessTokensES256(t *testing.T) {
	rp := start(t, daa.WithKnobs(daa.Knobs{Token: daa.TokenKnobs{AccessTokens: daa.AccessTokenES256}}))
	for range 2 {
		a := rp.token(rp.exchange(rp.approve(rp.authorization()).Get("code")))
		access, _ := a.json["access_token"].(string)
		keys := rp.do(http.MethodGet, rp.svc.Environment().JWKSEndpoint, "", "", "")
		set, err := jose.ParseKeySet(keys.body)
		if err != nil {
			t.Fatal(err)
		}
		only := jose.VerifyOptions{Algorithms: []jose.Algorithm{jose.ES256}}
		if _, _, err := jose.Verify(access, set, only); err != nil {
			t.Errorf("access token: %v", err)
		}
		info := rp.do(http.MethodGet, rp.svc.Environment().UserinfoEndpoint, access, "", "")
		if info.status != http.StatusOK || info.json["name"] == nil {
			t.Errorf("userinfo: %d %s", info.status, info.body)
		}
		if err := rp.svc.RotateKeys(); err != nil {
			t.Fatal(err)
		}
	}
	asked := authn.Request{Scopes: authn.Attributes}
	if _, err := login(t.Context(), rp.client(), rp.svc.Visitor(), asked); err != nil {
		t.Error(err)
	}
}

func TestUserinfoRefuses(t *testing.T) {
	rp := start(t)
	endpoint := rp.svc.Environment().UserinfoEndpoint
	access := rp.mustToken(rp.exchange(rp.approve(rp.authorization()).Get("code")))
	a := rp.token(rp.exchange(rp.approve(rp.authorization()).Get("code")))
	idToken, _ := a.json["id_token"].(string)
	for name, c := range map[string]struct {
		target, bearer string
		status         int
	}{
		"no token":      {endpoint, "", http.StatusUnauthorized},
		"no JWT":        {endpoint, "abc", http.StatusUnauthorized},
		"ID token":      {endpoint, idToken, http.StatusUnauthorized},
		"service token": {endpoint, rp.serviceToken(), http.StatusForbidden},
		"in the query":  {endpoint + "?access_token=" + access, "", http.StatusBadRequest},
		"tampered":      {endpoint, access[:len(access)-4] + "AAAA", http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			a := rp.do(http.MethodGet, c.target, c.bearer, "", "")
			if a.status != c.status || a.json["sub"] != nil || a.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
}

// Subjects differ between clients and are stable within one.
func TestPairwiseSubjects(t *testing.T) {
	other := newKey(t)
	rp := start(t, withClient("RP00000002", other))
	second := &relyingParty{t: t, svc: rp.svc, id: "RP00000002",
		key: jose.SigningKey{Signer: other, Algorithm: jose.ES256}}
	subject := func(rp *relyingParty) authn.Subject {
		id, err := login(t.Context(), rp.client(), rp.svc.Visitor(), authn.Request{})
		if err != nil {
			t.Fatal(err)
		}
		return id.Subject
	}
	first, again, elsewhere := subject(rp), subject(rp), subject(second)
	if first != again || first == elsewhere {
		t.Error("subjects are not pairwise")
	}
	rp.svc.SetKnobs(daa.Knobs{SubjectGeneration: 1})
	if subject(rp) == first {
		t.Error("the knob did not change the subject")
	}
}
