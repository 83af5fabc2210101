package middleware_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/middleware"
)

// A browser sends the second of two equal requests when the first is answered, with the cookies of before, while it
// already follows the answer. It is refused as every replay is, but its page leads on; a moment later it does not.
func TestLateCallbackLeadsOn(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	to := s.op.approve(t, b.begin("/auth/login?return=/account"))
	kept := b.cookies(pendingPrefix)[0]
	if r := b.get(to); r.StatusCode != http.StatusSeeOther || b.who() != "subject-hanako" {
		t.Fatalf("%d, %v", r.StatusCode, s.lastError())
	}
	late := s.browser(t)
	for _, c := range []struct {
		after time.Duration
		leads string
	}{{time.Second, "0; url=/account"}, {2 * time.Second, ""}, {0, ""}} {
		s.later(c.after)
		late.setCookie(kept.Name, kept.Value)
		r := late.get(to)
		if r.StatusCode != http.StatusBadRequest || !hasReason(s.lastError(), middleware.ReasonReplayed) ||
			r.Header.Get("Refresh") != c.leads {
			t.Errorf("%d, %v, leads to %q, want %q", r.StatusCode, s.lastError(), r.Header.Get("Refresh"), c.leads)
		}
	}
	if late.who() != "nobody" || s.op.exchanges() != 1 {
		t.Errorf("a session for %s, %d exchanges", late.who(), s.op.exchanges())
	}
	if b.who() != "subject-hanako" {
		t.Error("the session is gone")
	}
}
