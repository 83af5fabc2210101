package middleware_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/middleware"
)

func checkCookie(t *testing.T, c *http.Cookie) {
	t.Helper()
	if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
		t.Errorf("cookie attributes: %s", c.Raw)
	}
	if len(c.Name)+len(c.Value) > 4096 {
		t.Errorf("cookie of %d bytes", len(c.Name)+len(c.Value))
	}
}

func TestLargestPendingLoginFitsIntoACookie(t *testing.T) {
	s := newSite(t)
	longest := "/" + strings.Repeat(`"`, 1023)
	for target, form := range map[string]url.Values{
		"/auth/login?return=" + url.QueryEscape(longest): nil,
		"/auth/login": {"return": {longest}},
	} {
		b := s.browser(t)
		method := http.MethodGet
		if form != nil {
			method = http.MethodPost
		}
		r := b.do(method, target, form, nil)
		if len(r.Cookies()) != 1 {
			t.Fatalf("%s: %d, %v", method, r.StatusCode, s.lastError())
		}
		checkCookie(t, r.Cookies()[0])
		if r = b.get(s.op.approve(t, r.Header.Get("Location"))); r.Header.Get("Location") != longest {
			t.Errorf("%s: came back to %q", method, r.Header.Get("Location"))
		}
	}
}

// The page to return to is the visitor's text: whatever it is made of, it takes no more room than it has characters.
func TestPageOfSeparatorsFits(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	page := "/?" + strings.Repeat("&", 1000)
	r := b.get("/auth/login?return=" + url.QueryEscape(page))
	if r.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d, %v", r.StatusCode, s.lastError())
	}
	checkCookie(t, r.Cookies()[0])
	if r = b.get(s.op.approve(t, r.Header.Get("Location"))); r.Header.Get("Location") != page ||
		b.who() != "subject-hanako" {
		t.Errorf("came back to %q, %v", r.Header.Get("Location"), s.lastError())
	}
}

// Common proxies read an upstream's header into one page of 4 KiB and answer 502 when it is larger.
func TestHeaderOfLoginIsBounded(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	longest := "/auth/login?return=" + url.QueryEscape("/"+strings.Repeat(`"`, 1023))
	for i := range 40 {
		b.setCookie(pendingPrefix+strings.Repeat("x", i+1), "rubbish")
	}
	for i := range 12 {
		r := b.get(longest)
		size := len("HTTP/1.1 303 See Other\r\n\r\n")
		for name, values := range r.Header {
			for _, v := range values {
				size += len(name) + len(v) + len(": \r\n")
			}
		}
		if r.StatusCode != http.StatusSeeOther || size > 4096 {
			t.Fatalf("login %d: %d, a header of %d bytes", i, r.StatusCode, size)
		}
	}
	if n := len(b.cookies(pendingPrefix)); n > 5 {
		t.Errorf("%d cookies left", n)
	}
}

// Another site can link to the login with long pages to return to. Servers refuse requests with too long a Cookie line,
// and the person would be locked out until the cookies expire.
func TestLinksDoNotFillTheCookieLine(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	s.later(0)
	var last string
	for range 8 {
		last = b.begin("/auth/login?return=/" + strings.Repeat("a", 1000))
		s.later(time.Second)
		size := 0
		for _, c := range b.cookies(pendingPrefix) {
			size += len(c.Name) + len(c.Value)
		}
		if size > 6<<10 {
			t.Fatalf("%d bytes of pending logins in one browser", size)
		}
	}
	if r := b.get(s.op.approve(t, last)); r.StatusCode != http.StatusSeeOther {
		t.Errorf("the newest login: %d, %v", r.StatusCode, s.lastError())
	}
}

func TestSixthPendingLoginDropsTheOldest(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	s.later(0)
	var urls []string
	for range 6 {
		urls = append(urls, b.begin("/auth/login"))
		s.later(time.Second)
		if n := len(b.cookies(pendingPrefix)); n > 5 {
			t.Fatalf("%d pending logins in one browser", n)
		}
	}
	if r := b.get(s.op.approve(t, urls[0])); r.StatusCode != http.StatusBadRequest ||
		!hasReason(s.lastError(), middleware.ReasonLostLogin) {
		t.Errorf("the oldest still works: %d", r.StatusCode)
	}
	for i, u := range urls[1:] {
		if r := b.get(s.op.approve(t, u)); r.StatusCode != http.StatusSeeOther {
			t.Errorf("login %d: %d, %v", i+2, r.StatusCode, s.lastError())
		}
	}
}

func TestRubbishCookiesAreSweptOut(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	for i := range 40 {
		b.setCookie(pendingPrefix+strings.Repeat("x", i+1), "rubbish")
	}
	// The answer's header is bounded: what does not fit into the first one goes with the next.
	for range 3 {
		b.begin("/auth/login")
	}
	if n := len(b.cookies(pendingPrefix)); n != 3 {
		t.Errorf("%d cookies left, want the new ones only", n)
	}
}
