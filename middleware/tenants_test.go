package middleware_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/middleware/scssession"
)

// tenant is a Login of a business, at a service of its own.
func tenant(t *testing.T, op *provider, id, redirectURL, prefix string,
	sessions middleware.Sessions) *middleware.Login {
	t.Helper()
	key, err := authn.GenerateKey(authn.ES256)
	if err != nil {
		t.Fatal(err)
	}
	client, err := authn.New(authn.Config{Environment: authn.Custom(op.URL), ClientID: id, Key: key,
		RedirectURL: redirectURL})
	if err != nil {
		t.Fatal(err)
	}
	l, err := middleware.New(middleware.Config{
		Client: client, Scopes: authn.Name, SealKeys: middleware.NewSealKeys(), Sessions: sessions, Prefix: prefix,
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Two businesses share program, sessions and service; a person who logs in to one is nobody to the other.
func TestTenants(t *testing.T) {
	sessions, err := scssession.New(scssession.Config{})
	if err != nil {
		t.Fatal(err)
	}
	op := newSite(t).op
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id := middleware.IdentityFrom(r.Context()); id != nil {
			_, _ = io.WriteString(w, id.Person.Name.Reveal())
		}
	})
	for name, c := range map[string]struct {
		tenants                middleware.Tenants
		ours, theirs, outsider string // addresses of the two tenants, and of none
	}{
		"by host": {middleware.ByHost(map[string]*middleware.Login{
			"acme.example": tenant(t, op, clientID, "https://acme.example/auth/callback", "", sessions),
			"Beta.example": tenant(t, op, "RP00000002", "https://beta.example/auth/callback", "", sessions),
		}), "https://acme.example", "https://BETA.example:443", "https://gamma.example"},
		"by path": {middleware.ByPath(map[string]*middleware.Login{
			"acme": tenant(t, op, clientID, "https://shop.example/acme/auth/callback", "/acme/auth", sessions),
			"beta": tenant(t, op, "RP00000002", "https://shop.example/beta/auth/callback", "/beta/auth", sessions),
		}), "https://shop.example/acme", "https://shop.example/beta", "https://shop.example/acmes"},
	} {
		mux := http.NewServeMux()
		for _, prefix := range []string{"", "/acme", "/beta", "/acmes"} {
			mux.Handle(prefix+"/auth/", c.tenants)
			mux.Handle(prefix+"/account", c.tenants.Require(page))
			mux.Handle(prefix+"/home", c.tenants.Optional(page))
		}
		cookies := map[string]*http.Cookie{}
		get := func(address string) *httptest.ResponseRecorder {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
			for _, cookie := range cookies {
				r.AddCookie(cookie)
			}
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, r)
			for _, cookie := range w.Result().Cookies() {
				if cookies[cookie.Name] = cookie; cookie.MaxAge < 0 {
					delete(cookies, cookie.Name)
				}
			}
			return w
		}
		origin := c.ours[:strings.Index(c.ours, ".example")+len(".example")]
		to := get(c.ours + "/account").Header().Get("Location")
		to = get(origin + to).Header().Get("Location")
		if !strings.Contains(to, "client_id="+clientID) {
			t.Errorf("%s: the login is for %s", name, to)
		}
		if w := get(op.approve(t, to)); w.Code != http.StatusSeeOther ||
			get(origin+w.Header().Get("Location")).Body.String() != "確認　花子" {
			t.Errorf("%s: %d", name, w.Code)
		}
		if w := get(c.theirs + "/account"); w.Code != http.StatusSeeOther {
			t.Errorf("%s: logged in to the other business: %d", name, w.Code)
		}
		if w := get(c.theirs + "/home"); w.Code != http.StatusOK || w.Body.Len() != 0 {
			t.Errorf("%s: known to the other business: %q", name, w.Body)
		}
		if to := get(c.theirs + "/auth/login").Header().Get("Location"); !strings.Contains(to, "client_id=RP00000002") {
			t.Errorf("%s: the other business's login is for %s", name, to)
		}
		for _, path := range []string{"/account", "/home", "/auth/login"} {
			if w := get(c.outsider + path); w.Code != http.StatusNotFound {
				t.Errorf("%s: %s of nobody: %d", name, path, w.Code)
			}
		}
	}
}
