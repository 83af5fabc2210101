package middleware_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/middleware"
)

// TestRefusals goes through what can be wrong with a callback. Nothing of it gives a session.
func TestRefusals(t *testing.T) {
	foreign, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	claim := func(name string, value any) func(*testing.T, *site, *browser) string {
		return func(t *testing.T, s *site, b *browser) string {
			s.op.set(func(p *provider) { p.claims = func(c map[string]any) { c[name] = value } })
			return s.op.approve(t, b.begin("/auth/login"))
		}
	}
	tests := map[string]struct {
		callback func(*testing.T, *site, *browser) string
		family   kakunin.Family
		reason   middleware.Reason // ReasonUnknown: an error of authn
		asked    int               // times that a code was redeemed
	}{
		"wrong nonce":    {claim("nonce", "other"), kakunin.Untrusted, 0, 1},
		"wrong audience": {claim("aud", "RP99999999"), kakunin.Untrusted, 0, 1},
		"wrong issuer":   {claim("iss", "https://evil.example"), kakunin.Untrusted, 0, 1},
		"expired":        {claim("exp", 1000), kakunin.Untrusted, 0, 1},
		"no subject":     {claim("sub", ""), kakunin.Untrusted, 0, 1},
		"foreign key": {func(t *testing.T, s *site, b *browser) string {
			s.op.set(func(p *provider) { p.signWith = foreign })
			return s.op.approve(t, b.begin("/auth/login"))
		}, kakunin.Untrusted, 0, 1},
		"code of another login": {func(t *testing.T, s *site, b *browser) string {
			mine, theirs := s.op.approve(t, b.begin("/auth/login")), s.op.approve(t, s.browser(t).begin("/auth/login"))
			u, _ := url.Parse(mine)
			v, _ := url.Parse(theirs)
			q := u.Query()
			q.Set("code", v.Query().Get("code"))
			u.RawQuery = q.Encode()
			return u.String()
		}, 0, 0, 1},
		"cancelled": {func(t *testing.T, s *site, b *browser) string {
			u, _ := url.Parse(b.begin("/auth/login"))
			return "/auth/callback?error=access_denied&state=" + url.QueryEscape(u.Query().Get("state"))
		}, kakunin.User, 0, 0},
		"state of another browser": {func(t *testing.T, s *site, _ *browser) string {
			return s.op.approve(t, s.browser(t).begin("/auth/login"))
		}, kakunin.User, middleware.ReasonLostLogin, 0},
		"state made up": {func(*testing.T, *site, *browser) string {
			return "/auth/callback?code=x&state=made-up"
		}, kakunin.User, middleware.ReasonLostLogin, 0},
		"no state": {func(*testing.T, *site, *browser) string {
			return "/auth/callback?code=x"
		}, kakunin.Untrusted, middleware.ReasonCallback, 0},
		"two states": {func(t *testing.T, s *site, b *browser) string {
			return s.op.approve(t, b.begin("/auth/login")) + "&state=other"
		}, kakunin.Untrusted, middleware.ReasonCallback, 0},
		"malformed query": {func(t *testing.T, s *site, b *browser) string {
			return strings.Replace(s.op.approve(t, b.begin("/auth/login")), "code=", "code=%zz", 1)
		}, kakunin.Untrusted, middleware.ReasonCallback, 0},
		"oversized query": {func(t *testing.T, s *site, b *browser) string {
			return s.op.approve(t, b.begin("/auth/login")) + "&x=" + strings.Repeat("y", 9000)
		}, kakunin.Untrusted, middleware.ReasonCallback, 0},
		"tampered cookie": {func(t *testing.T, s *site, b *browser) string {
			to := s.op.approve(t, b.begin("/auth/login"))
			c := b.cookies(pendingPrefix)[0]
			flipped := []byte(c.Value)
			if flipped[40] != 'A' {
				flipped[40] = 'A'
			} else {
				flipped[40] = 'B'
			}
			b.setCookie(c.Name, string(flipped))
			return to
		}, kakunin.Untrusted, middleware.ReasonTampered, 0},
		"cookies swapped between two logins": {func(t *testing.T, s *site, b *browser) string {
			to := s.op.approve(t, b.begin("/auth/login"))
			b.begin("/auth/login?return=/account")
			c := b.cookies(pendingPrefix)
			b.setCookie(c[0].Name, c[1].Value)
			b.setCookie(c[1].Name, c[0].Value)
			return to
		}, kakunin.Untrusted, middleware.ReasonTampered, 0},
		"sealed under another key": {func(t *testing.T, s *site, b *browser) string {
			other := newSite(t)
			ob := other.browser(t)
			ob.begin("/auth/login")
			to := s.op.approve(t, b.begin("/auth/login"))
			b.setCookie(b.cookies(pendingPrefix)[0].Name, ob.cookies(pendingPrefix)[0].Value)
			return to
		}, kakunin.Untrusted, middleware.ReasonTampered, 0},
		"pending login expired": {func(t *testing.T, s *site, b *browser) string {
			s.later(0)
			to := s.op.approve(t, b.begin("/auth/login"))
			s.later(15*time.Minute + time.Second)
			return to
		}, kakunin.User, middleware.ReasonExpired, 0},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.browser(t)
			to := c.callback(t, s, b)
			r := b.get(to)
			err := s.lastError()
			if r.StatusCode < 400 || err == nil {
				t.Fatalf("accepted: %d, %v", r.StatusCode, err)
			}
			if c.family != 0 && kakunin.FamilyOf(err) != c.family {
				t.Errorf("family %v, want %v (%v)", kakunin.FamilyOf(err), c.family, err)
			}
			if c.reason != 0 && !hasReason(err, c.reason) {
				t.Errorf("error %v, want reason %v", err, c.reason)
			}
			if got := s.op.exchanges(); got != c.asked {
				t.Errorf("%d codes redeemed, want %d", got, c.asked)
			}
			if who := b.who(); who != "nobody" || len(b.cookies(sessionName)) != 0 {
				t.Errorf("a session for %s came out of it", who)
			}
			checkNothingLeaks(t, to, err.Error()+s.log.String())
		})
	}
}

// checkNothingLeaks: neither code nor state of the callback is in the text.
func checkNothingLeaks(t *testing.T, callback, text string) {
	t.Helper()
	u, err := url.Parse(callback)
	if err != nil {
		return
	}
	for _, key := range []string{"code", "state"} {
		if v := u.Query().Get(key); len(v) > 8 && strings.Contains(text, v) {
			t.Errorf("%s of the callback is in the log or the error:\n%s", key, text)
		}
	}
}
