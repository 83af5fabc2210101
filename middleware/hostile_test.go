package middleware_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/tests"
	"github.com/kakunin-go/kakunin/middleware"
)

// Twenty tabs of one browser: the last five logins can be finished, in any order, and no request grows beyond what
// servers take.
func TestTwentyTabs(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	s.later(0)
	var to []string
	for i := range 20 {
		to = append(to, s.op.approve(t, b.begin("/auth/login?return=/tab/"+strconv.Itoa(i))))
		s.later(time.Second)
	}
	size := 0
	for _, c := range b.cookies("") {
		size += len(c.Name) + len(c.Value) + len("; =")
	}
	if size > 8<<10 {
		t.Errorf("a Cookie line of %d bytes", size)
	}
	for i := len(to) - 1; i >= 0; i-- {
		r := b.get(to[i])
		if live := i >= len(to)-5; (r.StatusCode == http.StatusSeeOther) != live {
			t.Errorf("tab %d: %d, %v", i, r.StatusCode, s.lastError())
		}
	}
	if b.who() != "subject-hanako" {
		t.Error("not logged in")
	}
}

// A hundred thousand callbacks of nobody: they ask nothing of the service, fill no memory, and nobody is shut out.
func TestFloodOfForeignCallbacks(t *testing.T) {
	s := newSite(t, func(c *middleware.Config) {
		c.OnError = func(w http.ResponseWriter, _ *http.Request, err error) { w.WriteHeader(middleware.StatusOf(err)) }
		c.Logger = nil
	})
	b := s.browser(t)
	b.get("/?put=apples")
	honest := s.op.approve(t, b.begin("/auth/login"))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	w := httptest.NewRecorder()
	for i := range tests.Size(20_000, 100_000) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet,
			"/auth/callback?code=x&state=foreign-"+strconv.Itoa(i), nil)
		if w = httptest.NewRecorder(); i%2 == 0 {
			r.AddCookie(&http.Cookie{Name: pendingPrefix + "AAAAAAAAAAAAAAAA", Value: "forged"})
		}
		s.login.ServeHTTP(w, r)
		if i%1000 == 0 {
			s.lastError() // what the test keeps is not what is measured
		}
	}
	s.lastError()
	runtime.GC()
	runtime.ReadMemStats(&after)
	if w.Code != http.StatusBadRequest || s.op.exchanges() != 0 {
		t.Errorf("%d, %d codes redeemed", w.Code, s.op.exchanges())
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("%d bytes more in use", grown)
	}
	if r := b.get(honest); r.StatusCode != http.StatusSeeOther || b.get("/").body != "subject-hanako cart=apples" {
		t.Errorf("afterwards: %d, %v", r.StatusCode, s.lastError())
	}
}

// Login CSRF: the attacker's own finished login, pushed onto somebody's browser, logs nobody in.
func TestLoginCSRF(t *testing.T) {
	s := newSite(t)
	attacker, victim := s.browser(t), s.browser(t)
	victim.get("/?put=apples")
	to := s.op.approve(t, attacker.begin("/auth/login"))
	for _, h := range []http.Header{nil, {"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"},
		"Sec-Fetch-Dest": {"document"}}} {
		r := victim.do(http.MethodGet, to, nil, h)
		if r.StatusCode != http.StatusBadRequest || !hasReason(s.lastError(), middleware.ReasonLostLogin) {
			t.Errorf("%d", r.StatusCode)
		}
	}
	if got := victim.get("/").body; got != "nobody cart=apples" || s.op.exchanges() != 0 {
		t.Errorf("%q, %d codes redeemed", got, s.op.exchanges())
	}
	// The attacker's login was not used up by it.
	if r := attacker.get(to); r.StatusCode != http.StatusSeeOther {
		t.Errorf("%d", r.StatusCode)
	}
}

// The seal keys are rotated while somebody is at the service.
func TestSealKeysRotatedMidLogin(t *testing.T) {
	old, fresh := middleware.NewSealKeys(), middleware.NewSealKeys()
	var config middleware.Config
	s := newSite(t, func(c *middleware.Config) { c.SealKeys = old; config = *c })
	for name, c := range map[string]struct {
		keys   middleware.SealKeys
		ok     bool
		family kakunin.Family
	}{
		"the new key in front": {append(append(middleware.SealKeys{}, fresh...), old...), true, 0},
		"the old key is gone":  {fresh, false, kakunin.Untrusted},
	} {
		b := s.browser(t)
		to := s.op.approve(t, b.begin("/auth/login"))
		var failed error
		after := config
		after.SealKeys = c.keys
		after.OnError = func(w http.ResponseWriter, _ *http.Request, err error) {
			failed = err
			w.WriteHeader(middleware.StatusOf(err))
		}
		restarted, err := middleware.New(after)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, to, nil)
		for _, cookie := range b.cookies(pendingPrefix) {
			r.AddCookie(cookie)
		}
		w := httptest.NewRecorder()
		restarted.ServeHTTP(w, r)
		if (w.Code == http.StatusSeeOther) != c.ok || kakunin.FamilyOf(failed) != c.family {
			t.Errorf("%s: %d, %v", name, w.Code, failed)
		}
	}
}

// Two cookies of one pending login come from somewhere else than this browser: neither is taken, whichever is first.
func TestPendingCookieTwice(t *testing.T) {
	s := newSite(t)
	for name, mix := range map[string]func(own, forged *http.Cookie) []*http.Cookie{
		"the own one alone":  func(own, _ *http.Cookie) []*http.Cookie { return []*http.Cookie{own} },
		"the own one first":  func(own, forged *http.Cookie) []*http.Cookie { return []*http.Cookie{own, forged} },
		"the own one second": func(own, forged *http.Cookie) []*http.Cookie { return []*http.Cookie{forged, own} },
		"the own one twice":  func(own, _ *http.Cookie) []*http.Cookie { return []*http.Cookie{own, own} },
		"none":               func(_, _ *http.Cookie) []*http.Cookie { return nil },
	} {
		b := s.browser(t)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, s.op.approve(t, b.begin("/auth/login")), nil)
		own := b.cookies(pendingPrefix)
		if len(own) != 1 {
			t.Fatalf("%d pending logins", len(own))
		}
		cookies := mix(own[0], &http.Cookie{Name: own[0].Name, Value: "forged"})
		for _, cookie := range cookies {
			r.AddCookie(cookie)
		}
		w := httptest.NewRecorder()
		s.login.ServeHTTP(w, r)
		if len(cookies) == 1 {
			if w.Code != http.StatusSeeOther {
				t.Errorf("%s: %d", name, w.Code)
			}
			continue
		}
		deleted := false // what is there and will not do goes, and nothing else is set
		for _, c := range w.Result().Cookies() {
			deleted = deleted || c.Name == own[0].Name && c.MaxAge < 0
		}
		if deleted != (len(cookies) > 0) {
			t.Errorf("%s: deleted %v", name, deleted)
		}
		want := map[bool]middleware.Reason{true: middleware.ReasonTampered,
			false: middleware.ReasonLostLogin}[len(cookies) > 0]
		var e *middleware.Error
		if err := s.lastError(); w.Code == http.StatusSeeOther || !errors.As(err, &e) || e.Reason != want {
			t.Errorf("%s: %d, %v", name, w.Code, err)
		}
	}
}

// A form that is sent twice begins two signatures; each ends by itself, and neither is handed over twice.
func TestSignFormSentTwice(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	b.logIn()
	first, second := s.op.approve(t, b.beginSign()), s.op.approve(t, b.beginSign())
	for _, to := range []string{second, first, second, first} {
		b.get(to)
	}
	if n := s.signatures(); n != 2 {
		t.Errorf("%d signatures handed over", n)
	}
}

// The person goes away while the signature's result is fetched, and comes back: it is handed over, once.
func TestAbortedSignature(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	b.logIn()
	entered, release := slowOP(s)
	noticed := s.watchGone()
	to := s.op.approve(t, b.beginSign())
	b.giveUp(to, entered, noticed)
	close(release)
	if r := b.get(to); r.StatusCode != http.StatusOK || r.body != "signed by subject-hanako" {
		t.Errorf("%d %q, %v", r.StatusCode, r.body, s.lastError())
	}
	if r := b.get(to); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/contract?id=7" ||
		s.signatures() != 1 {
		t.Errorf("once more: %d, %d signatures", r.StatusCode, s.signatures())
	}
	// Somebody else who logs in meanwhile does not get it.
	entered, release = slowOP(s)
	to = s.op.approve(t, b.beginSign())
	b.giveUp(to, entered, noticed)
	s.op.set(func(p *provider) { p.hold, p.subject = nil, "subject-taro" })
	close(release)
	b.post("/auth/logout")
	b.logIn()
	if r := b.get(to); r.StatusCode < 400 || s.signatures() != 1 {
		t.Errorf("handed to somebody else: %d", r.StatusCode)
	}
}

// The service is down when the browser comes back: the page says so and offers to begin again, nobody is logged in, who
// is logged in already goes on, and afterwards it works.
func TestServiceDown(t *testing.T) {
	s := newSite(t)
	logged := s.browser(t)
	logged.logIn()
	b := s.browser(t)
	to := s.op.approve(t, b.begin("/auth/login?return=/account"))
	handler := s.op.Config.Handler
	s.op.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "<html>bad gateway of 10.0.0.7</html>")
	})
	r := b.get(to)
	err := s.lastError()
	if r.StatusCode != http.StatusServiceUnavailable || kakunin.FamilyOf(err) != kakunin.Unavailable ||
		r.Header.Get("Retry") != "/auth/login?return=%2Faccount" || strings.Contains(err.Error(), "10.0.0.7") {
		t.Fatalf("%d, %v, try again at %q", r.StatusCode, err, r.Header.Get("Retry"))
	}
	if b.who() != "nobody" || logged.who() != "subject-hanako" {
		t.Errorf("%s, %s", b.who(), logged.who())
	}
	s.op.Config.Handler = handler
	r = b.get(s.op.approve(t, b.begin(r.Header.Get("Retry"))))
	if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/account" || b.who() != "subject-hanako" {
		t.Errorf("afterwards: %d, %v", r.StatusCode, s.lastError())
	}
}

// Clients that send a callback slower than its browser does hold nobody up, use nothing up, and get nothing.
func TestSlowClients(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	to := s.op.approve(t, b.begin("/auth/login?return=/account"))
	kept := b.cookies(pendingPrefix)[0]
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	transport, ok := s.Client().Transport.(*http.Transport)
	if !ok {
		t.Fatal("another transport")
	}
	slow := make([]net.Conn, 50)
	for i := range slow {
		dialer := tls.Dialer{Config: &tls.Config{RootCAs: transport.TLSClientConfig.RootCAs, ServerName: "example.com"}}
		if slow[i], err = dialer.DialContext(t.Context(), "tcp", u.Host); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = slow[i].Close() })
		_, err = fmt.Fprintf(slow[i], "GET %s HTTP/1.1\r\nHost: %s\r\nCookie: %s=%s\r\nConnection: close\r\n",
			u.RequestURI(), u.Host, kept.Name, kept.Value)
		if err != nil {
			t.Fatal(err)
		}
	}
	if r := b.get(to); r.StatusCode != http.StatusSeeOther || b.who() != "subject-hanako" {
		t.Fatalf("%d, %v", r.StatusCode, s.lastError())
	}
	for _, c := range slow {
		if _, err := io.WriteString(c, "\r\n"); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(c)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400") ||
			strings.Contains(string(answer), sessionName) {
			t.Errorf("%v, %.60q", err, answer)
		}
	}
	if s.op.exchanges() != 1 {
		t.Errorf("%d codes redeemed", s.op.exchanges())
	}
}
