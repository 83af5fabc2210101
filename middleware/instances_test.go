package middleware_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/middleware/scssession"
)

// sharedStore is what several instances reach: the shape of a Redis or a table.
type sharedStore struct {
	mu     sync.Mutex
	used   map[string]bool
	values map[string][]byte
	down   bool
}

var errDown = errors.New("redis://:hunter2@10.0.0.1 is down")

func (s *sharedStore) do(f func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return errDown
	}
	f()
	return nil
}

func (s *sharedStore) Use(_ context.Context, key string, _ time.Duration) (first bool, err error) {
	err = s.do(func() { first = !s.used[key]; s.used[key] = true })
	return first, err
}

func (s *sharedStore) Used(_ context.Context, key string) (used bool, err error) {
	err = s.do(func() { used = s.used[key] })
	return used, err
}

func (s *sharedStore) Put(_ context.Context, key string, value []byte, _ time.Duration) error {
	return s.do(func() { s.values[key] = value })
}

func (s *sharedStore) Take(_ context.Context, key string) (value []byte, err error) {
	err = s.do(func() { value = s.values[key]; delete(s.values, key) })
	return value, err
}

func (s *sharedStore) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// cluster is two instances behind one address: they have keys, sessions, the client's registration and the shared store
// in common, and nothing else.
type cluster struct {
	*site
	store  *sharedStore
	second atomic.Bool // requests go to the second instance
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{store: &sharedStore{used: map[string]bool{}, values: map[string][]byte{}}}
	var common middleware.Config
	c.site = newSite(t, func(config *middleware.Config) {
		config.Shared = c.store
		common = *config
	})
	common.Client = clientAt(t, common.Client, common.Client.RedirectURL())
	common.OnError = func(w http.ResponseWriter, _ *http.Request, err error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.errors = append(c.errors, err)
		w.WriteHeader(middleware.StatusOf(err))
	}
	other, err := middleware.New(common)
	if err != nil {
		t.Fatal(err)
	}
	first := c.Config.Handler
	c.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.second.Load() && strings.HasPrefix(r.URL.Path, "/auth/") {
			other.ServeHTTP(w, r)
			return
		}
		first.ServeHTTP(w, r)
	})
	return c
}

// A login begun at one instance ends at the other, and is used up for both.
func TestLoginAcrossInstances(t *testing.T) {
	c := newCluster(t)
	b := c.browser(t)
	to := c.op.approve(t, b.begin("/auth/login?return=/account"))
	kept := b.cookies(pendingPrefix)[0]
	c.second.Store(true)
	if r := b.get(to); r.StatusCode != http.StatusSeeOther || b.who() != "subject-hanako" {
		t.Fatalf("%d, %v", r.StatusCode, c.lastError())
	}
	c.second.Store(false)
	if r := b.get(to); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/account" {
		t.Errorf("reload at the first instance: %d, %v", r.StatusCode, c.lastError())
	}
	thief := c.browser(t)
	thief.setCookie(kept.Name, kept.Value)
	if r := thief.get(to); r.StatusCode != http.StatusBadRequest || !hasReason(c.lastError(), middleware.ReasonReplayed) || thief.who() != "nobody" {
		t.Errorf("replay at the first instance: %d, %s", r.StatusCode, thief.who())
	}
	if c.op.exchanges() != 1 {
		t.Errorf("%d codes redeemed", c.op.exchanges())
	}
}

// The browser goes away while one instance redeems the code, and asks the other one again.
func TestAbortedNavigationAcrossInstances(t *testing.T) {
	c := newCluster(t)
	entered, release := slowOP(c.site)
	noticed := c.watchGone()
	b := c.browser(t)
	to := c.op.approve(t, b.begin("/auth/login?return=/account"))
	b.giveUp(to, entered, noticed)
	c.second.Store(true)
	answer := make(chan response)
	go func() { answer <- b.get(to) }() // waits for the first instance
	close(release)
	if r := <-answer; r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/account" {
		t.Fatalf("%d, %v", r.StatusCode, c.lastError())
	}
	if who := b.who(); who != "subject-hanako" || c.op.exchanges() != 1 {
		t.Errorf("%s, %d codes redeemed", who, c.op.exchanges())
	}
	for _, v := range c.store.values {
		t.Errorf("%d bytes left in the store", len(v))
	}
}

// What waits in the shared store is sealed.
func TestSharedStoreSeesNothingPersonal(t *testing.T) {
	c := newCluster(t)
	entered, release := slowOP(c.site)
	noticed := c.watchGone()
	b := c.browser(t)
	to := c.op.approve(t, b.begin("/auth/login"))
	b.giveUp(to, entered, noticed)
	close(release)
	var stored [][]byte
	for len(stored) == 0 { // the instance is still at it
		_ = c.store.do(func() {
			for key, v := range c.store.values {
				stored = append(stored, []byte(key), v)
			}
			for key := range c.store.used {
				stored = append(stored[:len(stored):len(stored)], []byte(key))
			}
			if len(c.store.values) == 0 {
				stored = nil
			}
		})
	}
	state := mustQuery(t, to).Get("state")
	for _, s := range stored {
		if strings.Contains(string(s), "hanako") || strings.Contains(string(s), "花子") || strings.Contains(string(s), state) {
			t.Errorf("in the store: %q", s)
		}
	}
}

// Without the shared store nobody is logged in, nothing is used up, and it goes on when the store is back.
func TestSharedStoreDown(t *testing.T) {
	c := newCluster(t)
	b := c.browser(t)
	to := c.op.approve(t, b.begin("/auth/login?return=/account"))
	c.store.setDown(true)
	r := b.do(http.MethodGet, to, nil, nil)
	err := c.lastError()
	if r.StatusCode != http.StatusServiceUnavailable || kakunin.FamilyOf(err) != kakunin.Unavailable || !errors.Is(err, errDown) || b.who() != "nobody" {
		t.Fatalf("%d, %v, %s", r.StatusCode, err, b.who())
	}
	if strings.Contains(err.Error()+c.log.String(), "hunter2") || c.op.exchanges() != 0 {
		t.Errorf("%v, %d codes redeemed", err, c.op.exchanges())
	}
	c.store.setDown(false)
	if r := b.get(to); r.StatusCode != http.StatusSeeOther || b.who() != "subject-hanako" {
		t.Errorf("afterwards: %d, %v", r.StatusCode, c.lastError())
	}
}

// The session store fails when the login is to be stored: no session, and the login is not lost.
func TestSessionStoreDownAtTheEndOfALogin(t *testing.T) {
	store := &flakyStore{mapStore: mapStore{m: map[string][]byte{}}}
	manager := ownManager(store)
	own, err := scssession.New(scssession.Config{Manager: manager})
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, func(c *middleware.Config) { c.Sessions = own })
	b := s.browser(t)
	to := s.op.approve(t, b.begin("/auth/login?return=/account"))
	store.down.Store(true)
	if r := b.get(to); r.StatusCode != http.StatusServiceUnavailable || !hasReason(s.lastError(), middleware.ReasonSession) {
		t.Fatalf("%d", r.StatusCode)
	}
	store.down.Store(false)
	if who := b.who(); who != "nobody" {
		t.Fatalf("%s is logged in", who)
	}
	if r := b.get(to); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/account" || b.who() != "subject-hanako" {
		t.Errorf("afterwards: %d, %v", r.StatusCode, s.lastError())
	}
	if s.op.exchanges() != 1 {
		t.Errorf("%d codes redeemed", s.op.exchanges())
	}
}

type flakyStore struct {
	mapStore
	down atomic.Bool
}

func (s *flakyStore) Commit(k string, b []byte, at time.Time) error {
	if s.down.Load() {
		return errDown
	}
	return s.mapStore.Commit(k, b, at)
}

// Two callbacks at once of somebody who cancelled: both say so.
func TestTwoRefusedCallbacksAtOnce(t *testing.T) {
	s := newSite(t)
	entered, release := slowOP(s)
	s.op.set(func(p *provider) { p.claims = func(c map[string]any) { c["nonce"] = "other" } })
	b := s.browser(t)
	to := s.op.approve(t, b.begin("/auth/login"))
	var wg sync.WaitGroup
	results := make(chan response, 2)
	wg.Go(func() { results <- b.get(to) })
	<-entered
	wg.Go(func() { results <- b.get(to) })
	close(release)
	wg.Wait()
	close(results)
	for r := range results {
		if r.StatusCode != http.StatusBadRequest {
			t.Errorf("%d", r.StatusCode)
		}
	}
	if b.who() != "nobody" || s.op.exchanges() != 1 {
		t.Errorf("%s, %d codes redeemed", b.who(), s.op.exchanges())
	}
}
