// Package stagetest tests examples: the application under https, the simulated service, and people who visit.
package stagetest

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/daa/visitor"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/examples/internal/stage"
	"github.com/kakunin-go/kakunin/internal/tests"
)

// sameJPKI is for all tests of a program: making keys takes longer than everything else, and nothing is revoked.
var sameJPKI = sync.OnceValues(func() (*issuer.JPKI, error) { return issuer.New(issuer.Config{}) })

// Site is an example that runs until the test ends.
type Site struct {
	*stage.Stage
	Sim    *daa.Running
	t      *testing.T
	server *httptest.Server
	log    *tests.Log

	now   func() time.Time
	mu    sync.Mutex
	ahead time.Duration
}

// OwnAuthorities is an option for tests that revoke certificates or move the clock by days: the authorities go by it.
func OwnAuthorities(c *daa.Config) { c.JPKI = nil }

// Open starts the example. When the test ends, its log of everything, at debug level, is searched for what must not be
// in it.
func Open(t *testing.T, e stage.Example, options ...daa.Option) *Site {
	t.Helper()
	s := &Site{t: t, log: &tests.Log{}, now: time.Now}
	logger := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cards := e.Cards
	if len(cards) == 0 {
		cards = []person.Persona{person.Hanako}
	}
	authorities, err := sameJPKI()
	if err != nil {
		t.Fatal(err)
	}
	s.Sim = daa.Start(t, append([]daa.Option{
		daa.WithPersonas(cards...), daa.WithClock(s.clock), daa.WithLogger(logger), daa.WithJPKI(authorities),
	}, options...)...)
	var handler http.Handler
	s.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.server.Close)
	s.Stage = &stage.Stage{
		URL: s.server.URL, Now: s.clock, Logger: logger, HTTPClient: s.Sim.Client(), Service: s.Sim.Service,
	}
	if handler, err = s.Handler(e); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.End(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		for _, c := range s.Sim.Cards() {
			p := c.Person().Reveal()
			for _, secret := range []string{p.Name, p.Address, p.Subject.Birthdate, "eyJ", "code=", "state="} {
				if strings.Contains(s.log.String(), secret) {
					t.Errorf("%q is in the log", secret)
				}
			}
		}
	})
	return s
}

// Advance moves the clock of everybody.
func (s *Site) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += d
}

func (s *Site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now().Add(s.ahead)
}

// Guest is somebody with a browser of their own, and a card if they have one.
type Guest struct {
	site     *Site
	browser  *visitor.Browser
	Password string // of the staff
}

// Guest returns a person whose card is in the example's Cards.
func (s *Site) Guest(p person.Persona) *Guest {
	s.t.Helper()
	card, ok := s.Sim.CardNamed(string(p))
	if !ok {
		s.t.Fatalf("no card of %s", p)
	}
	g := &Guest{site: s, browser: s.Sim.Browser(s.Sim.VisitorWith(card))}
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	g.browser.HTTPClient = &http.Client{Jar: jar, Transport: staff{g, s.transport()}}
	return g
}

// transport leads every name to the server: *.localhost is for browsers.
func (s *Site) transport() http.RoundTripper {
	t, ok := s.server.Client().Transport.(*http.Transport)
	if !ok {
		s.t.Fatal("no transport")
	}
	t = t.Clone()
	t.TLSClientConfig.ServerName = "example.com" // in the server's certificate
	t.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.server.Listener.Addr().String())
	}
	s.t.Cleanup(t.CloseIdleConnections)
	return t
}

// Staff returns a member of staff.
func (s *Site) Staff() *Guest {
	s.t.Helper()
	names := s.Sim.CardNames()
	g := s.Guest(person.Persona(names[0]))
	g.Password = s.StaffPassword()
	return g
}

// Open opens a page, or an address. Where it leads to the service the person logs in and comes back.
func (g *Guest) Open(path string) *visitor.Page {
	g.site.t.Helper()
	return g.arrive(g.browser.Login(g.site.t.Context(), g.site.address(path)))
}

func (s *Site) address(path string) string {
	if strings.HasPrefix(path, "/") {
		return s.URL + path
	}
	return path
}

// Request is one that is no page's: a script's or an app's.
type Request struct {
	Method, Path, Body string
	Header             map[string]string
}

// Ask sends a request with the guest's cookies and follows nothing.
func (g *Guest) Ask(q Request) *visitor.Page {
	g.site.t.Helper()
	c := *g.browser.HTTPClient
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r, err := http.NewRequestWithContext(g.site.t.Context(), q.Method, g.site.address(q.Path),
		strings.NewReader(q.Body))
	if err != nil {
		g.site.t.Fatal(err)
	}
	for name, value := range q.Header {
		r.Header.Set(name, value)
	}
	resp, err := c.Do(r)
	if err != nil {
		g.site.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		g.site.t.Fatal(err)
	}
	return &visitor.Page{URL: r.URL, Status: resp.StatusCode, Body: string(body)}
}

// Submit sends a form.
func (g *Guest) Submit(path string, form url.Values) *visitor.Page {
	g.site.t.Helper()
	return g.arrive(g.browser.Submit(g.site.t.Context(), g.site.address(path), form))
}

func (g *Guest) arrive(p *visitor.Page, err error) *visitor.Page {
	g.site.t.Helper()
	if err != nil {
		g.site.t.Fatal(err)
	}
	return p
}

// Expect ends the test unless the page has the status and all the texts.
func Expect(t *testing.T, p *visitor.Page, status int, texts ...string) {
	t.Helper()
	if p.Status != status {
		t.Fatalf("%s: status %d, want %d\n%s", p.URL.Path, p.Status, status, p.Body)
	}
	for _, text := range texts {
		if !strings.Contains(p.Body, text) {
			t.Fatalf("%s: no %q in\n%s", p.URL.Path, text, p.Body)
		}
	}
}

// staff gives the password with every request.
type staff struct {
	g    *Guest
	next http.RoundTripper
}

func (s staff) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.g.Password != "" {
		r = r.Clone(r.Context())
		r.SetBasicAuth("staff", s.g.Password)
	}
	return s.next.RoundTrip(r)
}
