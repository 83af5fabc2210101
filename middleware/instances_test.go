package middleware_test

import (
	"context"
	"encoding/base64"
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
	"github.com/kakunin-go/kakunin/sign"
)

// sharedStore is what several instances reach: the shape of a Redis or a table.
type sharedStore struct {
	mu     sync.Mutex
	used   map[string]bool
	values map[string][]byte
	down   bool
	kept   chan struct{} // is told of every value that was offered, if it has room
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
	defer func() { s.kept <- struct{}{} }()
	return s.do(func() { s.values[key] = value })
}

func (s *sharedStore) Take(_ context.Context, key string) (value []byte, err error) {
	err = s.do(func() { value = s.values[key]; delete(s.values, key) })
	return value, err
}

// snapshot returns the values that are kept.
func (s *sharedStore) snapshot() (values [][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.values {
		values = append(values, v)
	}
	return values
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

func newCluster(t *testing.T, change ...func(first, second *middleware.Config)) *cluster {
	t.Helper()
	c := &cluster{store: &sharedStore{
		used: map[string]bool{}, values: map[string][]byte{}, kept: make(chan struct{}, 8),
	}}
	var common middleware.Config
	c.site = newSite(t, func(config *middleware.Config) {
		config.Shared = c.store
		common = *config
		for _, f := range change {
			f(config, &common)
		}
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
	_, err = other.Sign("contract", middleware.SignConfig{
		Mode: sign.ModeDigestInfo,
		Document: func(*http.Request) (sign.Document, string, error) {
			return sign.Document{}, "", errors.New("not here")
		},
		OnSigned: func(w http.ResponseWriter, _ *http.Request, sg middleware.Signed) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.signed = append(c.signed, sg)
			_, _ = w.Write([]byte("signed at the second instance"))
		},
	})
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

// The browser goes away while one instance fetches a signature, and finds it at another: sealed or plain, once, and
// nothing of it readable in the store.
func TestAbortedSignatureAcrossInstances(t *testing.T) {
	const jwe = "eyJhbGciOiJSU0EtT0FFUC0yNTYifQ.AAAA.AAAA.AAAA.AAAA"
	for name, sealed := range map[string]bool{"sealed": true, "plain": false} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			if sealed {
				c.op.set(func(p *provider) {
					p.answer = func(w http.ResponseWriter) bool {
						reply(w, http.StatusOK, map[string]any{"signature_jwe": jwe})
						return true
					}
				})
			}
			b := c.browser(t)
			b.logIn()
			entered, release := slowOP(c.site)
			noticed := c.watchGone()
			to := c.op.approve(t, b.beginSign())
			b.giveUp(to, entered, noticed)
			close(release)
			<-c.store.kept
			for _, v := range c.store.snapshot() {
				zeros := base64.StdEncoding.EncodeToString(make([]byte, 48)) // of the signature
				for _, secret := range []string{"hanako", jwe, transactionID, zeros} {
					if strings.Contains(string(v), secret) {
						t.Errorf("%q is in the store", secret)
					}
				}
			}
			c.second.Store(true)
			// Whoever stole the cookie has no session, and takes nothing away.
			thief := c.browser(t)
			thief.setCookie(b.cookies(pendingPrefix)[0].Name, b.cookies(pendingPrefix)[0].Value)
			if r := thief.get(to); r.StatusCode != http.StatusUnauthorized || c.signatures() != 0 {
				t.Errorf("a thief: %d, %d signatures", r.StatusCode, c.signatures())
			}
			if r := b.get(to); r.StatusCode != http.StatusOK || r.body != "signed at the second instance" {
				t.Fatalf("%d %q, %v", r.StatusCode, r.body, c.lastError())
			}
			c.second.Store(false)
			if r := b.get(to); r.StatusCode != http.StatusSeeOther || c.signatures() != 1 || c.op.exchanges() != 2 {
				t.Errorf("again: %d, %d signatures, %d codes redeemed", r.StatusCode, c.signatures(), c.op.exchanges())
			}
			got := c.signed[0]
			switch {
			case got.Reference != "contract-7" || got.Identity.Subject.Reveal() != "subject-hanako" ||
				got.Unverified.Transaction.TransactionID() != transactionID:
				t.Errorf("%+v", got)
			case sealed && (got.Unverified.Sealed.RevealJWE() != jwe || got.Unverified.Opened != nil):
				t.Error("not what was sealed")
			case !sealed && (len(got.Unverified.Opened.RevealSignature()) != 256 ||
				len(got.Unverified.Opened.RevealCertificate()) != 5 || got.Unverified.Sealed != nil):
				t.Error("not what was signed")
			}
			if len(c.store.snapshot()) != 0 {
				t.Error("the result is still in the store")
			}
		})
	}
}

// A store that is down, or a result that is too large for it, keeps nobody from the result at the instance that has it.
func TestResultsWaitHereWhenTheStoreDoesNotTakeThem(t *testing.T) {
	for name, flow := range map[string]func(*browser) string{
		"login":     func(b *browser) string { return b.begin("/auth/login?return=/account") },
		"signature": (*browser).beginSign,
	} {
		c := newCluster(t)
		b := c.browser(t)
		b.logIn()
		entered, release := slowOP(c.site)
		noticed := c.watchGone()
		to := c.op.approve(t, flow(b))
		b.giveUp(to, entered, noticed)
		c.store.setDown(true)
		close(release)
		<-c.store.kept
		c.store.setDown(false)
		if r := b.get(to); r.StatusCode >= 400 || c.op.exchanges() != 2 {
			t.Errorf("%s: %d, %v", name, r.StatusCode, c.lastError())
		}
		if name == "signature" && c.signatures() != 1 {
			t.Errorf("%d signatures", c.signatures())
		}
	}
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
	if r := thief.get(to); r.StatusCode != http.StatusBadRequest ||
		!hasReason(c.lastError(), middleware.ReasonReplayed) || thief.who() != "nobody" {
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
	<-c.store.kept
	stored := c.store.snapshot()
	_ = c.store.do(func() {
		for key := range c.store.used {
			stored = append(stored, []byte(key))
		}
		for key := range c.store.values {
			stored = append(stored, []byte(key))
		}
	})
	state := mustQuery(t, to).Get("state")
	for _, s := range stored {
		if strings.Contains(string(s), "hanako") || strings.Contains(string(s), "花子") ||
			strings.Contains(string(s), state) {
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
	if r.StatusCode != http.StatusServiceUnavailable || kakunin.FamilyOf(err) != kakunin.Unavailable ||
		!errors.Is(err, errDown) || b.who() != "nobody" {
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
	if r := b.get(to); r.StatusCode != http.StatusServiceUnavailable ||
		!hasReason(s.lastError(), middleware.ReasonSession) {
		t.Fatalf("%d", r.StatusCode)
	}
	store.down.Store(false)
	if who := b.who(); who != "nobody" {
		t.Fatalf("%s is logged in", who)
	}
	if r := b.get(to); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/account" ||
		b.who() != "subject-hanako" {
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
