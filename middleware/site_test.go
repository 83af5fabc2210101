package middleware_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/internal/tests"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/middleware/scssession"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

const clientID = "RP00000001"

// site is a relying party over TLS with a provider behind it.
type site struct {
	*httptest.Server
	op       *provider
	login    *middleware.Login
	sessions *scssession.Sessions
	log      *tests.Log
	now      atomic.Pointer[time.Time] // nil: the system clock

	mu     sync.Mutex
	errors []error
	signed []middleware.Signed
}

func newSite(t testing.TB, change ...func(*middleware.Config)) *site {
	t.Helper()
	s := &site{log: &tests.Log{}}
	s.op = newProvider(t, s.clock)
	mux := http.NewServeMux()
	s.Server = httptest.NewUnstartedServer(mux)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // the client hangs up on spare connections
	s.StartTLS()
	t.Cleanup(s.Close)

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	clientKey, err := authn.NewKey(key, "rp-1")
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	client, err := authn.New(authn.Config{
		Environment: authn.Custom(s.op.URL), ClientID: clientID, Key: clientKey, RedirectURL: s.URL + "/auth/callback",
		Now: s.clock, Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := signapi.New(signapi.Config{Client: client, Now: s.clock, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	c := middleware.Config{
		Client: client, Scopes: authn.Attributes, SealKeys: middleware.NewSealKeys(), Signer: signer, Now: s.clock,
		Logger: logger,
	}
	if s.sessions, err = scssession.New(scssession.Config{Now: s.clock, Logger: logger}); err != nil {
		t.Fatal(err)
	}
	c.Sessions = s.sessions
	for _, f := range change {
		f(&c)
	}
	if own, ok := c.Sessions.(*scssession.Sessions); ok {
		s.sessions = own
	}
	// The default page is drawn as ever; the error is kept for the test to look at.
	draw := c.OnError
	c.OnError = func(w http.ResponseWriter, r *http.Request, err error) {
		s.mu.Lock()
		s.errors = append(s.errors, err)
		s.mu.Unlock()
		if draw != nil {
			draw(w, r, err)
			return
		}
		w.Header().Set("Retry", middleware.RetryURL(r.Context()))
		w.WriteHeader(middleware.StatusOf(err))
	}
	s.login, err = middleware.New(c)
	if err != nil {
		t.Fatal(err)
	}
	flow, err := s.login.Sign("contract", middleware.SignConfig{
		Mode: sign.ModeDigestInfo,
		Document: func(*http.Request) (sign.Document, string, error) {
			return sign.Document{Reader: strings.NewReader("契約書"), MediaType: "text/plain; charset=utf-8"},
				"contract-7", nil
		},
		OnSigned: func(w http.ResponseWriter, r *http.Request, sg middleware.Signed) {
			s.mu.Lock()
			s.signed = append(s.signed, sg)
			s.mu.Unlock()
			_, _ = io.WriteString(w, "signed by "+middleware.IdentityFrom(r.Context()).Subject.Reveal())
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/auth/", s.login)
	mux.Handle("/sign", flow)
	mux.Handle("/account", s.login.RequireFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, middleware.IdentityFrom(r.Context()).Person.Name.Reveal())
	}))
	mux.Handle("/bar", s.login.RequireFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "cheers")
	}, middleware.AgeAtLeast(20)))
	mux.Handle("/", s.login.Optional(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m := s.sessions.Manager()
		if v := r.URL.Query().Get("put"); v != "" {
			m.Put(r.Context(), "cart", v)
		}
		who := "nobody"
		if id := middleware.IdentityFrom(r.Context()); id != nil {
			who = id.Subject.Reveal()
		}
		_, _ = io.WriteString(w, who+" cart="+m.GetString(r.Context(), "cart"))
	})))
	return s
}

func (s *site) clock() time.Time {
	if t := s.now.Load(); t != nil {
		return *t
	}
	return time.Now()
}

// later moves the site's clock.
func (s *site) later(d time.Duration) {
	t := s.clock().Add(d)
	s.now.Store(&t)
}

// lastError returns the error that OnError saw last and forgets it.
func (s *site) lastError() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.errors) == 0 {
		return nil
	}
	err := s.errors[len(s.errors)-1]
	s.errors = nil
	return err
}

func (s *site) signatures() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.signed)
}

// browser is one browser profile: cookies, no automatic redirects.
type browser struct {
	t    testing.TB
	site *site
	http *http.Client
	jar  http.CookieJar
}

func (s *site) browser(t testing.TB) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, site: s, jar: jar, http: &http.Client{
		Transport: s.Client().Transport, Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// response is what a browser got, with its body read.
type response struct {
	*http.Response
	body string
}

func (b *browser) do(method, target string, form url.Values, header http.Header) response {
	b.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = b.site.URL + target
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, target, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return response{resp, string(body)}
}

func (b *browser) get(target string) response {
	b.t.Helper()
	return b.do(http.MethodGet, target, nil, nil)
}
func (b *browser) post(target string) response {
	b.t.Helper()
	return b.do(http.MethodPost, target, url.Values{}, nil)
}

// begin opens a page that leads to the service and returns the address there.
func (b *browser) begin(target string) string {
	b.t.Helper()
	r := b.get(target)
	if r.StatusCode != http.StatusSeeOther || !strings.HasPrefix(r.Header.Get("Location"), b.site.op.URL) {
		b.t.Fatalf("%s: %d, Location %q", target, r.StatusCode, r.Header.Get("Location"))
	}
	return r.Header.Get("Location")
}

// logIn goes through a whole login.
func (b *browser) logIn() {
	b.t.Helper()
	r := b.get(b.site.op.approve(b.t, b.begin("/auth/login")))
	if r.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("login: %d, %v", r.StatusCode, b.site.lastError())
	}
}

// who says whom the site takes the browser for.
func (b *browser) who() string {
	b.t.Helper()
	who, _, _ := strings.Cut(b.get("/").body, " ")
	return who
}

// cookies returns the browser's cookies whose name has the prefix.
func (b *browser) cookies(prefix string) []*http.Cookie {
	b.t.Helper()
	u, err := url.Parse(b.site.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	var found []*http.Cookie
	for _, c := range b.jar.Cookies(u) {
		if strings.HasPrefix(c.Name, prefix) {
			found = append(found, c)
		}
	}
	return found
}

// setCookie plants a cookie as the browser's owner could.
func (b *browser) setCookie(name, value string) {
	b.t.Helper()
	u, err := url.Parse(b.site.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	b.jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Path: "/", Secure: true}})
}
