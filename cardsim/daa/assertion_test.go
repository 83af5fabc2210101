package daa_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/internal/jose"
)

// What Keycloak 26.0.8 and 26.4.0 did with each of these when they were run side by side. The strict profile is FAPI
// 2.0 Security Profile, section 5.3.2.1.
func TestAssertionProfiles(t *testing.T) {
	clock := newClock()
	rp := start(t, follow(t, clock))
	at := func(d time.Duration) int64 { return clock.now().Add(d).Unix() }
	endpoint, issuer := rp.svc.Environment().TokenEndpoint, rp.svc.Environment().Issuer
	const day, seconds = 24 * time.Hour, time.Second
	sameID := rp.claims()["jti"]
	for _, c := range []struct {
		name                   string
		pairs                  []any
		keycloak260, keycloak4 bool
		strict                 bool
	}{
		{"iat now, exp +30 s", nil, true, true, true},
		{"iat now, exp +60 s", []any{"exp", at(60 * seconds)}, true, true, true},
		{"iat now, exp +61 s", []any{"exp", at(61 * seconds)}, true, true, false},
		{"iat now, exp +90 s", []any{"exp", at(90 * seconds)}, true, true, false},
		{"iat now, exp +5 min", []any{"exp", at(5 * time.Minute)}, true, true, false},
		{"iat now, exp +1 h", []any{"exp", at(time.Hour)}, true, true, false},
		{"no iat, exp +30 s", []any{"iat", nil}, true, true, false},
		{"no iat, exp +60 s", []any{"iat", nil, "exp", at(60 * seconds)}, true, true, false},
		{"no iat, exp +90 s", []any{"iat", nil, "exp", at(90 * seconds)}, true, false, false},
		{"no iat, exp +1 day", []any{"iat", nil, "exp", at(day)}, true, false, false},
		{"iat 90 s old, exp +30 s", []any{"iat", at(-90 * seconds)}, true, false, false},
		{"iat 30 s old, exp +30 s", []any{"iat", at(-30 * seconds)}, true, true, true},
		{"aud is the issuer", []any{"aud", issuer}, true, true, true},
		{"aud is the token endpoint", []any{"aud", endpoint}, true, true, false},
		{"aud is an array of one", []any{"aud", []string{endpoint}}, true, true, false},
		{"aud is an array of one, the issuer", []any{"aud", []string{issuer}}, true, true, false},
		{"aud is an array of two", []any{"aud", []string{endpoint, issuer}}, true, false, false},
		{"aud is an array of others", []any{"aud", []string{"https://other.example"}}, false, false, false},
		{"exp is a JSON string", []any{"exp", strconv.FormatInt(at(30*seconds), 10)}, true, true, false},
		{"iat is a JSON string", []any{"iat", strconv.FormatInt(at(0), 10)}, true, true, false},
		{"exp +1 day as a string, no iat", []any{"iat", nil, "exp", strconv.FormatInt(at(day), 10)}, true, false,
			false},
		{"exp is another string", []any{"exp", "soon"}, false, false, false},
		{"iat is another string", []any{"iat", "now"}, false, false, false},
		{"iat is null", []any{"iat", json.RawMessage("null")}, false, false, false},
		{"iat 20 s ahead", []any{"iat", at(20 * seconds), "exp", at(50 * seconds)}, true, false, false},
		{"no jti", []any{"jti", nil}, false, false, false},
		{"other iss", []any{"iss", "RP99999999"}, false, false, false},
		{"other sub", []any{"sub", "RP99999999"}, false, false, false},
		{"expired 5 s ago", []any{"iat", at(-35 * seconds), "exp", at(-5 * seconds)}, false, false, false},
		{"jti for the first time", []any{"jti", sameID}, true, true, true},
		{"jti for the second time", []any{"jti", sameID}, false, false, false},
	} {
		for _, profile := range []struct {
			name   daa.AssertionProfile
			want   bool
			status int
		}{
			{"", c.keycloak260, http.StatusBadRequest},
			{daa.AssertionKeycloak260, c.keycloak260, http.StatusBadRequest},
			{daa.AssertionKeycloak264, c.keycloak4, http.StatusBadRequest},
			{daa.AssertionStrictFAPI2, c.strict, http.StatusUnauthorized},
		} {
			t.Run(c.name+"/"+string(profile.name), func(t *testing.T) {
				claims := change(rp.claims(), append([]any{"iat", at(0), "exp", at(30 * seconds)}, c.pairs...)...)
				if profile.name == daa.AssertionStrictFAPI2 && !strings.HasPrefix(c.name, "aud") {
					claims["aud"] = issuer
				}
				if claims["jti"] == sameID { // each profile has a first and a second time
					claims["jti"] = string(profile.name) + sameID.(string)
				}
				rp.svc.SetKnobs(withProfile(profile.name))
				a := rp.serviceTokenWith(claims)
				if (a.status == http.StatusOK) != profile.want || !profile.want && a.status != profile.status {
					t.Errorf("%d %s", a.status, a.body)
				}
				if !profile.want && a.json["error"] != "invalid_client" {
					t.Errorf("refused as %v", a.json["error"])
				}
			})
		}
	}
}

// serviceTokenWith asks for a client_credentials token with an assertion of these claims.
func (rp *relyingParty) serviceTokenWith(claims map[string]any) answer {
	rp.t.Helper()
	form := rp.credentials()
	form.Set("grant_type", "client_credentials")
	form.Set("client_assertion", rp.assertion(rp.key, claims))
	return rp.token(form)
}

// What is accepted now and would not be by a stricter service is said.
func TestStrictWarning(t *testing.T) {
	var log bytes.Buffer
	rp := start(t, daa.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	issuer := rp.svc.Environment().Issuer
	warned := func(claims map[string]any) string {
		log.Reset()
		if a := rp.serviceTokenWith(claims); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
		_, text, _ := strings.Cut(log.String(), "a stricter service would refuse")
		text, _, _ = strings.Cut(text, "\n")
		return text
	}
	if text := warned(change(rp.claims(), "aud", issuer)); text != "" {
		t.Errorf("a strict assertion: %s", text)
	}
	for want, claims := range map[string]map[string]any{
		"iat is missing":                        change(rp.claims(), "aud", issuer, "iat", nil),
		"must be the issuer as a single string": change(rp.claims(), "aud", []string{issuer}),
		"exp is too far in the future": change(rp.claims(), "aud", issuer, "exp",
			time.Now().Add(time.Hour).Unix()),
		"exp is missing or no number": change(rp.claims(), "aud", issuer, "exp",
			strconv.FormatInt(time.Now().Add(time.Minute).Unix(), 10)),
	} {
		if text := warned(claims); !strings.Contains(text, want) {
			t.Errorf("want %q: %q", want, text)
		}
	}
}

func TestAssertionKnobs(t *testing.T) {
	rp := start(t)
	issuer, endpoint := rp.svc.Environment().Issuer, rp.svc.Environment().TokenEndpoint
	soon, day := time.Now().Add(2*time.Minute).Unix(), time.Now().Add(24*time.Hour).Unix()
	const refused = http.StatusBadRequest
	for name, c := range map[string]struct {
		knobs  daa.AssertionKnobs
		claims map[string]any
		noID   bool
		want   int
	}{
		"issuer only": {daa.AssertionKnobs{Audiences: []string{issuer}},
			change(rp.claims(), "aud", issuer), false, http.StatusOK},
		"issuer only, endpoint": {daa.AssertionKnobs{Audiences: []string{issuer}}, rp.claims(), false, refused},
		"another name": {daa.AssertionKnobs{Audiences: []string{issuer + "/x", endpoint}},
			change(rp.claims(), "aud", issuer+"/x"), false, http.StatusOK},
		"lifetime": {daa.AssertionKnobs{MaxLifetime: time.Hour}, change(rp.claims(), "exp", soon),
			false, http.StatusOK},
		"long lifetime": {daa.AssertionKnobs{MaxLifetime: time.Hour}, change(rp.claims(), "exp", day),
			false, refused},
		"long lifetime, no iat": {daa.AssertionKnobs{MaxLifetime: time.Hour},
			change(rp.claims(), "exp", day, "iat", nil), false, refused},
		"shorter than the profile's, no iat": {
			daa.AssertionKnobs{Profile: daa.AssertionKeycloak264, MaxLifetime: 10 * time.Second},
			change(rp.claims(), "iat", nil), false, refused},
		"longer than the profile's, no iat": {
			daa.AssertionKnobs{Profile: daa.AssertionKeycloak264, MaxLifetime: time.Hour},
			change(rp.claims(), "exp", soon, "iat", nil), false, http.StatusOK},
		"type": {daa.AssertionKnobs{Type: "client-authentication+jwt"}, rp.claims(), false,
			refused},
		"type, as it is":        {daa.AssertionKnobs{Type: "jwt"}, rp.claims(), false, http.StatusOK},
		"key id required":       {daa.AssertionKnobs{RequireKeyID: true}, rp.claims(), false, refused},
		"client_id required":    {daa.AssertionKnobs{RequireClientID: true}, rp.claims(), true, refused},
		"client_id not missing": {daa.AssertionKnobs{RequireClientID: true}, rp.claims(), false, http.StatusOK},
		"algorithm accepted": {daa.AssertionKnobs{Algorithms: []string{"ES256"}}, rp.claims(), false,
			http.StatusOK},
		"algorithm not accepted": {daa.AssertionKnobs{Algorithms: []string{"PS256"}}, rp.claims(), false, refused},
		"no algorithm accepted":  {daa.AssertionKnobs{Algorithms: []string{}}, rp.claims(), false, refused},
		"type required and not sent": {daa.AssertionKnobs{Type: "client-authentication+jwt"}, rp.claims(), false,
			refused},
	} {
		t.Run(name, func(t *testing.T) {
			rp.svc.SetKnobs(daa.Knobs{Token: daa.TokenKnobs{Assertion: c.knobs}})
			form := rp.credentials()
			form.Set("grant_type", "client_credentials")
			form.Set("client_assertion", rp.assertion(rp.key, c.claims))
			if c.noID {
				form.Del("client_id")
			}
			if a := rp.token(form); a.status != c.want {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	// The client's side of the policy: issuer as the audience and an explicit type, also with the strictest profile.
	rp.svc.SetKnobs(daa.Knobs{Token: daa.TokenKnobs{Assertion: daa.AssertionKnobs{
		Profile: daa.AssertionStrictFAPI2, Type: "client-authentication+jwt", RequireKeyID: true, RequireClientID: true,
	}}})
	c := rp.client(func(c *authn.Config) {
		c.Assertion.Audience, c.Assertion.Type = c.Environment.Issuer, "client-authentication+jwt"
		var err error
		if c.Key, err = c.Key.WithKeyID("k1"); err != nil {
			t.Fatal(err)
		}
	})
	if _, err := login(t.Context(), c, rp.svc.Visitor(), authn.Request{}); err != nil {
		t.Error(err)
	}
}

// What kid a registration expects, as Keycloak does.
func TestKeyForms(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey := newKey(t)
	name := func(key any) string {
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(der)
		return base64.RawURLEncoding.EncodeToString(sum[:])
	}
	thumbprint, err := jose.Thumbprint(rsaKey.Public())
	if err != nil {
		t.Fatal(err)
	}
	both, err := jose.MarshalKeySet(
		jose.PublicKey{Key: rsaKey.Public(), KeyID: "r", Algorithm: "RS256", Use: "sig"},
		jose.PublicKey{Key: ecKey.Public(), KeyID: "e"},
	)
	if err != nil {
		t.Fatal(err)
	}
	asRSA, asEC := jose.SigningKey{Signer: rsaKey, Algorithm: jose.RS256},
		jose.SigningKey{Signer: ecKey, Algorithm: jose.ES256}
	for label, c := range map[string]struct {
		registered daa.ClientRegistration
		key        jose.SigningKey
		kids       map[string]bool
	}{
		"RSA as PEM": {daa.ClientRegistration{Key: rsaKey.Public(), KeyForm: daa.KeyFormPEM}, asRSA,
			map[string]bool{"": true, thumbprint: false, "k": false, name(rsaKey.Public()): true}},
		"EC as PEM": {daa.ClientRegistration{Key: ecKey.Public(), KeyForm: daa.KeyFormPEM}, asEC,
			map[string]bool{"": false, "k": false, name(ecKey.Public()): false}},
		"key without a name": {daa.ClientRegistration{Key: ecKey.Public()}, asEC,
			map[string]bool{"": true, "k": true}},
		"key with a name": {daa.ClientRegistration{Key: ecKey.Public(), KeyID: "k"}, asEC,
			map[string]bool{"": true, "k": true, "l": false}},
		"JWK Set, RSA": {daa.ClientRegistration{JWKS: both}, asRSA,
			map[string]bool{"": true, "r": true, "e": false, "k": false}},
		"JWK Set, EC": {daa.ClientRegistration{JWKS: both}, asEC,
			map[string]bool{"": true, "e": true, "r": false, "k": false}},
		"JWK Set, another alg": {daa.ClientRegistration{JWKS: both},
			jose.SigningKey{Signer: rsaKey, Algorithm: jose.PS256}, map[string]bool{"": false, "r": false}},
	} {
		t.Run(label, func(t *testing.T) {
			c.registered.ID, c.registered.RedirectURLs = "RP00000003", []string{redirect}
			rp := start(t, daa.WithClient(c.registered))
			rp.id = c.registered.ID
			for kid, want := range c.kids {
				rp.key = c.key
				rp.key.KeyID = kid
				if a := rp.serviceTokenWith(rp.claims()); (a.status == http.StatusOK) != want {
					t.Errorf("kid %q: %d %s", kid, a.status, a.body)
				}
			}
		})
	}
}

// Keys behind an address are fetched when needed, and again when an assertion names one that is new, but not by
// everybody who makes up a name.
func TestKeysBehindAnAddress(t *testing.T) {
	clock := newClock()
	var keys atomic.Pointer[[]byte]
	var fetched atomic.Int64
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fetched.Add(1)
		_, _ = w.Write(*keys.Load())
	}))
	t.Cleanup(site.Close)
	publish := func(kid string, key *ecdsa.PrivateKey) {
		set, err := jose.MarshalKeySet(jose.PublicKey{Key: key.Public(), KeyID: kid})
		if err != nil {
			t.Fatal(err)
		}
		keys.Store(&set)
	}
	first, second := newKey(t), newKey(t)
	publish("first", first)
	rp := start(t, follow(t, clock), daa.WithClient(daa.ClientRegistration{
		ID: "RP00000003", JWKSURL: site.URL, RedirectURLs: []string{redirect},
	}))
	rp.id = "RP00000003"
	ask := func(kid string, key *ecdsa.PrivateKey) int {
		rp.key = jose.SigningKey{Signer: key, Algorithm: jose.ES256, KeyID: kid}
		return rp.serviceTokenWith(change(rp.claims(), "iat", clock.now().Unix(), "exp",
			clock.now().Add(time.Minute).Unix())).status
	}
	want := func(what string, got int, ok bool, fetches int64) {
		t.Helper()
		if (got == http.StatusOK) != ok || fetched.Load() != fetches {
			t.Errorf("%s: status %d, %d fetches", what, got, fetched.Load())
		}
	}
	want("first key", ask("first", first), true, 1)
	want("again", ask("first", first), true, 1)
	publish("second", second)
	want("a new key at once", ask("second", second), false, 1)
	clock.advance(11 * time.Second)
	want("a new key", ask("second", second), true, 2)
	want("made-up names", ask("third", second), false, 2)
	want("the old key", ask("first", first), false, 2)
	clock.advance(6 * time.Minute)
	want("after a while", ask("second", second), true, 3)
	site.Close()
	clock.advance(6 * time.Minute)
	want("the address is gone, its keys stay", ask("second", second), true, 3)
}
