package authn

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/webcall"
)

// serviceToken is the shortest call of the token endpoint; the token is forgotten so that each call makes a request.
func serviceToken(c *Client) error {
	token, err := c.ServiceToken(context.Background())
	c.ForgetServiceToken(context.Background(), token)
	return err
}

// ask makes one request with a client of this package.
func ask(ctx context.Context, h *http.Client, target string, limit int64) (webcall.Answer, error) {
	return webcall.Get(ctx, h, webcall.Query{URL: target, Limit: limit, Accept: jsonType, Bearer: testAccess})
}

// switchable lets the token endpoint's answer be changed while requests are under way; nil is the usual one.
func switchable(op *testOP) *atomic.Pointer[http.HandlerFunc] {
	var now atomic.Pointer[http.HandlerFunc]
	op.token = func(w http.ResponseWriter, r *http.Request) {
		if h := now.Load(); h != nil {
			(*h)(w, r)
			return
		}
		writeJSON(w, http.StatusOK, claimsMap{"access_token": "service", "token_type": "Bearer", "expires_in": 300})
	}
	return &now
}

func TestCircuit(t *testing.T) {
	for name, down := range map[string]http.HandlerFunc{
		"reset":      func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"status 503": reply(503, "text/html", "maintenance"),
		"truncated body": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "{")
		},
	} {
		t.Run(name, func(t *testing.T) {
			op := newOP(t)
			c := op.client()
			token := switchable(op)
			token.Store(&down)
			for range defaultCircuitAfter {
				if err := serviceToken(c); kakunin.FamilyOf(err) != kakunin.Unavailable {
					t.Fatal(err)
				}
			}
			hits := op.tokenHits.Load()
			for range 100 {
				wantError(t, serviceToken(c), ReasonTransport, "circuit open")
			}
			if op.tokenHits.Load() != hits {
				t.Error("requests while the circuit was open")
			}
			op.clock.advance(defaultCircuitPause)
			if err := serviceToken(c); kakunin.FamilyOf(err) != kakunin.Unavailable || op.tokenHits.Load() != hits+1 {
				t.Fatalf("the probe: %v", err)
			}
			wantError(t, serviceToken(c), ReasonTransport, "circuit open")
			token.Store(nil)
			wantError(t, serviceToken(c), ReasonTransport, "circuit open") // not known yet
			op.clock.advance(defaultCircuitPause)
			for range 3 {
				if err := serviceToken(c); err != nil {
					t.Fatalf("back: %v", err)
				}
			}
			token.Store(&down) // one failure after that is one failure
			if err := serviceToken(c); err == nil || strings.Contains(err.Error(), "circuit") {
				t.Error(err)
			}
			token.Store(nil)
			if err := serviceToken(c); err != nil {
				t.Error(err)
			}
		})
	}
}

// An endpoint that answers errors of ours, or too much, is there.
func TestCircuitStaysClosed(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"status 400": reply(400, jsonType, `{"error":"invalid_client"}`),
		"status 401": reply(401, jsonType, `{"error":"invalid_client"}`),
		"status 429": reply(429, jsonType, `{}`),
		"status 500": reply(500, jsonType, `{}`),
		"too large":  reply(200, jsonType, strings.Repeat(" ", limits.HTTPBody+2)),
		"redirect":   reply(302, "", ""),
	} {
		t.Run(name, func(t *testing.T) {
			op := newOP(t)
			c := op.client()
			op.token = answer
			for range 3 * defaultCircuitAfter {
				if err := serviceToken(c); err == nil || strings.Contains(err.Error(), "circuit") {
					t.Fatal(err)
				}
			}
		})
	}
	t.Run("switched off", func(t *testing.T) {
		op := newOP(t)
		c := op.client(func(c *Config) { c.Circuit.After = -1 })
		op.token = reply(503, jsonType, "{}")
		for range 3 * defaultCircuitAfter {
			wantError(t, serviceToken(c), ReasonTransport, "status")
		}
	})
	t.Run("another endpoint", func(t *testing.T) {
		op := newOP(t)
		c := op.client(func(c *Config) { c.Circuit.After = 1 })
		op.info = reply(503, jsonType, "{}")
		_, err := op.login(c, Request{Scopes: Name})
		wantError(t, err, ReasonTransport, "userinfo: status")
		_, err = op.login(c, Request{Scopes: Name})
		wantError(t, err, ReasonTransport, "userinfo: circuit open")
		if _, err := op.login(c, Request{}); err != nil {
			t.Error(err)
		}
	})
	t.Run("more than anyone may read", func(t *testing.T) {
		op := newOP(t)
		h := op.client(func(c *Config) { c.Circuit.After = 1 }).HTTPClient()
		op.info = reply(200, jsonType, strings.Repeat(" ", limits.HTTPBody+2))
		for range 2 {
			if _, err := ask(t.Context(), h, op.env.UserinfoEndpoint, 2*limits.HTTPBody); err == nil ||
				webcall.Explain(err).Problem != webcall.Size {
				t.Error(err)
			}
		}
	})
	t.Run("the same path at another host", func(t *testing.T) {
		op, other := newOP(t), newOP(t)
		h := op.client(func(c *Config) { c.Circuit.After = 1 }).HTTPClient()
		op.info = reply(503, jsonType, "{}")
		for range 2 {
			_, _ = ask(t.Context(), h, op.env.UserinfoEndpoint, limits.Userinfo)
		}
		if _, err := ask(t.Context(), h, other.env.UserinfoEndpoint, limits.Userinfo); err != nil ||
			op.infoHits.Load() != 1 {
			t.Errorf("%d requests, %v", op.infoHits.Load(), err)
		}
	})
	t.Run("elsewhere", func(t *testing.T) {
		op := newOP(t)
		h := op.client(func(c *Config) { c.Circuit.After = 1 }).HTTPClient()
		for range 3 {
			resp, err := h.Get(op.srv.URL + "/nowhere")
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
		}
	})
}

// People who close their browsers must not close the service for others.
func TestCancelledCallsDoNotOpenTheCircuit(t *testing.T) {
	op := newOP(t)
	c := op.client(func(c *Config) { c.Circuit.After = 1 })
	token := switchable(op)
	for range 3 {
		ctx, cancel := context.WithCancel(context.Background())
		hang := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
		token.Store(&hang)
		_, err := c.ServiceToken(ctx)
		wantError(t, err, ReasonTransport, "cancelled")
		cancel()
	}
	token.Store(nil)
	if err := serviceToken(c); err != nil {
		t.Error(err)
	}
}

func TestOneProbeAmongMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &hanging{release: make(chan struct{})}
		at := newClock()
		c, err := New(Config{Environment: Custom("https://op.example"), ClientID: testClientID, Key: testClientKey(),
			RedirectURL: testRedirect,
			Now:         at.now, Circuit: Circuit{After: 1}, HTTPClient: &http.Client{Transport: service}})
		if err != nil {
			t.Fatal(err)
		}
		fetch := func() (webcall.Answer, error) {
			return ask(context.Background(), c.http, c.env.UserinfoEndpoint, limits.Userinfo)
		}
		open := service.release
		close(open)
		if _, err := fetch(); err == nil {
			t.Fatal("accepted")
		}
		service.release = make(chan struct{})
		at.advance(defaultCircuitPause)
		var refused atomic.Int64
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := fetch(); err != nil && strings.Contains(err.Error(), "circuit open") {
					refused.Add(1)
				}
			})
		}
		synctest.Wait()
		close(service.release)
		wg.Wait()
		if refused.Load() != 19 || service.hits.Load() != 2 {
			t.Errorf("%d refused, %d requests", refused.Load(), service.hits.Load())
		}
	})
}

// unreachable cannot be connected to for the first calls; what is sent then goes to the real one.
type unreachable struct {
	base  http.RoundTripper
	calls atomic.Int64
	fails int64
	how   string
	why   error
	sent  []string
}

func (u *unreachable) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		u.sent = append(u.sent, string(b))
		r.Body = io.NopCloser(strings.NewReader(string(b)))
	}
	if u.calls.Add(1) <= u.fails {
		return nil, &net.OpError{Op: u.how, Net: "tcp", Err: u.why}
	}
	return u.base.RoundTrip(r)
}

// Only a request that certainly was not sent is repeated, with a new assertion.
func TestRepetition(t *testing.T) {
	for name, row := range map[string]struct {
		how   string
		why   error
		fails int64
		calls int64
		check string // empty: it succeeds
	}{
		"no connection once":  {"dial", io.ErrUnexpectedEOF, 1, 2, ""},
		"no connection twice": {"dial", io.ErrUnexpectedEOF, 2, 2, "connection"},
		// nobody is to wait twice as long
		"no connection within a time": {"dial", os.ErrDeadlineExceeded, 1, 1, "timeout"},
		"broken while it is sent":     {"write", io.ErrUnexpectedEOF, 1, 1, "connection"},
		"broken while it is read":     {"read", io.ErrUnexpectedEOF, 1, 1, "connection"},
	} {
		for grant, prepare := range tokenGrants() {
			t.Run(grant+"/"+name, func(t *testing.T) {
				op := newOP(t)
				broken := &unreachable{base: http.DefaultTransport, how: row.how, why: row.why}
				c := op.client(func(c *Config) { c.HTTPClient = &http.Client{Transport: broken} })
				call := prepare(t, op, c)
				broken.calls.Store(0)
				broken.sent, broken.fails = nil, row.fails
				err := call()
				if (err == nil) != (row.check == "") || broken.calls.Load() != row.calls {
					t.Fatalf("%d calls, %v", broken.calls.Load(), err)
				}
				if err != nil {
					wantError(t, err, ReasonTransport, row.check)
				}
				if len(broken.sent) == 2 && broken.sent[0] == broken.sent[1] {
					t.Error("the same assertion twice")
				}
			})
		}
	}
}

// Userinfo can be asked again: reading changes nothing.
func TestUserinfoIsRepeatedOnce(t *testing.T) {
	op := newOP(t)
	var broken atomic.Int64
	op.info = func(w http.ResponseWriter, _ *http.Request) {
		if broken.Add(-1) >= 0 {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "{")
			return
		}
		writeJSON(w, http.StatusOK, op.person)
	}
	broken.Store(1)
	if _, err := op.login(op.client(), Request{Scopes: Name}); err != nil || op.infoHits.Load() != 2 {
		t.Errorf("%d requests, %v", op.infoHits.Load(), err)
	}
	broken.Store(100)
	_, err := op.login(op.client(), Request{Scopes: Name})
	wantError(t, err, ReasonTransport, "userinfo: connection")
	if op.infoHits.Load() != 4 || op.tokenHits.Load() != 2 {
		t.Errorf("%d requests", op.infoHits.Load())
	}
}

// While the circuit of the signing keys is open, tokens with unknown keys cost no request and put off nothing: as soon
// as the pause is over, one of them finds the new key.
func TestCircuitDoesNotProlongTheCooldown(t *testing.T) {
	op := newOP(t)
	c := op.client(func(c *Config) { c.Circuit.After, c.Circuit.Pause = 1, keysCooldown+15*time.Second })
	if err := op.verifyOne(c); err != nil {
		t.Fatal(err)
	}
	op.setKeys(reply(503, jsonType, "{}"))
	op.idKey = testOtherEC()
	wantError(t, op.verifyOne(c), ReasonTransport, "signing keys: status")
	hits := op.jwksHits.Load()
	op.clock.advance(keysCooldown)
	wantError(t, op.verifyOne(c), ReasonTransport, "signing keys: circuit open")
	op.setKeys(nil)
	op.publish(testECKey(), testOtherEC())
	op.clock.advance(15 * time.Second)
	if err := op.verifyOne(c); err != nil || op.jwksHits.Load() != hits+1 {
		t.Errorf("%d fetches, %v", op.jwksHits.Load()-hits, err)
	}
}
