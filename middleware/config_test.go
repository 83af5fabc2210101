package middleware_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/middleware/scssession"
)

func TestConfigIsChecked(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	clientKey, err := authn.NewKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	client := withRedirect(t, clientKey, "https://shop.example/auth/callback")
	good := middleware.Config{Client: client, SealKeys: middleware.NewSealKeys()}
	for name, change := range map[string]func(*middleware.Config){
		"no client":           func(c *middleware.Config) { c.Client = nil },
		"no keys":             func(c *middleware.Config) { c.SealKeys = nil },
		"relative prefix":     func(c *middleware.Config) { c.Prefix = "auth" },
		"root prefix":         func(c *middleware.Config) { c.Prefix = "/" },
		"prefix with a slash": func(c *middleware.Config) { c.Prefix = "/auth/" },
		"prefix with dots":    func(c *middleware.Config) { c.Prefix = "/a/../auth" },
		"wildcard prefix":     func(c *middleware.Config) { c.Prefix = "/{x}" },
		"redirect to login": func(c *middleware.Config) {
			c.Client = withRedirect(t, clientKey, "https://shop.example/auth/login")
		},
		"redirect to logout": func(c *middleware.Config) {
			c.Client = withRedirect(t, clientKey, "https://shop.example/auth/logout")
		},
		"redirect to the root": func(c *middleware.Config) {
			c.Client = withRedirect(t, clientKey, "https://shop.example/")
		},
		"redirect to no path": func(c *middleware.Config) {
			c.Client = withRedirect(t, clientKey, "https://shop.example")
		},
		"foreign AfterLogout":      func(c *middleware.Config) { c.AfterLogout = "https://evil.example/" },
		"AfterLogout to login":     func(c *middleware.Config) { c.AfterLogout = "/auth/login" },
		"negative lifetime":        func(c *middleware.Config) { c.Lifetime = -1 },
		"OutsideURL relative":      func(c *middleware.Config) { c.OutsideURL = "/app" },
		"OutsideURL of no scheme":  func(c *middleware.Config) { c.OutsideURL = "shop.example" },
		"OutsideURL with a query":  func(c *middleware.Config) { c.OutsideURL = "https://shop.example/?a=b" },
		"OutsideURL of another":    func(c *middleware.Config) { c.OutsideURL = "https://other.example" },
		"OutsideURL below":         func(c *middleware.Config) { c.OutsideURL = "https://shop.example/app" },
		"OutsideURL unreadable":    func(c *middleware.Config) { c.OutsideURL = "https://shop.example/%zz" },
		"foreign AfterLogin":       func(c *middleware.Config) { c.AfterLogin = "//evil.example/" },
		"AfterLogin to the logout": func(c *middleware.Config) { c.AfterLogin = "/auth/logout" },
	} {
		c := good
		change(&c)
		_, err := middleware.New(c)
		if !hasReason(err, middleware.ReasonConfiguration) || kakunin.FamilyOf(err) != kakunin.Configuration {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := good
	c.AfterLogin, c.AfterLogout, c.OutsideURL = "/welcome", "/bye", "https://shop.example/"
	if _, err := middleware.New(c); err != nil {
		t.Errorf("a good configuration: %v", err)
	}
}

func TestConfigNamesEveryMistake(t *testing.T) {
	_, err := middleware.New(middleware.Config{Prefix: "auth", Lifetime: -1})
	for _, want := range []string{"Client", "SealKeys", "Prefix", "Lifetime"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}

func withRedirect(t *testing.T, key authn.Key, redirectURL string) *authn.Client {
	t.Helper()
	client, err := authn.New(authn.Config{Environment: authn.Sandbox(), ClientID: clientID, Key: key,
		RedirectURL: redirectURL})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// TestCallbackNeedNotBeBelowThePrefix: the registered redirect URL decides where the callback is.
func TestCallbackNeedNotBeBelowThePrefix(t *testing.T) {
	s := newSite(t, func(c *middleware.Config) { c.Prefix = "/id" }) // the redirect URL is /auth/callback
	mux, ok := s.Config.Handler.(*http.ServeMux)
	if !ok {
		t.Fatal("the site's handler is no ServeMux")
	}
	mux.Handle("/id/", s.login)
	b := s.browser(t)
	if r := b.get(s.op.approve(t, b.begin("/id/login?return=/auth/callback"))); r.StatusCode != http.StatusSeeOther ||
		r.Header.Get("Location") != "/" {
		t.Errorf("callback: %d to %q, %v", r.StatusCode, r.Header.Get("Location"), s.lastError())
	}
	if got := b.who(); got != "subject-hanako" {
		t.Errorf("logged in as %q", got)
	}
	for _, path := range []string{"/auth/login", "/auth/logout", "/id/callback"} {
		if r := b.get(path); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
}

// TestOwnSessionManager: everything works with a manager of the application's own, wrapped in its LoadAndSave or not.
func TestOwnSessionManager(t *testing.T) {
	manager := ownManager(&mapStore{m: map[string][]byte{}})
	own, err := scssession.New(scssession.Config{Manager: manager})
	if err != nil {
		t.Fatal(err)
	}
	for _, wrapped := range []bool{false, true} {
		s := newSite(t, func(c *middleware.Config) { c.Sessions = own })
		if wrapped {
			s.Config.Handler = manager.LoadAndSave(s.Config.Handler)
		}
		b := s.browser(t)
		b.get("/?put=apples")
		before := b.cookies("__Host-own")[0].Value
		b.logIn()
		if got := b.get("/").body; got != "subject-hanako cart=apples" || b.cookies("__Host-own")[0].Value == before {
			t.Errorf("wrapped %v: %q", wrapped, got)
		}
		if r := b.get(s.op.approve(t, b.beginSign())); !strings.HasPrefix(r.body, "signed by") {
			t.Errorf("wrapped %v: sign: %d %v", wrapped, r.StatusCode, s.lastError())
		}
		b.post("/auth/logout")
		if got := b.get("/").body; got != "nobody cart=" {
			t.Errorf("wrapped %v: after the logout: %q", wrapped, got)
		}
	}
}

// ownManager is a session manager of the application's own.
func ownManager(store scs.Store) *scs.SessionManager {
	return &scs.SessionManager{
		IdleTimeout: time.Minute, Lifetime: time.Hour, Store: store, Codec: scs.GobCodec{},
		Cookie: scs.SessionCookie{Name: "__Host-own", Path: "/", Secure: true, HttpOnly: true,
			SameSite: http.SameSiteLaxMode, Persist: true},
		ErrorFunc: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.WriteHeader(http.StatusInternalServerError)
		},
	}
}

type mapStore struct{ m map[string][]byte }

func (s *mapStore) Find(k string) ([]byte, bool, error)          { b, ok := s.m[k]; return b, ok, nil }
func (s *mapStore) Commit(k string, b []byte, _ time.Time) error { s.m[k] = b; return nil }
func (s *mapStore) Delete(k string) error                        { delete(s.m, k); return nil }
