package middlewaretest

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/middleware"
)

// CheckSessions tests an adapter that an application wrote for its own session library: what was put in comes back, a
// login and its end make every token worthless that was known before, and the cookie is one that can hold a login.
// insecure names faults of the cookie that the application has to live with, in the words of this test ("Domain",
// "__Host-").
//
//	func TestSessions(t *testing.T) { middlewaretest.CheckSessions(t, newSessions()) }
func CheckSessions(t testing.TB, s middleware.Sessions, insecure ...string) {
	t.Helper()
	c := check{t: t, sessions: s, insecure: insecure}
	nobody := c.visit(browser{}, nil)
	c.holds("a new browser", nobody, "", "")

	hanako := c.visit(browser{}, c.begin("person", "hanako"))
	if len(hanako) != 1 {
		t.Fatalf("Begin sets %d cookies; it should set the session's", len(hanako))
	}
	c.cookies(hanako)
	c.holds("after Begin", hanako, "hanako", "")
	c.holds("another browser", browser{}, "", "")

	// Login after login: the token is new, what was in the session stays.
	again := c.visit(hanako, c.begin("more", "cart"))
	if same(again, hanako) {
		t.Error("Begin keeps the session's token: whoever knew it before is logged in now (session fixation)")
	}
	c.holds("after a second Begin", again, "hanako", "cart")
	c.holds("with the token of before Begin", hanako, "", "")

	// Two cookies of the name are none: one of them may be somebody else's.
	for name, value := range again {
		r := httptest.NewRequestWithContext(c.t.Context(), http.MethodGet, "https://shop.test/", nil)
		r.AddCookie(sent(name, value))
		r.AddCookie(sent(name, "of-somebody-else"))
		w := httptest.NewRecorder()
		c.do(w, r, func(_ http.ResponseWriter, r *http.Request) {
			if s.Get(r, "person") != "" {
				t.Error("two cookies of the session's name count as one")
			}
		})
		c.holds("an invented token", browser{name: "invented-" + value}, "", "")
	}

	// The end is on the server, not only in the browser; in the same request another person may begin.
	ended := c.visit(again, func(w http.ResponseWriter, r *http.Request) {
		if err := s.End(w, r); err != nil {
			t.Error("End:", err)
		}
	})
	c.holds("after End", ended, "", "")
	c.holds("with the token of before End", again, "", "")
	c.holds("ended again", c.visit(ended, func(w http.ResponseWriter, r *http.Request) {
		if err := s.End(w, r); err != nil {
			t.Error("End without a session:", err)
		}
	}), "", "")
	first := c.visit(browser{}, c.begin("person", "hanako"))
	second := c.visit(first, func(w http.ResponseWriter, r *http.Request) {
		if err := s.End(w, r); err != nil {
			t.Error("End:", err)
		}
		c.begin("more", "taro's")(w, r)
	})
	c.holds("ended and begun in one request", second, "", "taro's")
	c.holds("the one that was ended", first, "", "")
}

// browser holds cookies by name.
type browser map[string]string

func same(a, b browser) bool {
	for name, value := range a {
		if b[name] == value {
			return true
		}
	}
	return false
}

// sent is a cookie as a request has it: without attributes.
func sent(name, value string) *http.Cookie {
	return &http.Cookie{Name: name, Value: value} //nolint:gosec // of a request
}

type check struct {
	t        testing.TB
	sessions middleware.Sessions
	insecure []string
	set      []*http.Cookie // by the last visit
}

func (c *check) do(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	c.t.Helper()
	called := false
	if err := c.sessions.Do(w, r, func(w http.ResponseWriter, r *http.Request) {
		called = true
		next(w, r)
	}); err != nil {
		c.t.Fatal("Do:", err)
	}
	if !called {
		c.t.Fatal("Do returned no error and called nothing")
	}
}

// visit is a request, after which the browser has the cookies that it returns. Nothing of the old browser changes.
func (c *check) visit(b browser, inside http.HandlerFunc) browser {
	c.t.Helper()
	r := httptest.NewRequestWithContext(c.t.Context(), http.MethodGet, "https://shop.test/", nil)
	for name, value := range b {
		r.AddCookie(sent(name, value))
	}
	w := httptest.NewRecorder()
	c.do(w, r, func(w http.ResponseWriter, r *http.Request) {
		if inside != nil {
			inside(w, r)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	b = maps.Clone(b)
	resp := w.Result()
	_ = resp.Body.Close()
	c.set = resp.Cookies()
	for _, cookie := range c.set {
		if b[cookie.Name] = cookie.Value; cookie.MaxAge < 0 || cookie.Value == "" {
			delete(b, cookie.Name)
		}
	}
	return b
}

func (c *check) begin(key, value string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c.t.Helper()
		if err := c.sessions.Begin(w, r, map[string]string{key: value}); err != nil {
			c.t.Fatal("Begin:", err)
		}
	}
}

// holds looks at the two texts of this test.
func (c *check) holds(when string, b browser, person, more string) {
	c.t.Helper()
	c.visit(b, func(_ http.ResponseWriter, r *http.Request) {
		if got := c.sessions.Get(r, "person"); got != person {
			c.t.Errorf("%s: the session holds %q, want %q", when, got, person)
		}
		if got := c.sessions.Get(r, "more"); got != more {
			c.t.Errorf("%s: the session holds %q, want %q", when, got, more)
		}
	})
}

// cookies looks at what Begin has set.
func (c *check) cookies(b browser) {
	c.t.Helper()
	for _, cookie := range c.set {
		if _, kept := b[cookie.Name]; !kept {
			continue
		}
		for fault, is := range map[string]bool{
			"Secure": !cookie.Secure, "HttpOnly": !cookie.HttpOnly, "Path": cookie.Path != "/",
			"Domain": cookie.Domain != "",
			// Strict would be held back on the callback, which comes from the service's site.
			"SameSite": cookie.SameSite != http.SameSiteLaxMode, "__Host-": !strings.HasPrefix(cookie.Name, "__Host-"),
		} {
			if is && !slices.Contains(c.insecure, fault) {
				c.t.Errorf("the session's cookie is not what it should be: %s", fault)
			}
		}
	}
}
