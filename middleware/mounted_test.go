package middleware_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/kakunin-go/kakunin/middleware"
)

// A router that mounts the application below a path and shows its handlers the whole path (chi's Mount, a group of
// echo's): pages come back as they were asked for, without the path twice.
func TestMountedWithoutStripping(t *testing.T) {
	s := newSite(t, func(c *middleware.Config) {
		c.Client = clientAt(t, c.Client, "https://shop.example/app/auth/callback")
	})
	mux := http.NewServeMux()
	mux.Handle("/app/auth/", s.login)
	page := s.login.RequireFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "page") })
	mux.Handle("/app", page)
	mux.Handle("/app/", page)
	s.Config.Handler = mux
	for asked, want := range map[string]string{
		"/app/account?tab=1": "/app/account?tab=1", "/app?x=1": "/app/?x=1", "/app/": "/app/",
		"/app/app/x":                      "/app/app/x",
		"/app/%E5%95%86?q=%2Fapp%2F;%25+": "/app/%E5%95%86?q=%2Fapp%2F;%25+",
	} {
		p := &proxied{t: t, site: s, cookies: map[string]*http.Cookie{}}
		r := p.get(asked)
		r = p.get(r.Header().Get("Location"))
		r = p.get(s.op.approve(t, r.Header().Get("Location")))
		if got := r.Header().Get("Location"); got != want {
			t.Errorf("%s: came back to %q, want %q, %v", asked, got, want, s.lastError())
		}
		if r = p.get(asked); r.Code != http.StatusOK || r.Body.String() != "page" {
			t.Errorf("%s: %d %q", asked, r.Code, r.Body)
		}
	}
}

// Addresses may be configured with capitals and with the port that the scheme has anyway; browsers write neither.
func TestHostsAsBrowsersWriteThem(t *testing.T) {
	for redirectURL, outside := range map[string]string{
		"https://Shop.Example/app/auth/callback":     "https://shop.example/app",
		"https://shop.example:443/app/auth/callback": "https://SHOP.example/app/",
		"https://SHOP.example:443/app/auth/callback": "",
		"https://shop.example/app/auth/callback":     "https://shop.example:443/app",
	} {
		s := newSite(t, func(c *middleware.Config) {
			c.Client, c.OutsideURL = clientAt(t, c.Client, redirectURL), outside
		})
		p := &proxied{t: t, site: s, strip: "/app", cookies: map[string]*http.Cookie{}}
		for origin, want := range map[string]int{
			"https://shop.example": http.StatusSeeOther, "https://evil.example": http.StatusForbidden,
			"http://shop.example": http.StatusForbidden, "https://shop.example:8443": http.StatusForbidden,
			"null": http.StatusForbidden,
		} {
			if r := p.post("/app/auth/logout", origin); r.Code != want {
				t.Errorf("%s, %s: a form of %s: %d, want %d", redirectURL, outside, origin, r.Code, want)
			}
		}
	}
	client := newSite(t, func(c *middleware.Config) {
		c.Client = clientAt(t, c.Client, "https://shop.example:8443/auth/callback")
	})
	p := &proxied{t: t, site: client, cookies: map[string]*http.Cookie{}}
	if r := p.post("/auth/logout", "https://shop.example"); r.Code != http.StatusForbidden {
		t.Errorf("another port is another origin: %d", r.Code)
	}
	if r := p.post("/auth/logout", "https://shop.example:8443"); r.Code != http.StatusSeeOther {
		t.Errorf("%d", r.Code)
	}
}
