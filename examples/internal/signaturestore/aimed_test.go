package signaturestore

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/examples/internal/dbtest"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// BenchmarkLost kills instances within three milliseconds after the last byte of a result was sent to them, evenly, and
// says how long an instance has to live on for its result to be kept: the share that was lost of those three
// milliseconds. It is long or short with what else the machine does: compare figures of one run.
//
// On a busy machine with two cores: 1.2 ms with PostgreSQL, where a transaction of several messages took 3 and more;
// 1.4 ms with SQLite. A file of the instance's own, written before the database, was no gain with PostgreSQL (1.3) and
// little with SQLite (1.1); one that is synced took 2.9. So there is none.
func BenchmarkLost(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkLost(b, filepath.Join(b.TempDir(), "signatures.db")) })
}

func benchmarkLost(b *testing.B, store string) {
	b.Helper()
	const within = 3 * time.Millisecond
	a := &aimed{b: b, within: within, random: mathrand.New(mathrand.NewPCG(7, 8))} //nolint:gosec // moments to kill at
	var known settings
	a.svc, known = newService(b, store)
	known.Gate = a.gate()
	var ids []string
	for b.Loop() {
		ids = append(ids, a.killOne(known))
	}
	later := func() time.Time { return time.Now().Add(5 * time.Minute) }
	login, err := known.login(later)
	if err != nil {
		b.Fatal(err)
	}
	s := mustOpen(store)
	defer func() { _ = s.Close() }()
	keeper, err := newKeeper(login, s, later)
	if err != nil {
		b.Fatal(err)
	}
	lost := 0
	for _, id := range ids {
		switch _, err := keeper.AskAgain(b.Context(), id); {
		case errors.Is(err, &signapi.Error{Reason: signapi.ReasonLost}):
			lost++
		case err != nil:
			b.Error(err)
		}
	}
	b.ReportMetric(float64(lost)/float64(len(ids))*float64(within.Microseconds()), "µs-to-live")
	b.ReportMetric(0, "ns/op")
}

// aimed kills instances when their answer is on its way.
type aimed struct {
	b      *testing.B
	svc    *daa.Running
	within time.Duration
	random *mathrand.Rand
	victim atomic.Pointer[exec.Cmd]
}

// gate is how instances reach the service.
func (a *aimed) gate() string {
	to, err := url.Parse(a.svc.URL())
	if err != nil {
		a.b.Fatal(err)
	}
	quiet := log.New(io.Discard, "", 0) // instances that are killed hang up
	forward := &httputil.ReverseProxy{ErrorLog: quiet, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
	}}
	g := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/result") {
			forward.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		forward.ServeHTTP(answer, r)
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Length", fmt.Sprint(answer.Body.Len()))
		after := time.Duration(a.random.Int64N(int64(a.within)))
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		for sent := time.Now(); time.Since(sent) < after; { // no timer is that exact
		}
		_ = a.victim.Load().Process.Kill()
	}))
	a.b.Cleanup(g.Close)
	return g.Listener.Addr().String()
}

// killOne lets an instance have a document signed, and returns the transaction.
func (a *aimed) killOne(known settings) (id string) {
	a.b.Helper()
	text, err := json.Marshal(known)
	if err != nil {
		a.b.Fatal(err)
	}
	cmd := dbtest.Self(a.b.Context(), instanceVariable+"="+string(text))
	dbtest.Follow(a.b, cmd, func(word, rest string) (answer string) {
		switch word {
		case "visit":
			a.victim.Store(cmd)
			callback, err := a.svc.Visitor().Approve(a.b.Context(), rest)
			if err != nil {
				a.b.Error(err)
			}
			return callback
		case "ask":
			id = rest
		}
		return ""
	})
	return id
}
