package middleware_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/middleware"
)

// The callback again in a browser that is logged in: reload, back button, a browser that sends the request twice.
func TestCallbackAgainInTheSameBrowser(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	first := s.op.approve(t, b.begin("/auth/login?return=/account"))
	b.get(first)
	for range 3 {
		if r := b.get(first); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/account" {
			t.Fatalf("%d to %q, %v", r.StatusCode, r.Header.Get("Location"), s.lastError())
		}
	}
	// Another tab logged in meanwhile.
	second := s.op.approve(t, b.begin("/auth/login?return=/bar"))
	b.get(second)
	for to, want := range map[string]string{first: "/account", second: "/bar"} {
		if r := b.get(to); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != want {
			t.Errorf("%d to %q, want %q", r.StatusCode, r.Header.Get("Location"), want)
		}
	}
	if s.op.exchanges() != 2 {
		t.Errorf("%d codes redeemed", s.op.exchanges())
	}
	// After logging out the same address is worth nothing.
	b.post("/auth/logout")
	if r := b.get(second); r.StatusCode != http.StatusBadRequest ||
		!hasReason(s.lastError(), middleware.ReasonReplayed) || b.who() != "nobody" {
		t.Errorf("after the logout: %d, %s", r.StatusCode, b.who())
	}
	// Nor is it in the session of somebody else.
	s.op.set(func(p *provider) { p.subject = "subject-taro" })
	b.logIn()
	if r := b.get(first); r.StatusCode != http.StatusBadRequest || b.who() != "subject-taro" {
		t.Errorf("in another person's session: %d, %s", r.StatusCode, b.who())
	}
}

// Browsers that load a page ahead use nothing up, under whatever name they announce it.
func TestLoadingAheadUsesNothingUp(t *testing.T) {
	s := newSite(t)
	for _, h := range []http.Header{
		{"Purpose": {"prefetch"}}, {"Purpose": {"Prefetch"}}, {"Purpose": {"preview"}}, {"X-Purpose": {"preview"}},
		{"X-Purpose": {"prefetch"}},
		{"X-Moz": {"prefetch"}}, {"X-Moz": {"Prefetch"}}, {"Sec-Purpose": {"prefetch"}},
		{"Sec-Purpose": {"prefetch;prerender"}},
		{"Sec-Purpose": {"prefetch;anonymous-client-ip"}}, {"Sec-Purpose": {"prerender"}},
		{"Sec-Purpose": {"other", "prefetch"}},
	} {
		b := s.browser(t)
		to := s.op.approve(t, b.begin("/auth/login"))
		if r := b.do(http.MethodGet, to, nil, h.Clone()); r.StatusCode != http.StatusForbidden ||
			len(r.Cookies()) != 0 {
			t.Errorf("%v: %d, %v", h, r.StatusCode, r.Cookies())
		}
		// Nobody did anything wrong: no alarm.
		if err := s.lastError(); !hasReason(err, middleware.ReasonPreview) || kakunin.FamilyOf(err) != kakunin.User {
			t.Errorf("%v: %v", h, err)
		}
		if r := b.get(to); r.StatusCode != http.StatusSeeOther || b.who() != "subject-hanako" {
			t.Errorf("%v: afterwards %d, %v", h, r.StatusCode, s.lastError())
		}
	}
}

// What nobody reads cannot make a callback malformed.
func TestOddCallbacks(t *testing.T) {
	for name, c := range map[string]struct {
		query  string // STATE and CODE are put in
		ok     bool
		family kakunin.Family
	}{
		"semicolon in a description": {"error=access_denied&error_description=stopped;by&state=STATE", false,
			kakunin.User},
		"percent in a description": {"error=access_denied&error_description=100%&state=STATE", false,
			kakunin.User},
		"bad escape in error_uri":           {"error=access_denied&error_uri=%zz&state=STATE", false, kakunin.User},
		"unknown parameters of a refusal":   {"a=%&b=;&=&&error=access_denied&state=STATE&c", false, kakunin.User},
		"semicolon in an unknown parameter": {"code=CODE&state=STATE&x=a;b", true, 0},
		"percent in an unknown parameter":   {"code=CODE&state=STATE&x=50%", true, 0},
		"an unknown parameter twice":        {"code=CODE&x=1&x=2&state=STATE", true, 0},
		"an unreadable name":                {"code=CODE&%zz=1&state=STATE&%", true, 0},
		"raw characters beyond ASCII":       {"code=CODE&state=STATE&utm=検索", true, 0},
		"an empty error beside a code":      {"code=CODE&state=STATE&error=&error_description=", true, 0},
		"an empty code beside a refusal":    {"code=&state=STATE&error=access_denied", false, kakunin.User},
		"two descriptions": {"error=access_denied&error_description=a&error_description=b&state=STATE",
			false, kakunin.User},
		"two addresses about the error": {"error=access_denied&error_uri=a&error_uri=b&state=STATE", false,
			kakunin.User},
		"a name written with escapes":   {"%63ode=CODE&%73tate=STATE", true, 0},
		"names in capitals beside ours": {"CODE=x&State=y&ERROR=access_denied&code=CODE&state=STATE", true, 0},
		"many unknown parameters":       {strings.Repeat("utm_x=1&", 400) + "code=CODE&state=STATE", true, 0},
		"a description in Shift_JIS": {"error=access_denied&error_description=%83L%83%83&state=STATE", false,
			kakunin.User},
		"an unknown parameter that is null": {"code=CODE&state=STATE&session_state=&x=%00", true, 0},
		"what a script put behind it":       {"code=CODE&state=STATE&#_=_", true, 0},
		"trailing separators":               {"&code=CODE&&state=STATE&", true, 0},
	} {
		s := newSite(t)
		b := s.browser(t)
		u, err := url.Parse(s.op.approve(t, b.begin("/auth/login")))
		if err != nil {
			t.Fatal(err)
		}
		q := strings.NewReplacer("STATE", url.QueryEscape(u.Query().Get("state")), "CODE",
			url.QueryEscape(u.Query().Get("code"))).Replace(c.query)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/auth/callback", nil)
		r.URL.RawQuery = q
		for _, cookie := range b.cookies(pendingPrefix) {
			r.AddCookie(cookie)
		}
		w := httptest.NewRecorder()
		s.login.ServeHTTP(w, r)
		err = s.lastError()
		if c.ok != (w.Code == http.StatusSeeOther) || kakunin.FamilyOf(err) != c.family {
			t.Errorf("%s: %d, %v", name, w.Code, err)
		}
	}
}

// Malformed input uses nothing up: the right callback still works afterwards.
func TestMalformedCallbacksUseNothingUp(t *testing.T) {
	s := newSite(t)
	for _, bad := range []string{
		"code=%zz&state=STATE", "code=a&code=b&state=STATE", "state=STATE", "code=&state=STATE",
		"code=a&state=STATE&state=STATE",
		"error=a&error=b&state=STATE", "code=a&state=%", "iss=%zz&code=a&state=STATE",
		"error=&state=STATE", "error=&code=&state=STATE", "error=a&error=a&state=STATE",
		"code=a&iss=x&iss=x&state=STATE",
		"CODE=a&STATE=STATE", "code=a&state=", "code=a",
		"code=a&state=STATE&x=" + strings.Repeat("y", 9000),
	} {
		b := s.browser(t)
		to := s.op.approve(t, b.begin("/auth/login"))
		u, err := url.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		r := b.get("/auth/callback?" + strings.ReplaceAll(bad, "STATE", url.QueryEscape(u.Query().Get("state"))))
		if r.StatusCode != http.StatusBadRequest || !hasReason(s.lastError(), middleware.ReasonCallback) {
			t.Errorf("%.40s: %d", bad, r.StatusCode)
		}
		if r := b.get(to); r.StatusCode != http.StatusSeeOther {
			t.Errorf("after %.40s: %d, %v", bad, r.StatusCode, s.lastError())
		}
	}
}

// Pages to return to come back as browsers write them.
func TestPagesToReturnTo(t *testing.T) {
	s := newSite(t)
	for wanted, want := range map[string]string{
		"/商品/1": "/%E5%95%86%E5%93%81/1", "/検索?q=日本 酒": "/%E6%A4%9C%E7%B4%A2?q=%E6%97%A5%E6%9C%AC%20%E9%85%92",
		"/a+b": "/a+b", "/a b": "/a%20b", "/a?b=c?d&e=f+g": "/a?b=c?d&e=f+g", "/%E5%95%86": "/%E5%95%86",
		"/a%2Bb?c=%26": "/a%2Bb?c=%26",
		`/検索?q=C:\試`:   "/%E6%A4%9C%E7%B4%A2?q=C:%5C%E8%A9%A6", "/a?q=100%&r=;": "/a?q=100%&r=;",
		"/a?x=1#節": "/a?x=1#%E7%AF%80", `/a;v=1,2/~b@c:d!$'()*="|^{}[]`: `/a;v=1,2/~b@c:d!$'()*="|^{}[]`,
		"/a?b=//evil.example/../": "/a?b=//evil.example/../", "/a/?": "/a/?", "/..a/b..": "/..a/b..",
		"/😀":               "/%F0%9F%98%80",
		"/auth/callback#x": "/", "/auth/login#/a": "/", "/#/route?x=1": "/#/route?x=1",
		"/ＡＢ　Ｃ":             "/%EF%BC%A1%EF%BC%A2%E3%80%80%EF%BC%A3",
		"/a?b=<script>":     "/a?b=<script>",
		"/shop//item?x=1#y": "/shop//item?x=1#y", "/web/https://example.com/": "/web/https://example.com/",
		s.URL + "/account?tab=1": "/account?tab=1", strings.ToUpper(s.URL) + "/商品": "/%E5%95%86%E5%93%81",
		s.URL + "/": "/", s.URL: "/", s.URL + "0/x": "/", s.URL + "@evil.example/": "/", s.URL + ".evil.example/": "/",
		s.URL + "//evil.example/": "/", s.URL + `/\evil.example/`: "/", s.URL + "/auth/logout": "/",
		"http" + strings.TrimPrefix(s.URL, "https") + "/x": "/", s.URL + "/a/../b": "/",
		s.URL + "/%2fevil.example": "/",
		s.URL + s.URL + "/x":       "/", "/auth//callback": "/", "/" + s.URL: "/" + s.URL,
	} {
		b := s.browser(t)
		for _, begin := range []func() response{
			func() response { return b.get("/auth/login?return=" + url.QueryEscape(wanted)) },
			func() response { return b.do(http.MethodPost, "/auth/login", url.Values{"return": {wanted}}, nil) },
		} {
			r := b.get(s.op.approve(t, begin().Header.Get("Location")))
			if got := r.Header.Get("Location"); got != want {
				t.Errorf("%s: came back to %q, want %q", wanted, got, want)
			}
		}
	}
	// Links that somebody wrote by hand, with what net/url would drop.
	for link, want := range map[string]string{
		"?return=/a;v=1": "/a;v=1", "?return=/a?q=100%": "/a?q=100%", "?x=a;b&return=/a": "/a", "?%zz&return=/b": "/b",
		"?return=/a&return=/b": "/a", "?return=": "/", "?return": "/", "?Return=/a": "/", "?return=/%zz": "/",
		"?return=%2F%2Fevil.example": "/", "?return=//evil.example;": "/", "?return=/a%;//evil": "/",
		"?return=/商品": "/%E5%95%86%E5%93%81",
	} {
		b := s.browser(t)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/auth/login", nil)
		r.URL.RawQuery = link[1:]
		w := httptest.NewRecorder()
		s.login.ServeHTTP(w, r)
		for _, c := range w.Result().Cookies() {
			b.setCookie(c.Name, c.Value)
		}
		if got := b.get(s.op.approve(t, w.Header().Get("Location"))).Header.Get("Location"); got != want {
			t.Errorf("%s: came back to %q, want %q", link, got, want)
		}
	}
	// A link that somebody wrote by hand: + is a space in a query, and stays one.
	b := s.browser(t)
	r := b.get(s.op.approve(t, b.begin("/auth/login?return=/search?q=a+b")))
	if got, _ := url.Parse(r.Header.Get("Location")); got == nil || got.Query().Get("q") != "a b" {
		t.Errorf("came back to %q", r.Header.Get("Location"))
	}
}

// slowOP holds the token endpoint until it is let go.
func slowOP(s *site) (entered, release chan struct{}) {
	entered, release = make(chan struct{}, 8), make(chan struct{})
	s.op.set(func(p *provider) {
		p.hold = func() { entered <- struct{}{}; <-release }
	})
	return entered, release
}

// watchGone returns a channel that is told when the server notices that a browser went away during a request.
func (s *site) watchGone() <-chan struct{} {
	gone := make(chan struct{}, 8)
	inner := s.Config.Handler
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stop := context.AfterFunc(r.Context(), func() { gone <- struct{}{} })
		defer stop()
		inner.ServeHTTP(w, r)
	})
	return gone
}

// giveUp begins a navigation and gives it up when the service is asked.
func (b *browser) giveUp(to string, entered <-chan struct{}, noticed <-chan struct{}) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, to, http.NoBody)
		if err != nil {
			b.t.Error(err)
			return
		}
		if resp, err := b.http.Do(req); err == nil {
			_ = resp.Body.Close()
			b.t.Error("the navigation was not given up")
		}
	})
	<-entered
	cancel()
	wg.Wait()
	<-noticed
}

// A navigation that is given up while the code is being redeemed: the login is not burnt. The browser that asks again
// finds it, once, and what was in its anonymous session.
func TestAbortedNavigation(t *testing.T) {
	s := newSite(t)
	entered, release := slowOP(s)
	noticed := s.watchGone()
	b := s.browser(t)
	b.get("/?put=apples")
	to := s.op.approve(t, b.begin("/auth/login?return=/account"))
	kept := b.cookies(pendingPrefix)[0]

	b.giveUp(to, entered, noticed)
	close(release)
	if r := b.get(to); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/account" {
		t.Fatalf("%d to %q, %v", r.StatusCode, r.Header.Get("Location"), s.lastError())
	}
	if got := b.get("/").body; got != "subject-hanako cart=apples" {
		t.Errorf("%q", got)
	}
	if s.op.exchanges() != 1 {
		t.Errorf("%d codes redeemed", s.op.exchanges())
	}
	// The result is given once.
	thief := s.browser(t)
	thief.setCookie(kept.Name, kept.Value)
	if r := thief.get(to); r.StatusCode != http.StatusBadRequest || thief.who() != "nobody" {
		t.Errorf("the result was given twice: %d, %s", r.StatusCode, thief.who())
	}
}

// Nobody but the browser that holds the pending login finds the result.
func TestResultOfAnAbortedNavigationIsForItsBrowser(t *testing.T) {
	s := newSite(t)
	entered, release := slowOP(s)
	noticed := s.watchGone()
	b := s.browser(t)
	to := s.op.approve(t, b.begin("/auth/login"))
	b.giveUp(to, entered, noticed)
	other := s.browser(t)
	other.begin("/auth/login")
	if r := other.get(to); r.StatusCode != http.StatusBadRequest || other.who() != "nobody" ||
		!hasReason(s.lastError(), middleware.ReasonReplayed) {
		t.Errorf("another browser: %d, %s", r.StatusCode, other.who())
	}
	close(release)
	if r := b.get(to); r.StatusCode != http.StatusSeeOther || b.who() != "subject-hanako" {
		t.Errorf("%d, %v", r.StatusCode, s.lastError())
	}
}

// Two callbacks of one browser at once: one exchange, one session, nothing lost, and no error for the person.
func TestTwoCallbacksAtOnce(t *testing.T) {
	s := newSite(t)
	entered, release := slowOP(s)
	b := s.browser(t)
	b.get("/?put=apples")
	to := s.op.approve(t, b.begin("/auth/login?return=/account"))
	var wg sync.WaitGroup
	results := make(chan response, 2)
	wg.Go(func() { results <- b.get(to) })
	<-entered
	wg.Go(func() { results <- b.get(to) })
	close(release)
	wg.Wait()
	close(results)
	for r := range results {
		if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/account" {
			t.Errorf("%d to %q, %v", r.StatusCode, r.Header.Get("Location"), s.lastError())
		}
	}
	if got := b.get("/").body; got != "subject-hanako cart=apples" || s.op.exchanges() != 1 ||
		len(b.cookies(sessionName)) != 1 {
		t.Errorf("%q, %d codes redeemed, %d sessions", got, s.op.exchanges(), len(b.cookies(sessionName)))
	}
}

// Below a path that a proxy takes away, with another Host: browser and service know only the outside address.
func TestBehindAProxy(t *testing.T) {
	for name, outside := range map[string]string{"found out": "", "set": "https://shop.example/app",
		"set with a slash": "https://shop.example/app/"} {
		s := newSite(t, func(c *middleware.Config) {
			c.Client = clientAt(t, c.Client, "https://shop.example/app/auth/callback")
			c.OutsideURL = outside
		})
		p := &proxied{t: t, site: s, strip: "/app", cookies: map[string]*http.Cookie{}}
		r := p.get("/app/account?tab=1")
		if got := r.Header().Get("Location"); got != "/app/auth/login?return=%2Fapp%2Faccount%3Ftab%3D1" {
			t.Errorf("%s: sent to log in at %q", name, got)
		}
		r = p.get(r.Header().Get("Location"))
		to := s.op.approve(t, r.Header().Get("Location"))
		if !strings.HasPrefix(to, "https://shop.example/app/auth/callback?") {
			t.Fatalf("%s: the service sends the browser to %q", name, to)
		}
		if r = p.get(to); r.Code != http.StatusSeeOther || r.Header().Get("Location") != "/app/account?tab=1" {
			t.Fatalf("%s: %d to %q, %v", name, r.Code, r.Header().Get("Location"), s.lastError())
		}
		if r = p.get("/app/account"); r.Code != http.StatusOK || r.Body.String() != "確認　花子" {
			t.Errorf("%s: %d %q", name, r.Code, r.Body)
		}
		if r = p.get(to); r.Header().Get("Location") != "/app/account?tab=1" {
			t.Errorf("%s: reload: %d to %q", name, r.Code, r.Header().Get("Location"))
		}
		// A page named from the inside is meant from the outside, and a login without a page ends at this application.
		for page, want := range map[string]string{
			"?return=/bar": "/app/bar", "?return=/app/bar": "/app/bar", "": "/app/", "?return=//evil.example": "/app/",
			"?return=/app/auth/logout": "/app/",
			"?return=/auth/logout":     "/app/", "?return=/app": "/app/",
		} {
			r = p.get(s.op.approve(t, p.get("/app/auth/login"+page).Header().Get("Location")))
			if got := r.Header().Get("Location"); got != want {
				t.Errorf("%s: login%s ends at %q, want %q", name, page, got, want)
			}
		}
		r = p.get("/app/auth/callback?code=x&state=of-nobody")
		if got := r.Header().Get("Retry"); got != "/app/auth/login" {
			t.Errorf("%s: try again at %q", name, got)
		}
		// Old browsers say only Origin, and the proxy hides the Host that it would be compared with.
		if r = p.post("/app/auth/logout", "https://evil.example"); r.Code != http.StatusForbidden {
			t.Errorf("%s: another site's logout: %d", name, r.Code)
		}
		if r = p.post("/app/auth/logout", "https://shop.example"); r.Code != http.StatusSeeOther ||
			r.Header().Get("Location") != "/app/" {
			t.Errorf("%s: logout: %d to %q, %v", name, r.Code, r.Header().Get("Location"), s.lastError())
		}
	}
}

// In-process stripping shows the handler the same as a proxy does, except for RequestURI.
func TestBehindStripPrefix(t *testing.T) {
	s := newSite(t, func(c *middleware.Config) {
		c.Client = clientAt(t, c.Client,
			"https://shop.example/app/auth/callback")
	})
	s.Config.Handler = http.StripPrefix("/app", s.Config.Handler)
	p := &proxied{t: t, site: s, cookies: map[string]*http.Cookie{}}
	r := p.get("/app/account?tab=1")
	r = p.get(r.Header().Get("Location"))
	r = p.get(s.op.approve(t, r.Header().Get("Location")))
	if got := r.Header().Get("Location"); got != "/app/account?tab=1" {
		t.Errorf("came back to %q, %v", got, s.lastError())
	}
}

// clientAt is a client like the site's with another redirect URL.
func clientAt(t *testing.T, like *authn.Client, redirectURL string) *authn.Client {
	t.Helper()
	key, err := authn.GenerateKey(authn.ES256)
	if err != nil {
		t.Fatal(err)
	}
	client, err := authn.New(authn.Config{Environment: like.Environment(), ClientID: like.ClientID(), Key: key,
		RedirectURL: redirectURL})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// proxied is a browser in front of a proxy that takes a path away and sends a Host of its own.
type proxied struct {
	t       *testing.T
	site    *site
	strip   string
	cookies map[string]*http.Cookie
}

func (p *proxied) get(target string) *httptest.ResponseRecorder {
	p.t.Helper()
	return p.do(http.MethodGet, target, "")
}

func (p *proxied) post(target, origin string) *httptest.ResponseRecorder {
	p.t.Helper()
	return p.do(http.MethodPost, target, origin)
}

func (p *proxied) do(method, target, origin string) *httptest.ResponseRecorder {
	p.t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		p.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(p.t.Context(), method, strings.TrimPrefix(u.RequestURI(), p.strip), http.NoBody)
	r.Host = "10.0.0.7:8080"
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	for _, c := range p.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	p.site.Config.Handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if p.cookies[c.Name] = c; c.MaxAge < 0 {
			delete(p.cookies, c.Name)
		}
	}
	return w
}

func mustQuery(t *testing.T, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

// Trying again is offered where it can help, and not where it would only cost another PIN.
func TestTryAgainWhereItHelps(t *testing.T) {
	s := newSite(t)
	for code, retry := range map[string]string{
		"access_denied": "/auth/login?return=%2Faccount", "temporarily_unavailable": "/auth/login?return=%2Faccount",
		"invalid_scope": "", "unauthorized_client": "", "invalid_request": "",
	} {
		b := s.browser(t)
		state := mustQuery(t, b.begin("/auth/login?return=/account")).Get("state")
		r := b.get("/auth/callback?error=" + code + "&state=" + url.QueryEscape(state))
		if got := r.Header.Get("Retry"); got != retry {
			t.Errorf("%s (%v): try again at %q, want %q", code, s.lastError(), got, retry)
		}
	}
}
