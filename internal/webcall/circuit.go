package webcall

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Breaker says when calls of an endpoint are given up, and for how long.
type Breaker struct {
	After int           // failures in a row that open the circuit; 0 = never
	Pause time.Duration // until one call probes
	Now   func() time.Time
	Log   *slog.Logger
}

// Endpoint is what one circuit watches.
type Endpoint struct {
	Name  string // for the log
	URL   string
	Below bool // paths below this one belong to it too
}

// circuit watches one endpoint. After a number of failures in a row it opens: calls fail at once instead of waiting for
// a timeout each. When the pause is over, one call probes (half-open); if that succeeds the circuit closes, otherwise
// the pause begins anew. It has no timer and no goroutine: the clock is looked at when somebody calls.
type circuit struct {
	Breaker
	name string

	mu       sync.Mutex
	failures int
	// rests is when the pause began that is still to be waited for; meaningful while failures >= After. A probe begins
	// a pause too: should it never end, the next one is due after that.
	rests time.Time
}

// outcome is how a call ended, as far as it says something about the service.
type outcome int

const (
	inconclusive outcome = iota // the caller gave up
	succeeded
	failed
)

// enter reports whether a call may be made, and whether it is the probe. Every call that may be made ends with leave.
func (c *circuit) enter() (probe, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.After == 0 || c.failures < c.After {
		return false, true
	}
	// A clock that was set back must not prolong the pause.
	now := c.Now()
	if passed := now.Sub(c.rests); passed >= 0 && passed < c.Pause {
		return false, false
	}
	c.rests = now
	return true, true
}

func (c *circuit) leave(ctx context.Context, probe bool, o outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wasOpen := c.After > 0 && c.failures >= c.After
	switch {
	case o == succeeded:
		c.failures = 0
		if wasOpen {
			c.Log.InfoContext(ctx, "the service answers again", slog.String("endpoint", c.name))
		}
	case wasOpen && probe && o == failed:
		c.rests = c.Now()
	case wasOpen && probe:
		c.rests = c.Now().Add(-c.Pause) // it said nothing: the next call probes
	case o == failed && !wasOpen: // failures of calls that were under way when it opened add nothing
		if c.failures++; c.After > 0 && c.failures == c.After {
			c.rests = c.Now()
			c.Log.WarnContext(
				ctx,
				"the service does not answer, calls are refused for a while",
				slog.String("endpoint", c.name),
				slog.Duration("pause", c.Pause),
			)
		}
	}
}

// circuits is the transport that guards the endpoints of the service; requests to elsewhere pass.
type circuits struct {
	base  http.RoundTripper
	watch []watched
}

type watched struct {
	host, path string
	below      bool // paths below this one belong to it too
	*circuit
}

// ErrCircuitOpen is the cause of a refusal without a request.
var ErrCircuitOpen = errors.New("webcall: the service did not answer a moment ago")

// Guard watches each endpoint by itself: that one of them fails says little about the others, and a login that needs
// two must not have the success of one hide the failures of the other. Endpoints without URL are left out; requests to
// elsewhere pass.
func Guard(base http.RoundTripper, b Breaker, endpoints ...Endpoint) http.RoundTripper {
	t := &circuits{base: base}
	for _, e := range endpoints {
		u, err := url.Parse(e.URL)
		if e.URL == "" || err != nil { // checked before
			continue
		}
		t.watch = append(t.watch, watched{u.Host, u.Path, e.Below, &circuit{Breaker: b, name: e.Name}})
	}
	return t
}

func (t *circuits) find(u *url.URL) *circuit {
	for i := range t.watch {
		w := &t.watch[i]
		if w.host == u.Host && (w.path == u.Path || (w.below && strings.HasPrefix(u.Path, w.path+"/"))) {
			return w.circuit
		}
	}
	return nil
}

// RoundTrip implements http.RoundTripper. No connection, a timeout, a broken body and the statuses 502, 503 and 504 are
// failures. Whoever can provoke anything else must not be able to close the service for others: that a caller cancelled
// is no failure, and neither is status 500, which may be about one request with strange contents.
func (t *circuits) RoundTrip(r *http.Request) (*http.Response, error) {
	c := t.find(r.URL)
	if c == nil {
		return t.base.RoundTrip(r)
	}
	probe, ok := c.enter()
	if !ok {
		if r.Body != nil {
			_ = r.Body.Close() // a RoundTripper closes the body, also on errors
		}
		return nil, &Error{CircuitOpen, ErrCircuitOpen}
	}
	resp, err := t.base.RoundTrip(r)
	switch {
	case err != nil:
		c.leave(r.Context(), probe, judge(r.Context()))
		return nil, err
	case isOutage(resp.StatusCode):
		c.leave(r.Context(), probe, failed)
		return resp, nil
	}
	resp.Body = &watchedBody{ReadCloser: resp.Body, ctx: r.Context(), circuit: c, probe: probe}
	return resp, nil
}

func isOutage(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable ||
		status == http.StatusGatewayTimeout
}

// judge is what an error means, given that the request had this context.
func judge(ctx context.Context) outcome {
	if errors.Is(ctx.Err(), context.Canceled) {
		return inconclusive
	}
	return failed
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the transport inside.
func (t *circuits) CloseIdleConnections() { closeIdle(t.base) }

// watchedBody reports how the call ended, once.
type watchedBody struct {
	io.ReadCloser
	ctx     context.Context // of the request whose body this is
	circuit *circuit
	probe   bool
	ended   bool
}

func (b *watchedBody) report(o outcome) {
	if !b.ended {
		b.ended = true
		b.circuit.leave(b.ctx, b.probe, o)
	}
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == nil:
	case err == io.EOF || errors.Is(err, errTooLarge): //nolint:errorlint // Read returns io.EOF itself
		b.report(succeeded) // too much is an answer; the reader refuses it
	default:
		b.report(judge(b.ctx))
	}
	return n, err
}

func (b *watchedBody) Close() error {
	b.report(succeeded)
	return b.ReadCloser.Close()
}
