package middleware_test

import (
	"net/http"
	"net/url"
	"testing"
)

// Two tabs of one browser begin a login each. A callback made of the state of one and the code of the other gives no
// session and uses up only the login whose state it has; the other tab finishes as if nothing had happened.
func TestStateFromAnotherTab(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	first := s.op.approve(t, b.begin("/auth/login?return=/first"))
	second := s.op.approve(t, b.begin("/auth/login?return=/second"))
	mixed, err := url.Parse(first)
	if err != nil {
		t.Fatal(err)
	}
	other, err := url.Parse(second)
	if err != nil {
		t.Fatal(err)
	}
	q := mixed.Query()
	q.Set("code", s.op.copyCode(other.Query().Get("code")))
	mixed.RawQuery = q.Encode()
	if r := b.get(mixed.String()); r.StatusCode < 400 || b.who() != "nobody" {
		t.Fatalf("%d, logged in as %s", r.StatusCode, b.who())
	}
	if r := b.get(first); r.StatusCode < 400 || b.who() != "nobody" {
		t.Errorf("a state was used twice: %d", r.StatusCode)
	}
	if r := b.get(second); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/second" ||
		b.who() == "nobody" {
		t.Errorf("the other tab: %d %q, %v", r.StatusCode, r.Header.Get("Location"), s.lastError())
	}
}

// copyCode makes a second code for the same authorization, as if the first one had not been used.
func (p *provider) copyCode(code string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.codes[code+"-copy"] = p.codes[code]
	return code + "-copy"
}
