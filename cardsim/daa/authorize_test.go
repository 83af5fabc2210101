package daa_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/internal/jose"
)

// Before client and redirect URL are known to be right nothing is sent anywhere (RFC 6749, section 4.1.2.1).
func TestBadClientOrRedirectStaysOnAPage(t *testing.T) {
	rp := start(t)
	good := rp.authorization()
	twice := with(good)
	twice["client_id"] = []string{rpID, rpID}
	redirectTwice := with(good)
	redirectTwice["redirect_uri"] = []string{redirect, "https://evil.example/"}
	for name, query := range map[string]string{
		"unknown client":        with(good, "client_id", "RP99999999").Encode(),
		"no client":             without(good, "client_id").Encode(),
		"two clients":           twice.Encode(),
		"no redirect":           without(good, "redirect_uri").Encode(),
		"foreign redirect":      with(good, "redirect_uri", "https://evil.example/").Encode(),
		"redirect with a slash": with(good, "redirect_uri", redirect+"/").Encode(),
		"redirect, other case":  with(good, "redirect_uri", strings.ToUpper(redirect)).Encode(),
		"redirect with a query": with(good, "redirect_uri", redirect+"?x=1").Encode(),
		"two redirects":         redirectTwice.Encode(),
		"semicolon":             good.Encode() + ";x=1",
	} {
		t.Run(name, func(t *testing.T) {
			a := rp.do(http.MethodGet, rp.svc.Environment().AuthorizationEndpoint+"?"+query, "", "", "")
			if a.status != http.StatusBadRequest || a.header.Get("Location") != "" {
				t.Errorf("status %d, Location %q; want an error page", a.status, a.header.Get("Location"))
			}
		})
	}
}

func TestBadParametersAreSentBack(t *testing.T) {
	rp := start(t, daa.WithKnobs(daa.Knobs{Authorization: daa.AuthorizationKnobs{
		Callback: daa.CallbackKnobs{Issuer: daa.CallbackIssuerOn}}}))
	good := rp.authorization()
	id := rp.transaction(make([]byte, 32))
	twice := with(good)
	twice["nonce"] = []string{"a", "b"}
	unknownTwice := with(good)
	unknownTwice["x"] = []string{"a", "b"}
	for name, c := range map[string]struct {
		query url.Values
		code  string
	}{
		"no response_type":          {without(good, "response_type"), "invalid_request"},
		"implicit":                  {with(good, "response_type", "id_token"), "unsupported_response_type"},
		"hybrid":                    {with(good, "response_type", "code id_token"), "unsupported_response_type"},
		"no scope":                  {without(good, "scope"), "invalid_request"},
		"no openid":                 {with(good, "scope", "name"), "invalid_scope"},
		"unknown scope":             {with(good, "scope", "openid email"), "invalid_scope"},
		"scope in another case":     {with(good, "scope", "openid Name"), "invalid_scope"},
		"two spaces":                {with(good, "scope", "openid  name"), "invalid_scope"},
		"scope twice":               {with(good, "scope", "openid name name"), "invalid_scope"},
		"scope not enabled":         {with(good, "scope", "openid user_certificate"), "invalid_scope"},
		"no state":                  {without(good, "state"), "invalid_request"},
		"empty state":               {with(good, "state", ""), "invalid_request"},
		"long state":                {with(good, "state", strings.Repeat("s", 256)), "invalid_request"},
		"state with a line break":   {with(good, "state", "a\nb"), "invalid_request"},
		"state not ASCII":           {with(good, "state", "あ"), "invalid_request"},
		"no nonce":                  {without(good, "nonce"), "invalid_request"},
		"long nonce":                {with(good, "nonce", strings.Repeat("n", 256)), "invalid_request"},
		"nonce twice":               {twice, "invalid_request"},
		"unknown parameter twice":   {unknownTwice, "invalid_request"},
		"no challenge":              {without(good, "code_challenge"), "invalid_request"},
		"padded challenge":          {with(good, "code_challenge", challenge(verifier)+"="), "invalid_request"},
		"challenge, plain base64":   {with(good, "code_challenge", strings.Repeat("a", 42)+"+"), "invalid_request"},
		"short challenge":           {with(good, "code_challenge", strings.Repeat("a", 42)), "invalid_request"},
		"long challenge":            {with(good, "code_challenge", strings.Repeat("a", 129)), "invalid_request"},
		"no method":                 {without(good, "code_challenge_method"), "invalid_request"},
		"plain":                     {with(good, "code_challenge_method", "plain"), "invalid_request"},
		"method in lower case":      {with(good, "code_challenge_method", "s256"), "invalid_request"},
		"acr with a line break":     {with(good, "acr_values", "aal3\ncrl"), "invalid_request"},
		"fragment":                  {with(good, "response_mode", "fragment"), "invalid_request"},
		"request object":            {with(good, "request", "a.b.c"), "request_not_supported"},
		"request_uri":               {with(good, "request_uri", "https://x.example/"), "request_uri_not_supported"},
		"prompt none":               {with(good, "prompt", "none"), "interaction_required"},
		"sign without transaction":  {with(good, "scope", "openid sign"), "invalid_request"},
		"transaction without sign":  {with(good, "sign_transaction_id", id), "invalid_request"},
		"transaction not a UUID":    {with(rp.signing(id), "sign_transaction_id", "1234"), "invalid_request"},
		"transaction with a suffix": {with(rp.signing(id), "sign_transaction_id", id+"\n"), "invalid_request"},
		"unknown transaction": {with(rp.signing(id), "sign_transaction_id",
			"65a04b4e-af8b-45a2-8713-5ec2631bab64"), "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			a := rp.do(http.MethodGet, rp.authorizationURL(c.query), "", "", "")
			if a.status != http.StatusSeeOther {
				t.Fatalf("status %d: %s", a.status, a.body)
			}
			got := rp.callback(a.header.Get("Location"))
			if got.Get("error") != c.code || got.Get("code") != "" {
				t.Errorf("got %v, want error %s", got, c.code)
			}
			// RFC 6749, section 4.1.2.1: %x20-21 / %x23-5B / %x5D-7E.
			if d := got.Get("error_description"); d == "" || regexp.MustCompile(`[^\x20-\x7E]|["\\]`).MatchString(d) {
				t.Errorf("error_description %q", d)
			}
			if got.Get("iss") != rp.svc.Environment().Issuer {
				t.Errorf("iss %q", got.Get("iss")) // RFC 9207, section 2: in error answers too
			}
			wantState := "a-state"
			if strings.Contains(name, "state") {
				wantState = ""
			}
			if got.Get("state") != wantState {
				t.Errorf("state %q, want %q", got.Get("state"), wantState)
			}
		})
	}
}

// A transaction belongs to the client that started it.
func TestTransactionOfAnotherClient(t *testing.T) {
	other := newKey(t)
	rp := start(t, withClient("RP00000002", other))
	id := rp.transaction(make([]byte, 32))
	q := with(rp.signing(id), "client_id", "RP00000002")
	got := rp.callback(rp.do(http.MethodGet, rp.authorizationURL(q), "", "", "").header.Get("Location"))
	if got.Get("error") != "invalid_request" {
		t.Errorf("got %v", got)
	}
}

func TestUnknownParametersAreIgnored(t *testing.T) {
	rp := start(t)
	if got := rp.approve(with(rp.authorization(), "ui_locales", "ja", "x", "1")); got.Get("code") == "" {
		t.Errorf("got %v", got)
	}
}

func TestOnlyGET(t *testing.T) {
	rp := start(t)
	a := rp.do(http.MethodPost, rp.svc.Environment().AuthorizationEndpoint, "", formType, rp.authorization().Encode())
	if a.status == http.StatusSeeOther {
		t.Error("a POST was accepted")
	}
}

// A client for which PKCE is optional may leave it out as a whole, and then has no verifier to show.
func TestOptionalPKCE(t *testing.T) {
	key := newKey(t)
	rp := start(t, daa.WithClient(daa.ClientRegistration{
		ID: "RP00000003", Key: key.Public(), RedirectURLs: []string{redirect}, OptionalPKCE: true,
	}))
	without3 := func(id string) url.Values {
		return with(without(rp.authorization(), "code_challenge", "code_challenge_method"), "client_id", id)
	}
	if got := rp.refusal(without3(rpID)); got != "invalid_request" {
		t.Errorf("required: %q", got)
	}
	rp.id, rp.key = "RP00000003", jose.SigningKey{Signer: key, Algorithm: jose.ES256}
	code := func(q url.Values) string { return rp.approve(q).Get("code") }
	for name, c := range map[string]struct {
		form url.Values
		want int
	}{
		"neither":                {without(rp.exchange(code(without3(rp.id))), "code_verifier"), http.StatusOK},
		"verifier, no challenge": {rp.exchange(code(without3(rp.id))), http.StatusBadRequest},
		"both":                   {rp.exchange(code(rp.authorization())), http.StatusOK},
		"challenge, no verifier": {without(rp.exchange(code(rp.authorization())), "code_verifier"),
			http.StatusBadRequest},
	} {
		if a := rp.token(c.form); a.status != c.want {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if got := rp.refusal(without(rp.authorization(), "code_challenge_method")); got != "invalid_request" {
		t.Errorf("half of it: %q", got)
	}
}

// refusal sends a request that is refused with a redirect and returns the error code.
func (rp *relyingParty) refusal(q url.Values) string {
	rp.t.Helper()
	a := rp.do(http.MethodGet, rp.authorizationURL(q), "", "", "")
	u, err := url.Parse(a.header.Get("Location"))
	if err != nil {
		rp.t.Fatal(err)
	}
	return u.Query().Get("error")
}
