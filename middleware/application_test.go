package middleware_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/middleware"
)

// OnLogin finds or creates the user before the session begins, and its session values and cookies stay.
func TestOnLogin(t *testing.T) {
	var s *site
	calls := 0
	s = newSite(t, func(c *middleware.Config) {
		c.OnLogin = func(w http.ResponseWriter, r *http.Request, id *authn.Identity) error {
			calls++
			if middleware.IdentityFrom(r.Context()) != nil {
				t.Error("the session began before OnLogin")
			}
			s.sessions.Manager().Put(r.Context(), "cart", "of "+id.Subject.Reveal())
			http.SetCookie(w, &http.Cookie{Name: "own", Value: "1", Path: "/", Secure: true, HttpOnly: true,
				SameSite: http.SameSiteLaxMode})
			return nil
		}
	})
	b := s.browser(t)
	to := s.op.approve(t, b.begin("/auth/login?return=/account"))
	if r := b.get(to); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/account" || calls != 1 {
		t.Fatalf("%d, OnLogin called %d times, %v", r.StatusCode, calls, s.lastError())
	}
	if got := b.get("/").body; got != "subject-hanako cart=of subject-hanako" || len(b.cookies("own")) != 1 {
		t.Errorf("%q, %v", got, b.cookies(""))
	}
	// Somebody else logs in in this browser: what OnLogin puts is theirs.
	s.op.set(func(p *provider) { p.subject = "subject-taro" })
	b.logIn()
	if got := b.get("/").body; got != "subject-taro cart=of subject-taro" {
		t.Errorf("%q", got)
	}
	b.get(to)
	if calls != 2 {
		t.Errorf("a reload called OnLogin: %d calls", calls)
	}
}

func TestOnLoginRefuses(t *testing.T) {
	refusal := errors.New("hanako@example.jp is blocked")
	s := newSite(t, func(c *middleware.Config) {
		c.OnLogin = func(http.ResponseWriter, *http.Request, *authn.Identity) error { return refusal }
	})
	b := s.browser(t)
	b.get("/?put=apples")
	r := b.get(s.op.approve(t, b.begin("/auth/login")))
	err := s.lastError()
	if r.StatusCode != http.StatusInternalServerError || !hasReason(err, middleware.ReasonOnLogin) ||
		!errors.Is(err, refusal) {
		t.Errorf("%d, %v", r.StatusCode, err)
	}
	if got := b.get("/").body; got != "nobody cart=apples" {
		t.Errorf("%q: nobody is logged in, and the anonymous session stays", got)
	}
	checkNothingLeaks(t, "", s.log.String()+err.Error())

	// An application's classified error is answered as such.
	s = newSite(t, func(c *middleware.Config) {
		c.OnLogin = func(http.ResponseWriter, *http.Request, *authn.Identity) error { return blocked{} }
	})
	b = s.browser(t)
	if r := b.get(s.op.approve(t, b.begin("/auth/login"))); r.StatusCode != http.StatusForbidden ||
		kakunin.FamilyOf(s.lastError()) != kakunin.Account {
		t.Errorf("%d", r.StatusCode)
	}
}

// Who has an answer is logged in; an error that comes after it is for the operators.
func TestOnLoginFailsTooLate(t *testing.T) {
	s := newSite(t, func(c *middleware.Config) {
		c.OnLogin = func(w http.ResponseWriter, _ *http.Request, _ *authn.Identity) error {
			_, err := w.Write([]byte("welcome"))
			return errors.Join(err, errors.New("hanako@example.jp is not in the mailing list"))
		}
	})
	b := s.browser(t)
	if r := b.get(s.op.approve(t, b.begin("/auth/login"))); r.StatusCode != http.StatusOK || r.body != "welcome" ||
		b.who() != "subject-hanako" {
		t.Errorf("%d %q, %s", r.StatusCode, r.body, b.who())
	}
	if !strings.Contains(s.log.String(), "OnLogin answered and failed") {
		t.Error("nobody hears of it")
	}
	checkNothingLeaks(t, "", s.log.String())
}

// blocked is an application's error that says what to do.
type blocked struct{}

func (blocked) Error() string          { return "blocked" }
func (blocked) Family() kakunin.Family { return kakunin.Account }
func (blocked) UserMessage() kakunin.Message {
	return kakunin.Message{JA: "停止中です。", EN: "Blocked."}
}

func TestOnLoginAnswersItself(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"a page": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("welcome")) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/welcome", http.StatusSeeOther)
		},
	} {
		s := newSite(t, func(c *middleware.Config) {
			c.OnLogin = func(w http.ResponseWriter, r *http.Request, _ *authn.Identity) error {
				answer(w, r)
				return nil
			}
		})
		b := s.browser(t)
		r := b.get(s.op.approve(t, b.begin("/auth/login?return=/account")))
		if r.body != "welcome" && r.Header.Get("Location") != "/welcome" ||
			r.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %d %q %v", name, r.StatusCode, r.body, r.Header)
		}
		if who := b.who(); who != "subject-hanako" {
			t.Errorf("%s: %s is logged in", name, who)
		}
	}
}

func TestOnLogout(t *testing.T) {
	var who []*authn.Identity
	own := false
	s := newSite(t, func(c *middleware.Config) {
		c.OnLogout = func(w http.ResponseWriter, _ *http.Request, id *authn.Identity) {
			if who = append(who, id); own {
				_, _ = w.Write([]byte("bye"))
			}
		}
	})
	b := s.browser(t)
	b.logIn()
	if r := b.post("/auth/logout"); r.StatusCode != http.StatusSeeOther || len(who) != 1 ||
		who[0].Subject.Reveal() != "subject-hanako" {
		t.Errorf("%d, %v", r.StatusCode, who)
	}
	own = true
	if r := b.post("/auth/logout"); r.body != "bye" || len(who) != 2 || who[1] != nil {
		t.Errorf("%d %q, %v", r.StatusCode, r.body, who)
	}
}

// An administrator ends the sessions of a person, in every browser.
func TestEndSessions(t *testing.T) {
	s := newSite(t)
	phone, laptop, other := s.browser(t), s.browser(t), s.browser(t)
	phone.logIn()
	laptop.logIn()
	s.op.set(func(p *provider) { p.subject = "subject-taro" })
	other.logIn()
	if n, err := s.login.EndSessions(t.Context(), identityOf(t, s, phone).Subject); n != 2 || err != nil {
		t.Errorf("%d sessions ended, %v", n, err)
	}
	if phone.who() != "nobody" || laptop.who() != "nobody" || other.who() != "subject-taro" {
		t.Errorf("%s, %s, %s", phone.who(), laptop.who(), other.who())
	}
	plain := newSite(t, func(c *middleware.Config) { c.Sessions = onlySessions{c.Sessions} })
	if _, err := plain.login.EndSessions(t.Context(), identityOf(t, s, other).Subject); !hasReason(err,
		middleware.ReasonConfiguration) {
		t.Errorf("sessions that cannot be listed: %v", err)
	}
}

// onlySessions hides what the sessions can do besides.
type onlySessions struct{ middleware.Sessions }

// identityOf is who is logged in in the browser.
func identityOf(t *testing.T, s *site, b *browser) (id *authn.Identity) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.cookies(sessionName) {
		r.AddCookie(c)
	}
	s.login.Optional(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		id = middleware.IdentityFrom(r.Context())
	})).
		ServeHTTP(httptest.NewRecorder(), r)
	return id
}
