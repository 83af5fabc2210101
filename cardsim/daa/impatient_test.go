package daa_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// formAction is the address of a form of the page on screen.
func (b *browser) formAction(form string) string {
	b.t.Helper()
	m := regexp.MustCompile(`action="([^"]*)" data-kakunin-form="` + form + `"`).FindStringSubmatch(b.body)
	if m == nil {
		b.t.Fatalf("no form %q on page %q", form, b.page())
	}
	return m[1]
}

// A second click on the same button, or the page that "back" shows again, must not cost a try.
func TestSendingAPINPageTwiceCostsOneTry(t *testing.T) {
	rp := start(t)
	p := rp.svc.Card().Person().Reveal()
	b := rp.browser(phoneAgent).get(rp.authorizationURL(with(rp.signing(rp.transaction(make([]byte, 32))), "scope",
		"openid name sign")))
	for _, page := range []struct{ form, field, wrong, right, remaining string }{
		{"auth-pin", "pin", "0000", p.AuthPIN, "2"},
		{"text-pin", "pin", "0000", p.TextPIN, "2"},
		{"signing-password", "password", "WRONG1", p.SigningPassword, "4"},
	} {
		first := b.want(page.form).formAction(page.form)
		for range 3 {
			b.post(first, page.field, page.wrong).want(page.form, `data-kakunin-remaining="`+page.remaining+`"`)
		}
		b.submit(page.form, page.field, page.right)
		shown := b.page()
		b.post(first, page.field, page.wrong).want(shown)
	}
	b.want("consent").submit("consent")
	if rp.callback(b.left).Get("code") == "" {
		t.Errorf("callback %v", b.left)
	}
}

// A second click on the last button makes the browser drop the first answer, so that it gets the same one again. Nobody
// else does, and not for long.
func TestSecondClickOnTheLastButton(t *testing.T) {
	clock := newClock()
	rp := start(t, follow(t, clock))
	p := rp.svc.Card().Person().Reveal()
	for _, agent := range []string{phoneAgent, pcAgent} {
		b := rp.browser(agent).get(rp.authorizationURL(with(rp.authorization(), "scope", "openid")))
		if agent == pcAgent {
			b.want("handover").submit("here")
		}
		screen := b.at.String()
		last := b.submit("auth-pin", "pin", p.AuthPIN).want("consent").formAction("consent")
		left := b.post(last).left
		if rp.callback(left).Get("code") == "" {
			t.Fatalf("callback %q", left)
		}
		if again := b.post(last).left; again != left {
			t.Errorf("second click: %q, page %q", again, b.page())
		}
		if other := rp.browser(agent); other.do(http.MethodPost, b.at.String(), url.Values{}).left != "" ||
			other.status == http.StatusOK {
			t.Errorf("another browser got the answer: %d", other.status)
		}
		// "Back" shows that it is over, and does not send an old code again.
		if b.get(screen).want("error", `data-kakunin-error="gone"`); b.left != "" {
			t.Errorf("back: %q", b.left)
		}
		clock.advance(time.Minute)
		b.post(last).want("error", `data-kakunin-error="gone"`)
	}
}

func TestSecondClickOnThePC(t *testing.T) {
	rp := start(t)
	b := rp.browser(pcAgent).get(rp.authorizationURL(rp.authorization())).want("handover")
	here := b.at.String()
	cancel, refresh := b.formAction("cancel"), b.formAction("refresh")
	left := b.post(cancel).left
	if rp.callback(left).Get("error") != "access_denied" {
		t.Fatalf("callback %q", left)
	}
	if again := b.post(cancel).left; again != left {
		t.Errorf("second click: %q, page %q", again, b.page())
	}
	if b.post(refresh); b.left != left {
		t.Errorf("a visit that is over began again: page %q", b.page())
	}
	b.get(here).want("error", `data-kakunin-error="gone"`)
}

// A browser that goes away while the card is read, as one does on a second click, must not end the visit.
func TestBrowserGoesAwayWhileTheCardIsRead(t *testing.T) {
	rp := start(t)
	p := rp.svc.Card().Person().Reveal()
	b := rp.browser(phoneAgent).get(rp.authorizationURL(with(rp.signing(rp.transaction(make([]byte, 32))), "scope",
		"openid name sign")))
	for _, page := range []struct{ form, field, value, next string }{
		{"auth-pin", "pin", p.AuthPIN, "text-pin"},
		{"text-pin", "pin", p.TextPIN, "signing-password"},
		{"signing-password", "password", p.SigningPassword, "consent"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		body := strings.NewReader(url.Values{page.field: {page.value}}.Encode())
		req := httptest.NewRequestWithContext(ctx, http.MethodPost, b.formAction(page.form), body)
		req.Host = b.at.Host
		req.Header.Set("Content-Type", formType)
		for _, c := range b.client.Jar.Cookies(b.at) {
			req.AddCookie(c)
		}
		rp.svc.ServeHTTP(httptest.NewRecorder(), req)
		b.get(b.at.String()).want(page.next)
	}
}

// The language link of a page that answers a form leads to a page, not to an address that takes forms only.
func TestLanguageOfAnErrorAfterAForm(t *testing.T) {
	clock := newClock()
	rp := start(t, follow(t, clock))
	for _, visit := range []struct{ agent, form string }{{phoneAgent, "cancel"}, {phoneAgent, "auth-pin"},
		{pcAgent, "number"}} {
		b := rp.browser(visit.agent).get(rp.authorizationURL(rp.authorization()))
		clock.advance(time.Hour)
		b.submit(visit.form, "pin", "1234").want("error", `data-kakunin-error="gone"`, "有効期限")
		link := regexp.MustCompile(`class="language" href="([^"]*)"`).FindStringSubmatch(b.body)
		if link == nil {
			t.Fatal("no language link")
		}
		next, err := b.at.Parse(link[1])
		if err != nil {
			t.Fatal(err)
		}
		b.get(next.String()).want("error", `data-kakunin-error="gone"`, "has ended or has expired")
	}
}
