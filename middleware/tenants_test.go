package middleware_test

import (
	"errors"
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

// A login that one client finished while its browser went away waits for that client. Another one, which has store,
// sessions and keys in common with it, gets nothing of it, and takes nothing away.
func TestWaitingLoginIsNothingToAnotherTenant(t *testing.T) {
	store := &sharedStore{used: map[string]bool{}, values: map[string][]byte{}, kept: make(chan struct{}, 8)}
	var config middleware.Config
	s := newSite(t, func(c *middleware.Config) { c.Shared = store; config = *c })
	noticed := s.watchGone()
	key, err := authn.GenerateKey(authn.ES256)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]authn.Config{
		"another client":  {Environment: config.Client.Environment(), ClientID: "RP00000002"},
		"another service": {Environment: authn.Sandbox(), ClientID: clientID},
	} {
		c.Key, c.RedirectURL, c.Now = key, "https://beta.example/auth/callback", s.clock
		theirs := config
		if theirs.Client, err = authn.New(c); err != nil {
			t.Fatal(err)
		}
		var refused error
		theirs.Signer, theirs.OnError = nil, func(w http.ResponseWriter, _ *http.Request, err error) {
			refused = err
			w.WriteHeader(middleware.StatusOf(err))
		}
		beta, err := middleware.New(theirs)
		if err != nil {
			t.Fatal(err)
		}
		entered, release := slowOP(s)
		b := s.browser(t)
		to := s.op.approve(t, b.begin("/auth/login"))
		b.giveUp(to, entered, noticed)
		close(release)
		<-store.kept
		query := mustQuery(t, to).Encode()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/auth/callback?"+query, nil)
		for _, cookie := range b.cookies(pendingPrefix) {
			r.AddCookie(cookie)
		}
		w := httptest.NewRecorder()
		beta.ServeHTTP(w, r)
		if w.Code != http.StatusBadRequest || !errors.Is(refused, &authn.Error{Reason: authn.ReasonStateMismatch}) {
			t.Errorf("%s: %d, %v", name, w.Code, refused)
		}
		if r := b.get(to); r.StatusCode != http.StatusSeeOther || b.who() != "subject-hanako" {
			t.Errorf("%s: afterwards in its own place: %d, %v", name, r.StatusCode, s.lastError())
		}
	}
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
