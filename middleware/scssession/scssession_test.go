package scssession_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/middleware/scssession"
)

var _ interface {
	middleware.Sessions
	middleware.SessionEnder
} = (*scssession.Sessions)(nil)

type emptyStore struct{}

func (emptyStore) Find(string) ([]byte, bool, error)      { return nil, false, nil }
func (emptyStore) Commit(string, []byte, time.Time) error { return nil }
func (emptyStore) Delete(string) error                    { return nil }

func TestManagerIsChecked(t *testing.T) {
	manager := func(change func(*scs.SessionManager)) *scs.SessionManager {
		m := &scs.SessionManager{Lifetime: time.Hour, Store: emptyStore{}, Codec: scs.GobCodec{},
			Cookie: scs.SessionCookie{
				Name: "__Host-s", Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
			}}
		change(m)
		return m
	}
	if _, err := scssession.New(scssession.Config{Manager: manager(func(*scs.SessionManager) {})}); err != nil {
		t.Errorf("a good manager: %v", err)
	}
	for name, c := range map[string]struct {
		change func(*scs.SessionManager)
		shared bool // InsecureSharedCookie makes it acceptable
	}{
		"insecure":        {func(m *scs.SessionManager) { m.Cookie.Secure = false }, false},
		"readable":        {func(m *scs.SessionManager) { m.Cookie.HttpOnly = false }, false},
		"SameSite none":   {func(m *scs.SessionManager) { m.Cookie.SameSite = http.SameSiteNoneMode }, false},
		"SameSite strict": {func(m *scs.SessionManager) { m.Cookie.SameSite = http.SameSiteStrictMode }, false},
		"no store":        {func(m *scs.SessionManager) { m.Store = nil }, false},
		"no codec":        {func(m *scs.SessionManager) { m.Codec = nil }, false},
		"no lifetime":     {func(m *scs.SessionManager) { m.Lifetime = 0 }, false},
		"no cookie name":  {func(m *scs.SessionManager) { m.Cookie.Name = "" }, false},
		"no prefix":       {func(m *scs.SessionManager) { m.Cookie.Name = "session" }, true},
		"a domain":        {func(m *scs.SessionManager) { m.Cookie.Domain = "shop.example" }, true},
		"another path":    {func(m *scs.SessionManager) { m.Cookie.Path = "/app" }, true},
	} {
		_, err := scssession.New(scssession.Config{Manager: manager(c.change)})
		if !errors.Is(err, &scssession.Error{Reason: scssession.ReasonConfiguration}) ||
			kakunin.FamilyOf(err) != kakunin.Configuration {
			t.Errorf("%s: %v", name, err)
		}
		shared := scssession.Config{Manager: manager(c.change), InsecureSharedCookie: true}
		if _, err = scssession.New(shared); (err == nil) != c.shared {
			t.Errorf("%s, with InsecureSharedCookie: %v", name, err)
		}
	}
	_, err := scssession.New(scssession.Config{Manager: &scs.SessionManager{}})
	for _, want := range []string{"Store", "Lifetime", "Secure", "HttpOnly", "SameSite", "Name"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}

// browser keeps the cookies of one visitor.
type browser map[string]*http.Cookie

// visit runs next inside Do and returns the answer; the cookies that it set are kept.
func (b browser) visit(t *testing.T, s *scssession.Sessions, next http.HandlerFunc) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	for _, c := range b {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	if err := s.Do(w, r, next); err != nil {
		t.Fatal(err)
	}
	for _, c := range w.Result().Cookies() {
		if b[c.Name] = c; c.MaxAge < 0 {
			delete(b, c.Name)
		}
	}
	return w
}

func (b browser) get(t *testing.T, s *scssession.Sessions, key string) (value string) {
	t.Helper()
	b.visit(t, s, func(_ http.ResponseWriter, r *http.Request) { value = s.Get(r, key) })
	return value
}

func inMemory(t *testing.T) *scssession.Sessions {
	t.Helper()
	s, err := scssession.New(scssession.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (b browser) logIn(t *testing.T, s *scssession.Sessions, who string) {
	t.Helper()
	b.visit(t, s, func(w http.ResponseWriter, r *http.Request) {
		if err := s.Begin(w, r, map[string]string{"who": who}); err != nil {
			t.Error(err)
		}
	})
}

// A page that the browser loads while it logs in must not put the old session's cookie over the new one's.
func TestParallelRequestDoesNotUndoALogin(t *testing.T) {
	s := inMemory(t)
	b := browser{}
	b.visit(t, s, func(_ http.ResponseWriter, r *http.Request) { s.Manager().Put(r.Context(), "cart", "apples") })
	b.visit(t, s, func(_ http.ResponseWriter, r *http.Request) {
		b.logIn(t, s, "hanako")
		s.Manager().Put(r.Context(), "cart", "pears") // into a session that is gone
	})
	if who, cart := b.get(t, s, "who"), b.get(t, s, "cart"); who != "hanako" || cart != "apples" {
		t.Errorf("%q is logged in, with %q", who, cart)
	}
}

func TestSeveralCookiesCountAsNone(t *testing.T) {
	s := inMemory(t)
	victim, attacker := browser{}, browser{}
	victim.logIn(t, s, "victim")
	attacker.logIn(t, s, "attacker")
	for _, order := range [][2]browser{{victim, attacker}, {attacker, victim}} {
		for _, wrapped := range []bool{false, true} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			for _, b := range order {
				for _, c := range b {
					r.AddCookie(c)
				}
			}
			var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if err := s.Do(w, r, func(_ http.ResponseWriter, r *http.Request) {
					if who := s.Get(r, "who"); who != "" {
						t.Errorf("%s was taken for logged in", who)
					}
				}); err != nil {
					t.Error(err)
				}
			})
			if wrapped {
				h = s.Manager().LoadAndSave(h)
			}
			h.ServeHTTP(httptest.NewRecorder(), r)
		}
	}
	if victim.get(t, s, "who") != "victim" {
		t.Error("the session was ended")
	}
}

func TestEndWhere(t *testing.T) {
	s := inMemory(t)
	phone, laptop, other := browser{}, browser{}, browser{}
	phone.logIn(t, s, "hanako")
	laptop.logIn(t, s, "hanako")
	other.logIn(t, s, "taro")
	n, err := s.EndWhere(t.Context(), "who", func(v string) bool { return v == "hanako" })
	if n != 2 || err != nil {
		t.Errorf("%d sessions ended, %v", n, err)
	}
	if phone.get(t, s, "who") != "" || laptop.get(t, s, "who") != "" || other.get(t, s, "who") != "taro" {
		t.Error("not the right sessions were ended")
	}
	own, err := scssession.New(scssession.Config{Manager: &scs.SessionManager{
		Lifetime: time.Hour, Store: emptyStore{}, Codec: scs.GobCodec{}, Cookie: s.Manager().Cookie,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := own.EndWhere(t.Context(), "who", nil); !errors.Is(err,
		&scssession.Error{Reason: scssession.ReasonConfiguration}) {
		t.Errorf("a store that cannot list: %v", err)
	}
}

func TestMethodsOutsideDo(t *testing.T) {
	s := inMemory(t)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	w := httptest.NewRecorder()
	if s.Get(r, "who") != "" || s.Begin(w, r, nil) == nil || s.End(w, r) == nil {
		t.Error("a session out of nothing")
	}
}

func TestEndAndBeginAgain(t *testing.T) {
	s := inMemory(t)
	b := browser{}
	b.logIn(t, s, "hanako")
	b.visit(t, s, func(w http.ResponseWriter, r *http.Request) {
		if err := s.End(w, r); err != nil {
			t.Error(err)
		}
		if err := s.Begin(w, r, map[string]string{"who": "taro"}); err != nil {
			t.Error(err)
		}
	})
	if who := b.get(t, s, "who"); who != "taro" {
		t.Errorf("%q is logged in", who)
	}
}
