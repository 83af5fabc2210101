package authn

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// keepTokens logs in and keeps the tokens.
func keepTokens(t *testing.T, op *testOP, c *Client) *Identity {
	t.Helper()
	op.refresh = true
	op.answer = set("refresh_expires_in", 1800)
	id, err := op.login(c, Request{Scopes: Name | Gender, KeepTokens: true})
	if err != nil {
		t.Fatal(err)
	}
	op.answer = nil
	if id.AccessToken().Reveal() != testAccess || id.RefreshToken().IsZero() ||
		!id.RefreshToken().Expires().Equal(op.clock.now().Add(30*time.Minute)) {
		t.Fatal("the tokens were not kept")
	}
	return id
}

func TestRefreshTokenIsKeptOnlyOnRequest(t *testing.T) {
	op := newOP(t)
	op.refresh = true
	id, err := op.login(op.client(), Request{Scopes: Name, Sign: testTx})
	if err != nil || !id.RefreshToken().IsZero() {
		t.Errorf("kept without being asked for: %v", err)
	}
	op.refresh = false
	if id, err = op.login(op.client(), Request{KeepTokens: true}); err != nil || !id.RefreshToken().IsZero() ||
		id.AccessToken().Reveal() != testAccess {
		t.Errorf("a service that issues none: %v", err)
	}
}

func TestRefresh(t *testing.T) {
	all := []string{"openid", "name", "gender"}
	for name, row := range map[string]struct {
		answer  func(claimsMap)
		claims  func(claimsMap)
		next    string // empty: the old one
		idToken bool
		granted []string
	}{
		"with an ID token":          {nil, nil, "", true, all},
		"without an ID token":       {without("id_token"), nil, "", false, all},
		"without auth_time":         {nil, without("auth_time"), "", true, all},
		"without at_hash":           {nil, without("at_hash"), "", true, all},
		"with an empty nonce":       {nil, set("nonce", ""), "", true, all},
		"with a nonce null":         {nil, set("nonce", nil), "", true, all},
		"an ID token null":          {set("id_token", nil), nil, "", false, all},
		"an empty ID token":         {set("id_token", ""), nil, "", false, all},
		"scope null":                {set("scope", nil), nil, "", true, all},
		"scope a list":              {set("scope", []string{"openid"}), nil, "", true, all},
		"token_type with a space":   {set("token_type", "bearer "), nil, "", true, all},
		"lifetimes that are none":   {set("expires_in", "soon"), set("nbf", "x"), "", true, all},
		"token rotated":             {set("refresh_token", "next"), nil, "next", true, all},
		"empty token is none":       {set("refresh_token", ""), nil, "", true, all},
		"scope narrowed":            {set("scope", "openid name"), nil, "", true, []string{"openid", "name"}},
		"scope is not listed again": {without("scope"), nil, "", true, all},
	} {
		t.Run(name, func(t *testing.T) {
			op := newOP(t)
			c := op.client()
			id := keepTokens(t, op, c)
			stored, err := id.RefreshToken().RevealBytes()
			if err != nil {
				t.Fatal(err)
			}
			token, err := ParseRefreshToken(stored)
			if err != nil {
				t.Fatal(err)
			}
			op.answer = row.answer
			op.clock.advance(time.Minute)
			op.claims = func(m claimsMap) {
				m["auth_time"] = token.fields().AuthTime
				if row.claims != nil {
					row.claims(m)
				}
			}
			got, err := c.Refresh(context.Background(), token)
			if err != nil {
				t.Fatal(err)
			}
			if got.AccessToken.Reveal() != refreshedAccess || got.Rotated != (row.next != "") ||
				got.IDToken != row.idToken || !slices.Equal(got.Granted, row.granted) {
				t.Errorf("rotated %v, ID token %v, granted %q", got.Rotated, got.IDToken, got.Granted)
			}
			next := got.RefreshToken.fields()
			want := row.next
			if want == "" {
				want = token.fields().Token
			}
			if next.Token != want {
				t.Error("the next token is another one")
			}
			expires := token.Expires() // that of the old token says nothing about a new one
			if row.next != "" {
				expires = time.Time{}
			}
			if !got.RefreshToken.Expires().Equal(expires) {
				t.Errorf("the next token ends %v, want %v", got.RefreshToken.Expires(), expires)
			}
			if next.Subject != testSubject || next.Nonce != token.fields().Nonce ||
				next.AuthTime != token.fields().AuthTime {
				t.Error("the next token lost its binding")
			}
		})
	}
}

// OpenID Connect Core 1.0, section 12.2; RFC 6749, section 6. The OP is under conformance test for every assertion: the
// test OP refuses one that it has seen.
func TestRefusedRefreshAnswers(t *testing.T) {
	for name, row := range map[string]struct {
		claims, answer func(claimsMap)
		reason         Reason
		check          string
	}{
		"ID token of another issuer":        {set("iss", "https://other.example"), nil, ReasonIDToken, "iss"},
		"ID token of another subject":       {set("sub", "someone-else"), nil, ReasonIDToken, "sub"},
		"ID token for another client":       {set("aud", "RP00000002"), nil, ReasonIDToken, "aud"},
		"ID token with another nonce":       {set("nonce", randomText(32)), nil, ReasonIDToken, "nonce"},
		"ID token with a nonce of a number": {set("nonce", 1), nil, ReasonIDToken, "nonce"},
		"ID token of another authentication": {set("auth_time", newClock().now().Unix()), nil, ReasonIDToken,
			"auth_time"},
		"ID token older than the login": {set("iat", newClock().now().Add(-time.Hour).Unix()), nil, ReasonIDToken,
			"iat"},
		"ID token for another access token": {set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), nil, ReasonIDToken, "at_hash"},
		"ID token that expired": {set("exp", newClock().now().Add(-time.Hour).Unix()), nil, ReasonIDToken,
			"exp"},
		"ID token that is none":      {nil, set("id_token", "x"), ReasonIDToken, "form"},
		"scope widened":              {nil, set("scope", "openid name address"), ReasonTokenResponse, "scope"},
		"refresh token is no string": {nil, set("refresh_token", 7), ReasonTokenResponse, "refresh_token"},
		"token type":                 {nil, set("token_type", "mac"), ReasonTokenResponse, "token_type"},
	} {
		t.Run(name, func(t *testing.T) {
			op := newOP(t)
			c := op.client()
			id := keepTokens(t, op, c)
			op.answer, op.claims = row.answer, row.claims
			before := op.tokenHits.Load()
			got, err := c.Refresh(context.Background(), id.RefreshToken())
			wantError(t, err, row.reason, row.check)
			if got != nil || op.tokenHits.Load() != before+1 {
				t.Error("something came of it")
			}
		})
	}
}

// The nonce of the login may be repeated.
func TestRefreshedIDTokenWithTheNonceOfTheLogin(t *testing.T) {
	op := newOP(t)
	c := op.client()
	id := keepTokens(t, op, c)
	op.claims = set("nonce", id.RefreshToken().fields().Nonce)
	if _, err := c.Refresh(context.Background(), id.RefreshToken()); err != nil {
		t.Error(err)
	}
}

func TestRefreshThatIsNotSent(t *testing.T) {
	op := newOP(t)
	c := op.client()
	id := keepTokens(t, op, c)
	before := op.tokenHits.Load()
	sameApplication, _ := twoTenants(t, op).Client("shop")
	for _, client := range []*Client{
		op.client(func(c *Config) { c.ClientID = "RP00000002" }),
		op.client(func(c *Config) { c.Environment.Issuer += "x" }),
		sameApplication,
	} {
		_, err := client.Refresh(context.Background(), id.RefreshToken())
		wantError(t, err, ReasonStored, "refresh token")
	}
	_, err := c.Refresh(context.Background(), RefreshToken{})
	wantError(t, err, ReasonStored, "refresh token")
	op.clock.advance(31*time.Minute + time.Second)
	_, err = c.Refresh(context.Background(), id.RefreshToken())
	wantError(t, err, ReasonTokenRejected, "refresh token expired")
	if op.tokenHits.Load() != before {
		t.Error("a token was sent")
	}
}

func TestRefusedRefreshToken(t *testing.T) {
	op := newOP(t)
	c := op.client()
	id := keepTokens(t, op, c)
	op.refresh = false
	_, err := c.Refresh(context.Background(), id.RefreshToken())
	if e := wantError(t, err, ReasonTokenRejected, "token endpoint"); e.Code != "invalid_grant" ||
		kakunin.FamilyOf(err) != kakunin.User {
		t.Errorf("%v", e)
	}
	op.token = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	before := op.tokenHits.Load()
	_, err = c.Refresh(context.Background(), id.RefreshToken())
	wantError(t, err, ReasonTransport, "connection")
	if op.tokenHits.Load() != before+1 {
		t.Error("a refresh token was sent twice")
	}
}

// A 401 from the resource leads to a refresh, and the new token reads the same person's attributes.
func TestReread(t *testing.T) {
	op := newOP(t)
	c := op.client()
	id := keepTokens(t, op, c)
	op.info = reply(401, jsonType, `{"error":"invalid_token"}`)
	_, err := c.Reread(context.Background(), id, id.AccessToken())
	wantError(t, err, ReasonTokenRejected, "userinfo: status")
	op.info = nil
	got, err := c.Refresh(context.Background(), id.RefreshToken())
	if err != nil {
		t.Fatal(err)
	}
	op.person = with(op.person, "name", "改姓　花子")
	fresh, err := c.Reread(context.Background(), id, got.AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	if fresh.Person.Name.Reveal() != "改姓　花子" || id.Person.Name.Reveal() != "試験　花子" || fresh.Subject != id.Subject {
		t.Error("the copy is not a copy with new attributes")
	}
	op.person = with(op.person, "sub", "someone else")
	_, err = c.Reread(context.Background(), id, got.AccessToken)
	wantError(t, err, ReasonUserinfo, "sub")
	_, err = c.Reread(context.Background(), id, Token{})
	wantError(t, err, ReasonConfiguration, "identity or access token is missing or of another issuer")
	_, err = c.Reread(context.Background(), nil, got.AccessToken)
	wantError(t, err, ReasonConfiguration, "identity or access token is missing or of another issuer")
}

func TestStoredRefreshTokens(t *testing.T) {
	op := newOP(t)
	id := keepTokens(t, op, op.client())
	good, err := id.RefreshToken().RevealBytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(m claimsMap){
		set("v", 2), set("i", ""), set("c", "RP 1"), set("sub", ""), set("sub", strings.Repeat("s", 256)),
		set("nonce", "short"), set("t", ""),
		set("iat", 0), set("at", -1), set("exp", -1), set("exp", 1e15), set("g", "openid"),
		set("w", strings.Repeat("x", maxTenantName+1)),
	} {
		var m claimsMap
		if err := json.Unmarshal(good, &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		_, err = ParseRefreshToken(b)
		wantError(t, err, ReasonStored, "refresh token")
	}
	for _, b := range []string{"", "[]", `{"v":1,"V":1}`, `{"v":"1"}`, strings.Repeat(" ", limits.IdentityStored+1)} {
		_, err := ParseRefreshToken([]byte(b))
		wantError(t, err, ReasonStored, "refresh token")
	}
	if _, err := (RefreshToken{}).RevealBytes(); err == nil || !(RefreshToken{}).Expires().IsZero() {
		t.Error("the zero RefreshToken")
	}
}

func FuzzParseRefreshToken(f *testing.F) {
	f.Add([]byte(`{"v":1,"i":"https://op.example","c":"RP1","sub":"s","nonce":"` + randomText(32) +
		`","iat":1,"g":["openid"],"t":"r","exp":9}`))
	f.Add([]byte(`{"v":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		token, err := ParseRefreshToken(b)
		if err != nil {
			return
		}
		again, err := token.RevealBytes()
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseRefreshToken(again)
		if err != nil || back.fields().Token != token.fields().Token || !back.Expires().Equal(token.Expires()) {
			t.Fatalf("round trip: %v", err)
		}
	})
}
