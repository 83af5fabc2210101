package daa_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/internal/jose"
)

func (rp *relyingParty) refresh(token string, pairs ...string) url.Values {
	form := rp.credentials()
	form.Set("grant_type", "refresh_token")
	form.Set("refresh_token", token)
	return with(form, pairs...)
}

// loginTokens is a whole login at the token endpoint.
func (rp *relyingParty) loginTokens() answer {
	rp.t.Helper()
	a := rp.token(rp.exchange(rp.approve(rp.authorization()).Get("code")))
	if a.status != http.StatusOK {
		rp.t.Fatalf("token endpoint: %d %s", a.status, a.body)
	}
	return a
}

func (a answer) text(name string) string {
	s, _ := a.json[name].(string)
	return s
}

func refreshing(m daa.RefreshMode) daa.Knobs {
	return daa.Knobs{Token: daa.TokenKnobs{Refresh: daa.RefreshKnobs{Mode: m}}}
}

func TestRefreshOff(t *testing.T) {
	rp := start(t)
	if a := rp.loginTokens(); a.json["refresh_token"] != nil || a.json["refresh_expires_in"] != 0.0 {
		t.Errorf("%s", a.body)
	}
	wantRefused(t, rp.token(rp.refresh("x")), http.StatusBadRequest, "unsupported_grant_type")
}

// The lifetime goes by the wire profile in every answer, with or without a refresh token.
func TestRefreshLifetimeFollowsTheWireProfile(t *testing.T) {
	for _, name := range []string{"x_lifetime", ""} {
		w := wire.Default()
		w.RefreshLifetimeField = name
		rp := start(t, daa.WithWire(w), daa.WithKnobs(refreshing(daa.RefreshOn)))
		first := rp.loginTokens()
		for want, a := range map[float64]answer{1800: first, 0: rp.token(rp.refresh(first.text("refresh_token")))} {
			got, present := a.json[name]
			if _, old := a.json["refresh_expires_in"]; old || present != (name != "") || (present && got != want) {
				t.Errorf("%q: %s", name, a.body)
			}
		}
	}
}

func TestRefreshOn(t *testing.T) {
	rp := start(t, daa.WithKnobs(refreshing(daa.RefreshOn)))
	first := rp.loginTokens()
	token := first.text("refresh_token")
	if token == "" || first.json["refresh_expires_in"] != 1800.0 {
		t.Fatalf("%s", first.body)
	}
	for range 2 {
		a := rp.token(rp.refresh(token))
		if a.status != http.StatusOK || a.text("refresh_token") != "" ||
			a.text("access_token") == first.text("access_token") {
			t.Fatalf("%d %s", a.status, a.body)
		}
		claims, before := rp.idClaims(a), rp.idClaims(first)
		for _, same := range []string{"iss", "sub", "aud", "auth_time"} { // OpenID Connect Core 1.0, section 12.2
			if claims[same] != before[same] {
				t.Errorf("%s changed", same)
			}
		}
		if _, has := claims["nonce"]; has {
			t.Error("a refreshed ID token has a nonce")
		}
		info := rp.do(http.MethodGet, rp.svc.Environment().UserinfoEndpoint, a.text("access_token"), "", "")
		if info.status != http.StatusOK || info.text("sub") != claims["sub"] {
			t.Errorf("userinfo: %d", info.status)
		}
	}
}

// idClaims verifies the ID token of an answer.
func (rp *relyingParty) idClaims(a answer) map[string]any {
	rp.t.Helper()
	set, err := jose.ParseKeySet(rp.do(http.MethodGet, rp.svc.Environment().JWKSEndpoint, "", "", "").body)
	if err != nil {
		rp.t.Fatal(err)
	}
	payload, _, err := jose.Verify(a.text("id_token"), set, jose.VerifyOptions{
		Algorithms: []jose.Algorithm{jose.ES256}})
	if err != nil {
		rp.t.Fatal(err)
	}
	return decode(rp.t, payload)
}

func TestRefreshScope(t *testing.T) {
	rp := start(t, daa.WithKnobs(refreshing(daa.RefreshOn)))
	token := rp.loginTokens().text("refresh_token")
	wantRefused(t, rp.token(rp.refresh(token, "scope", "openid sign")), http.StatusBadRequest, "invalid_scope")
	a := rp.token(rp.refresh(token, "scope", "openid name"))
	if a.text("scope") != "openid name" {
		t.Fatalf("%s", a.body)
	}
	info := rp.do(http.MethodGet, rp.svc.Environment().UserinfoEndpoint, a.text("access_token"), "", "")
	if info.json["name"] == nil || info.json["address"] != nil {
		t.Errorf("a narrower token shows %s", info.body)
	}
}

func TestRefreshRotating(t *testing.T) {
	rp := start(t, daa.WithKnobs(refreshing(daa.RefreshRotating)))
	old := rp.loginTokens().text("refresh_token")
	a := rp.token(rp.refresh(old))
	next := a.text("refresh_token")
	if next == "" || next == old {
		t.Fatalf("%d %s", a.status, a.body)
	}
	wantRefused(t, rp.token(rp.refresh(old)), http.StatusBadRequest, "invalid_grant")
	if a := rp.token(rp.refresh(next)); a.status != http.StatusOK {
		t.Errorf("the new one: %d %s", a.status, a.body)
	}
}

func TestRefreshReuseDetection(t *testing.T) {
	rp := start(t, daa.WithKnobs(refreshing(daa.RefreshReuseDetection)))
	old := rp.loginTokens().text("refresh_token")
	a := rp.token(rp.refresh(old))
	wantRefused(t, rp.token(rp.refresh(old)), http.StatusBadRequest, "invalid_grant")
	wantRefused(t, rp.token(rp.refresh(a.text("refresh_token"))), http.StatusBadRequest, "invalid_grant")
	info := rp.do(http.MethodGet, rp.svc.Environment().UserinfoEndpoint, a.text("access_token"), "", "")
	if info.status != http.StatusUnauthorized {
		t.Errorf("the access token lives on: %d", info.status)
	}
}

// The SDK's client refreshes, rotates and is told when its token was stolen.
func TestClientRefreshes(t *testing.T) {
	rp := start(t, daa.WithKnobs(refreshing(daa.RefreshReuseDetection)))
	c := rp.client()
	id, err := login(t.Context(), c, rp.svc.Visitor(), authn.Request{Scopes: authn.Name, KeepTokens: true})
	if err != nil {
		t.Fatal(err)
	}
	first, err := c.Refresh(t.Context(), id.RefreshToken())
	if err != nil || !first.Rotated || !first.IDToken {
		t.Fatalf("%+v, %v", first, err)
	}
	if again, err := c.Reread(t.Context(), id, first.AccessToken); err != nil || !again.Person.Name.Present() {
		t.Errorf("%v", err)
	}
	if _, err := c.Refresh(t.Context(), id.RefreshToken()); !hasReason(err, authn.ReasonTokenRejected) {
		t.Errorf("used twice: %v", err)
	}
	if _, err := c.Refresh(t.Context(), first.RefreshToken); !hasReason(err, authn.ReasonTokenRejected) {
		t.Errorf("after the theft: %v", err)
	}
	for name, wrong := range map[string]any{"iss": "https://op.example", "sub": "another"} {
		rp.svc.SetKnobs(refreshing(daa.RefreshOn))
		if id, err = login(t.Context(), c, rp.svc.Visitor(), authn.Request{KeepTokens: true}); err != nil {
			t.Fatal(err)
		}
		rp.svc.SetKnobs(daa.Knobs{Token: daa.TokenKnobs{Refresh: daa.RefreshKnobs{Mode: daa.RefreshOn,
			SetClaims: map[string]any{name: wrong}}}})
		if _, err := c.Refresh(t.Context(), id.RefreshToken()); !hasReason(err, authn.ReasonIDToken) {
			t.Errorf("another %s: %v", name, err)
		}
	}
}

func TestRefreshTokenIsBound(t *testing.T) {
	other := newKey(t)
	clock := newClock()
	rp := start(t, daa.WithClock(clock.now), withClient("RP00000002", other), daa.WithKnobs(refreshing(daa.RefreshOn)))
	code := rp.approve(rp.authorization()).Get("code")
	token := rp.token(rp.exchange(code)).text("refresh_token")
	wantRefused(t, rp.token(without(rp.refresh(token), "refresh_token")), http.StatusBadRequest, "invalid_request")
	wantRefused(t, rp.token(rp.refresh(token+"x")), http.StatusBadRequest, "invalid_grant")
	thief := &relyingParty{t: t, svc: rp.svc, id: "RP00000002",
		key: jose.SigningKey{Signer: other, Algorithm: jose.ES256}}
	wantRefused(t, thief.token(thief.refresh(token)), http.StatusBadRequest, "invalid_grant")
	if a := rp.token(rp.refresh(token)); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.body)
	}
	// A code that is used again takes its refresh token along, too (RFC 6749, section 4.1.2).
	wantRefused(t, rp.token(rp.exchange(code)), http.StatusBadRequest, "invalid_grant")
	wantRefused(t, rp.token(rp.refresh(token)), http.StatusBadRequest, "invalid_grant")

	late := rp.loginTokens().text("refresh_token")
	clock.advance(30 * time.Minute)
	wantRefused(t, rp.token(withAssertionAt(rp, rp.refresh(late), clock.now())), http.StatusBadRequest, "invalid_grant")
}

func TestRefreshIDTokenKnobs(t *testing.T) {
	rp := start(t, daa.WithKnobs(refreshing(daa.RefreshOn)))
	token := rp.loginTokens().text("refresh_token")
	rp.svc.SetKnobs(daa.Knobs{Token: daa.TokenKnobs{Refresh: daa.RefreshKnobs{Mode: daa.RefreshOn, OmitIDToken: true}}})
	if a := rp.token(rp.refresh(token)); a.status != http.StatusOK || a.json["id_token"] != nil {
		t.Errorf("%d %s", a.status, a.body)
	}
	rp.svc.SetKnobs(daa.Knobs{Token: daa.TokenKnobs{Refresh: daa.RefreshKnobs{Mode: daa.RefreshOn,
		SetClaims: map[string]any{"sub": "another"}}}})
	if claims := rp.idClaims(rp.token(rp.refresh(token))); claims["sub"] != "another" {
		t.Errorf("sub %v", claims["sub"])
	}
}
