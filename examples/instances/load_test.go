//go:build servers

package instances

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/examples/internal/dbtest"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/redis/go-redis/v9"
)

// site is several processes behind a real proxy, with a real Redis and, for what is used once, Redis or PostgreSQL.
type site struct {
	t         testing.TB
	front     string // https://127.0.0.1:port
	pool      *x509.CertPool
	svc       *daa.Running
	verifier  *sign.Verifier
	opener    *sign.Opener
	redis     *redis.Client
	kept      string // the store of signature transactions
	instances []*process
	deadly    bool         // instances are killed
	calls     atomic.Int64 // of the instances to the service
	keptCalls atomic.Int64 // of instances that have kept a result
	requests  atomic.Int64
	restarts  sync.WaitGroup
	lost      atomic.Int64

	mu       sync.Mutex
	answered map[string]bool // requests whose whole answer has arrived, or none
	killed   []killed
}

// killed is a process that was killed, with what had been answered by then.
type killed struct {
	came     string // the key of the requests that had come to it
	answered map[string]bool
}

func TestInstancesBehindNginx(t *testing.T)   { loadBehind(t, nginx, "") }
func TestInstancesBehindHAProxy(t *testing.T) { loadBehind(t, haproxy, dbtest.Fresh(t, "instances")) }

func newSite(t testing.TB, p proxy, postgres string, instances int, more ...person.Persona) *site {
	t.Helper()
	listen := freePort(t)
	s := &site{
		t: t, front: "https://" + listen, redis: realRedis(t), answered: map[string]bool{},
	}
	must(t, s.redis.Del(t.Context(), ledger, begun, handedOutLater).Err())
	s.kept = filepath.Join(t.TempDir(), "signatures.db")
	if postgres != "" {
		postgreSQL(t, postgres)
		s.kept = postgres
	}
	key := newECKey(t)
	keyFile := filepath.Join(t.TempDir(), "client-key.pem")
	must(t, os.WriteFile(keyFile, keyPEM(t, key), 0o600))
	s.svc = daa.Start(t, daa.WithClient(daa.ClientRegistration{ID: clientID, Key: key.Public(),
		RedirectURLs: []string{s.front + "/auth/callback"}}),
		daa.WithPersonas(person.Hanako, person.Taro, person.Eve, person.Saki, person.Yoshiko, person.Katsuo),
		daa.WithPersonas(more...))
	s.verifier, s.opener = s.svc.Verifier(), s.svc.Opener()
	seal := make([]byte, 32)
	_, _ = rand.Read(seal)
	var addresses []string
	for i := range instances {
		addresses = append(addresses, freePort(t))
		s.instances = append(s.instances, &process{settings: settings{
			Listen: addresses[i], Outside: s.front, Service: s.svc.URL(), Gate: s.gate(i), KeyFile: keyFile,
			SealKeys: base64.StdEncoding.EncodeToString(seal), Redis: s.redis.Options().Addr, Postgres: postgres,
			Kept: s.kept,
		}})
		must(t, s.instances[i].start(t))
		t.Cleanup(func() { s.instances[i].kill() })
	}
	s.pool = p.run(t, listen, addresses)
	t.Cleanup(s.restarts.Wait)
	return s
}

// every so many calls of an instance to the service, that instance is killed in the middle of it: when the code is
// being redeemed, when the attributes are read, when a signature is begun or fetched, as it comes.
const callsPerKill = 29

// gate is how an instance reaches the service.
func (s *site) gate(i int) string {
	to, err := url.Parse(s.svc.URL())
	must(s.t, err)
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
	}}
	g := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == keptPath {
			if n := s.keptCalls.Add(1); s.deadly && n%resultsPerKill == 0 {
				s.killAndRestart(i)
				panic(http.ErrAbortHandler)
			}
			return
		}
		n := s.calls.Add(1)
		before := s.deadly && n%(2*callsPerKill) == 0 // the service never hears of the call, or has answered it
		after := s.deadly && n%(2*callsPerKill) == callsPerKill
		if before {
			s.killAndRestart(i)
			panic(http.ErrAbortHandler)
		}
		if after {
			forward.ServeHTTP(httptest.NewRecorder(), r)
			s.killAndRestart(i)
			panic(http.ErrAbortHandler)
		}
		forward.ServeHTTP(w, r)
	}))
	g.Start()
	s.t.Cleanup(g.Close)
	return g.Listener.Addr().String()
}

// killAndRestart returns when the instance is dead. Another process takes its place.
func (s *site) killAndRestart(i int) {
	p := s.instances[i]
	s.mu.Lock() // nobody judges a request until this is on record
	answered := maps.Clone(s.answered)
	if pid := p.kill(); pid != 0 {
		s.killed = append(s.killed, killed{came: came(p.settings.Listen, pid), answered: answered})
	}
	s.mu.Unlock()
	s.restarts.Go(func() {
		if err := p.start(s.t); err != nil && s.t.Context().Err() == nil {
			s.t.Errorf("restart: %v", err)
		}
	})
}

// interrupted is what a person saw instead of the page.
type interrupted struct {
	what   string
	status int // 0: the proxy hung up
	body   string
	names  []string // of the request and of those before it with the same address
}

func (e *interrupted) Error() string {
	return fmt.Sprintf("%s: status %d, %.200q, requests %q", e.what, e.status, e.body, e.names)
}

// excused reports whether an instance was killed that was at the request; or the proxy hung up or answered 502 itself,
// and no instance ever knew of the request: it was sent to one that was dead already, or that died before it could
// note it. Redis is asked now and not when the instance was killed: what a process wrote on its last breath may arrive
// after its death.
func (s *site) excused(e *interrupted) bool {
	if e.status == 0 || e.status == http.StatusBadGateway {
		if came, err := s.redis.SMIsMember(s.t.Context(), begun, e.names[0]).Result(); err == nil && !came[0] {
			return true
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.killed {
		for _, name := range e.names {
			was, err := s.redis.SIsMember(s.t.Context(), k.came, name).Result()
			if err == nil && was && !k.answered[name] {
				return true
			}
		}
	}
	return false
}

// guest is a person with a card, and a browser.
type guest struct {
	site *site
	card *cardsim.Card
	http *http.Client
}

func (s *site) guest(card *cardsim.Card) *guest {
	jar, _ := cookiejar.New(nil) // never fails
	return &guest{site: s, card: card, http: &http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.pool}},
	}}
}

// open opens a page and insists on the status.
func (g *guest) open(method, address string, want int) (to, body string, err error) {
	if strings.HasPrefix(address, "/") {
		address = g.site.front + address
	}
	e := &interrupted{what: method, names: []string{strconv.FormatInt(g.site.requests.Add(1), 10)}}
	req, err := http.NewRequestWithContext(g.site.t.Context(), method, address, http.NoBody)
	if err != nil {
		return "", "", err
	}
	req.Header.Set(requestHeader, e.names[0])
	defer g.site.over(e.names[0])
	resp, err := g.http.Do(req)
	if err != nil {
		e.body = err.Error()
		return "", "", e
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	e.status, e.body = resp.StatusCode, string(b)
	if err != nil || resp.StatusCode != want {
		return "", "", e
	}
	return resp.Header.Get("Location"), e.body, nil
}

// over notes that nobody waits for a request any more.
func (s *site) over(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered[name] = true
}

// back brings the callback. Where an answer was cut off, people reload.
func (g *guest) back(callback string, want int) (to, body string, err error) {
	to, body, err = g.open(http.MethodGet, callback, want)
	first, cut := errors.AsType[*interrupted](err)
	if cut && (first.status == 0 || first.status == http.StatusBadGateway) {
		to, body, err = g.open(http.MethodGet, callback, want)
		if e, ok := errors.AsType[*interrupted](err); ok {
			e.names = append(e.names, first.names...) // what was lost was lost by the first one
		}
	}
	return to, body, err
}

// logIn goes through a login and looks whose account it is.
func (g *guest) logIn(page string) error {
	to, _, err := g.open(http.MethodGet, page, http.StatusSeeOther)
	if err != nil {
		return err
	}
	if to, _, err = g.open(http.MethodGet, to, http.StatusSeeOther); err != nil {
		return err
	}
	callback, err := g.site.svc.VisitorWith(g.card).Approve(g.site.t.Context(), to)
	if err != nil {
		return err
	}
	if to, _, err = g.back(callback, http.StatusSeeOther); err != nil {
		return err
	}
	if to != page {
		return fmt.Errorf("the login led to %q", to)
	}
	_, who, err := g.open(http.MethodGet, page, http.StatusOK)
	if name := g.card.Person().Reveal().Name; err == nil && who != name {
		g.site.t.Errorf("%s sees the account of %s", name, who)
	}
	return err
}

// sign has the contract signed and looks who signed what.
func (g *guest) sign() error {
	to, _, err := g.open(http.MethodPost, "/sign", http.StatusSeeOther)
	if err != nil {
		return err
	}
	callback, err := g.site.svc.VisitorWith(g.card).Approve(g.site.t.Context(), to)
	if err != nil {
		return err
	}
	_, jwe, err := g.back(callback, http.StatusOK)
	if err != nil {
		return err
	}
	sealed, err := sign.ParseSealed(jwe)
	if err != nil {
		return err
	}
	opened, err := g.site.opener.Open(sealed)
	if err != nil {
		return err
	}
	report, err := g.site.verifier.Verify(g.site.t.Context(), opened, sign.Expect{
		Document: strings.NewReader(contract), Mode: sign.ModeDigestInfo,
	})
	if err != nil {
		return err
	}
	// The certificate has substitute characters where J-LIS replaces some.
	if name := g.card.Person().Reveal().Subject.Name; report.Certificate.Person().Name.Reveal() != name {
		g.site.t.Errorf("%s got the signature of %s", name, report.Certificate.Person().Name.Reveal())
	}
	return nil
}

// insist does something until it succeeds, and complains of every failure that no dead instance excuses.
func (g *guest) insist(do func() error) {
	for range 6 {
		err := do()
		if err == nil {
			return
		}
		e, ok := errors.AsType[*interrupted](err)
		if !ok || !g.site.excused(e) {
			g.site.t.Errorf("lost without a cause: %v", err)
			return
		}
		g.site.lost.Add(1)
	}
	g.site.t.Error("lost again and again")
}

// loadBehind has people log in and sign, each in new browsers, while instances are killed in the middle of requests.
func loadBehind(t *testing.T, p proxy, postgres string) {
	t.Helper()
	const visits = 5
	s := newSite(t, p, postgres, 3)
	s.deadly = true
	var people sync.WaitGroup
	for _, card := range s.svc.Cards() {
		people.Go(func() {
			for n := range visits {
				g := s.guest(card)
				g.insist(func() error { return g.logIn(fmt.Sprintf("/account?visit=%d", n)) })
				g.insist(g.sign)
				g.http.CloseIdleConnections()
			}
		})
	}
	people.Wait()
	s.restarts.Wait()
	s.deadly = false
	s.nothingIsForgotten(t)
	logins, signatures := s.ledger()
	t.Logf("%d logins, %d signatures, %d instances killed, %d interrupted",
		logins, signatures, len(s.killed), s.lost.Load())
	// One request can be at an instance when it is killed by the call of that request; others may be there as well. A
	// login that was noted before the instance died, and begun anew by the person, makes one more.
	done := len(s.svc.Cards()) * visits
	lost := int(s.lost.Load())
	if len(s.killed) < 3 || logins < done || signatures < done || logins+signatures > 2*done+lost {
		t.Error("the ledger does not fit")
	}
}

// ledger counts what was done, and insists that nothing was done twice.
func (s *site) ledger() (logins, signatures int) {
	all, err := s.redis.HGetAll(s.t.Context(), ledger).Result()
	must(s.t, err)
	for what, times := range all {
		if times != "1" {
			s.t.Errorf("%s times: %s", times, what)
		}
		if strings.HasPrefix(what, "login ") {
			logins++
		} else {
			signatures++
		}
	}
	return logins, signatures
}
