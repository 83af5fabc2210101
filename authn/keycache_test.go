package authn

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// verifyOne verifies an ID token without the rest of a login.
func (op *testOP) verifyOne(c *Client) error {
	const nonce = "n"
	_, err := c.verifyIDToken(context.Background(), op.idToken(nonce, testAccess), testAccess, nonce)
	return err
}

func TestKeysAreFetchedOnce(t *testing.T) {
	op := newOP(t)
	c := op.client()
	for range 50 {
		if err := op.verifyOne(c); err != nil {
			t.Fatal(err)
		}
	}
	if n := op.jwksHits.Load(); n != 1 {
		t.Errorf("%d fetches", n)
	}
}

func TestFloodOfBadTokens(t *testing.T) {
	for name, prepare := range map[string]func(*testOP){
		"unknown kid": func(op *testOP) { op.header = `{"alg":"ES256","kid":"` + randomText(8) + `"}` },
		"known kid, foreign signature": func(op *testOP) {
			op.idKey = testOtherEC()
			op.header = `{"alg":"ES256","kid":"` + testECKey().KeyID() + `"}`
		},
	} {
		t.Run(name, func(t *testing.T) {
			op := newOP(t)
			c := op.client()
			if err := op.verifyOne(c); err != nil {
				t.Fatal(err)
			}
			for range 1000 {
				prepare(op)
				if err := op.verifyOne(c); err == nil {
					t.Fatal("accepted")
				}
			}
			if n := op.jwksHits.Load(); n != 2 {
				t.Errorf("%d fetches, want the first and one more", n)
			}
			op.clock.advance(keysCooldown)
			for range 10 {
				if err := op.verifyOne(c); err == nil {
					t.Fatal("accepted")
				}
			}
			if n := op.jwksHits.Load(); n != 3 {
				t.Errorf("%d fetches after the cooldown, want one more", n)
			}
		})
	}
}

// A service whose machines publish different keys, or that changes them all the time, is spared like any other.
func TestFloodWhileTheKeysChange(t *testing.T) {
	op := newOP(t)
	c := op.client()
	if err := op.verifyOne(c); err != nil {
		t.Fatal(err)
	}
	var shown atomic.Int64
	op.setKeys(func(w http.ResponseWriter, _ *http.Request) {
		other := testOtherEC().signing().Public()
		other.KeyID = strconv.FormatInt(shown.Add(1), 10)
		b, err := jose.MarshalKeySet(testECKey().signing().Public(), other)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(b)
	})
	for range 100 {
		op.header = `{"alg":"ES256","kid":"` + randomText(8) + `"}`
		wantError(t, op.verifyOne(c), ReasonIDToken, "key")
	}
	if n := op.jwksHits.Load(); n != 2 {
		t.Errorf("%d fetches, want the first and one more", n)
	}
	op.header = ""
	if err := op.verifyOne(c); err != nil {
		t.Errorf("a good token: %v", err)
	}
}

func TestFloodInParallel(t *testing.T) {
	op := newOP(t)
	c := op.client()
	if err := op.verifyOne(c); err != nil {
		t.Fatal(err)
	}
	op.idKey = testOtherEC()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if op.verifyOne(c) == nil {
				t.Error("accepted")
			}
		})
	}
	wg.Wait()
	if n := op.jwksHits.Load(); n != 2 {
		t.Errorf("%d fetches", n)
	}
}

// The service may begin to use a key a moment after it published it, under a new key id or a re-used one.
func TestKeyRotation(t *testing.T) {
	op := newOP(t)
	c := op.client()
	if err := op.verifyOne(c); err != nil {
		t.Fatal(err)
	}
	op.publish(testECKey(), testOtherEC())
	op.idKey = testOtherEC()
	if err := op.verifyOne(c); err != nil {
		t.Errorf("new key id: %v", err)
	}
	reused, err := testECKey().WithKeyID(testOtherEC().KeyID())
	if err != nil {
		t.Fatal(err)
	}
	op.publish(reused)
	op.idKey = reused
	if err := op.verifyOne(c); err != nil {
		t.Errorf("re-used key id: %v", err)
	}
	if n := op.jwksHits.Load(); n != 3 {
		t.Errorf("%d fetches", n)
	}
}

func TestWithdrawnKeyStopsWorking(t *testing.T) {
	op := newOP(t)
	c := op.client()
	if err := op.verifyOne(c); err != nil {
		t.Fatal(err)
	}
	op.publish(testOtherEC())
	op.clock.advance(keysFresh)
	wantError(t, op.verifyOne(c), ReasonIDToken, "key")
}

func TestKeysWhileTheServiceIsDown(t *testing.T) {
	goodKeys, err := jose.MarshalKeySet(testECKey().signing().Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, down := range map[string]http.HandlerFunc{
		"status 503":    reply(503, jsonType, "{}"),
		"redirect":      reply(302, jsonType, `{"keys":[]}`),
		"HTML":          reply(200, "text/html", "<html>"),
		"empty set":     reply(200, jsonType, `{"keys":[]}`),
		"no usable key": reply(200, jsonType, `{"keys":[{"kty":"oct","k":"AAAA"}]}`),
		"huge header": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 2*limits.HTTPHeader))
			_, _ = w.Write(goodKeys)
		},
		"too large":      reply(200, jsonType, strings.Repeat(" ", limits.JWKS+1)),
		"reset":          func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"duplicate keys": reply(200, jsonType, `{"keys":[],"keys":[]}`),
	} {
		t.Run(name, func(t *testing.T) {
			op := newOP(t)
			c := op.client()
			op.setKeys(down)
			err := op.verifyOne(c)
			//nolint:errorlint // unwrapped
			if e, ok := err.(*Error); !ok || e.Reason != ReasonTransport ||
				!strings.HasPrefix(e.Step, "signing keys: ") || kakunin.FamilyOf(err) != kakunin.Unavailable {
				t.Fatalf("without any keys: %v", err)
			}
			op.setKeys(nil)
			if err := op.verifyOne(c); err != nil {
				t.Fatalf("as soon as it is back: %v", err)
			}
			op.setKeys(down)
			op.clock.advance(keysFresh)
			before := op.jwksHits.Load()
			for range 5 {
				if err := op.verifyOne(c); err != nil {
					t.Fatalf("with old keys: %v", err)
				}
			}
			// net/http itself repeats a GET once when a kept-alive connection breaks.
			if n := op.jwksHits.Load() - before; n < 1 || n > 2 || (n == 2 && name != "reset") {
				t.Errorf("%d attempts within a cooldown", n)
			}
			op.clock.advance(keysUsable)
			if op.verifyOne(c) == nil {
				t.Error("keys of yesterday were used")
			}
			op.setKeys(nil)
			if err := op.verifyOne(c); err != nil {
				t.Errorf("back: %v", err)
			}
		})
	}
}

// "Bad" and "could not find out" are different answers.
func TestUnknownKeyWhileTheServiceIsDown(t *testing.T) {
	op := newOP(t)
	c := op.client()
	if err := op.verifyOne(c); err != nil {
		t.Fatal(err)
	}
	op.setKeys(reply(503, jsonType, "{}"))
	op.idKey = testOtherEC()
	wantError(t, op.verifyOne(c), ReasonTransport, "signing keys: status")
	hits := op.jwksHits.Load()
	// in the cooldown nobody asks, and nobody knows
	wantError(t, op.verifyOne(c), ReasonTransport, "signing keys: status")
	if op.jwksHits.Load() != hits {
		t.Error("asked in the cooldown")
	}
	op.setKeys(nil)
	op.clock.advance(keysCooldown)
	wantError(t, op.verifyOne(c), ReasonIDToken, "key")
	wantError(t, op.verifyOne(c), ReasonIDToken, "key")
	op.publish(testOtherEC())
	op.clock.advance(keysCooldown)
	if err := op.verifyOne(c); err != nil {
		t.Error(err)
	}
}

// hanging is a service that takes connections and then fails when release is closed.
type hanging struct {
	release chan struct{}
	hits    atomic.Int64
}

func (h *hanging) RoundTrip(*http.Request) (*http.Response, error) {
	h.hits.Add(1)
	<-h.release
	return nil, io.ErrUnexpectedEOF
}

// If every caller tried in turn, the last of a thousand would wait for a thousand timeouts.
func TestCallersWaitForOneTimeoutOnly(t *testing.T) {
	op := newOP(t)
	token, err := jose.Parse(op.idToken("n", testAccess))
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func(*Client) error{
		"signing keys": func(c *Client) error {
			_, err := c.keys.verify(context.Background(), token, c.tokenRules)
			return err
		},
		"service token": func(c *Client) error {
			_, err := c.ServiceToken(context.Background())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				service := &hanging{release: make(chan struct{})}
				c := op.client(func(c *Config) { c.HTTPClient = &http.Client{Transport: service} })
				var wg sync.WaitGroup
				for range 20 {
					wg.Go(func() {
						if err := call(c); kakunin.FamilyOf(err) != kakunin.Unavailable {
							t.Errorf("%v", err)
						}
					})
				}
				synctest.Wait()
				close(service.release)
				wg.Wait()
				if n := service.hits.Load(); n != 1 {
					t.Errorf("%d requests one after the other, want 1", n)
				}
				if call(c) == nil || service.hits.Load() != 2 {
					t.Error("a later call does not try again")
				}
			})
		})
	}
}

func TestClockSetBackDoesNotProlongTheCooldown(t *testing.T) {
	op := newOP(t)
	c := op.client()
	op.idKey = testOtherEC()
	for range 2 {
		if op.verifyOne(c) == nil {
			t.Fatal("accepted")
		}
	}
	op.clock.advance(-time.Hour)
	op.publish(testOtherEC())
	if err := op.verifyOne(c); err != nil {
		t.Error(err)
	}
}

// A machine may start with its clock years ahead; keys fetched then must not stay in use until that day.
func TestClockSetBackDoesNotKeepWithdrawnKeys(t *testing.T) {
	op := newOP(t)
	c := op.client()
	if err := op.verifyOne(c); err != nil {
		t.Fatal(err)
	}
	op.publish(testOtherEC())
	op.clock.advance(-365 * 24 * time.Hour)
	wantError(t, op.verifyOne(c), ReasonIDToken, "key")
}

// A caller who gives up must not take the fetch of the others along.
func TestCancelledFetchHarmsNobody(t *testing.T) {
	op := newOP(t)
	c := op.client()
	first := make(chan struct{})
	var once sync.Once
	op.setKeys(func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(first); <-r.Context().Done() })
		op.setKeys(nil)
		op.serveKeys(w, r)
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	token := op.idToken("n", testAccess)
	go func() {
		_, err := c.verifyIDToken(ctx, token, testAccess, "n")
		done <- err
	}()
	<-first
	waiting, stop := context.WithCancel(context.Background())
	stop()
	_, err := c.verifyIDToken(waiting, token, testAccess, "n")
	wantError(t, err, ReasonTransport, "cancelled")
	cancel()
	wantError(t, <-done, ReasonTransport, "signing keys: cancelled")
	if _, err := c.verifyIDToken(context.Background(), token, testAccess, "n"); err != nil {
		t.Error(err)
	}
}

// A caller who gives up the search for a new key leaves it to the next one, who need not wait for a cooldown.
func TestCancelledSearchForAKeyHarmsNobody(t *testing.T) {
	op := newOP(t)
	c := op.client()
	if err := op.verifyOne(c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	op.setKeys(func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	op.idKey = testOtherEC()
	_, err := c.verifyIDToken(ctx, op.idToken("n", testAccess), testAccess, "n")
	wantError(t, err, ReasonTransport, "signing keys: cancelled")
	op.setKeys(nil)
	op.publish(testECKey(), testOtherEC())
	if err := op.verifyOne(c); err != nil {
		t.Error(err)
	}
}
