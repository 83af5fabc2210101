package middleware_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/middleware"
)

// later moves the site's clock, and the browser's, which forgets what is over.
func (b *browser) later(d time.Duration, set []*http.Cookie) {
	b.t.Helper()
	b.site.later(d)
	for _, c := range set {
		if c.MaxAge > 0 && time.Duration(c.MaxAge)*time.Second <= d {
			u, err := url.Parse(b.site.URL)
			if err != nil {
				b.t.Fatal(err)
			}
			b.jar.SetCookies(u, []*http.Cookie{{Name: c.Name, Path: "/", Secure: true, MaxAge: -1}})
		}
	}
}

// Whoever took too long is told so, and finds the way back, in a browser that forgets cookies when they say so.
func TestTookTooLong(t *testing.T) {
	const back = "/auth/login?return=%2Faccount"
	for name, c := range map[string]struct {
		after  time.Duration
		answer string // of the service; empty: the person went through with it
		reason middleware.Reason
		retry  string
	}{
		"in time":               {after: 15*time.Minute - time.Second},
		"a little too long":     {15*time.Minute + time.Second, "", middleware.ReasonExpired, back},
		"half an hour":          {30 * time.Minute, "", middleware.ReasonExpired, back},
		"the service gave up":   {31 * time.Minute, "temporarily_unavailable", middleware.ReasonExpired, back},
		"cancelled too late":    {time.Hour, "access_denied", middleware.ReasonExpired, back},
		"far too long":          {2 * time.Hour, "", middleware.ReasonLostLogin, "/auth/login"},
		"after a night's sleep": {9 * time.Hour, "access_denied", middleware.ReasonLostLogin, "/auth/login"},
	} {
		s := newSite(t)
		s.later(0)
		b := s.browser(t)
		r := b.get("/auth/login?return=/account")
		to := s.op.approve(t, r.Header.Get("Location"))
		if c.answer != "" {
			to = "/auth/callback?error=" + c.answer + "&error_description=authentication_expired&state=" +
				url.QueryEscape(mustQuery(t, to).Get("state"))
		}
		b.later(c.after, r.Cookies())
		r = b.get(to)
		if c.reason == 0 {
			if r.StatusCode != http.StatusSeeOther {
				t.Errorf("%s: %d, %v", name, r.StatusCode, s.lastError())
			}
			continue
		}
		err := s.lastError()
		if r.StatusCode != http.StatusBadRequest || !hasReason(err, c.reason) ||
			kakunin.FamilyOf(err) != kakunin.User || r.Header.Get("Retry") != c.retry || s.op.exchanges() != 0 {
			t.Errorf("%s: %d, %v, try again at %q", name, r.StatusCode, err, r.Header.Get("Retry"))
		}
		if n := len(b.cookies(pendingPrefix)); n != 0 {
			t.Errorf("%s: %d cookies left", name, n)
		}
	}
}

// A form that needs a login, or a fresh one, leads back to its page afterwards, and nowhere else.
func TestFormLeadsBackToItsPage(t *testing.T) {
	s := newSite(t)
	mux := http.NewServeMux()
	mux.Handle("/auth/", s.login)
	mux.Handle("/pay", s.login.RequireFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "paid")
	}, middleware.RequireFresh(5*time.Minute)))
	s.Config.Handler = mux
	late := s.browser(t)
	s.later(0)
	late.logIn()
	s.later(10 * time.Minute)
	const back = "/auth/login?return=%2Fcontract%3Fid%3D7"
	for name, b := range map[string]*browser{"nobody": s.browser(t), "not fresh": late} {
		for referer, retry := range map[string]string{
			s.URL + "/contract?id=7": back, s.URL + "/contract?id=7#part": back,
			s.URL + "/": "/auth/login", s.URL: "/auth/login", "": "/auth/login",
			"https://evil.example/contract": "/auth/login",
			s.URL + "@evil.example/x":       "/auth/login", s.URL + "//evil.example/x": "/auth/login",
			s.URL + "/auth/logout": "/auth/login", "about:blank": "/auth/login", "%zz": "/auth/login",
			"javascript:alert(1)": "/auth/login", s.URL + "/%0d%0ax": "/auth/login?return=%2F%250d%250ax",
		} {
			r := b.do(http.MethodPost, "/pay", url.Values{}, http.Header{"Referer": {referer}})
			if r.StatusCode != http.StatusUnauthorized || r.Header.Get("Retry") != retry {
				t.Errorf("%s, from %q: %d, try again at %q, want %q", name, referer, r.StatusCode,
					r.Header.Get("Retry"),
					retry)
			}
		}
	}
	// Nobody sends the browser of an app anywhere.
	r := late.do(http.MethodPost, "/pay", url.Values{}, http.Header{"Referer": {s.URL + "/contract"},
		"Accept": {"application/json"}})
	if r.Header.Get("Retry") != "/auth/login" {
		t.Errorf("an app: try again at %q", r.Header.Get("Retry"))
	}
	late.logIn()
	if r := late.do(http.MethodPost, "/pay", url.Values{}, nil); r.body != "paid" {
		t.Errorf("after the step-up: %d %q", r.StatusCode, r.body)
	}
}

// A clock that is set back by minutes or hours logs nobody out; a login of next year is none today.
func TestClockSetBackDuringASession(t *testing.T) {
	for back, want := range map[time.Duration]string{
		time.Second: "subject-hanako", 5 * time.Minute: "subject-hanako", 9 * time.Hour: "subject-hanako",
		13 * time.Hour: "nobody", 365 * 24 * time.Hour: "nobody",
	} {
		s := newSite(t)
		s.later(0)
		b := s.browser(t)
		b.logIn()
		s.later(-back)
		if who := b.who(); who != want {
			t.Errorf("%v back: %s", back, who)
		}
		if b.logIn(); b.who() != "subject-hanako" {
			t.Errorf("%v back: nobody can log in", back)
		}
	}
}

// The address of the callback without anything behind it is no attack.
func TestBareCallback(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	for range 2 {
		for _, address := range []string{"/auth/callback", "/auth/callback?", "/auth/callback#x"} {
			r := b.get(address)
			if err := s.lastError(); r.StatusCode != http.StatusBadRequest || kakunin.FamilyOf(err) != kakunin.User ||
				r.Header.Get("Retry") != "/auth/login" || len(r.Cookies()) != 0 {
				t.Errorf("%s: %d, %v", address, r.StatusCode, err)
			}
		}
		b.logIn()
	}
	if b.who() != "subject-hanako" {
		t.Error("it ends the session")
	}
}

// What only asks what there is, or asks in a way that nobody serves, uses nothing up and starts nothing.
func TestOddMethodsUseNothingUp(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	to := s.op.approve(t, b.begin("/auth/login?return=/account"))
	for _, method := range []string{
		http.MethodHead, http.MethodOptions, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodTrace,
		"get", "Get", "PROPFIND", "X",
	} {
		for _, address := range []string{to, "/auth/login", "/auth/logout", "/sign"} {
			if method == http.MethodPost && address != to {
				continue
			}
			r := b.do(method, address, nil, nil)
			err := s.lastError()
			if r.StatusCode != http.StatusMethodNotAllowed || len(r.Cookies()) != 0 || r.Header.Get("Allow") == "" ||
				kakunin.FamilyOf(err) != kakunin.User || r.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s %.20s: %d, %v", method, address, r.StatusCode, err)
			}
		}
	}
	if r := b.get(to); r.StatusCode != http.StatusSeeOther || b.who() != "subject-hanako" {
		t.Errorf("afterwards: %d, %v", r.StatusCode, s.lastError())
	}
}

// A refusal says what it says in whatever case and dress it comes.
func TestCancelledInOddWords(t *testing.T) {
	s := newSite(t)
	for _, code := range []string{
		"access_denied", "ACCESS_DENIED", "Access_Denied", "access_denied ", " access_denied", "access_denied\r\n",
		`"access_denied"`, "access_denied.",
	} {
		b := s.browser(t)
		state := mustQuery(t, b.begin("/auth/login?return=/account")).Get("state")
		r := b.get("/auth/callback?error=" + url.QueryEscape(code) + "&state=" + url.QueryEscape(state))
		if err := s.lastError(); !isCancelled(err) || r.Header.Get("Retry") != "/auth/login?return=%2Faccount" {
			t.Errorf("%q: %v, try again at %q", code, err, r.Header.Get("Retry"))
		}
	}
}

func isCancelled(err error) bool {
	return errors.Is(err, &authn.Error{Reason: authn.ReasonUserCancelled})
}
