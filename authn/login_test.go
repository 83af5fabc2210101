package authn

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
)

func TestLogin(t *testing.T) {
	for name, key := range map[string]func() Key{"ES256": testECKey, "RS256": testRSAKey} {
		t.Run(name, func(t *testing.T) {
			op := newOP(t)
			op.idKey = key()
			id, err := op.login(op.client(), Request{Scopes: Attributes})
			if err != nil {
				t.Fatal(err)
			}
			if id.Subject.Reveal() != testSubject || id.Issuer != op.env.Issuer || id.ACR != "aal3" ||
				!slices.Equal(id.AMR, []string{"card", "pin"}) {
				t.Errorf("subject %q issuer %q acr %q amr %q", id.Subject.Reveal(), id.Issuer, id.ACR, id.AMR)
			}
			if now := op.clock.now(); !id.IssuedAt.Equal(now.Truncate(time.Second)) ||
				!id.AuthTime.Equal(now.Add(-time.Minute)) {
				t.Errorf("times %v, %v", id.IssuedAt, id.AuthTime)
			}
			if id.Person.Name.Reveal() != "試験　花子" || id.Person.Birthdate.Reveal().Year != 1990 ||
				len(id.Problems) != 0 {
				t.Error("the four attributes are not what userinfo says")
			}
			want := []string{"openid", "name", "address", "birthdate", "gender"}
			if !id.GrantedListed || !slices.Equal(id.Granted, want) || !slices.Equal(id.Asked, want) ||
				id.Refused() != nil {
				t.Errorf("granted %q, asked %q, refused %q", id.Granted, id.Asked, id.Refused())
			}
			if raw, ok := id.Claim("nickname"); !ok || string(raw) != `"hana"` {
				t.Errorf("nickname %s, %v", raw, ok)
			}
			for _, interpreted := range []string{"sub", "name", "nothing"} {
				if _, ok := id.Claim(interpreted); ok {
					t.Errorf("claim %s", interpreted)
				}
			}
			if !id.AccessToken().IsZero() {
				t.Error("an access token was kept though no transaction needs it")
			}
		})
	}
}

func TestLoginForTheSubjectAlone(t *testing.T) {
	op := newOP(t)
	id, err := op.login(op.client(), Request{})
	if err != nil {
		t.Fatal(err)
	}
	if op.infoHits.Load() != 0 || id.Person.Name.Present() || id.Subject.Reveal() != testSubject {
		t.Error("userinfo was asked for nothing")
	}
	if _, ok := id.Claim("nickname"); ok {
		t.Error("a claim without userinfo")
	}
}

func TestLoginThatCarriesATransaction(t *testing.T) {
	op := newOP(t)
	id, err := op.login(op.client(), Request{Scopes: Name, Sign: testTx})
	if err != nil {
		t.Fatal(err)
	}
	if id.TransactionID != string(testTx) || id.AccessToken().Reveal() != testAccess {
		t.Error("transaction and access token belong to the identity")
	}
	if want := op.clock.now().Add(300 * time.Second); !id.AccessToken().Expires().Equal(want) {
		t.Errorf("expires %v", id.AccessToken().Expires())
	}
	if !id.Person.Name.Present() {
		t.Error("no name")
	}
	if _, ok := id.Claim("nickname"); !ok {
		t.Error("no claim")
	}
}

func TestGrantedScopes(t *testing.T) {
	op := newOP(t)
	op.answer = func(m claimsMap) { m["scope"] = "openid name" }
	id, err := op.login(op.client(), Request{Scopes: Name | Gender})
	if err != nil {
		t.Fatal(err)
	}
	if !id.GrantedListed || !slices.Equal(id.Granted, []string{"openid", "name"}) ||
		!slices.Equal(id.Refused(), []string{"gender"}) {
		t.Errorf("granted %q, refused %q", id.Granted, id.Refused())
	}
	op.answer = func(m claimsMap) { delete(m, "scope") }
	if id, err = op.login(op.client(), Request{Scopes: Name}); err != nil {
		t.Fatal(err)
	}
	if id.GrantedListed || !slices.Equal(id.Granted, []string{"openid", "name"}) {
		t.Errorf("granted %q, listed %v", id.Granted, id.GrantedListed)
	}
	op.answer = func(m claimsMap) { m["scope"] = "" }
	if id, err = op.login(op.client(), Request{Scopes: Name}); err != nil {
		t.Fatal(err)
	}
	if !id.GrantedListed || len(id.Granted) != 0 {
		t.Errorf("nothing granted: %q, listed %v", id.Granted, id.GrantedListed)
	}
}

func TestPendingSurvivesStorage(t *testing.T) {
	op := newOP(t)
	c := op.client()
	begun := op.begin(c, Request{Scopes: Attributes})
	b, err := begun.Pending.RevealBytes()
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParsePending(b)
	if err != nil {
		t.Fatal(err)
	}
	if p.State() != begun.Pending.State() || !p.Created().Equal(begun.Pending.Created()) {
		t.Error("state or time changed")
	}
	if _, err := c.Finish(context.Background(), p, op.authorize(begun)); err != nil {
		t.Error(err)
	}
}

func TestParallelLogins(t *testing.T) {
	op := newOP(t)
	c := op.client()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := op.login(c, Request{Scopes: Attributes}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := op.jwksHits.Load(); n != 1 {
		t.Errorf("%d key set fetches", n)
	}
}

// Nothing of the person, and no secret, is in any log record or error of good and bad logins.
func TestLogsAndErrorsAreClean(t *testing.T) {
	op := newOP(t)
	var logs bytes.Buffer
	c := op.client(func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	var secrets []string
	run := func() error {
		begun := op.begin(c, Request{Scopes: Attributes, Sign: testTx})
		callback := op.authorize(begun)
		secrets = append(secrets, begun.Pending.fields().State, begun.Pending.fields().Nonce,
			begun.Pending.fields().Verifier, callback.Get("code"))
		id, err := c.Finish(context.Background(), begun.Pending, callback)
		fmt.Fprintf(&logs, "%v %+v %#v %s", id, begun.Pending, id, err)
		return err
	}
	if err := run(); err != nil {
		t.Fatal(err)
	}
	op.claims = func(m claimsMap) { m["nonce"] = "other" }
	if err := run(); err == nil {
		t.Fatal("accepted")
	}
	op.claims = nil
	op.person = with(op.person, "sub", "someone else")
	if err := run(); err == nil {
		t.Fatal("accepted")
	}
	for _, s := range append(secrets, testSubject, testAccess, "someone else", "花子", "清瀬", "19900405", "hana", "eyJ") {
		if strings.Contains(logs.String(), s) {
			t.Errorf("%q is in the logs", s)
		}
	}
	for _, want := range []string{"login finished", "login refused", "reason=\"ID token\"", "step=nonce",
		"family=untrusted"} {
		if !strings.Contains(logs.String(), want) {
			t.Errorf("%q is not in the logs:\n%s", want, logs.String())
		}
	}
}

func TestAuthorizationURL(t *testing.T) {
	op := newOP(t)
	begun := op.begin(op.client(), Request{Scopes: Attributes, Sign: testTx})
	if strings.Contains(begun.URL, "+") || !strings.Contains(begun.URL, "acr_values=aal3%20crl") {
		t.Errorf("spaces are not %%20: %s", begun.URL)
	}
	u, err := url.Parse(begun.URL)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for name, want := range map[string]string{
		"response_type": "code", "scope": "openid name address birthdate gender sign", "client_id": testClientID,
		"redirect_uri":          testRedirect,
		"code_challenge_method": "S256", "acr_values": "aal3 crl", "sign_transaction_id": string(testTx),
	} {
		if q.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, q.Get(name), want)
		}
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if !isSecret(q.Get(name)) {
			t.Errorf("%s = %q is not 43 characters of base64url", name, q.Get(name))
		}
	}
	if len(q) != 10 {
		t.Errorf("%d parameters: %v", len(q), q)
	}
	again := op.begin(op.client(), Request{})
	if again.Pending.fields().State == begun.Pending.fields().State ||
		again.Pending.fields().Nonce == begun.Pending.fields().Nonce ||
		again.Pending.fields().Verifier == begun.Pending.fields().Verifier {
		t.Error("a secret repeats")
	}
	if f := again.Pending.fields(); f.State == f.Nonce || f.Nonce == f.Verifier {
		t.Error("secrets are alike")
	}
}

func TestACRValues(t *testing.T) {
	op := newOP(t)
	for name, c := range map[string]struct {
		config, request []string
		want            string
	}{
		"default":       {nil, nil, "aal3 crl"},
		"client's":      {[]string{"aal2"}, nil, "aal2"},
		"request's":     {[]string{"aal2"}, []string{"x", "y"}, "x y"},
		"none, client":  {[]string{}, nil, ""},
		"none, request": {nil, []string{}, ""},
	} {
		begun := op.begin(op.client(func(cf *Config) { cf.Rules.ACRValues = c.config }), Request{ACRValues: c.request})
		u, err := url.Parse(begun.URL)
		if err != nil {
			t.Fatal(err)
		}
		if u.Query().Get("acr_values") != c.want || u.Query().Has("acr_values") != (c.want != "") {
			t.Errorf("%s: %q", name, u.Query().Get("acr_values"))
		}
	}
}

func TestExtraScopes(t *testing.T) {
	op := newOP(t)
	names := wire.Default()
	names.ScopeIndividualNumber = "individual_number"
	c := op.client(func(c *Config) { c.Wire, c.IndividualNumberPurpose = &names, mynumber.PurposeReporting })
	begun := op.begin(c, Request{Scopes: UserCertificate | IndividualNumber,
		ExtraScopes: []string{"x:y", "openid", "x:y", "sign"}, Sign: testTx})
	if got := strings.Join(begun.Pending.fields().Scopes,
		" "); got != "openid user_certificate individual_number sign x:y" {
		t.Errorf("scope %q", got)
	}
}

func TestBeginRefuses(t *testing.T) {
	op := newOP(t)
	long := make([]string, maxScopes)
	for i := range long {
		long[i] = strings.Repeat("s", 40) + fmt.Sprint(i)
	}
	for name, r := range map[string]Request{
		"sign without transaction":          {Scopes: SignScope},
		"extra sign without transaction":    {ExtraScopes: []string{"sign"}},
		"transaction without id":            {Sign: tx("")},
		"transaction id is no UUID":         {Sign: tx("37a52ac8b232ebaca45404d68916489f")},
		"transaction id with a slash":       {Sign: tx("37a52ac8-b232-ebac-a454-04d68916489/")},
		"transaction id, dash out of place": {Sign: tx("37a52ac8-b232-ebac-a45-404d68916489f")},
		"scope with a space":                {ExtraScopes: []string{"a b"}},
		"empty scope":                       {ExtraScopes: []string{""}},
		"scope with a quote":                {ExtraScopes: []string{`a"`}},
		"scope beyond ASCII":                {ExtraScopes: []string{"氏名"}},
		"too many scopes":                   {ExtraScopes: make([]string, maxScopes+1)},
		"scope too long":                    {ExtraScopes: long},
		"acr values too long":               {ACRValues: long},
		"acr with a space":                  {ACRValues: []string{"aal3 crl"}},
		"individual number while off":       {Scopes: IndividualNumber},
	} {
		t.Run(name, func(t *testing.T) {
			begun, err := op.client().Begin(context.Background(), r)
			e := wantError(t, err, ReasonConfiguration, "request")
			if kakunin.FamilyOf(e) != kakunin.Configuration || begun.URL != "" || begun.Pending.State() != "" {
				t.Error("something began")
			}
		})
	}
}

func TestAnyTransactionID(t *testing.T) {
	op := newOP(t)
	names := wire.Default()
	names.Sign.AnyTransactionID, names.Sign.AuthorizationIDParam = true, "tx"
	c := op.client(func(c *Config) { c.Wire = &names })
	begun := op.begin(c, Request{Sign: tx("abc")})
	if !strings.Contains(begun.URL, "&tx=abc") {
		t.Error(begun.URL)
	}
	for _, id := range []string{"", "a b", "あ", strings.Repeat("a", 256)} {
		if _, err := c.Begin(context.Background(), Request{Sign: tx(id)}); err == nil {
			t.Errorf("%q was accepted", id)
		}
	}
}
