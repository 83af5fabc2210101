package signapi

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kakunin-go/kakunin/sign"
)

// brokenBody ends in the middle.
type brokenBody struct{ io.Reader }

func (brokenBody) Close() error { return nil }

func (b brokenBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = errors.New("connection reset by peer")
	}
	return n, err
}

// TestPollingRules: what is asked again and how soon, and what is final.
func TestPollingRules(t *testing.T) {
	t.Parallel()
	answering := func(status int, body string, header ...string) func() (*http.Response, error) {
		return func() (*http.Response, error) { return respond(status, body, header...), nil }
	}
	pending := func(header ...string) func() (*http.Response, error) { return answering(297, "", header...) }
	gone := func(err error) func() (*http.Response, error) {
		return func() (*http.Response, error) { return nil, err }
	}
	for name, c := range map[string]struct {
		first func() (*http.Response, error) // then the result
		after time.Duration                  // until it is asked again
		want  Reason                         // final
	}{
		"pending":                      {first: pending(), after: pollEvery},
		"pending, Retry-After 7":       {first: pending("Retry-After", "7"), after: 7 * time.Second},
		"pending, Retry-After 0":       {first: pending("Retry-After", "0"), after: pollEvery},
		"pending, Retry-After too far": {first: pending("Retry-After", "3000"), want: ReasonPending},
		"busy":                         {first: answering(503, "", "Retry-After", "3"), after: 3 * time.Second},
		"too many":                     {first: answering(429, ""), after: pollEvery},
		"no connection": {first: gone(&net.OpError{Op: "dial", Err: errors.New("refused")}),
			after: pollEvery},
		"reset before an answer":   {first: gone(errors.New("connection reset by peer")), after: pollEvery},
		"timeout before an answer": {first: gone(context.DeadlineExceeded), after: pollEvery},
		"cancelled by the client":  {first: gone(context.Canceled), want: ReasonTransport},
		"broken off": {first: func() (*http.Response, error) {
			r := respond(298, "")
			r.Body = brokenBody{strings.NewReader(`{"sig":"AQ`)}
			return r, nil
		}, want: ReasonTransport},
		"error of the server": {first: answering(500, ""), want: ReasonTransport},
		"malformed":           {first: answering(298, "x"), want: ReasonResponse},
		"cancelled":           {first: answering(409, ""), want: ReasonCancelled},
		"expired":             {first: answering(410, ""), want: ReasonExpired},
		"unknown":             {first: answering(404, ""), want: ReasonNotFound},
		"token":               {first: answering(401, ""), want: ReasonUserToken},
		"scope":               {first: answering(403, ""), want: ReasonScope},
		"consumed":            {first: answering(410, `{"why":"e-consumed"}`), want: ReasonConsumed},
		"conflict":            {first: answering(409, `{"why":"e-conflict"}`), want: ReasonConflict},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.svc.result = func(_ *http.Request, asked int) (*http.Response, error) {
					if asked == 1 {
						return c.first()
					}
					return nil, nil //nolint:nilnil // goes on as usual
				}
				tx := w.begin()
				began := time.Now()
				res, err := w.client.poll(t.Context(), tx, func() (*Unverified, error) {
					return w.fetch(t.Context(), tx, "user-token")
				})
				_, asked := w.svc.requests()
				if c.want != ReasonUnknown {
					if res != nil || reasonOf(err) != c.want || asked != 1 || time.Since(began) != 0 {
						t.Errorf("%v after %v, asked %d times", err, time.Since(began), asked)
					}
					return
				}
				wantPlain(t, "then", res, err)
				if asked != 2 || time.Since(began) != c.after {
					t.Errorf("asked %d times in %v, want %v", asked, time.Since(began), c.after)
				}
			})
		})
	}
}

// TestWaitEnds: with the transaction, or with the context.
func TestWaitEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.svc.result = func(*http.Request, int) (*http.Response, error) { return respond(297, ""), nil }
		tx := w.begin()
		poll := func(ctx context.Context, tx *sign.Transaction) (time.Duration, error) {
			began := time.Now()
			res, err := w.client.poll(ctx, tx, func() (*Unverified, error) { return w.fetch(ctx, tx, "user-token") })
			if res != nil {
				t.Error("a result out of nothing")
			}
			return time.Since(began), err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if took, err := poll(ctx, tx); took != 5*time.Second || reasonOf(err) != ReasonPending {
			t.Errorf("the context: %v, %v", took, err)
		}
		if took, err := poll(t.Context(), tx); took < 590*time.Second || took > 600*time.Second ||
			reasonOf(err) != ReasonPending {
			t.Errorf("the transaction: %v, %v", took, err)
		}
		if all := w.unfinished(); len(all) != 1 || all[0].State != StateHandedOver {
			t.Errorf("%+v", all)
		}
	})
}
