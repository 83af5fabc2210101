package routers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/sessions"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/middleware/middlewaretest"
)

var routers = map[string]func(*middleware.Login) http.Handler{"chi": Chi, "echo": Echo, "gin": Gin}

func TestUnitTests(t *testing.T) {
	login := middlewaretest.New(t, middleware.Config{})
	for name, router := range routers {
		for birthdate, want := range map[string]int{"19880723": http.StatusOK, "20200101": http.StatusForbidden} {
			w := httptest.NewRecorder()
			id := middlewaretest.Identity(middlewaretest.Attributes{Name: "試験　花子", Birthdate: birthdate})
			router(login).ServeHTTP(w, middlewaretest.WithIdentity(
				httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/account", nil), id))
			if w.Code != want || (want == http.StatusOK) != (w.Body.String() == "Hello 試験　花子") {
				t.Errorf("%s, born %s: %d %q", name, birthdate, w.Code, w.Body)
			}
		}
	}
}

// A whole login with each router, with the default sessions and with gorilla's.
func TestLogin(t *testing.T) {
	for name, router := range routers {
		for _, own := range []middleware.Sessions{nil, gorilla(t)} {
			logInAndOut(t, name, router, own)
		}
	}
}

func gorilla(t *testing.T) middleware.Sessions {
	t.Helper()
	store := sessions.NewFilesystemStore(t.TempDir(), []byte("32 bytes of a secret of this test"))
	store.MaxLength(1 << 16)
	store.Options = &sessions.Options{Path: "/", MaxAge: 3600, Secure: true, HttpOnly: true,
		SameSite: http.SameSiteLaxMode}
	return Gorilla{Store: store, Name: "__Host-session"}
}

// An adapter for another session library is held to what the middleware needs.
func TestGorillaSessions(t *testing.T) { middlewaretest.CheckSessions(t, gorilla(t)) }

func logInAndOut(t *testing.T, name string, router func(*middleware.Login) http.Handler, own middleware.Sessions) {
	t.Helper()
	var handler http.Handler
	site := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
	}))
	defer site.Close()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	clientKey, err := authn.NewKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	callback := site.URL + "/auth/callback"
	svc := daa.Start(t, daa.WithClient(daa.ClientRegistration{ID: "RP00000001", Key: key.Public(),
		RedirectURLs: []string{callback}}))
	client, err := authn.New(authn.Config{
		Environment: svc.Environment(), ClientID: "RP00000001", Key: clientKey, RedirectURL: callback,
		HTTPClient: svc.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	login, err := middleware.New(middleware.Config{Client: client, Scopes: authn.Attributes,
		SealKeys: middleware.NewSealKeys(), Sessions: own})
	if err != nil {
		t.Fatal(err)
	}
	handler = router(login)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{
		Transport: site.Client().Transport, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	open := func(method, address string) (status int, location, body string) {
		if strings.HasPrefix(address, "/") {
			address = site.URL + address
		}
		req, err := http.NewRequestWithContext(t.Context(), method, address, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := browser.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, resp.Header.Get("Location"), string(b)
	}
	_, to, _ := open(http.MethodGet, "/account")
	_, to, _ = open(http.MethodGet, to)
	back, err := svc.Visitor().Approve(t.Context(), to)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if status, to, body := open(http.MethodGet, back); status != http.StatusSeeOther || to != "/account" {
		t.Fatalf("%s: %d to %q: %s", name, status, to, body)
	}
	if status, _, body := open(http.MethodGet, "/account"); status != http.StatusOK ||
		!strings.HasPrefix(body, "Hello ") {
		t.Errorf("%s: %d %q", name, status, body)
	}
	if status, to, _ := open(http.MethodPost, "/auth/logout"); status != http.StatusSeeOther || to != "/" {
		t.Errorf("%s: logging out: %d to %q", name, status, to)
	}
	if status, _, _ := open(http.MethodGet, "/account"); status != http.StatusSeeOther {
		t.Errorf("%s: after logging out: %d", name, status)
	}
}
