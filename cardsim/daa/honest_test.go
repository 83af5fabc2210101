package daa_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// Requests that honest libraries send in this or another way, and the ones beside them that must not pass.
func TestWaysOfAskingForTokens(t *testing.T) {
	rp := start(t)
	now := time.Now().Unix()
	good := func(pairs ...string) string {
		return with(rp.credentials(), append([]string{"grant_type", "client_credentials"}, pairs...)...).Encode()
	}
	claims := func(pairs ...any) string {
		return good("client_assertion", rp.assertion(rp.key, change(rp.claims(), pairs...)))
	}
	once := good()
	for _, c := range []struct {
		name, contentType, body string
		ok                      bool
	}{
		{"as it should be", formType, good(), true},
		{"a charset", formType + "; charset=UTF-8", good(), true},
		{"capitals", "Application/X-WWW-Form-URLEncoded", good(), true},
		{"an empty client_secret", formType, good("client_secret", ""), true},
		{"an empty scope", formType, good("scope", ""), true},
		{"a scope with spaces", formType, good("scope", " sign "), true},
		{"an unknown parameter", formType, good("audience", "x"), true},
		{"no client_id", formType, without(must(url.ParseQuery(good())), "client_id").Encode(), true},
		{"an empty client_id", formType, good("client_id", ""), true},
		{"times with fractions", formType, claims("iat", float64(now)+0.25, "exp", float64(now)+30.5), true},
		{"a long jti", formType, claims("jti", strings.Repeat("j", 255)), true},
		{"unknown claims", formType, claims("client", map[string]any{"a": []int{1}}), true},
		{"for the first time", formType, once, true},

		{"for the second time", formType, once, false},
		{"a client_secret", formType, good("client_secret", "s"), false},
		{"JSON", "application/json", `{"grant_type":"client_credentials"}`, false},
		{"no type", "", good(), false},
		{"twice", formType, good() + "&grant_type=client_credentials", false},
		{"an empty one twice", formType, good() + "&scope=&scope=", false},
		{"a broken escape", formType, good() + "&x=%zz", false},
		{"a semicolon", formType, good() + ";x=y", false},
		{"too long", formType, good("x", strings.Repeat("x", limits.FormBody)), false},
		{"no grant type", formType, good("grant_type", ""), false},
		{"another grant type", formType, good("grant_type", "password"), false},
		{"a jti too long", formType, claims("jti", strings.Repeat("j", 256)), false},
		{"an empty jti", formType, claims("jti", ""), false},
		{"a negative time", formType, claims("exp", -1), false},
		{"a time beyond all", formType, claims("exp", 1e300), false},
		{"an assertion with spaces", formType, good("client_assertion", " "+rp.assertion(rp.key, rp.claims())), false},
	} {
		a := rp.do(http.MethodPost, rp.svc.Environment().TokenEndpoint, "", c.contentType, c.body)
		if (a.status == http.StatusOK) != c.ok || a.status >= 500 {
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A token in every place and way that RFC 6750 has, and in those that it has not.
func TestWaysOfShowingATokens(t *testing.T) {
	rp := start(t)
	access := rp.mustToken(rp.exchange(rp.approve(rp.authorization()).Get("code")))
	service := rp.serviceToken()
	header := func(values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header["Authorization"] = values }
	}
	userinfo := rp.svc.Environment().UserinfoEndpoint
	for _, c := range []struct {
		name, method, target, contentType, body string
		change                                  func(*http.Request)
		want                                    int
	}{
		{"header", http.MethodGet, userinfo, "", "", header("Bearer " + access), 200},
		{"lower case", http.MethodGet, userinfo, "", "", header("bearer " + access), 200},
		{"two spaces", http.MethodGet, userinfo, "", "", header("Bearer  " + access), 200},
		{"POST, header", http.MethodPost, userinfo, "", "", header("Bearer " + access), 200},
		{"POST, header, JSON", http.MethodPost, userinfo, "application/json", "{}", header("Bearer " + access), 200},
		{"POST, form", http.MethodPost, userinfo, formType, "access_token=" + access, header(), 200},
		{"POST, form, charset", http.MethodPost, userinfo, formType + ";charset=utf-8", "access_token=" + access,
			header(), 200},
		{"POST, header and an empty one", http.MethodPost, userinfo, formType, "access_token=",
			header("Bearer " + access), 200},
		{"none", http.MethodGet, userinfo, "", "", header(), 401},
		{"two headers", http.MethodGet, userinfo, "", "", header("Bearer "+access, "Bearer "+access), 401},
		{"another scheme", http.MethodGet, userinfo, "", "", header("Basic " + access), 401},
		{"no scheme", http.MethodGet, userinfo, "", "", header(access), 401},
		{"a scheme alone", http.MethodGet, userinfo, "", "", header("Bearer"), 401},
		{"two tokens", http.MethodGet, userinfo, "", "", header("Bearer " + access + " " + access), 401},
		{"cut", http.MethodGet, userinfo, "", "", header("Bearer " + access[:len(access)-1]), 401},
		{"longer", http.MethodGet, userinfo, "", "", header("Bearer " + access + "A"), 401},
		{"no signature", http.MethodGet, userinfo, "", "",
			header("Bearer " + access[:strings.LastIndexByte(access, '.')+1]), 401},
		{"a service's own", http.MethodGet, userinfo, "", "", header("Bearer " + service), 403},
		{"in the address", http.MethodGet, userinfo + "?access_token=" + access, "", "", header(), 400},
		{"twice", http.MethodPost, userinfo, formType, "access_token=" + access, header("Bearer " + access), 400},
		{"twice in the form", http.MethodPost, userinfo, formType, "access_token=" + access + "&access_token=" + access,
			header(), 400},
		{"a form of another type", http.MethodPost, userinfo, "text/plain", "access_token=" + access, header(), 401},
		{"PUT", http.MethodPut, userinfo, "", "", header("Bearer " + access), 405},
		{"the operator, another scheme", http.MethodPost, rp.svc.OperatorURL(), "application/json", "{}",
			header("Basic " + rp.svc.OperatorToken(rpID)), 401},
	} {
		a := rp.do(c.method, c.target, "", c.contentType, c.body, c.change)
		if a.status != c.want {
			t.Errorf("%s: %d %s, want %d", c.name, a.status, a.body, c.want)
		}
		if name, _ := a.json["name"].(string); (name != "") != (c.want == http.StatusOK) {
			t.Errorf("%s: the name came: %q", c.name, name)
		}
	}
}

// What starts a transaction, written otherwise, and what does not.
func TestWaysOfStartingATransaction(t *testing.T) {
	rp := start(t)
	w := wire.Default().Sign
	const hash = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA="
	body := func(hash string, more ...string) string {
		text := `{"` + w.StartClientIDField + `":"` + rpID + `","` + w.StartHashAlgorithmField + `":"` +
			w.StartHashAlgorithmValue + `","` + w.StartHashField + `":"` + hash + `"`
		for name, value := range w.StartExtraFields {
			text += `,"` + name + `":"` + value + `"`
		}
		return text + strings.Join(more, "") + "}"
	}
	bearer := rp.serviceToken()
	for _, c := range []struct {
		name, contentType, body string
		ok                      bool
	}{
		{"as it should be", "application/json", body(hash), true},
		{"a charset", "application/json;charset=utf-8", body(hash), true},
		{"white space", "application/json", "\n\t " + body(hash) + "\r\n", true},
		{"escapes", "application/json", body(strings.ReplaceAll(hash, "/", `\/`)), true},
		{"URL-safe base64", "application/json", body(strings.NewReplacer("/", "_", "+", "-").Replace(hash)), false},
		{"no padding", "application/json", body(strings.TrimRight(hash, "=")), false},
		{"a line end", "application/json", body(hash[:8] + `\n` + hash[8:]), false},
		{"trailing bits", "application/json", body(strings.Replace(hash, "A=", "B=", 1)), false},
		{"31 bytes", "application/json", body(hash[:len(hash)-4] + "4Q=="), false},
		{"a member twice", "application/json", body(hash, `,"`+w.StartHashField+`":"`+hash+`"`), false},
		{"a further member", "application/json", body(hash, `,"x":1`), false},
		{"text behind it", "application/json", body(hash) + "x", false},
		{"an array", "application/json", "[" + body(hash) + "]", false},
		{"a form", formType, "x=y", false},
		{"nothing", "application/json", "", false},
	} {
		a := rp.do(http.MethodPost, rp.svc.Environment().SignEndpoint, bearer, c.contentType, c.body)
		if (a.status == http.StatusCreated) != c.ok || !c.ok && a.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
		}
	}
}

// A client whose own server starts after the service, and one whose keys were fetched before the clock was set back.
func TestKeysOfAClientThatStartsLater(t *testing.T) {
	clock := newClock()
	var set atomic.Pointer[[]byte]
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if body := set.Load(); body != nil {
			_, _ = w.Write(*body)
			return
		}
		http.Error(w, "starting", http.StatusServiceUnavailable)
	}))
	t.Cleanup(site.Close)
	rp := start(t, follow(t, clock), daa.WithClient(daa.ClientRegistration{
		ID: "RP00000003", JWKSURL: site.URL, RedirectURLs: []string{redirect},
	}))
	rp.id = "RP00000003"
	publish := func(kid string) {
		rp.key.KeyID = kid
		body, err := jose.MarshalKeySet(rp.key.Public())
		if err != nil {
			t.Fatal(err)
		}
		set.Store(&body)
	}
	if a := rp.serviceTokenWith(rp.claims()); a.status == http.StatusOK {
		t.Error("a token without a key")
	}
	publish("first")
	if a := rp.serviceTokenWith(rp.claims()); a.status != http.StatusOK {
		t.Errorf("when it has started: %d %s", a.status, a.body)
	}
	clock.advance(-24 * time.Hour)
	publish("second")
	if a := rp.serviceTokenWith(rp.claims()); a.status != http.StatusOK {
		t.Errorf("a new key after the clock was set back: %d %s", a.status, a.body)
	}
}

// What is sent to the platform operator may be large, also while the network is slow.
func TestLargeRequestsOnASlowNetwork(t *testing.T) {
	rp := start(t)
	rp.svc.SetKnobs(daa.Knobs{Network: daa.NetworkKnobs{Fault: daa.NetworkTruncated, Times: 1,
		Endpoints: []daa.Endpoint{daa.EndpointToken}}})
	ask := func() answer {
		return rp.do(http.MethodPost, rp.svc.OperatorURL(), rp.svc.OperatorToken(rpID), "application/json",
			`{"x":"`+strings.Repeat("x", 2*limits.FormBody)+`"}`)
	}
	plain := ask()
	rp.svc.SetKnobs(daa.Knobs{Network: daa.NetworkKnobs{Fault: daa.NetworkOversize}})
	if slow := ask(); slow.status != plain.status {
		t.Errorf("%d, and %d with a knob", plain.status, slow.status)
	}
}
