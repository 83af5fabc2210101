package daa_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

func TestLogin(t *testing.T) {
	rp := start(t)
	id, err := login(t.Context(), rp.client(), rp.svc.Visitor(), authn.Request{Scopes: authn.Attributes})
	if err != nil {
		t.Fatal(err)
	}
	p := rp.svc.Card().Person().Reveal()
	if id.Person.Name.Reveal() != p.Name || id.Person.Address.Reveal() != p.Address ||
		id.Person.Birthdate.RevealRaw() != p.Subject.Birthdate || id.Person.Gender.Reveal() != fourinfo.Female {
		t.Error("the attributes are not those of the card")
	}
	if id.ACR != "aal3" || id.AuthTime.IsZero() || len(id.Problems) != 0 || !id.GrantedListed {
		t.Errorf("acr %q, auth_time %v, problems %v", id.ACR, id.AuthTime, id.Problems)
	}
}

func TestDiscoveryKnob(t *testing.T) {
	rp := start(t)
	issuer := rp.svc.Environment().Issuer
	env, err := authn.Discover(t.Context(), rp.svc.Client(), issuer)
	if err != nil || env != rp.svc.Environment() {
		t.Errorf("discovered %+v, %v", env, err)
	}
	for _, k := range []daa.Discovery{daa.DiscoveryOff, daa.DiscoveryWrongIssuer} {
		rp.svc.SetKnobs(daa.Knobs{Discovery: k})
		if _, err := authn.Discover(t.Context(), rp.svc.Client(), issuer); err == nil {
			t.Errorf("knob %q: discovered", k)
		}
	}
}

// Every hostile ID token is refused, and it is the ID token that is blamed.
func TestHostileIDTokens(t *testing.T) {
	rp := start(t)
	for name, fault := range map[string]daa.IDTokenFault{
		"nonce": daa.FaultNonce, "iss": daa.FaultIssuer, "aud": daa.FaultAudience, "at_hash": daa.FaultAccessTokenHash,
		"foreign key": daa.FaultForeignKey, "signature": daa.FaultSignature, "none": daa.FaultAlgNone,
		"HS256": daa.FaultAlgHS256, "expired": daa.FaultExpired, "future iat": daa.FaultFutureIssuedAt,
	} {
		t.Run(name, func(t *testing.T) {
			rp.svc.SetKnobs(daa.Knobs{Token: daa.TokenKnobs{IDToken: daa.IDTokenKnobs{Fault: fault}}})
			wantUntrusted(t, rp, authn.ReasonIDToken)
			if name == "foreign key" {
				rp.svc.SetKnobs(daa.Knobs{Token: daa.TokenKnobs{
					IDToken: daa.IDTokenKnobs{Fault: fault, Algorithm: "RS256"}}})
				wantUntrusted(t, rp, authn.ReasonIDToken)
			}
		})
	}
	for _, claim := range []string{"iss", "sub", "aud", "exp", "iat", "nonce", "at_hash"} {
		t.Run("without "+claim, func(t *testing.T) {
			rp.svc.SetKnobs(daa.Knobs{Token: daa.TokenKnobs{IDToken: daa.IDTokenKnobs{OmitClaims: []string{claim}}}})
			wantUntrusted(t, rp, authn.ReasonIDToken)
		})
	}
	t.Run("foreign azp", func(t *testing.T) {
		rp.svc.SetKnobs(daa.Knobs{Token: daa.TokenKnobs{IDToken: daa.IDTokenKnobs{
			SetClaims: map[string]any{"azp": "RP99999999"}}}})
		wantUntrusted(t, rp, authn.ReasonIDToken)
	})
	t.Run("userinfo sub", func(t *testing.T) {
		rp.svc.SetKnobs(daa.Knobs{Userinfo: daa.UserinfoKnobs{SubjectMismatch: true}})
		wantUntrusted(t, rp, authn.ReasonUserinfo)
	})
	t.Run("wrong iss in the callback", func(t *testing.T) {
		rp.svc.SetKnobs(daa.Knobs{Authorization: daa.AuthorizationKnobs{
			Callback: daa.CallbackKnobs{Issuer: daa.CallbackIssuerWrong}}})
		wantUntrusted(t, rp, authn.ReasonIssuerMismatch)
	})
}

func wantUntrusted(t *testing.T, rp *relyingParty, want authn.Reason) {
	t.Helper()
	id, err := login(t.Context(), rp.client(), rp.svc.Visitor(), authn.Request{Scopes: authn.Name})
	var e *authn.Error
	if id != nil || !errors.As(err, &e) || e.Reason != want || kakunin.FamilyOf(err) != kakunin.Untrusted {
		t.Errorf("got %v, %v", id, err)
	}
}

func TestHarmlessKnobsAreAccepted(t *testing.T) {
	rp := start(t)
	for name, k := range map[string]daa.Knobs{
		"RS256":          {Token: daa.TokenKnobs{IDToken: daa.IDTokenKnobs{Algorithm: "RS256"}}},
		"audience array": {Token: daa.TokenKnobs{IDToken: daa.IDTokenKnobs{AudienceArray: true}}},
		"rotate first":   {Token: daa.TokenKnobs{IDToken: daa.IDTokenKnobs{RotateFirst: true}}},
		"iss in callback": {Authorization: daa.AuthorizationKnobs{
			Callback: daa.CallbackKnobs{Issuer: daa.CallbackIssuerOn}}},
		"no session_state": {Authorization: daa.AuthorizationKnobs{
			Callback: daa.CallbackKnobs{OmitSessionState: true}}},
		"extra parameter": {Authorization: daa.AuthorizationKnobs{
			Callback: daa.CallbackKnobs{Extra: map[string]string{"x": "y"}}}},
		"no scope":    {Token: daa.TokenKnobs{OmitScope: true}},
		"charset":     {Userinfo: daa.UserinfoKnobs{ContentType: "application/json;charset=UTF-8"}},
		"extra claim": {Userinfo: daa.UserinfoKnobs{SetClaims: map[string]any{"x": 1}}},
		"no acr": {Token: daa.TokenKnobs{IDToken: daa.IDTokenKnobs{
			OmitClaims: []string{"acr", "auth_time", "azp", "sid"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			rp.svc.SetKnobs(k)
			if _, err := login(t.Context(), rp.client(), rp.svc.Visitor(),
				authn.Request{Scopes: authn.Name}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPS256(t *testing.T) {
	rp := start(t, daa.WithKnobs(daa.Knobs{Token: daa.TokenKnobs{IDToken: daa.IDTokenKnobs{Algorithm: "PS256"}}}))
	c := rp.client(func(c *authn.Config) { c.Rules.Algorithms = []authn.Algorithm{authn.PS256} })
	if _, err := login(t.Context(), c, rp.svc.Visitor(), authn.Request{}); err != nil {
		t.Error(err)
	}
	if _, err := login(t.Context(), rp.client(), rp.svc.Visitor(), authn.Request{}); err == nil {
		t.Error("PS256 was accepted without being asked for")
	}
}

// The client finds the new key although it has the old set in its cache.
func TestKeyRotationBetweenLogins(t *testing.T) {
	clock := newClock()
	rp := start(t, follow(t, clock))
	c := rp.client(func(c *authn.Config) { c.Now = clock.now })
	for range 3 {
		if _, err := login(t.Context(), c, rp.svc.Visitor(), authn.Request{}); err != nil {
			t.Fatal(err)
		}
		if err := rp.svc.RotateKeys(); err != nil {
			t.Fatal(err)
		}
		clock.advance(10 * 60 * 1e9) // past any rate limit of refreshing
	}
}

func TestGrantedSubset(t *testing.T) {
	rp := start(t, daa.WithKnobs(daa.Knobs{Authorization: daa.AuthorizationKnobs{
		Scopes: daa.ScopeKnobs{GrantOnly: []string{"name"}}}}))
	id, err := login(t.Context(), rp.client(), rp.svc.Visitor(), authn.Request{Scopes: authn.Name | authn.Address})
	if err != nil {
		t.Fatal(err)
	}
	if !id.Person.Name.Present() || id.Person.Address.Present() || slices.Contains(id.Granted, "address") {
		t.Errorf("granted %v", id.Granted)
	}
}

func TestUserCertificateScope(t *testing.T) {
	rp := start(t, daa.WithKnobs(daa.Knobs{Authorization: daa.AuthorizationKnobs{
		Scopes: daa.ScopeKnobs{UserCertificate: true}}}))
	id, err := login(t.Context(), rp.client(), rp.svc.Visitor(), authn.Request{Scopes: authn.UserCertificate})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := id.Claim("user_certificate"); !ok {
		t.Error("no certificate")
	}
}

// signDocument runs the SDK's whole signing flow and verifies what came out.
func signDocument(t *testing.T, rp *relyingParty, c *authn.Client, names *wire.Profile, mode sign.Mode) {
	t.Helper()
	signer, err := signapi.New(signapi.Config{Client: c})
	if err != nil {
		t.Fatal(err)
	}
	tx, err := signer.Start(t.Context(), sign.Document{Reader: strings.NewReader(document),
		MediaType: "text/plain; charset=utf-8"}, mode)
	if err != nil {
		t.Fatal(err)
	}
	id, err := login(t.Context(), c, rp.svc.Visitor(), authn.Request{Sign: tx})
	if err != nil {
		t.Fatal(err)
	}
	result, err := signer.Fetch(t.Context(), tx, id)
	if err != nil {
		t.Fatal(err)
	}
	o := result.Opened
	if result.Sealed != nil {
		if o, err = rp.svc.Opener().Open(result.Sealed); err != nil {
			t.Fatal(err)
		}
	}
	v := rp.svc.Verifier()
	if _, err := v.Verify(t.Context(), o, sign.Expect{Document: strings.NewReader(document), Mode: mode,
		Transaction: tx}); err != nil {
		t.Error(err)
	}
}

func TestSigningFlow(t *testing.T) {
	for _, mode := range []sign.Mode{sign.ModeBareHash, sign.ModeDigestInfo} {
		rp := start(t)
		signDocument(t, rp, rp.client(), nil, mode)
		rp = government(t)
		signDocument(t, rp, rp.client(), nil, mode)
	}
}

// renamed gives every entry of the wire profile another value, entries that are added later included.
func renamed(t *testing.T) wire.Profile {
	t.Helper()
	w := wire.Default()
	algorithms := map[string]bool{"JWEKeyAlgorithms": true, "JWEContentAlgorithms": true}
	next := 290
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		for i := range v.NumField() {
			f, name := v.Field(i), v.Type().Field(i).Name
			switch f.Interface().(type) {
			case string:
				if name == "ResultSuffix" {
					f.SetString("/x-outcome")
					continue
				}
				f.SetString("x_" + name)
			case []string:
				if !algorithms[name] { // names of RFC 7518, not ours to change: only their choice is
					f.Set(reflect.ValueOf([]string{"x_" + name}))
				}
			case []int:
				next++
				f.Set(reflect.ValueOf([]int{next}))
			case int:
				next++
				f.SetInt(int64(next))
			case bool:
				f.SetBool(true)
			case map[string]string:
				f.Set(reflect.ValueOf(map[string]string{"x_extra": "x_value"}))
			default:
				if f.Kind() != reflect.Struct {
					t.Fatalf("the test does not know how to rename %s", name)
				}
				walk(f)
			}
		}
	}
	walk(reflect.ValueOf(&w).Elem())
	w.Sign.JWEContentAlgorithms = []string{"A256CBC-HS512"}
	return w
}

// The wire profile is the only source of wire names: client and service agree whatever they are.
func TestRenamingTheWireProfile(t *testing.T) {
	w := renamed(t)
	// Whoever names the scope of the individual number has to name the lawful purpose, too.
	rename := func(c *authn.Config) { c.Wire, c.IndividualNumberPurpose = &w, mynumber.PurposeAdministration }
	rp := start(t, daa.WithWire(w))
	for _, mode := range []sign.Mode{sign.ModeBareHash, sign.ModeDigestInfo} {
		signDocument(t, rp, rp.client(rename), &w, mode)
	}
	gov := government(t, daa.WithWire(w))
	signDocument(t, gov, gov.client(rename), &w, sign.ModeBareHash)

	id, err := login(t.Context(), rp.client(rename), rp.svc.Visitor(), authn.Request{Scopes: authn.Attributes})
	if err != nil || id.Person.Name.Reveal() != rp.svc.Card().Person().Reveal().Name || !id.Person.Gender.Present() {
		t.Errorf("attributes: %v", err)
	}

	c := rp.client(rename)
	begun, err := c.Begin(t.Context(), authn.Request{})
	if err != nil {
		t.Fatal(err)
	}
	callback, err := rp.svc.Visitor().Cancel(t.Context(), begun.URL)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(callback)
	if err != nil {
		t.Fatal(err)
	}
	var e *authn.Error
	if _, err = c.Finish(t.Context(), begun.Pending, u.Query()); !errors.As(err, &e) ||
		e.Reason != authn.ReasonUserCancelled {
		t.Errorf("cancelled: %v", err)
	}

	rp.svc.SetKnobs(daa.Knobs{Authorization: daa.AuthorizationKnobs{Scopes: daa.ScopeKnobs{UserCertificate: true}}})
	id, err = login(t.Context(), c, rp.svc.Visitor(), authn.Request{Scopes: authn.UserCertificate})
	if err != nil {
		t.Fatal(err)
	}
	if raw, ok := id.Claim(w.ClaimUserCertificate); !ok || len(raw) < 1000 ||
		!slices.Contains(id.Granted, w.ScopeUserCertificate) {
		t.Errorf("certificate claim of %d bytes, granted %v", len(raw), id.Granted)
	}
	renamedRefusals(t, rp, c)

	// None of the default names is left in the service's answers, errors included.
	service := rp.serviceToken()
	a := rp.startSign(service, map[string]any{"client_id": rpID, "hash": "", "hash_algorithm": "SHA-256"})
	if a.status != http.StatusBadRequest || a.json[w.Sign.ErrorField] != w.Sign.ErrorCodes.InvalidRequest ||
		len(a.json) != 2 ||
		a.json[w.Sign.ErrorField+"_description"] == nil {
		t.Errorf("%d %s", a.status, a.body)
	}
	a = rp.startSign(service, rp.startBody(w.Sign, make([]byte, 32)))
	if a.status != w.Sign.StartStatuses[0] || len(a.json) != 2 || a.json[w.Sign.StartIDField] == nil ||
		a.json[w.Sign.StartLifetimeField] != float64(w.Sign.StartDefaultLifetime) {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// renamedRefusals goes through the refusals of the sign API that the SDK can meet.
func renamedRefusals(t *testing.T, rp *relyingParty, c *authn.Client) {
	t.Helper()
	client, err := signapi.New(signapi.Config{Client: c})
	if err != nil {
		t.Fatal(err)
	}
	signed := func() (*sign.Transaction, *authn.Identity) {
		tx, err := client.Start(t.Context(), sign.Text(document), sign.ModeBareHash)
		if err != nil {
			t.Fatal(err)
		}
		id, err := login(t.Context(), c, rp.svc.Visitor(), authn.Request{Sign: tx})
		if err != nil {
			t.Fatal(err)
		}
		return tx, id
	}
	want := func(tx *sign.Transaction, id *authn.Identity, reason signapi.Reason) {
		t.Helper()
		if _, err := client.Fetch(t.Context(), tx, id); apiReason(err) != reason {
			t.Errorf("want %v, got %v", reason, err)
		}
	}
	rp.svc.SetKnobs(daa.Knobs{Sign: daa.SignKnobs{PendingResults: 1, RequireServiceScope: true}})
	tx, id := signed()
	want(tx, id, signapi.ReasonPending)
	want(tx, id, signapi.ReasonUnknown)
	want(tx, id, signapi.ReasonConsumed)

	rp.svc.SetKnobs(daa.Knobs{Sign: daa.SignKnobs{CancelledTransaction: true}})
	tx, id = signed()
	want(tx, id, signapi.ReasonCancelled)

	rp.svc.SetKnobs(daa.Knobs{Lifetimes: daa.Lifetimes{AccessToken: time.Nanosecond}})
	tx, id = signed()
	want(tx, id, signapi.ReasonUserToken)
}

// Many people at once, with one card: every visit ends with its own answer.
func TestParallelVisits(t *testing.T) {
	rp := start(t)
	c := rp.client()
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			v := rp.svc.Visitor()
			v.TwoDevices = i%2 == 1
			id, err := login(t.Context(), c, v, authn.Request{Scopes: authn.Name})
			if err != nil || !id.Person.Name.Present() {
				t.Errorf("visit %d: %v", i, err)
			}
		})
	}
	group.Wait()
}

func TestTestAuthoritiesAreServed(t *testing.T) {
	rp := start(t)
	a := rp.do(http.MethodGet, rp.svc.URL()+"/simulator/jpki/sign/ca.cer", "", "", "")
	if a.status != http.StatusOK || !bytes.Equal(a.body, rp.svc.JPKI().SigningCA().Certificate().Raw) {
		t.Errorf("%d, %d bytes", a.status, len(a.body))
	}
}

func apiReason(err error) signapi.Reason {
	if e, ok := errors.AsType[*signapi.Error](err); ok {
		return e.Reason
	}
	return signapi.ReasonUnknown
}
