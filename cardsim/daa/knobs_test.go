package daa_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/internal/jose"
)

func decode(t testing.TB, body []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// Every further fault of an ID token is refused, and it is the ID token that is blamed.
func TestHostileHeaders(t *testing.T) {
	rp := start(t)
	for name, fault := range map[string]daa.IDTokenFault{
		"type of key": daa.FaultKeyType, "unknown key id": daa.FaultUnknownKeyID,
		"access token": daa.FaultAccessTokenType,
	} {
		t.Run(name, func(t *testing.T) {
			rp.svc.SetKnobs(daa.Knobs{Token: daa.TokenKnobs{IDToken: daa.IDTokenKnobs{Fault: fault}}})
			wantUntrusted(t, rp, authn.ReasonIDToken)
		})
	}
}

func TestTokenKnobs(t *testing.T) {
	rp := start(t, daa.WithKnobs(daa.Knobs{Token: daa.TokenKnobs{
		SetMembers: map[string]any{"token_type": "bEaReR", "x": 1}, OmitMembers: []string{"expires_in"}}}))
	a := rp.loginTokens()
	if _, has := a.json["expires_in"]; has || a.json["token_type"] != "bEaReR" || a.json["x"] != 1.0 {
		t.Errorf("%s", a.body)
	}
	if _, err := login(t.Context(), rp.client(), rp.svc.Visitor(), authn.Request{}); err != nil {
		t.Error(err)
	}
	rp.svc.SetKnobs(daa.Knobs{Token: daa.TokenKnobs{SetMembers: map[string]any{"token_type": "mac"}}})
	wantUntrusted(t, rp, authn.ReasonTokenResponse)
}

func TestUserinfoForms(t *testing.T) {
	key := newKey(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rp := start(t, daa.WithClient(daa.ClientRegistration{
		ID: "RP00000003", Key: key.Public(), RedirectURLs: []string{redirect}, EncryptionKey: rsaKey.Public(),
		EncryptionKeyID: "enc-1",
	}))
	rp.id, rp.key = "RP00000003", jose.SigningKey{Signer: key, Algorithm: jose.ES256}
	access := rp.loginTokens().text("access_token")
	name := rp.svc.Card().Person().Reveal().Name
	fetch := func(f daa.UserinfoForm) string {
		t.Helper()
		rp.svc.SetKnobs(daa.Knobs{Userinfo: daa.UserinfoKnobs{Form: f}})
		a := rp.do(http.MethodGet, rp.svc.Environment().UserinfoEndpoint, access, "", "")
		want := "application/jwt"
		if f == daa.UserinfoJSON {
			want = "application/json"
		}
		if a.status != http.StatusOK || a.header.Get("Content-Type") != want {
			t.Fatalf("form %q: %d %q", f, a.status, a.header.Get("Content-Type"))
		}
		return string(a.body)
	}
	set, err := jose.ParseKeySet(rp.do(http.MethodGet, rp.svc.Environment().JWKSEndpoint, "", "", "").body)
	if err != nil {
		t.Fatal(err)
	}
	verify := func(token string) ([]byte, error) {
		payload, _, err := jose.Verify(token, set, jose.VerifyOptions{Algorithms: []jose.Algorithm{jose.ES256}})
		return payload, err
	}
	open := func(token, contentType string) string {
		t.Helper()
		payload, h, err := jose.Decrypt(token, rsaKey, jose.DecryptOptions{})
		if err != nil || h.KeyID != "enc-1" || h.ContentType != contentType {
			t.Fatalf("%+v, %v", h, err)
		}
		return string(payload)
	}
	check := func(form string, payload []byte, signed bool) {
		t.Helper()
		m := decode(t, payload)
		if m["name"] != name || signed != (m["aud"] == rp.id && m["iss"] == rp.svc.Environment().Issuer) {
			t.Errorf("%s: %d members", form, len(m))
		}
	}
	check("JSON", []byte(fetch(daa.UserinfoJSON)), false)
	payload, err := verify(fetch(daa.UserinfoSigned))
	if err != nil {
		t.Fatal(err)
	}
	check("signed", payload, true)
	check("encrypted", []byte(open(fetch(daa.UserinfoEncrypted), "")), false)
	if payload, err = verify(open(fetch(daa.UserinfoSignedEncrypted), "JWT")); err != nil {
		t.Fatal(err)
	}
	check("signed and encrypted", payload, true)
	if _, err := verify(fetch(daa.UserinfoForged)); err == nil {
		t.Error("a forged answer verifies")
	}

	c := rp.client()
	rp.svc.SetKnobs(daa.Knobs{Userinfo: daa.UserinfoKnobs{Form: daa.UserinfoSigned}})
	if id, err := login(t.Context(), c, rp.svc.Visitor(), authn.Request{Scopes: authn.Name}); err != nil ||
		id.Person.Name.Reveal() != name {
		t.Error(err)
	}
	opening := rp.client(func(c *authn.Config) {
		opener, err := authn.NewDecryptionKey(rsaKey, "enc-1")
		if err != nil {
			t.Fatal(err)
		}
		c.Encryption.Keys = []authn.DecryptionKey{opener}
	})
	for _, form := range []daa.UserinfoForm{daa.UserinfoEncrypted, daa.UserinfoSignedEncrypted} {
		rp.svc.SetKnobs(daa.Knobs{Userinfo: daa.UserinfoKnobs{Form: form}})
		if id, err := login(t.Context(), opening, rp.svc.Visitor(), authn.Request{Scopes: authn.Name}); err != nil ||
			id.Person.Name.Reveal() != name {
			t.Errorf("form %q: %v", form, err)
		}
		if _, err := login(t.Context(), c, rp.svc.Visitor(), authn.Request{Scopes: authn.Name}); !hasReason(err,
			authn.ReasonUserinfo) {
			t.Errorf("form %q, without the key: %v", form, err)
		}
	}
	rp.svc.SetKnobs(daa.Knobs{Userinfo: daa.UserinfoKnobs{Form: daa.UserinfoForged}})
	if _, err := login(t.Context(), c, rp.svc.Visitor(), authn.Request{Scopes: authn.Name}); !hasReason(err,
		authn.ReasonUserinfo) {
		t.Error(err)
	}
}

func hasReason(err error, want authn.Reason) bool {
	var e *authn.Error
	return errors.As(err, &e) && e.Reason == want
}

// Encrypted userinfo needs a key to encrypt to.
func TestEncryptedUserinfoWithoutKey(t *testing.T) {
	rp := start(t, daa.WithKnobs(daa.Knobs{Userinfo: daa.UserinfoKnobs{Form: daa.UserinfoEncrypted}}))
	access := rp.loginTokens().text("access_token")
	if a := rp.do(http.MethodGet, rp.svc.Environment().UserinfoEndpoint, access, "",
		""); a.status != http.StatusInternalServerError {
		t.Errorf("%d", a.status)
	}
}

func TestUserinfoKnobs(t *testing.T) {
	rp := start(t)
	access := rp.loginTokens().text("access_token")
	endpoint := rp.svc.Environment().UserinfoEndpoint
	for code, status := range map[string]int{"invalid_token": 401, "insufficient_scope": 403, "invalid_request": 400} {
		rp.svc.SetKnobs(daa.Knobs{Userinfo: daa.UserinfoKnobs{Error: code}})
		if a := rp.do(http.MethodGet, endpoint, access, "", ""); a.status != status || a.json["error"] != code ||
			!strings.Contains(a.header.Get("WWW-Authenticate"), code) {
			t.Errorf("%s: %d %s", code, a.status, a.body)
		}
	}
	rp.svc.SetKnobs(daa.Knobs{Userinfo: daa.UserinfoKnobs{OmitClaims: []string{"address"}}})
	id, err := login(t.Context(), rp.client(), rp.svc.Visitor(), authn.Request{Scopes: authn.Attributes})
	if err != nil || id.Person.Address.Present() || len(id.Refused()) != 0 {
		t.Errorf("granted and missing: %v", err)
	}
}

// The individual number's scope and claim have no published name: whoever names both can try it.
func TestIndividualNumberScope(t *testing.T) {
	w := wire.Default()
	w.ScopeIndividualNumber, w.ClaimIndividualNumber = "individual_number", "kojin_bango"
	rp := start(t, daa.WithWire(w), daa.WithKnobs(daa.Knobs{
		Authorization: daa.AuthorizationKnobs{Scopes: daa.ScopeKnobs{IndividualNumber: true}}}))
	c := rp.client(func(c *authn.Config) { c.Wire, c.IndividualNumberPurpose = &w, mynumber.PurposeReporting })
	id, err := login(t.Context(), c, rp.svc.Visitor(), authn.Request{Scopes: authn.IndividualNumber})
	if err != nil {
		t.Fatal(err)
	}
	number, err := id.IndividualNumber().Reveal(mynumber.PurposeReporting)
	if err != nil || number != rp.svc.Card().Person().Reveal().IndividualNumber {
		t.Error("not the number of the card")
	}
	rp.svc.SetKnobs(daa.Knobs{})
	if _, err := login(t.Context(), c, rp.svc.Visitor(), authn.Request{Scopes: authn.IndividualNumber}); err == nil {
		t.Error("granted though it is off")
	}
}

func TestCallbackKnobs(t *testing.T) {
	rp := start(t)
	metadata := func() any {
		return rp.do(http.MethodGet, rp.svc.Environment().Issuer+"/.well-known/openid-configuration", "", "", "").
			json["authorization_response_iss_parameter_supported"]
	}
	for _, c := range []struct {
		knob     daa.CallbackIssuer
		promised bool
		sent     string
	}{
		{daa.CallbackIssuerOff, false, ""},
		{daa.CallbackIssuerOn, true, rp.svc.Environment().Issuer},
		{daa.CallbackIssuerWrong, true, rp.svc.Environment().Issuer + "/other"},
		{daa.CallbackIssuerMissing, true, ""},
	} {
		rp.svc.SetKnobs(daa.Knobs{Authorization: daa.AuthorizationKnobs{
			Callback: daa.CallbackKnobs{Issuer: c.knob, Extra: map[string]string{"x": "y"}}}})
		if got := rp.approve(rp.authorization()); got.Get("iss") != c.sent || got.Get("x") != "y" ||
			metadata() != c.promised {
			t.Errorf("knob %q: iss %q, metadata %v", c.knob, got.Get("iss"), metadata())
		}
	}
	rp.svc.SetKnobs(daa.Knobs{Authorization: daa.AuthorizationKnobs{
		Callback: daa.CallbackKnobs{CutStateAtSemicolon: true}}})
	if got := rp.approve(with(rp.authorization(), "state", "a;b")); got.Get("state") != "a" {
		t.Errorf("state %q", got.Get("state"))
	}
	if _, err := login(t.Context(), rp.client(), rp.svc.Visitor(), authn.Request{}); err != nil {
		t.Errorf("the client's states have no semicolon: %v", err)
	}
}

func TestClockSkew(t *testing.T) {
	rp := start(t)
	for skew, accepted := range map[time.Duration]bool{20 * time.Second: true, -30 * time.Second: false,
		time.Hour: false} {
		rp.svc.SetKnobs(daa.Knobs{ClockSkew: skew, Token: daa.TokenKnobs{
			Assertion: daa.AssertionKnobs{Profile: daa.AssertionKeycloak264}}})
		form := rp.credentials()
		form.Set("grant_type", "client_credentials")
		a := rp.token(form)
		if (a.status == http.StatusOK) != accepted {
			t.Errorf("%v: %d %s", skew, a.status, a.body)
		}
	}
	// Within the client's tolerance the ID token of a clock that is ahead is fine; beyond it is from the future.
	rp.svc.SetKnobs(daa.Knobs{ClockSkew: 20 * time.Second})
	if _, err := login(t.Context(), rp.client(), rp.svc.Visitor(), authn.Request{}); err != nil {
		t.Error(err)
	}
	rp.svc.SetKnobs(daa.Knobs{ClockSkew: 10 * time.Minute})
	form := rp.exchange(rp.approve(rp.authorization()).Get("code"))
	form.Set("client_assertion", rp.assertion(rp.key, change(rp.claims(), "exp", time.Now().Add(time.Hour).Unix())))
	claims := rp.idClaims(rp.token(form))
	if iat, ok := claims["iat"].(float64); !ok || time.Unix(int64(iat), 0).Before(time.Now().Add(9*time.Minute)) {
		t.Errorf("iat %v", claims["iat"])
	}
}

// Discovery tells what the other knobs do.
func TestDiscoveryFollowsTheKnobs(t *testing.T) {
	rp := start(t)
	issuer := rp.svc.Environment().Issuer
	// "The algorithm RS256 MUST be included" (OpenID Connect Discovery 1.0, section 3), also when ES256 is used.
	for algorithm, want := range map[string]string{"": `["ES256","RS256"]`, "PS256": `["PS256","RS256"]`,
		"RS256": `["RS256"]`} {
		rp.svc.SetKnobs(daa.Knobs{Token: daa.TokenKnobs{IDToken: daa.IDTokenKnobs{Algorithm: algorithm}}})
		a := rp.do(http.MethodGet, issuer+"/.well-known/openid-configuration", "", "", "")
		if !strings.Contains(string(a.body), `"id_token_signing_alg_values_supported":`+want) {
			t.Errorf("%q: %s", algorithm, a.body)
		}
	}
	rp.svc.SetKnobs(daa.Knobs{Token: daa.TokenKnobs{Refresh: daa.RefreshKnobs{Mode: daa.RefreshOn},
		IDToken: daa.IDTokenKnobs{Algorithm: "RS256"}}})
	a := rp.do(http.MethodGet, issuer+"/.well-known/openid-configuration", "", "", "")
	if !strings.Contains(string(a.body), `"refresh_token"`) ||
		!strings.Contains(string(a.body), `"id_token_signing_alg_values_supported":["RS256"]`) {
		t.Errorf("%s", a.body)
	}
	rp.svc.SetKnobs(daa.Knobs{})
	if a := rp.do(http.MethodGet, issuer+"/.well-known/openid-configuration", "", "",
		""); strings.Contains(string(a.body), `"refresh_token"`) {
		t.Errorf("%s", a.body)
	}
}
