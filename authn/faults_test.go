package authn

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/tests"
	"github.com/kakunin-go/kakunin/internal/webcall"
)

// memory is a network in memory, whose connections let the fake clock of a synctest bubble run while they wait.
type memory struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
	dials atomic.Int64
}

func newMemory() *memory { return &memory{conns: make(chan net.Conn), done: make(chan struct{})} }

// Accept implements net.Listener.
func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (m *memory) Close() error { m.once.Do(func() { close(m.done) }); return nil }

// Addr implements net.Listener.
func (m *memory) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080} }

func (m *memory) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	m.dials.Add(1)
	here, there := net.Pipe()
	select {
	case m.conns <- there:
		return here, nil
	case <-m.done:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// inMemory runs a test with a provider and a client over such a network.
func inMemory(t *testing.T, test func(*testing.T, *testOP, *Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		op := newOPAt(t, m)
		transport := &http.Transport{DialContext: m.dial}
		c := op.client(func(c *Config) { c.HTTPClient = &http.Client{Transport: transport} })
		t.Cleanup(transport.CloseIdleConnections)
		test(t, op, c)
	})
}

// faults are the ways in which a service and what lies before it fail.
func faults() map[string]defect {
	status := func(status int, contentType, body string) defect {
		return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("Retry-After", "120")
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	const page = "<!DOCTYPE html><title>secret detail</title>"
	return map[string]defect{
		"429 with Retry-After": status(429, jsonType, `{"error":"secret detail"}`),
		"503 with Retry-After": status(503, jsonType, `{"error":"temporarily_unavailable"}`),
		"500":                  status(500, jsonType, `{"error":"invalid_grant"}`),
		"502, HTML page":       status(502, "text/html", page),
		"200, HTML page":       status(200, "text/html", page),
		"200, empty":           status(200, jsonType, ""),
		"redirect": func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("Location", "https://elsewhere.example/")
			w.WriteHeader(http.StatusTemporaryRedirect)
		},
		"no answer": hang,
		"reset":     func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) },
		"truncated body": func(w http.ResponseWriter, r *http.Request, endpoint http.Handler) {
			body := announced(w, r, endpoint)
			_, _ = w.Write(body[:len(body)/2])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"oversize body": func(w http.ResponseWriter, r *http.Request, endpoint http.Handler) {
			endpoint.ServeHTTP(w, r)
			_, _ = w.Write([]byte(strings.Repeat(" ", limits.HTTPBody)))
		},
		"slow loris": func(w http.ResponseWriter, r *http.Request, endpoint http.Handler) {
			for _, b := range announced(w, r, endpoint) {
				if _, err := w.Write([]byte{b}); err != nil || http.NewResponseController(w).Flush() != nil ||
					r.Context().Err() != nil {
					return
				}
				time.Sleep(time.Second) // of the bubble's clock: nobody waits
			}
		},
	}
}

// hang takes the request and never answers. A server notices that the client has left only once the body is read.
func hang(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// announced sends the header of the endpoint's answer with its full length, and returns the body.
func announced(w http.ResponseWriter, r *http.Request, endpoint http.Handler) []byte {
	rec := httptest.NewRecorder()
	endpoint.ServeHTTP(rec, r)
	for name, values := range rec.Header() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(rec.Body.Len()))
	w.WriteHeader(rec.Code)
	_ = http.NewResponseController(w).Flush()
	return rec.Body.Bytes()
}

// faultTarget is an endpoint and the call that needs it.
type faultTarget struct {
	name     string
	endpoint func(Environment) string
	call     func(context.Context, *testOP, *Client) error
	requests int64 // how often it may be asked in one call
}

func faultTargets() []faultTarget {
	login := func(_ context.Context, op *testOP, c *Client) error {
		_, err := op.login(c, Request{Scopes: Attributes})
		return err
	}
	return []faultTarget{
		{"token", func(e Environment) string { return e.TokenEndpoint }, login, 1},
		{"keys", func(e Environment) string { return e.JWKSEndpoint }, login, 2},
		// its own repetition, and net/http's of a GET over a kept connection
		{"userinfo", func(e Environment) string { return e.UserinfoEndpoint }, login, 3},
		{"service token", func(e Environment) string { return e.TokenEndpoint },
			func(ctx context.Context, _ *testOP, c *Client) error {
				_, err := c.ServiceToken(ctx)
				return err
			}, 1},
		{"refresh", func(e Environment) string { return e.TokenEndpoint }, refreshLater, 1},
		{"discovery", func(e Environment) string { return e.Issuer + "/.well-known/openid-configuration" },
			func(ctx context.Context, op *testOP, c *Client) error {
				_, err := Discover(ctx, c.HTTPClient(), op.env.Issuer)
				return err
			}, 2},
	}
}

// refreshLater logs in before the fault and refreshes with it.
func refreshLater(ctx context.Context, op *testOP, c *Client) error {
	op.mu.Lock()
	u, err := url.Parse(op.env.TokenEndpoint)
	if err != nil {
		op.tb.Error(err)
	}
	f := op.broken[u.Path]
	op.mu.Unlock()
	op.breaks(op.env.TokenEndpoint, nil)
	op.refresh = true
	id, err := op.login(c, Request{KeepTokens: true})
	if err != nil {
		return err
	}
	op.breaks(op.env.TokenEndpoint, f)
	_, err = c.Refresh(ctx, id.RefreshToken())
	return err
}

// TestFaultMatrix: every fault of every endpoint ends the call with an error that has a name, within the timeout,
// without repeating what must not be repeated, without a word of the answer; and as soon as the fault is gone, the same
// client works.
func TestFaultMatrix(t *testing.T) {
	want := faultVerdicts()
	for _, target := range faultTargets() {
		for name, f := range faults() {
			t.Run(target.name+"/"+name, func(t *testing.T) {
				inMemory(t, func(t *testing.T, op *testOP, c *Client) {
					var requests atomic.Int64
					op.breaks(target.endpoint(op.env), func(w http.ResponseWriter, r *http.Request,
						endpoint http.Handler) {
						requests.Add(1)
						f(w, r, endpoint)
					})
					begin := time.Now()
					err := target.call(t.Context(), op, c)
					took := time.Since(begin) // by the bubble's clock
					if got := verdict(err); got != want[name][target.name] {
						t.Errorf("%s, want %s", got, want[name][target.name])
					}
					if n := requests.Load(); n < 1 || n > target.requests {
						t.Errorf("%d requests", n)
					}
					if took > webcall.DefaultTimeout {
						t.Errorf("it took %v", took)
					}
					if err == nil || strings.Contains(err.Error(), "secret detail") ||
						kakunin.FamilyOf(err) == kakunin.User || kakunin.FamilyOf(err) == kakunin.Account {
						t.Errorf("family %v, %v", kakunin.FamilyOf(err), err)
					}
					op.breaks(target.endpoint(op.env), nil)
					if err := target.call(t.Context(), op, c); err != nil {
						t.Errorf("after the fault: %v", err)
					}
				})
			})
		}
	}
}

// faultVerdicts are the outcomes by fault and endpoint.
func faultVerdicts() map[string]map[string]string {
	row := func(token, keys, userinfo, discovery string) map[string]string {
		wrap := func(s string) string { return "rejects (" + s + ")" }
		return map[string]string{
			"token": wrap(token), "service token": wrap(token), "refresh": wrap(token), "keys": wrap(keys),
			"userinfo": wrap(userinfo), "discovery": wrap(discovery),
		}
	}
	down := row("transport: status", "transport: signing keys: status", "transport: userinfo: status",
		"transport: discovery status")
	timeout := row("transport: timeout", "transport: signing keys: timeout", "transport: userinfo: timeout",
		"transport: timeout")
	broken := row("transport: connection", "transport: signing keys: connection", "transport: userinfo: connection",
		"transport: connection")
	return map[string]map[string]string{
		"429 with Retry-After": down,
		"503 with Retry-After": down,
		"500":                  down,
		"502, HTML page":       down,
		"200, HTML page": row("token response: content-type", "transport: signing keys: form",
			"userinfo: content-type", "transport: discovery document"),
		"200, empty": row("token response: form", "transport: signing keys: form", "userinfo: form",
			"transport: discovery document"),
		"redirect": row("token response: redirect", "transport: signing keys: status", "userinfo: redirect",
			"transport: discovery status"),
		"no answer":      timeout,
		"slow loris":     timeout,
		"reset":          broken,
		"truncated body": broken,
		"oversize body": row("token response: size", "transport: signing keys: size", "userinfo: size",
			"transport: size"),
	}
}

// A login that nobody finishes: the caller's context ends it.
func TestFaultsEndWithTheCaller(t *testing.T) {
	for _, name := range []string{"no answer", "slow loris"} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, func(t *testing.T, op *testOP, c *Client) {
				op.breaks(op.env.TokenEndpoint, faults()[name])
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				begun := op.begin(c, Request{})
				begin := time.Now()
				_, err := c.Finish(ctx, begun.Pending, op.authorize(begun))
				wantError(t, err, ReasonTransport, "timeout")
				if took := time.Since(begin); took != 3*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// The service is down for minutes: no call waits longer than its timeout, calls fail at once when that has happened
// often enough, people who are logging in meanwhile are told so, and the service is found again when it is back.
func TestServiceDownForMinutesThenBack(t *testing.T) {
	inMemory(t, func(t *testing.T, op *testOP, c *Client) {
		if _, err := op.login(c, Request{Scopes: Attributes}); err != nil {
			t.Fatal(err)
		}
		var asked atomic.Int64
		silent := func(w http.ResponseWriter, r *http.Request, endpoint http.Handler) {
			asked.Add(1)
			hang(w, r, endpoint)
		}
		endpoints := []string{op.env.TokenEndpoint, op.env.JWKSEndpoint, op.env.UserinfoEndpoint}
		for _, e := range endpoints {
			op.breaks(e, silent)
		}
		begin := op.clock.now()
		logins := 0
		for op.clock.now().Sub(begin) < 10*time.Minute {
			begun := op.begin(c, Request{Scopes: Attributes})
			start := time.Now()
			_, err := c.Finish(t.Context(), begun.Pending, op.authorize(begun))
			took := time.Since(start)
			logins++
			if kakunin.FamilyOf(err) != kakunin.Unavailable || took > webcall.DefaultTimeout {
				t.Fatalf("login %d: %v after %v", logins, err, took)
			}
			op.clock.advance(took + time.Second)
		}
		// Five that fail in a row open the circuit; after that, one probe in each pause.
		if n, limit := asked.Load(), 5+int64(10*time.Minute/defaultCircuitPause)+1; n > limit || n < 6 {
			t.Errorf("%d requests for %d logins, at most %d expected", n, logins, limit)
		}
		for _, e := range endpoints {
			op.breaks(e, nil)
		}
		op.clock.advance(defaultCircuitPause)
		if _, err := op.login(c, Request{Scopes: Attributes}); err != nil {
			t.Errorf("after it is back: %v", err)
		}
	})
}

// Only the key endpoint is down, for longer than keys stay fresh: logins go on.
func TestKeysDownForHours(t *testing.T) {
	inMemory(t, func(t *testing.T, op *testOP, c *Client) {
		if _, err := op.login(c, Request{}); err != nil {
			t.Fatal(err)
		}
		op.breaks(op.env.JWKSEndpoint, faults()["503 with Retry-After"])
		for range 20 {
			op.clock.advance(time.Hour)
			if _, err := op.login(c, Request{}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Ten thousand bad tokens, with a key id of its own each or with a known one and a foreign signature, cost at most one
// request for keys in each cooldown.
func TestTenThousandBadTokens(t *testing.T) {
	op := newOP(t)
	c := op.client()
	good := op.idToken("n", testAccess)
	if _, err := c.verifyIDToken(t.Context(), good, testAccess, "n"); err != nil {
		t.Fatal(err)
	}
	claims, forged := good[strings.IndexByte(good, '.'):], op.forged()
	const pauses = 4
	tokens := tests.Size(2000, 10_000)
	for i := range tokens {
		if i%(tokens/pauses) == tokens/pauses-1 {
			op.clock.advance(keysCooldown)
		}
		bad := forged
		if i%2 == 0 {
			bad = b64(`{"alg":"ES256","kid":"`+randomText(8)+`"}`) + claims
		}
		if _, err := c.verifyIDToken(t.Context(), bad, testAccess, "n"); kakunin.FamilyOf(err) != kakunin.Untrusted {
			t.Fatalf("token %d: %v", i, err)
		}
	}
	if n := op.jwksHits.Load(); n > 1+1+pauses {
		t.Errorf("%d requests for keys, want the first and at most one in each of %d cooldowns", n, 1+pauses)
	}
	if _, err := c.verifyIDToken(t.Context(), good, testAccess, "n"); err != nil {
		t.Errorf("a good token after them: %v", err)
	}
}

// forged is a token by a foreign key under a published key id.
func (op *testOP) forged() string {
	return signRaw(op.tb, testOtherEC(), `{"alg":"ES256","kid":"`+testECKey().KeyID()+`"}`, []byte(`{}`))
}

// The service begins to use a key a moment after the client looked: under a new key id and under the old one, with one
// login and with fifty at the same time.
func TestKeyRotationJustBeforeSigning(t *testing.T) {
	reused, err := testOtherEC().WithKeyID(testECKey().KeyID())
	if err != nil {
		t.Fatal(err)
	}
	for name, next := range map[string]Key{"new key id": testOtherEC(), "key id used again": reused} {
		t.Run(name, func(t *testing.T) {
			op := newOP(t)
			c := op.client()
			if _, err := op.login(c, Request{}); err != nil {
				t.Fatal(err)
			}
			op.publish(next)
			op.idKey = next
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					if _, err := op.login(c, Request{}); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if n := op.jwksHits.Load(); n != 2 {
				t.Errorf("%d requests for keys, want the first and one more", n)
			}
		})
	}
}
