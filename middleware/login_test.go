package middleware_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/middleware"
)

const (
	pendingPrefix = "__Host-kakunin-login-"
	sessionName   = "__Host-kakunin-session"
	name          = "確認　花子"
)

func TestLogin(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)

	r := b.get("/account?tab=1")
	if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/auth/login?return=%2Faccount%3Ftab%3D1" {
		t.Fatalf("not sent to log in: %d %q", r.StatusCode, r.Header.Get("Location"))
	}
	r = b.get(r.Header.Get("Location"))
	set := r.Cookies()
	if len(set) != 1 || !strings.HasPrefix(set[0].Name, pendingPrefix) {
		t.Fatalf("cookies of the pending login: %v", r.Header.Values("Set-Cookie"))
	}
	checkCookie(t, set[0])
	if set[0].MaxAge != 15*60+60*60 {
		t.Errorf("Max-Age %d, want that of a pending login and the hour in which it is known as expired", set[0].MaxAge)
	}
	checkRedirect(t, r)

	r = b.get(s.op.approve(t, r.Header.Get("Location")))
	checkRedirect(t, r)
	if got := r.Header.Get("Location"); got != "/account?tab=1" {
		t.Errorf("came back to %q", got)
	}
	if left := b.cookies(pendingPrefix); len(left) != 0 {
		t.Errorf("the pending login's cookie is still there: %v", left)
	}
	for _, c := range r.Cookies() {
		if c.Name == sessionName {
			checkCookie(t, c)
		}
	}
	if r = b.get("/account"); r.StatusCode != http.StatusOK || r.body != name {
		t.Errorf("account page: %d %q", r.StatusCode, r.body)
	}
	if err := s.lastError(); err != nil {
		t.Error(err)
	}
	if log := s.log.String(); !strings.Contains(log, "logged in") {
		t.Error("the login was not logged")
	}
}

func checkRedirect(t *testing.T, r response) {
	t.Helper()
	if r.StatusCode != http.StatusSeeOther {
		t.Errorf("status %d, want 303", r.StatusCode)
	}
	if got := r.Header.Get("Referrer-Policy"); got != "no-referrer" {
		t.Errorf("Referrer-Policy %q", got)
	}
	if got := r.Header.Get("Cache-Control"); !strings.HasPrefix(got, "no-store") {
		t.Errorf("Cache-Control %q", got)
	}
}

func TestReturnOnlyToThisOrigin(t *testing.T) {
	s := newSite(t)
	for _, evil := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "/\t/evil.example",
		"javascript:alert(1)", "/auth/logout"} {
		b := s.browser(t)
		r := b.get(s.op.approve(t, b.begin("/auth/login?return="+url.QueryEscape(evil))))
		if r.Header.Get("Location") != "/" {
			t.Errorf("return=%q leads to %q", evil, r.Header.Get("Location"))
		}
	}
}

func TestParallelTabs(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	first, second := b.begin("/auth/login?return=/account"), b.begin("/auth/login?return=/bar")
	// The tabs come back in the other order.
	if r := b.get(s.op.approve(t, second)); r.Header.Get("Location") != "/bar" {
		t.Errorf("second tab: %d %q, %v", r.StatusCode, r.Header.Get("Location"), s.lastError())
	}
	if r := b.get(s.op.approve(t, first)); r.Header.Get("Location") != "/account" {
		t.Errorf("first tab: %d %q, %v", r.StatusCode, r.Header.Get("Location"), s.lastError())
	}
	if b.who() != "subject-hanako" {
		t.Error("not logged in")
	}
}

func TestSessionTokenIsRenewed(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	b.get("/?put=apples") // an anonymous session with something in it
	before := b.cookies(sessionName)
	if len(before) != 1 {
		t.Fatalf("no anonymous session: %v", before)
	}
	b.logIn()
	after := b.cookies(sessionName)
	if len(after) != 1 || after[0].Value == before[0].Value {
		t.Fatal("the session token survived the login: session fixation")
	}
	if got := b.get("/").body; got != "subject-hanako cart=apples" {
		t.Errorf("%q: the anonymous session's content should stay", got)
	}
	attacker := s.browser(t)
	attacker.setCookie(sessionName, before[0].Value)
	if got := attacker.get("/").body; got != "nobody cart=" {
		t.Errorf("the old token is still good: %q", got)
	}

	// Logging in again as the same person renews the token, too.
	b.logIn()
	again := b.cookies(sessionName)
	if again[0].Value == after[0].Value {
		t.Error("the token survived a second login")
	}
	attacker.setCookie(sessionName, after[0].Value)
	if got := attacker.get("/").body; got != "nobody cart=" {
		t.Errorf("the first login's token is still good: %q", got)
	}

	// Another person finds nothing of the first.
	s.op.set(func(p *provider) { p.subject = "subject-taro" })
	b.logIn()
	if got := b.get("/").body; got != "subject-taro cart=" {
		t.Errorf("the next person sees %q", got)
	}
	attacker.setCookie(sessionName, again[0].Value)
	if got := attacker.get("/").body; got != "nobody cart=" {
		t.Errorf("the former person's token is still good: %q", got)
	}
}

func TestLogout(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	b.logIn()
	token := b.cookies(sessionName)[0].Value

	if r := b.get("/auth/logout"); r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %d", r.StatusCode)
	}
	r := b.do(http.MethodPost, "/auth/logout", url.Values{}, http.Header{"Sec-Fetch-Site": {"cross-site"}})
	if r.StatusCode != http.StatusForbidden || !hasReason(s.lastError(), middleware.ReasonCrossOrigin) {
		t.Errorf("from another site: %d", r.StatusCode)
	}
	if b.who() != "subject-hanako" {
		t.Fatal("another site logged the person out")
	}
	b.begin("/auth/login") // left open
	r = b.post("/auth/logout")
	checkRedirect(t, r)
	if r.Header.Get("Location") != "/" {
		t.Errorf("Location %q", r.Header.Get("Location"))
	}
	if left := b.cookies("__Host-kakunin-"); len(left) != 0 {
		t.Errorf("cookies left after the logout: %v", left)
	}
	thief := s.browser(t)
	thief.setCookie(sessionName, token)
	if who := thief.who(); who != "nobody" {
		t.Errorf("the session is still good on the server for %s", who)
	}
}

func TestSessionTimeouts(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	s.later(0)
	b.logIn()
	s.later(29 * time.Minute)
	if b.who() != "subject-hanako" {
		t.Fatal("ended before the idle timeout")
	}
	s.later(31 * time.Minute)
	if b.who() != "nobody" {
		t.Error("outlived the idle timeout")
	}
	b.logIn()
	for range 25 {
		s.later(29 * time.Minute)
		b.get("/")
	}
	if b.who() != "nobody" {
		t.Error("outlived the absolute timeout")
	}
}

func TestCallbackWorksOnce(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	to := s.op.approve(t, b.begin("/auth/login"))
	kept := b.cookies(pendingPrefix)[0]
	if r := b.get(to); r.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d, %v", r.StatusCode, s.lastError())
	}
	// The browser's reload: the cookie is gone, the session is there.
	if r := b.get(to); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/" {
		t.Errorf("reload: %d, %v", r.StatusCode, s.lastError())
	}
	// A client that kept the cookie.
	thief := s.browser(t)
	thief.setCookie(kept.Name, kept.Value)
	if r := thief.get(to); r.StatusCode != http.StatusBadRequest ||
		!hasReason(s.lastError(), middleware.ReasonReplayed) {
		t.Errorf("replay: %d", r.StatusCode)
	}
	if thief.who() != "nobody" || s.op.exchanges() != 1 {
		t.Errorf("replay: session for %s, %d exchanges", thief.who(), s.op.exchanges())
	}
	if b.who() != "subject-hanako" {
		t.Error("the refused reload ended the session")
	}
}

func TestConcurrentCallbacksGiveOneSession(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	to := s.op.approve(t, b.begin("/auth/login"))
	kept := b.cookies(pendingPrefix)[0]
	var wg sync.WaitGroup
	var others []*browser
	for range 8 {
		other := s.browser(t)
		other.setCookie(kept.Name, kept.Value)
		others = append(others, other)
		wg.Go(func() { other.get(to) })
	}
	wg.Wait()
	in := 0
	for _, other := range others {
		if other.who() != "nobody" {
			in++
		}
	}
	if in != 1 || s.op.exchanges() != 1 {
		t.Errorf("%d sessions and %d exchanges from one callback", in, s.op.exchanges())
	}
}

func TestRefusalKeepsTheExistingSession(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	b.logIn()
	token := b.cookies(sessionName)[0].Value
	s.op.set(func(p *provider) { p.claims = func(c map[string]any) { c["nonce"] = "other" } })
	if r := b.get(s.op.approve(t, b.begin("/auth/login"))); r.StatusCode < 400 {
		t.Fatal("accepted")
	}
	if b.who() != "subject-hanako" || b.cookies(sessionName)[0].Value != token {
		t.Error("a refused login changed the session")
	}
}

func TestNotNavigations(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	for name, h := range map[string]http.Header{
		"image":    {"Sec-Fetch-Mode": {"no-cors"}, "Sec-Fetch-Dest": {"image"}},
		"frame":    {"Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"iframe"}},
		"script":   {"Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Dest": {"empty"}},
		"prefetch": {"Sec-Purpose": {"prefetch"}},
	} {
		if r := b.do(http.MethodGet, "/auth/login", nil, h.Clone()); r.StatusCode != http.StatusForbidden ||
			len(r.Cookies()) != 0 {
			t.Errorf("%s began a login: %d", name, r.StatusCode)
		}
		to := s.op.approve(t, b.begin("/auth/login"))
		if r := b.do(http.MethodGet, to, nil, h.Clone()); r.StatusCode != http.StatusForbidden {
			t.Errorf("%s used up a callback: %d", name, r.StatusCode)
		}
		if r := b.get(to); r.StatusCode != http.StatusSeeOther {
			t.Errorf("%s: the callback is gone: %d %v", name, r.StatusCode, s.lastError())
		}
	}
	if r := b.do(http.MethodPost, "/auth/login", url.Values{},
		http.Header{"Sec-Fetch-Site": {"cross-site"}}); r.StatusCode != http.StatusForbidden {
		t.Errorf("POST from another site: %d", r.StatusCode)
	}
	for _, m := range []string{http.MethodHead, http.MethodPost, http.MethodPut} {
		if r := b.do(m, "/auth/callback?code=x&state=y", nil, nil); r.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s callback: %d", m, r.StatusCode)
		}
	}
	if r := b.do(http.MethodDelete, "/auth/login", nil, nil); r.StatusCode != http.StatusMethodNotAllowed ||
		r.Header.Get("Allow") != "GET, POST" {
		t.Errorf("DELETE login: %d %q", r.StatusCode, r.Header.Get("Allow"))
	}
	if r := b.get("/auth/other"); r.StatusCode != http.StatusNotFound {
		t.Errorf("unknown path: %d", r.StatusCode)
	}
}

func TestRequireWithoutLogin(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	if r := b.post("/account"); r.StatusCode != http.StatusUnauthorized || r.Header.Get("WWW-Authenticate") == "" ||
		r.Header.Get("Retry") != "/auth/login" {
		t.Errorf("POST: %d %v", r.StatusCode, r.Header)
	}
	if !hasReason(s.lastError(), middleware.ReasonLoginRequired) {
		t.Error("no typed error")
	}
	script := http.Header{"Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Dest": {"empty"}}
	if r := b.do(http.MethodGet, "/account", nil, script); r.StatusCode != http.StatusUnauthorized ||
		r.Header.Get("Retry") != "/auth/login?return=%2Faccount" {
		t.Errorf("script: %d %v", r.StatusCode, r.Header)
	}
	if r := b.get("/account?" + strings.Repeat("x", 2000)); r.Header.Get("Location") != "/auth/login" {
		t.Errorf("a page with a long address leads to %q", r.Header.Get("Location"))
	}
}

func TestAgeGate(t *testing.T) {
	for birthdate, want := range map[string]struct {
		status int
		reason middleware.Reason
	}{
		"19880723": {http.StatusOK, 0},
		"20061101": {http.StatusOK, 0},                                  // twentieth birthday today
		"20061102": {http.StatusForbidden, middleware.ReasonTooYoung},   // tomorrow
		"20060000": {http.StatusForbidden, middleware.ReasonAgeUnknown}, // some day in 2006
		"":         {http.StatusForbidden, middleware.ReasonAgeUnknown}, // not granted
		"19880000": {http.StatusOK, 0},                                  // old enough on every day
		"rubbish":  {http.StatusForbidden, middleware.ReasonAgeUnknown}, // not readable
	} {
		s := newSite(t)
		noon := time.Date(2026, 11, 1, 12, 0, 0, 0, time.FixedZone("JST", 9*60*60))
		s.now.Store(&noon)
		s.op.set(func(p *provider) {
			if p.userinfo["birthdate"] = birthdate; birthdate == "" {
				delete(p.userinfo, "birthdate")
			}
		})
		b := s.browser(t)
		b.logIn()
		r := b.get("/bar")
		if r.StatusCode != want.status {
			t.Errorf("born %q: %d, want %d", birthdate, r.StatusCode, want.status)
		}
		if want.reason == 0 {
			continue
		}
		err := s.lastError()
		if !hasReason(err, want.reason) || kakunin.FamilyOf(err) != kakunin.Account {
			t.Errorf("born %q: %v", birthdate, err)
		}
		if retry := r.Header.Get("Retry"); (retry != "") != (want.reason == middleware.ReasonAgeUnknown) {
			t.Errorf("born %q: try again at %q", birthdate, retry)
		}
	}
}
