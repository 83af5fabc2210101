package authn

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/internal/limits"
)

func TestEnvironments(t *testing.T) {
	if got := Sandbox(); got != (Environment{
		Issuer:                "https://sb-auth-and-sign.go.jp/api/realms/main",
		AuthorizationEndpoint: "https://sb-auth-and-sign.go.jp/api/realms/main/protocol/openid-connect/auth",
		TokenEndpoint:         "https://sb-auth-and-sign.go.jp/api/realms/main/protocol/openid-connect/token",
		UserinfoEndpoint:      "https://sb-auth-and-sign.go.jp/api/realms/main/protocol/openid-connect/userinfo",
		JWKSEndpoint:          "https://sb-auth-and-sign.go.jp/api/realms/main/protocol/openid-connect/certs",
		SignEndpoint:          "https://sb-auth-and-sign.go.jp/api/sign-transactions",
	}) {
		t.Errorf("%+v", got)
	}
	if Production().Issuer != "https://auth-and-sign.go.jp/api/realms/main" ||
		Production() != Custom("https://auth-and-sign.go.jp/") {
		t.Errorf("%+v", Production())
	}
}

func TestConfigMistakesAreAllNamed(t *testing.T) {
	_, err := New(Config{
		Environment: Environment{Issuer: "http://op.example", TokenEndpoint: "https://secret-user:pw@op.example/token",
			UserinfoEndpoint: "/x", JWKSEndpoint: "https://op.example/#f", SignEndpoint: "ftp://x"},
		ClientID: "RP-1", RedirectURL: "http://shop.example/cb",
		Rules: Rules{
			ACRValues: []string{"aal3 crl"}, RequireACR: []string{""}, Algorithms: []Algorithm{"HS256"},
			IssuedAtSkew: time.Hour, ExpirySkew: time.Hour,
			PendingTTL: time.Second,
		},
		//nolint:gosec // refused is the test
		Assertion: Assertion{Lifetime: 61 * time.Second}, HTTPClient: &http.Client{
			Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}},
		Wire: &wire.Profile{ScopeUserCertificate: "a b", ServiceTokenScope: "a  b"},
	})
	e := wantError(t, err, ReasonConfiguration, "")
	if kakunin.FamilyOf(e) != kakunin.Configuration {
		t.Errorf("family %s", kakunin.FamilyOf(e))
	}
	for _, want := range []string{"Issuer must use https", "AuthorizationEndpoint is missing",
		"TokenEndpoint must not contain credentials", "UserinfoEndpoint is not an absolute URL",
		"JWKSEndpoint must not contain a fragment", "SignEndpoint must use https", "ClientID", "Key: ",
		"RedirectURL must use https", "Rules.ACRValues", "Rules.RequireACR", "Rules.Algorithms",
		"Rules.IssuedAtSkew", "Rules.ExpirySkew", "Rules.PendingTTL", "Assertion.Lifetime", "HTTPClient",
		"Wire.ClaimName is missing", "Wire.ScopeUserCertificate", "Wire.ServiceTokenScope"} {
		if !strings.Contains(e.Error(), want) {
			t.Errorf("%q is not named", want)
		}
	}
	for _, leak := range []string{"secret-user", "op.example", "RP-1", "HS256"} {
		if strings.Contains(e.Error(), leak) {
			t.Errorf("%q is repeated", leak)
		}
	}
	if n := len(strings.Split(e.Detail, "; ")); n < 19 {
		t.Errorf("%d mistakes are named", n)
	}
}

func TestConfigRows(t *testing.T) {
	op := newOP(t)
	long := "https://shop.example/" + strings.Repeat("x", limits.AuthorizationParameter)
	for name, c := range map[string]struct {
		change func(*Config)
		ok     bool
	}{
		"plain":                     {func(*Config) {}, true},
		"client id of 255":          {func(c *Config) { c.ClientID = strings.Repeat("a", 255) }, true},
		"client id of 256":          {func(c *Config) { c.ClientID = strings.Repeat("a", 256) }, false},
		"client id empty":           {func(c *Config) { c.ClientID = "" }, false},
		"redirect too long":         {func(c *Config) { c.RedirectURL = long }, false},
		"redirect with query":       {func(c *Config) { c.RedirectURL = "https://shop.example/cb?x=1" }, true},
		"redirect with fragment":    {func(c *Config) { c.RedirectURL = "https://shop.example/cb?x=1#f" }, false},
		"redirect, empty fragment":  {func(c *Config) { c.RedirectURL = "https://shop.example/cb#" }, false},
		"redirect to this machine":  {func(c *Config) { c.RedirectURL = "http://localhost:8080/cb" }, true},
		"redirect to ::1":           {func(c *Config) { c.RedirectURL = "http://[::1]:8080/cb" }, true},
		"redirect by custom scheme": {func(c *Config) { c.RedirectURL = "myapp://cb" }, false},
		"redirect below localhost":  {func(c *Config) { c.RedirectURL = "http://acme.localhost:8080/cb" }, true},
		"endpoint below localhost":  {func(c *Config) { c.Environment.TokenEndpoint = "http://a.localhost/t" }, false},
		"localhost as a suffix":     {func(c *Config) { c.RedirectURL = "http://evil-localhost/cb" }, false},
		"localhost as a prefix":     {func(c *Config) { c.RedirectURL = "http://localhost.evil.example/cb" }, false},
		"endpoint with query":       {func(c *Config) { c.Environment.TokenEndpoint += "?x" }, false},
		"sign endpoint unused":      {func(c *Config) { c.Environment.SignEndpoint = "" }, true},
		"negative skew":             {func(c *Config) { c.Rules.IssuedAtSkew = -1 }, false},
		"negative lifetime":         {func(c *Config) { c.Assertion.Lifetime = -1 }, false},
		"shortest assertion":        {func(c *Config) { c.Assertion.Lifetime = 10 * time.Second }, true},
		"longest assertion":         {func(c *Config) { c.Assertion.Lifetime = time.Minute }, true},
		"replaced transport of ours": {func(c *Config) {
			c.HTTPClient = &http.Client{
				Transport: http.NewFileTransport(http.Dir("."))}
		}, true},
		"redirect beyond ASCII": {func(c *Config) { c.RedirectURL = "https://shop.example/あ" }, false},
		"redirect with a space": {func(c *Config) { c.RedirectURL = "https://shop.example/a b" }, false},
		"negative expiry skew":  {func(c *Config) { c.Rules.ExpirySkew = -1 }, false},
		"break after one":       {func(c *Config) { c.Circuit.After, c.Circuit.Pause = 1, time.Second }, true},
		"break never":           {func(c *Config) { c.Circuit.After = -1 }, true},
		"break after -2":        {func(c *Config) { c.Circuit.After = -2 }, false},
		"break for an hour":     {func(c *Config) { c.Circuit.Pause = time.Hour }, false},
		"unknown profile":       {func(c *Config) { c.Profile = 2 }, false},
		"transaction as state": {func(c *Config) {
			w := wire.Default()
			w.Sign.AuthorizationIDParam = "state"
			c.Wire = &w
		}, false},
		"zero key":                    {func(c *Config) { c.Key = Key{} }, false},
		"wire without a claim's name": {func(c *Config) { c.Wire = &wire.Profile{} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			cf := op.config()
			c.change(&cf)
			cl, err := New(cf)
			if (err == nil) != c.ok || (cl == nil) == c.ok {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestConfigIsCopied(t *testing.T) {
	op := newOP(t)
	names := wire.Default()
	cf := op.config()
	cf.Wire, cf.Rules.ACRValues, cf.Rules.RequireACR, cf.Rules.Algorithms = &names, []string{"a"}, []string{"aal3"},
		[]Algorithm{ES256}
	cf.HTTPClient = &http.Client{Timeout: time.Second}
	c, err := New(cf)
	if err != nil {
		t.Fatal(err)
	}
	names.ClaimName, names.CancelCodes[0] = "x", "x"
	cf.Rules.ACRValues[0], cf.Rules.RequireACR[0], cf.Rules.Algorithms[0], cf.HTTPClient.Timeout = "x", "x", "x", 0
	w := c.Wire()
	w.CancelCodes[0] = "y"
	h := c.HTTPClient()
	h.Timeout = 0
	if _, err := op.login(c, Request{}); err != nil {
		t.Error(err)
	}
	if c.Wire().CancelCodes[0] != "access_denied" || c.Wire().ClaimName != "name" || c.acrValues[0] != "a" ||
		c.http.Timeout != time.Second {
		t.Error("the client changed with what it was made of")
	}
	if c.Environment() != op.env || c.ClientID() != testClientID || c.RedirectURL() != testRedirect {
		t.Error("accessors")
	}
}

func TestHTTPClientIsHardened(t *testing.T) {
	op := newOP(t)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	own := &http.Client{Jar: jar}
	h := op.client(func(c *Config) { c.HTTPClient = own }).HTTPClient()
	if h.Timeout != 10*time.Second || h.Jar != nil || own.Timeout != 0 || own.Jar == nil || own.CheckRedirect != nil {
		t.Error("timeout or cookies")
	}
	op.info = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }
	a, err := ask(context.Background(), h, op.env.UserinfoEndpoint, 1<<10)
	if err != nil || a.Status != http.StatusFound {
		t.Errorf("a redirect was followed: %d, %v", a.Status, err)
	}
	h.CloseIdleConnections()
}

// Whoever reads with the client, sign for example, stops at the limit.
func TestBodiesAreCapped(t *testing.T) {
	for size, ok := range map[int]bool{limits.HTTPBody: true, limits.HTTPBody + 1: false} {
		op := newOP(t)
		op.info = reply(200, jsonType, strings.Repeat("x", size))
		a, err := ask(context.Background(), op.client().HTTPClient(), op.env.UserinfoEndpoint, 1<<30)
		if (err == nil) != ok || (ok && len(a.Body) != size) {
			t.Errorf("%d bytes: %d, %v", size, len(a.Body), err)
		}
		if !ok {
			wantError(t, transportError(err), ReasonTransport, "size")
		}
	}
}

func TestDiscover(t *testing.T) {
	var current atomic.Pointer[http.HandlerFunc]
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+realmPath+"/.well-known/openid-configuration",
		func(w http.ResponseWriter, r *http.Request) { (*current.Load())(w, r) })
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	wanted := Custom(srv.URL)
	good := claimsMap{
		"issuer": wanted.Issuer, "authorization_endpoint": wanted.AuthorizationEndpoint,
		"token_endpoint":    wanted.TokenEndpoint,
		"userinfo_endpoint": wanted.UserinfoEndpoint, "jwks_uri": wanted.JWKSEndpoint,
		"code_challenge_methods_supported": []string{"plain", "S256"},
		"response_types_supported":         []string{"code"}, "token_endpoint_auth_methods_supported": []string{
			"private_key_jwt"}, "x": 1,
	}
	document := func(h http.HandlerFunc) { current.Store(&h) }
	document(func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, 200, good) })
	env, err := Discover(context.Background(), nil, wanted.Issuer)
	if err != nil || env != wanted {
		t.Fatalf("%+v, %v", env, err)
	}
	missing := with(good, "x", 1)
	delete(missing, "jwks_uri")
	for name, c := range map[string]struct {
		h      http.HandlerFunc
		reason Reason
		check  string
	}{
		"issuer of another": {func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, 200, with(good, "issuer", wanted.Issuer+"/"))
		}, ReasonConfiguration, "discovery issuer"},
		"no key set": {func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, 200, missing) }, ReasonConfiguration,
			"discovery"},
		"endpoint without TLS": {func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, 200, with(good, "token_endpoint", "http://op.example/"))
		}, ReasonConfiguration, "discovery"},
		"no S256": {func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, 200, with(good, "code_challenge_methods_supported", []string{"plain"}))
		}, ReasonConfiguration, "discovery code_challenge_methods_supported"},
		"no private_key_jwt": {func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, 200, with(good, "token_endpoint_auth_methods_supported", "x"))
		}, ReasonConfiguration, "discovery token_endpoint_auth_methods_supported"},
		"duplicate member": {reply(200, jsonType, `{"issuer":"a","issuer":"b"}`), ReasonConfiguration,
			"discovery document"},
		"maintenance page": {reply(200, "text/html", "<html>"), ReasonTransport, "discovery document"},
		"status 404":       {reply(404, jsonType, `{}`), ReasonTransport, "discovery status"},
		"redirect":         {reply(302, jsonType, `{}`), ReasonTransport, "discovery status"},
		"larger than any such": {reply(200, jsonType, strings.Repeat(" ", limits.Discovery+1)), ReasonTransport,
			"size"},
		"connection reset, early": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			ReasonTransport, "connection"},
	} {
		t.Run(name, func(t *testing.T) {
			document(c.h)
			env, err := Discover(context.Background(), nil, wanted.Issuer)
			wantError(t, err, c.reason, c.check)
			if env != (Environment{}) {
				t.Error("endpoints came out")
			}
		})
	}
	if _, err := Discover(context.Background(), nil, "http://op.example"); kakunin.FamilyOf(
		err) != kakunin.Configuration {
		t.Errorf("%v", err)
	}
}

// A remote service must not make the client talk to whatever listens on this machine.
func TestDiscoveredEndpointsAreNotLocal(t *testing.T) {
	wanted := Custom("https://op.example")
	good := claimsMap{
		"issuer": wanted.Issuer, "authorization_endpoint": wanted.AuthorizationEndpoint,
		"token_endpoint":    wanted.TokenEndpoint,
		"userinfo_endpoint": wanted.UserinfoEndpoint, "jwks_uri": wanted.JWKSEndpoint,
	}
	read := func(m claimsMap) (Environment, error) {
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return readMetadata(b, wanted.Issuer)
	}
	if env, err := read(good); err != nil || env != wanted {
		t.Fatalf("%+v, %v", env, err)
	}
	if _, err := read(with(good, "jwks_uri", "HTTPS://keys.example/jwks")); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"} {
		for _, local := range []string{"http://127.0.0.1:8080/admin", "http://localhost/", "http://[::1]/"} {
			env, err := read(with(good, name, local))
			wantError(t, err, ReasonConfiguration, "discovery")
			if env != (Environment{}) {
				t.Error("endpoints came out")
			}
		}
	}
}

func FuzzDiscovery(f *testing.F) {
	f.Add([]byte(`{"issuer":"https://op.example","authorization_endpoint":"https://op.example/a","token_endpoint":"https://op.example/t","userinfo_endpoint":"https://op.example/u","jwks_uri":"https://op.example/j"}`))
	f.Add([]byte(`{"issuer":"x"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		env, err := readMetadata(b, "https://op.example")
		if (err == nil) != (env.Issuer == "https://op.example") || (err == nil && len(env.mistakes()) > 0) {
			t.Fatalf("%+v, %v", env, err)
		}
	})
}
