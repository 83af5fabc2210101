package middleware

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/middleware/scssession"
)

const (
	sessionCookie = "__Host-kakunin-session"
	idleTimeout   = 30 * time.Minute
)

// bareLogin is a Login with sessions and nothing else.
func bareLogin() (*Login, *scs.SessionManager) {
	l := &Login{key: sessionKey("iss", "client")}
	l.setDefaults()
	s, err := scssession.New(scssession.Config{})
	if err != nil {
		panic(err)
	}
	l.sessions = s
	return l, s.Manager()
}

// loggedIn stores a session and returns its cookie.
func loggedIn(tb testing.TB, m *scs.SessionManager, key string) *http.Cookie {
	tb.Helper()
	ctx, err := m.Load(tb.Context(), "")
	if err != nil {
		tb.Fatal(err)
	}
	person, _ := fourinfo.FromCard(fourinfo.CardFields{
		Name: "試験　花子", Address: "東京都千代田区霞が関一丁目２番３号", Birthdate: "19900401", Gender: "2",
	})
	stored, err := encodeIdentity(&authn.Identity{Subject: authn.NewSubject("subject-1"), Issuer: "iss", ACR: "aal3",
		Person: person}, time.Now())
	if err != nil {
		tb.Fatal(err)
	}
	m.Put(ctx, key, stored)
	token, _, err := m.Commit(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	return &http.Cookie{Name: m.Cookie.Name, Value: token}
}

func TestWriterKeepsTheServersAbilities(t *testing.T) {
	l, manager := bareLogin()
	cookie := loggedIn(t, manager, l.key)
	handlers := map[string]http.HandlerFunc{
		"/write":   func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") },
		"/nothing": func(http.ResponseWriter, *http.Request) {},
		"/header":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) },
		"/controller": func(w http.ResponseWriter, _ *http.Request) {
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Errorf("Flush: %v", err)
			}
			_, _ = io.WriteString(w, "ok")
		},
		"/deadline": func(w http.ResponseWriter, _ *http.Request) {
			if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Errorf("SetWriteDeadline: %v", err)
			}
		},
		"/flusher": func(w http.ResponseWriter, _ *http.Request) {
			f, ok := w.(http.Flusher)
			if !ok {
				t.Error("not an http.Flusher")
				return
			}
			f.Flush()
			_, _ = io.WriteString(w, "ok")
		},
		"/copy": func(w http.ResponseWriter, _ *http.Request) {
			rf, ok := w.(io.ReaderFrom)
			if !ok {
				t.Error("not an io.ReaderFrom")
				return
			}
			_, _ = rf.ReadFrom(strings.NewReader("ok"))
		},
		"/hints": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			manager.Put(r.Context(), "after hints", true)
			_, _ = io.WriteString(w, "ok")
		},
	}
	mux := http.NewServeMux()
	for path, h := range handlers {
		mux.Handle(path, l.Require(h))
	}
	srv := httptest.NewTLSServer(mux)
	defer srv.Close()
	for path := range handlers {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+path, nil)
		req.AddCookie(cookie)
		resp, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got := resp.Header.Values("Set-Cookie"); len(got) != 1 || !strings.HasPrefix(got[0], sessionCookie+"=") {
			t.Errorf("%s: Set-Cookie %q, want the session once", path, got)
		}
		if got := resp.Header.Get("Cache-Control"); !strings.HasPrefix(got, "no-store") {
			t.Errorf("%s: Cache-Control %q", path, got)
		}
		if got := resp.Header.Values("Vary"); len(got) != 1 || got[0] != "Cookie" {
			t.Errorf("%s: Vary %q", path, got)
		}
	}
	ctx, _ := manager.Load(t.Context(), cookie.Value)
	if !manager.GetBool(ctx, "after hints") {
		t.Error("a value put after a 103 response was lost: the session was saved too early")
	}
}

func TestWriterHijack(t *testing.T) {
	l, _ := bareLogin()
	for name, hijack := range map[string]func(http.ResponseWriter) error{
		"controller": func(w http.ResponseWriter) error {
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
				err = c.Close()
			}
			return err
		},
		"assertion": func(w http.ResponseWriter) error {
			h, ok := w.(http.Hijacker)
			if !ok {
				return errors.New("not an http.Hijacker")
			}
			c, rw, err := h.Hijack()
			if err == nil {
				_, _ = rw.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
				_ = rw.Flush()
				err = c.Close()
			}
			return err
		},
	} {
		srv := httptest.NewServer(l.Optional(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if err := hijack(w); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})))
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
		resp, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		line, _ := bufio.NewReader(resp.Body).ReadString('\n')
		_ = resp.Body.Close()
		srv.Close()
		if line != "hi" {
			t.Errorf("%s: %q", name, line)
		}
	}
}

// TestInsideLoadAndSave: an application that wraps everything in its own LoadAndSave gets one cookie, not two.
func TestInsideLoadAndSave(t *testing.T) {
	l, manager := bareLogin()
	cookie := loggedIn(t, manager, l.key)
	var seen *authn.Identity
	h := manager.LoadAndSave(l.Optional(l.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen = IdentityFrom(r.Context())
		manager.Put(r.Context(), "app", "value")
	}))))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.AddCookie(cookie)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if seen == nil || seen.Subject.Reveal() != "subject-1" {
		t.Errorf("identity %v", seen)
	}
	if got := w.Result().Header.Values("Set-Cookie"); len(got) != 1 {
		t.Errorf("Set-Cookie %q, want one", got)
	}
	ctx, _ := manager.Load(t.Context(), cookie.Value)
	if manager.GetString(ctx, "app") != "value" {
		t.Error("the value was not saved")
	}
}

func TestIdentityBelongsToOneClient(t *testing.T) {
	a, manager := bareLogin()
	b, _ := bareLogin()
	b.sessions, b.key = a.sessions, sessionKey("iss", "other client")
	cookie := loggedIn(t, manager, a.key)
	for name, c := range map[string]struct {
		h    http.Handler
		want bool
	}{
		"own client":   {a.Optional(identityHandler()), true},
		"other client": {b.Optional(identityHandler()), false},
		"nested":       {a.Optional(b.Optional(identityHandler())), false},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.AddCookie(cookie)
		w := httptest.NewRecorder()
		c.h.ServeHTTP(w, r)
		if got := w.Code == http.StatusOK; got != c.want {
			t.Errorf("%s: logged in = %v", name, got)
		}
	}
	if IdentityFrom(context.Background()) != nil {
		t.Error("an identity out of nothing")
	}
}

func identityHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if IdentityFrom(r.Context()) == nil {
			w.WriteHeader(http.StatusNoContent)
		}
	})
}

func TestLoginEndsAtTheAbsoluteTimeout(t *testing.T) {
	l, manager := bareLogin()
	cookie := loggedIn(t, manager, l.key)
	at := time.Now()
	get := func() (int, []string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.AddCookie(cookie)
		w := httptest.NewRecorder()
		l.Optional(identityHandler()).ServeHTTP(w, r)
		return w.Code, w.Header().Values("Set-Cookie")
	}
	l.now = func() time.Time { return at.Add(absoluteTimeout - time.Minute) }
	if code, _ := get(); code != http.StatusOK {
		t.Error("the login ended early")
	}
	l.now = func() time.Time { return at.Add(absoluteTimeout + time.Minute) }
	code, set := get()
	if code == http.StatusOK {
		t.Error("the login outlived the absolute timeout although it was used all the time")
	}
	if len(set) != 1 || !strings.Contains(set[0], "Max-Age=0") {
		t.Errorf("Set-Cookie %q, want a deletion", set)
	}
}

// failingStore fails on demand.
type failingStore struct {
	scs.Store
	find, commit bool
}

var errStore = errors.New("store: password=hunter2")

func (s *failingStore) Find(token string) ([]byte, bool, error) {
	if s.find {
		return nil, false, errStore
	}
	return s.Store.Find(token)
}

func (s *failingStore) Commit(token string, b []byte, expiry time.Time) error {
	if s.commit {
		return errStore
	}
	return s.Store.Commit(token, b, expiry)
}

func TestStoreFailuresLetNobodyIn(t *testing.T) {
	l, manager := bareLogin()
	store := &failingStore{Store: manager.Store}
	manager.Store = store
	cookie := loggedIn(t, manager, l.key)
	store.find = true
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.AddCookie(cookie)
	w := httptest.NewRecorder()
	l.Require(identityHandler()).ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "hunter2") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	store.find, store.commit = false, true
	w = httptest.NewRecorder()
	l.withSession(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil),
		func(w http.ResponseWriter, r *http.Request, v *visit) {
			err := l.begin(w, r, v, &authn.Identity{Subject: authn.NewSubject("s"), Issuer: "iss"}, visited{})
			if !isReason(err, ReasonSession) || v.Identity != nil {
				t.Errorf("begin with a failing store: %v", err)
			}
		})
}

// BenchmarkAuthenticatedRequest reports what a request of a logged-in person costs, as a ratio to scs.LoadAndSave with
// its own defaults and the same stored value: loading, decoding and checking the identity, saving (idle timeout).
func BenchmarkAuthenticatedRequest(b *testing.B) {
	l, manager := bareLogin()
	cookie := loggedIn(b, manager, l.key)
	ours := l.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))

	bare := &scs.SessionManager{
		IdleTimeout: idleTimeout, Lifetime: absoluteTimeout, Store: manager.Store, Codec: scs.GobCodec{},
		Cookie: manager.Cookie,
	}
	bareCookie := loggedIn(b, bare, l.key)
	reference := bare.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_ = bare.GetString(r.Context(), l.key)
	}))
	run := func(h http.Handler, c *http.Cookie) time.Duration {
		r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/", nil)
		r.AddCookie(c)
		start := processorTime()
		for range b.N {
			h.ServeHTTP(discard{}, r)
		}
		return processorTime() - start
	}
	base := max(1, run(reference, bareCookie))
	b.ReportAllocs()
	b.ResetTimer()
	took := run(ours, cookie)
	b.ReportMetric(float64(took)/float64(base), "x-bare")
}

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}
