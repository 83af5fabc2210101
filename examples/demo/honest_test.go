//go:build browser

package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/sign/consent"
)

// TestHonestVisit is what people and browsers do that nobody planned for.
func TestHonestVisit(t *testing.T) {
	chrome := startChrome(t)
	shots := newShots(t)
	for _, d := range []device{phone, desktop} {
		for _, lang := range []string{"ja", "en"} {
			tests := map[string]func(*testing.T, *tab){"keyboard": usesTheKeyboard}
			if d.mobile {
				tests["twice"], tests["aborted"], tests["back"] = callsBackTwice, stopsInTheMiddle, goesBack
				tests["terms"] = readsTerms
			}
			for name, visit := range tests {
				t.Run(name+"/"+d.name+"/"+lang, func(t *testing.T) { visit(t, openTab(t, chrome, d, lang, shots)) })
			}
		}
	}
}

// gate holds the exchange of codes, and sees what browsers do meanwhile.
type gate struct {
	exchanges atomic.Int32
	entered   chan struct{} // an exchange has begun
	release   chan struct{} // is closed to let it go on
	gone      chan struct{} // a browser gave a callback up
	mu        sync.Mutex
	callback  string // the address of the last callback
}

// gated puts a gate into a demo that has had no visitor yet.
func gated(t *testing.T, d *demo) *gate {
	t.Helper()
	g := &gate{entered: make(chan struct{}, 8), release: make(chan struct{}), gone: make(chan struct{}, 8)}
	service, site := d.servers[0], d.servers[1]
	toService, toSite := service.Handler, site.Handler
	service.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			g.exchanges.Add(1)
			g.entered <- struct{}{}
			<-g.release
		}
		toService.ServeHTTP(w, r)
	})
	site.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == loginPrefix+"/callback" {
			g.mu.Lock()
			g.callback = d.base + r.URL.RequestURI()
			g.mu.Unlock()
			defer context.AfterFunc(r.Context(), func() { g.gone <- struct{}{} })()
		}
		toSite.ServeHTTP(w, r)
	})
	return g
}

// consents goes as far as the last button at the service, and presses it without waiting for what follows.
func consents(b *tab, d *demo) {
	b.visit(d.base+"/account", atAuthPIN)
	b.enter("auth-pin", "pin", d.person.Reveal().AuthPIN, atTextPIN)
	b.enter("text-pin", "pin", d.person.Reveal().TextPIN, atConsent)
	b.run("press the last button", chromedp.Evaluate(
		`setTimeout(() => document.querySelector('`+submit("consent")+`').click())`, nil))
}

// callsBackTwice: a double tap, or a browser that sends the request twice, brings two callbacks at once. Both show the
// account, out of one exchange.
func callsBackTwice(t *testing.T, b *tab) {
	d := startDemo(t)
	g := gated(t, d)
	consents(b, d)
	<-g.entered
	g.mu.Lock()
	callback := g.callback
	g.mu.Unlock()
	second := b.another(callback)
	close(g.release)
	b.see(atAccount)
	second.see(atAccount)
	if n := g.exchanges.Load(); n != 1 {
		t.Errorf("%d exchanges", n)
	}
	// And a third time, out of the history.
	b.visit(callback, atAccount)
	if at := b.address(); at != d.base+"/account" || g.exchanges.Load() != 1 {
		t.Errorf("at %s after %d exchanges", at, g.exchanges.Load())
	}
}

// stopsInTheMiddle: the person stops the page while the code is being exchanged, and loads it again.
func stopsInTheMiddle(t *testing.T, b *tab) {
	d := startDemo(t)
	g := gated(t, d)
	consents(b, d)
	<-g.entered
	b.run("stop", cdppage.StopLoading())
	<-g.gone // the server has noticed
	close(g.release)
	b.visit(g.callback, atAccount)
	if at := b.address(); at != d.base+"/account" || g.exchanges.Load() != 1 {
		t.Errorf("at %s after %d exchanges", at, g.exchanges.Load())
	}
	b.page("60-account-after-stop")
}

// goesBack: the back button after a login leads away from the account and to no error of this site; forward comes back.
// After logging out it shows nothing personal.
func goesBack(t *testing.T, b *tab) {
	d := startDemo(t)
	g := gated(t, d)
	close(g.release)
	b.visit(d.base+"/", "#login")
	b.press("#login", atAuthPIN)
	b.enter("auth-pin", "pin", d.person.Reveal().AuthPIN, atTextPIN)
	b.enter("text-pin", "pin", d.person.Reveal().TextPIN, atConsent)
	b.press(submit("consent"), atAccount)
	for range 3 {
		b.run("back", chromedp.NavigateBack())
		if at := b.address(); strings.HasPrefix(at, d.base) && at != d.base+"/" {
			t.Errorf("back leads to %s", at)
		}
		if b.has(atError) {
			t.Errorf("back shows an error of the site: %s", b.text(atError))
		}
	}
	b.visit(g.callback, atAccount)
	b.press("#logout", "#login")
	b.run("back", chromedp.NavigateBack())
	var text string
	b.run("read", chromedp.Evaluate(`document.body.innerText`, &text))
	if strings.Contains(text, d.person.Reveal().Name) {
		t.Error("after the logout, back shows who was logged in")
	}
	b.visit(g.callback, atError)
	b.page("61-callback-after-logout")
	if g.exchanges.Load() != 1 {
		t.Errorf("%d exchanges", g.exchanges.Load())
	}
}

// usesTheKeyboard: login and signature without a mouse or a finger. What has the focus can be seen.
func usesTheKeyboard(t *testing.T, b *tab) {
	d := startDemo(t)
	b.visit(d.base+"/", "#login")
	b.key("#login", kb.Enter)
	enter := func(form, name, value string) {
		in := `form[data-kakunin-form="` + form + `"] `
		b.key(in+`[name="`+name+`"]`, value)
		b.key(in+`button[type="submit"]`, kb.Enter)
	}
	here := func() { // on a PC, the way that needs no second device
		if !b.device.mobile {
			b.see(atHandover)
			b.key(submit("here"), kb.Enter)
		}
	}
	here()
	b.see(atAuthPIN)
	enter("auth-pin", "pin", d.person.Reveal().AuthPIN)
	b.see(atTextPIN)
	enter("text-pin", "pin", d.person.Reveal().TextPIN)
	b.see(atConsent)
	b.key(submit("consent"), kb.Enter)
	b.see(atAccount)
	b.key("#to-document", kb.Enter)
	b.see(atDocument)
	b.key("#sign", kb.Enter)
	here()
	b.see(atAuthPIN)
	enter("auth-pin", "pin", d.person.Reveal().AuthPIN)
	b.see(atPassword)
	enter("signing-password", "password", d.person.Reveal().SigningPassword)
	b.see(atConsent)
	b.key(submit("consent"), kb.Enter)
	b.see(atResult)
	b.key("#logout", kb.Enter)
	b.see("#login")
}

// readsTerms: the screen of a consent.
func readsTerms(t *testing.T, b *tab) {
	terms := &consent.Terms{
		Service: "shop-address", Version: "2026-04", DetailsURL: "https://shop.example/consent/details",
		Business: kakunin.Message{JA: "架空商店", EN: "Fictitious Shop"},
		Title:    kakunin.Message{JA: "最新の住所などの提供についての同意", EN: "Consent to providing your latest address"},
		Summary: kakunin.Message{
			JA: "同意していただくと、引っ越しのときに住所変更の手続きが要らなくなります。",
			EN: "If you agree, you need not tell us when you move.",
		},
		Texts: map[consent.Item]kakunin.Message{},
	}
	for _, i := range consent.Items() {
		terms.Texts[i] = kakunin.Message{JA: "この項目についての当店の説明です。", EN: "What our shop says about this item."}
	}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy",
			"default-src 'none'; form-action 'self'; style-src "+consent.StyleSource())
		_ = terms.Render(w, consent.Page{Language: kakunin.Language(b.lang), Action: "/consent"})
	}))
	t.Cleanup(site.Close)
	b.visit(site.URL, "main form")
	b.page("70-terms")
	b.key(`button[value="decline"]`, kb.Enter)
}

// another is a second tab of the same browser profile, on its way to the address.
func (b *tab) another(address string) *tab {
	b.t.Helper()
	browser := cdp.WithExecutor(b.chrome, chromedp.FromContext(b.chrome).Browser)
	id, err := target.CreateTarget("about:blank").WithBrowserContextID(b.profile).Do(browser)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(b.chrome, chromedp.WithTargetID(id))
	b.t.Cleanup(cancel)
	if err := chromedp.Run(ctx); err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(ctx, visitTime)
	b.t.Cleanup(cancel)
	other := &tab{t: b.t, ctx: ctx, device: b.device, lang: b.lang, shots: b.shots}
	sent := make(chan struct{}, 8)
	chromedp.ListenTarget(ctx, func(ev any) {
		if r, ok := ev.(*network.EventRequestWillBeSent); ok && r.Request.URL == address {
			sent <- struct{}{}
		}
	})
	other.run("open another tab", network.Enable(), chromedp.ActionFunc(func(ctx context.Context) error {
		go func() { _, _, _, _, _ = cdppage.Navigate(address).Do(ctx) }() // answers when the page is there
		return nil
	}))
	<-sent
	return other
}

// has reports whether an element is there now.
func (b *tab) has(selector string) (there bool) {
	b.t.Helper()
	b.run("look for "+selector, chromedp.Evaluate(`document.querySelector('`+selector+`') !== null`, &there))
	return there
}

// key goes to an element by the tab key, looks whether the focus can be seen there, with a contrast of 3 at least, and
// types.
func (b *tab) key(selector, keys string) {
	b.t.Helper()
	b.see(selector)
	at := `(() => { const e = document.activeElement; if (!e.matches('` + selector + `')) return '';
		const s = getComputedStyle(e);
		const outlined = s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0;
		if (!outlined && s.boxShadow === 'none') return 'unseen';
		const rgb = c => (c.match(/[\d.]+/g) || []).map(Number);
		const lum = c => { const [r, g, b] = c.slice(0, 3).map(v =>
			(v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126*r + .7152*g + .0722*b; };
		let ground = [255, 255, 255];
		for (let p = e.parentElement; p; p = p.parentElement) {
			const c = rgb(getComputedStyle(p).backgroundColor);
			if (c.length === 3 || c[3] === 1) { ground = c; break; }
		}
		const a = lum(rgb(s.outlineColor)), b = lum(ground); // WCAG 2.2, 1.4.11
		return !outlined || (Math.max(a, b) + .05) / (Math.min(a, b) + .05) >= 3 ? 'seen' : 'faint'; })()`
	for range 40 {
		var focus string
		b.run("look for the focus", chromedp.Evaluate(at, &focus))
		if focus != "" {
			if focus != "seen" {
				b.t.Errorf("%s/%s: the focus on %s is %s", b.device.name, b.lang, selector, focus)
			}
			b.run("type", chromedp.KeyEvent(keys))
			return
		}
		b.run("tab", chromedp.KeyEvent(kb.Tab))
	}
	b.t.Fatalf("%s/%s: the tab key does not reach %s", b.device.name, b.lang, selector)
}
