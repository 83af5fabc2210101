package instances

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/middleware/scssession"
	"github.com/redis/go-redis/v9"
)

// cluster is three instances behind one address.
type cluster struct {
	t      *testing.T
	front  *httptest.Server
	svc    *daa.Running
	key    authn.Key
	keys   middleware.SealKeys
	redis  *redis.Client
	shared middleware.Shared

	mu       sync.RWMutex
	handlers [3]http.Handler // nil: dead
	next     atomic.Int64
}

func newCluster(t *testing.T, client *redis.Client, shared middleware.Shared) *cluster {
	t.Helper()
	c := &cluster{t: t, keys: middleware.NewSealKeys(), redis: client, shared: shared}
	c.front = httptest.NewUnstartedServer(http.HandlerFunc(c.balance))
	c.front.Config.ErrorLog = log.New(io.Discard, "", 0)
	c.front.StartTLS()
	t.Cleanup(c.front.Close)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if c.key, err = authn.NewKey(key, ""); err != nil {
		t.Fatal(err)
	}
	c.svc = daa.Start(t, daa.WithClient(daa.ClientRegistration{ID: "RP00000001", Key: key.Public(),
		RedirectURLs: []string{c.front.URL + "/auth/callback"}}),
		daa.WithPersonas(person.Hanako, person.Taro))
	for i := range c.handlers {
		c.start(i)
	}
	return c
}

// start makes a new process, as far as it can be told from outside: nothing in memory survives.
func (c *cluster) start(i int) {
	client, err := authn.New(authn.Config{
		Environment: c.svc.Environment(), ClientID: "RP00000001", Key: c.key,
		RedirectURL: c.front.URL + "/auth/callback", HTTPClient: c.svc.Client(),
	})
	if err != nil {
		c.t.Error(err)
		return
	}
	sessions, err := scssession.New(scssession.Config{Manager: Manager(c.redis)})
	if err != nil {
		c.t.Error(err)
		return
	}
	login, err := middleware.New(middleware.Config{
		Client: client, Scopes: authn.Name, SealKeys: c.keys, Sessions: sessions, Shared: c.shared,
	})
	if err != nil {
		c.t.Error(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/auth/", login)
	mux.Handle("/account", login.RequireFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, middleware.IdentityFrom(r.Context()).Person.Name.Reveal())
	}))
	c.set(i, mux)
}

func (c *cluster) set(i int, h http.Handler) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handlers[i] = h
}

// balance gives each request to the next living instance.
func (c *cluster) balance(w http.ResponseWriter, r *http.Request) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	first := int(c.next.Add(1)) // one turn for each request: another request must not take a place of this one's round
	for k := range c.handlers {
		if h := c.handlers[(first+k)%len(c.handlers)]; h != nil {
			h.ServeHTTP(w, r)
			return
		}
	}
	w.WriteHeader(http.StatusBadGateway)
}

// visit logs a person in in a new browser and reports whose name the account page shows.
func (c *cluster) visit(card, number int) string {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err.Error()
	}
	browser := &http.Client{
		Transport: c.front.Client().Transport, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	open := func(address string) (int, string, string) {
		if strings.HasPrefix(address, "/") {
			address = c.front.URL + address
		}
		req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, address, http.NoBody)
		if err != nil {
			return 0, "", err.Error()
		}
		resp, err := browser.Do(req)
		if err != nil {
			return 0, "", err.Error()
		}
		defer func() { _ = resp.Body.Close() }()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, resp.Header.Get("Location"), string(body)
	}
	page := "/account?visit=" + strconv.Itoa(number)
	_, to, _ := open(page)
	_, to, _ = open(to)
	back, err := c.svc.VisitorWith(c.svc.Cards()[card]).Approve(c.t.Context(), to)
	if err != nil {
		return err.Error()
	}
	status, to, body := open(back)
	if status != http.StatusSeeOther || to != page {
		return "callback: " + strconv.Itoa(status) + " " + body
	}
	if status, to, _ = open(back); status != http.StatusSeeOther || to != page { // at another instance
		return "reload: " + strconv.Itoa(status)
	}
	_, _, body = open(page)
	return body
}

// loginsWhileInstancesDie: no login is lost, none is crossed between people.
func loginsWhileInstancesDie(t *testing.T, client *redis.Client, shared middleware.Shared) {
	t.Helper()
	c := newCluster(t, client, shared)
	const visits, people = 6, 2
	var wg sync.WaitGroup
	for card := range people {
		name := c.svc.Cards()[card].Person().Reveal().Name
		wg.Go(func() { // one phone is at one login at a time
			for number := range visits {
				if got := c.visit(card, number); got != name {
					t.Errorf("person %d, visit %d: %q", card, number, got)
				}
				// An instance dies between two requests, and another process takes its place later. One always lives.
				victim := (card + number) % len(c.handlers)
				c.start((victim + 1) % len(c.handlers))
				c.set(victim, nil)
			}
		})
	}
	wg.Wait()
}
