package middleware_test

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
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
	for i := range 100_000 {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/auth/callback?code=x&state=foreign-"+strconv.Itoa(i), nil)
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
	for _, h := range []http.Header{nil, {"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}}} {
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
	if r := b.get(to); r.StatusCode != http.StatusBadRequest || s.signatures() != 1 {
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
