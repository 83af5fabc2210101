package middleware_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// keeperFor makes an instance's Keeper.
func keeperFor(t *testing.T, signer *signapi.Client, store signapi.Store) *signapi.Keeper {
	t.Helper()
	keys, err := evidence.NewLocalKeys(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	k, err := signapi.NewKeeper(signapi.KeeperConfig{Client: signer, Store: store, Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func waiting(t *testing.T, l *middleware.Login, name string) (all []middleware.Signed) {
	t.Helper()
	for s, err := range l.Waiting(t.Context(), name) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

// TestKeptSignature: with a Keeper a signature is kept before the application gets it, until the application is done.
func TestKeptSignature(t *testing.T) {
	var keeper *signapi.Keeper
	s := newSite(t, func(c *middleware.Config) {
		keeper = keeperFor(t, c.Signer, signapi.NewMemory())
		c.Signer, c.Keeper = nil, keeper
	})
	b := s.browser(t)
	b.logIn()
	to := b.beginSign()
	for kept, err := range keeper.Unfinished(t.Context()) {
		if err != nil || kept.State != signapi.StateHandedOver || kept.Reference != "contract-7" {
			t.Errorf("on the way: %+v, %v", kept, err)
		}
	}
	if r := b.get(s.op.approve(t, to)); r.body != "signed by subject-hanako" {
		t.Fatalf("%d %q, %v", r.StatusCode, r.body, s.lastError())
	}
	got := s.signed[0]
	if !got.Kept || got.Unverified.Opened == nil || got.Identity.TransactionID != transactionID {
		t.Errorf("%+v", got)
	}
	all := waiting(t, s.login, "contract")
	if len(all) != 1 || all[0].Reference != "contract-7" || !all[0].Kept || all[0].Identity != nil ||
		all[0].Since.IsZero() || all[0].Unverified.Transaction.ID != transactionID ||
		!bytes.Equal(all[0].Unverified.Opened.RevealSignature(), got.Unverified.Opened.RevealSignature()) {
		t.Errorf("%+v", all)
	}
	if all := waiting(t, s.login, "another"); len(all) != 0 {
		t.Errorf("of another name: %+v", all)
	}
	if err := keeper.Close(t.Context(), transactionID); err != nil {
		t.Fatal(err)
	}
	if all := waiting(t, s.login, "contract"); len(all) != 0 {
		t.Errorf("closed: %+v", all)
	}
	plain := newSite(t)
	for _, err := range plain.login.Waiting(t.Context(), "contract") {
		if !hasReason(err, middleware.ReasonConfiguration) {
			t.Errorf("without a Keeper: %v", err)
		}
	}
}

// stuckStore is the store as an instance sees it that ends right after it has written a state: nothing more comes of
// it.
type stuckStore struct {
	signapi.Store
	at         signapi.State
	stuck, end chan struct{}
	once       sync.Once
}

func (s *stuckStore) Replace(ctx context.Context, e signapi.Entry) error {
	err := s.Store.Replace(ctx, e)
	if e.State == s.at {
		s.once.Do(func() { close(s.stuck) })
		<-s.end
	}
	return err
}

func stuckAt(state signapi.State) *stuckStore {
	return &stuckStore{
		Store: signapi.NewMemory(), at: state, stuck: make(chan struct{}), end: make(chan struct{}),
	}
}

// TestInstanceEndsWithTheResult: the instance that fetched the result ends before it hands it over. The browser comes
// back to another instance, and the application gets the signature there, once; another person gets nothing.
func TestInstanceEndsWithTheResult(t *testing.T) {
	for name, shares := range map[string]bool{"with what instances share": true, "after a restart": false} {
		t.Run(name, func(t *testing.T) {
			stuck := stuckAt(signapi.StateFetched)
			c := newCluster(t, func(first, second *middleware.Config) {
				first.Keeper = keeperFor(t, first.Signer, stuck)
				second.Keeper = keeperFor(t, first.Signer, stuck.Store)
				if !shares {
					second.Shared = nil
				}
			})
			release := sync.OnceFunc(func() { close(stuck.end) })
			defer release() // whatever fails: the server waits for its requests
			b := c.browser(t)
			b.logIn()
			to := c.op.approve(t, b.beginSign())
			pending := b.cookies(pendingPrefix)[0]
			var wg sync.WaitGroup
			wg.Go(func() { b.get(to) })
			<-stuck.stuck
			c.second.Store(true)

			other := c.browser(t)
			c.op.set(func(p *provider) { p.subject = "subject-taro" })
			other.logIn()
			other.setCookie(pending.Name, pending.Value)
			if r := other.get(to); r.StatusCode != http.StatusForbidden || c.signatures() != 0 {
				t.Errorf("another person: %d, %d signatures, %v", r.StatusCode, c.signatures(), c.lastError())
			}
			r := b.get(to)
			if r.StatusCode != http.StatusOK || r.body != "signed at the second instance" || c.signatures() != 1 {
				t.Fatalf("%d %q, %d signatures, %v", r.StatusCode, r.body, c.signatures(), c.lastError())
			}
			got := c.signed[0]
			if got.Reference != "contract-7" || !got.Kept || got.Identity.TransactionID != transactionID ||
				got.Identity.Subject.Reveal() != "subject-hanako" || !got.Identity.AccessToken().IsZero() {
				t.Errorf("%+v", got)
			}
			if r := b.get(to); r.StatusCode != http.StatusSeeOther || c.signatures() != 1 {
				t.Errorf("once more: %d, %d signatures", r.StatusCode, c.signatures())
			}
			release()
			wg.Wait()
			if want := map[bool]int{true: 1, false: 2}[shares]; c.signatures() != want {
				t.Errorf("after all: %d signatures, want %d", c.signatures(), want)
			}
		})
	}
}

// later makes a client whose clock is one at which the claim of another instance is over.
func later(t *testing.T, client *authn.Client) *signapi.Client {
	t.Helper()
	signer, err := signapi.New(signapi.Config{
		Client: client, Now: func() time.Time { return time.Now().Add(time.Minute) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// TestInstanceEndsWhileAsking: the instance that asks for the result ends before it has it. The browser that comes back
// to another instance, or the application that looks what waits there, gets the signature: that instance asks again.
func TestInstanceEndsWhileAsking(t *testing.T) {
	for _, comesBack := range []bool{true, false} {
		stuck := stuckAt(signapi.StateFetching)
		var second *middleware.Login
		c := newCluster(t, func(first, other *middleware.Config) {
			first.Keeper = keeperFor(t, first.Signer, stuck)
			other.Keeper = keeperFor(t, later(t, first.Client), stuck.Store)
			var err error
			if second, err = middleware.New(*other); err != nil {
				t.Fatal(err)
			}
		})
		release := sync.OnceFunc(func() { close(stuck.end) })
		defer release() // whatever fails: the server waits for its requests
		b := c.browser(t)
		b.logIn()
		to := c.op.approve(t, b.beginSign())
		var wg sync.WaitGroup
		wg.Go(func() { b.get(to) })
		<-stuck.stuck
		c.second.Store(true)
		if comesBack {
			r := b.get(to)
			if r.StatusCode != http.StatusOK || r.body != "signed at the second instance" || c.signatures() != 1 {
				t.Fatalf("%d %q, %d signatures, %v", r.StatusCode, r.body, c.signatures(), c.lastError())
			}
			if got := c.signed[0]; !got.Kept || got.Identity.Subject.Reveal() != "subject-hanako" {
				t.Errorf("%+v", got)
			}
		}
		all := waiting(t, second, "contract")
		if len(all) != 1 || !all[0].Kept || all[0].Unverified.Opened == nil || all[0].Reference != "contract-7" {
			t.Errorf("%+v", all)
		}
		release()
		wg.Wait()
		if c.signatures() != 1 {
			t.Errorf("after all: %d signatures", c.signatures())
		}
	}
}

// TestNothingWaitsThatIsLost: what an instance asked for that ended, and the service does not give again, is no
// signature that waits.
func TestNothingWaitsThatIsLost(t *testing.T) {
	stuck := stuckAt(signapi.StateFetching)
	var second *middleware.Login
	c := newCluster(t, func(first, other *middleware.Config) {
		first.Keeper = keeperFor(t, first.Signer, stuck)
		other.Keeper = keeperFor(t, later(t, first.Client), stuck.Store)
		var err error
		if second, err = middleware.New(*other); err != nil {
			t.Fatal(err)
		}
	})
	release := sync.OnceFunc(func() { close(stuck.end) })
	defer release()
	c.op.set(func(p *provider) {
		p.answer = func(w http.ResponseWriter) bool {
			w.WriteHeader(http.StatusGone)
			return true
		}
	})
	b := c.browser(t)
	b.logIn()
	to := c.op.approve(t, b.beginSign())
	var wg sync.WaitGroup
	wg.Go(func() { b.get(to) })
	<-stuck.stuck
	if all := waiting(t, second, "contract"); len(all) != 0 {
		t.Errorf("%+v", all)
	}
	e, err := stuck.Get(t.Context(), transactionID)
	if err != nil || e.State != signapi.StateOver {
		t.Errorf("%v, %v", e.State, err)
	}
	release()
	wg.Wait()
}

// TestWaitForResult: a result that the service does not have yet is waited for.
func TestWaitForResult(t *testing.T) {
	var asked atomic.Int32
	for name, change := range map[string]func(*middleware.Config){
		"with a Keeper": func(c *middleware.Config) { c.Keeper = keeperFor(t, c.Signer, signapi.NewMemory()) },
		"without":       func(*middleware.Config) {},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, change)
			var got []middleware.Signed
			h, err := s.login.Sign("patient", middleware.SignConfig{
				Mode: sign.ModeBareHash, Wait: 30 * time.Second,
				Document: func(*http.Request) (sign.Document, string, error) {
					return sign.Document{Reader: strings.NewReader("x")}, "", nil
				},
				OnSigned: func(_ http.ResponseWriter, _ *http.Request, sg middleware.Signed) { got = append(got, sg) },
			})
			if err != nil {
				t.Fatal(err)
			}
			s.Config.Handler.(*http.ServeMux).Handle("/patient", h)
			asked.Store(0)
			s.op.set(func(p *provider) {
				p.answer = func(w http.ResponseWriter) bool {
					if asked.Add(1) > 1 {
						return false
					}
					w.Header().Set("Retry-After", "1")
					w.WriteHeader(http.StatusAccepted)
					return true
				}
			})
			b := s.browser(t)
			b.logIn()
			r := b.get(s.op.approve(t, b.post("/patient").Header.Get("Location")))
			if r.StatusCode != http.StatusOK || len(got) != 1 || got[0].Unverified.Opened == nil || asked.Load() != 2 {
				t.Errorf("%d, %d signatures, asked %d times, %v", r.StatusCode, len(got), asked.Load(), s.lastError())
			}
		})
	}
	s := newSite(t)
	for _, wait := range []time.Duration{-1, 31 * time.Second} {
		_, err := s.login.Sign("x", middleware.SignConfig{
			Mode: sign.ModeBareHash, Wait: wait,
			Document: func(*http.Request) (sign.Document, string, error) { return sign.Document{}, "", nil },
			OnSigned: func(http.ResponseWriter, *http.Request, middleware.Signed) {},
		})
		if !hasReason(err, middleware.ReasonConfiguration) {
			t.Errorf("%v: %v", wait, err)
		}
	}
}

// TestStoreFails: without its store a Keeper begins nothing and asks for nothing; the person may try again later.
func TestStoreFails(t *testing.T) {
	broken := &brokenStore{Store: signapi.NewMemory()}
	s := newSite(t, func(c *middleware.Config) { c.Keeper = keeperFor(t, c.Signer, broken) })
	b := s.browser(t)
	b.logIn()
	to := b.beginSign()
	broken.down.Store(true)
	for _, ask := range []func() response{
		func() response { return b.post("/sign") }, func() response { return b.get(s.op.approve(t, to)) },
	} {
		if r := ask(); r.StatusCode != http.StatusServiceUnavailable || s.signatures() != 0 {
			t.Errorf("%d, %d signatures", r.StatusCode, s.signatures())
		}
		if err := s.lastError(); !errors.Is(err, &signapi.Error{Reason: signapi.ReasonStore}) {
			t.Errorf("%v", err)
		}
	}
}

type brokenStore struct {
	signapi.Store
	down atomic.Bool
}

func (s *brokenStore) Add(ctx context.Context, e signapi.Entry) error {
	if s.down.Load() {
		return errDown
	}
	return s.Store.Add(ctx, e)
}

func (s *brokenStore) Replace(ctx context.Context, e signapi.Entry) error {
	if s.down.Load() {
		return errDown
	}
	return s.Store.Replace(ctx, e)
}
