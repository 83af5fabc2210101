//go:build browser

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/middleware"
)

// What the pages of the simulated service and of the demo are recognised by.
const (
	atAuthPIN  = `main[data-kakunin-page="auth-pin"]`
	atTextPIN  = `main[data-kakunin-page="text-pin"]`
	atPassword = `main[data-kakunin-page="signing-password"]`
	atConsent  = `main[data-kakunin-page="consent"]`
	atHandover = `main[data-kakunin-page="handover"]`
	atNumber   = `[data-kakunin-number]`
	atProblem  = `main[data-kakunin-page="problem"]`
	atAccount  = `#name`
	atDocument = `#document`
	atResult   = `#verified`
	atError    = `#message`
)

func remaining(form, n string) string {
	return `form[data-kakunin-form="` + form + `"][data-kakunin-remaining="` + n + `"]`
}

func submit(form string) string {
	return `form[data-kakunin-form="` + form + `"] button[type="submit"]`
}

// TestVisit is the whole visit, as a person makes it, in a real browser.
func TestVisit(t *testing.T) {
	chrome := startChrome(t)
	shots := newShots(t)
	for _, lang := range []string{"ja", "en"} {
		t.Run("phone/"+lang, func(t *testing.T) { visitOnPhone(t, openTab(t, chrome, phone, lang, shots)) })
		t.Run("pc/"+lang, func(t *testing.T) {
			visitOnPC(t, openTab(t, chrome, desktop, lang, shots), openTab(t, chrome, phone, lang, shots))
		})
		t.Run("cancel/"+lang, func(t *testing.T) { cancels(t, openTab(t, chrome, phone, lang, shots)) })
		t.Run("blocked/"+lang, func(t *testing.T) { blocks(t, openTab(t, chrome, phone, lang, shots)) })
		t.Run("lost/"+lang, func(t *testing.T) { losesCookie(t, openTab(t, chrome, desktop, lang, shots)) })
		t.Run("default-page/"+lang, func(t *testing.T) {
			seesDefaultErrorPage(t,
				openTab(t, chrome, phone, lang, shots))
		})
	}
}

// visitOnPhone: everything happens on one device; the person mistypes each secret once.
func visitOnPhone(t *testing.T, b *tab) {
	d := startDemo(t)
	b.visit(d.base+"/", "#login")
	b.page("01-home")

	b.press("#login", atAuthPIN)
	b.page("02-auth-pin")
	b.enter("auth-pin", "pin", "0000", remaining("auth-pin", "2"))
	if alert := b.text("#alert"); !strings.Contains(alert, "2") {
		t.Errorf("the page does not say how many tries are left: %q", alert)
	}
	b.page("03-auth-pin-wrong")
	b.enter("auth-pin", "pin", d.person.Reveal().AuthPIN, atTextPIN)
	b.page("04-text-pin")
	b.enter("text-pin", "pin", "0000", remaining("text-pin", "2"))
	b.page("05-text-pin-wrong")
	b.enter("text-pin", "pin", d.person.Reveal().TextPIN, atConsent)
	if got := b.text(`[data-kakunin-attribute="name"]`); got != d.person.Reveal().Name {
		t.Errorf("the consent page shows %q", got)
	}
	b.page("06-consent")
	b.press(submit("consent"), atAccount)
	b.page("07-account")
	seesAccount(t, b, d)

	signs(t, b, d)

	// The other language, chosen on the page itself.
	other := map[string]string{"ja": "en", "en": "ja"}[b.lang]
	b.press("#lang-"+other, `html[lang="`+other+`"] #verified`)

	b.press("#logout", "#login")
	b.visit(d.base+"/account", atAuthPIN) // logged out: the account leads to the service
}

func seesAccount(t *testing.T, b *tab, d *demo) {
	t.Helper()
	if at := b.address(); at != d.base+"/account" {
		t.Errorf("came back to %s", at)
	}
	for id, want := range map[string]string{"name": d.person.Reveal().Name, "address": d.person.Reveal().Address} {
		if got := b.text("#" + id); got != want {
			t.Errorf("%s is shown as %q", id, got)
		}
	}
	for _, id := range []string{"birthdate", "gender", "age", "subject", "acr"} {
		if got := b.text("#" + id); got == "" || strings.Contains(got, "不明") || strings.Contains(got, "unknown") {
			t.Errorf("%s is shown as %q", id, got)
		}
	}
}

// signs goes from the account to the evidence, with one wrong signing password.
func signs(t *testing.T, b *tab, d *demo) {
	t.Helper()
	b.press("#to-document", atDocument)
	b.page("08-document")
	b.press("#sign", atAuthPIN) // who signs must log in again, for the subject
	b.page("09-auth-pin")
	b.enter("auth-pin", "pin", d.person.Reveal().AuthPIN, atPassword)
	b.page("10-signing-password")
	b.enter("signing-password", "password", "WRONG999", remaining("signing-password", "4"))
	if alert := b.text("#alert"); !strings.Contains(alert, "4") {
		t.Errorf("the page does not say how many tries are left: %q", alert)
	}
	b.page("11-signing-password-wrong")
	b.enter("signing-password", "password", d.person.Reveal().SigningPassword, atConsent)
	b.page("12-sign-consent")
	b.press(submit("consent"), atResult)
	b.page("13-result")

	var steps []string
	b.run("read the steps",
		evaluate(`[...document.querySelectorAll('[data-step]')].filter(e => e.querySelector('.badge').textContent.trim()).map(e => e.dataset.step)`, &steps))
	for _, want := range []string{"document.hash", "signature.value", "person"} {
		if !slices.Contains(steps, want) {
			t.Errorf("step %s is not shown as held; shown are %v", want, steps)
		}
	}
	evidence := b.download("#download")
	var record map[string]any
	if err := json.Unmarshal(evidence, &record); err != nil || len(record) == 0 {
		t.Errorf("the evidence is not a JSON object: %v", err)
	}
	for _, personal := range []string{d.person.Reveal().Name, d.person.Reveal().Address,
		d.person.Reveal().Subject.Birthdate} {
		if strings.Contains(string(evidence), personal) {
			t.Error("the evidence holds personal data")
		}
	}
}

// visitOnPC: the PC shows a QR code, the phone reads the card and shows a number, which is typed on the PC.
func visitOnPC(t *testing.T, pc, mobile *tab) {
	d := startDemo(t, "-mode", "digest-info")
	pc.visit(d.base+"/", "#login")
	pc.page("01-home")
	pc.press("#login", atHandover)
	pc.page("02-handover")
	first := pc.attribute(`[data-kakunin-form="here"]`, "data-kakunin-phone")
	pc.run("refresh the QR code", click(submit("refresh")))
	pc.see(`form[data-kakunin-phone]:not([data-kakunin-phone="` + first + `"])`)

	mobile.visit(pc.attribute(`[data-kakunin-form="here"]`, "data-kakunin-phone"), atAuthPIN)
	mobile.enter("auth-pin", "pin", d.person.Reveal().AuthPIN, atTextPIN)
	mobile.enter("text-pin", "pin", d.person.Reveal().TextPIN, atConsent)
	mobile.press(submit("consent"), atNumber)
	mobile.page("handover-number")
	number := mobile.attribute(atNumber, "data-kakunin-number")

	wrong := "000000"
	if number == wrong {
		wrong = "111111"
	}
	pc.enter("number", "number", wrong, `#number[aria-invalid="true"]`)
	pc.page("03-handover-wrong-number")
	pc.enter("number", "number", number, atAccount)
	pc.page("07-account")
	seesAccount(t, pc, d)

	// The signature, continued on this device.
	pc.press("#to-document", atDocument)
	pc.page("08-document")
	pc.press("#sign", atHandover)
	pc.press(submit("here"), atAuthPIN)
	pc.enter("auth-pin", "pin", d.person.Reveal().AuthPIN, atPassword)
	pc.page("10-signing-password")
	pc.enter("signing-password", "password", d.person.Reveal().SigningPassword, atConsent)
	pc.press(submit("consent"), atResult)
	pc.page("13-result")
	if mode := pc.text("#mode"); !strings.Contains(mode, "DigestInfo") {
		t.Errorf("mode is shown as %q", mode)
	}
}

// cancels: at the service, during the login and during the signature. Each time a page says so and offers to try again.
func cancels(t *testing.T, b *tab) {
	d := startDemo(t)
	b.visit(d.base+"/auth/login?return=/account", atAuthPIN)
	b.press(submit("cancel"), atError)
	b.page("20-cancelled-login")
	understands(t, b, "user")
	b.press("#retry", atAuthPIN) // try again
	b.enter("auth-pin", "pin", d.person.Reveal().AuthPIN, atTextPIN)
	b.enter("text-pin", "pin", d.person.Reveal().TextPIN, atConsent)
	b.press(submit("consent"), atAccount)

	b.press("#to-document", atDocument)
	b.press("#sign", atAuthPIN)
	b.press(submit("cancel"), atError)
	b.page("21-cancelled-signature")
	understands(t, b, "user")
	if text := b.text(atError); strings.Contains(text, "ログイン") {
		t.Errorf("a cancelled signature is called a log-in: %q", text)
	}
	b.press("#retry", atDocument) // back to the document, still logged in
}

// blocks: three wrong PINs block the card.
func blocks(t *testing.T, b *tab) {
	d := startDemo(t)
	b.visit(d.base+"/auth/login", atAuthPIN)
	b.enter("auth-pin", "pin", "0000", remaining("auth-pin", "2"))
	b.enter("auth-pin", "pin", "0000", remaining("auth-pin", "1"))
	b.page("30-last-try")
	b.enter("auth-pin", "pin", "0000", atProblem)
	b.page("31-blocked")
	b.press(submit("leave"), atError)
	b.page("32-back-from-blocked")
	if b.address() != d.base+"/auth/callback" {
		t.Errorf("at %s", b.address())
	}
	b.visit(d.base+"/", "#login") // nobody is logged in
}

// losesCookie: a callback that this browser did not begin, as after private browsing, and an address that leads
// nowhere.
func losesCookie(t *testing.T, b *tab) {
	d := startDemo(t)
	b.visit(d.base+"/auth/callback?code=x&state=of-another-browser", atError)
	b.page("40-lost-login")
	understands(t, b, "user")
	if text := b.text(atError); !strings.Contains(text, "プライベート") && !strings.Contains(text, "private") {
		t.Errorf("the page does not mention private browsing: %q", text)
	}
	b.visit(d.base+"/nowhere", atError)
	b.page("41-not-found")
}

// seesDefaultErrorPage: the page that the middleware draws when the application has none.
func seesDefaultErrorPage(t *testing.T, b *tab) {
	d := startDemo(t)
	login, err := middleware.New(middleware.Config{Client: d.app.client, SealKeys: middleware.NewSealKeys(),
		Scopes: authn.Name})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/auth/", login)
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	b.visit(site.URL+"/auth/callback?code=x&state=of-another-browser", "main h1")
	b.page("50-default-error")
	b.visit(site.URL+"/auth/nowhere", "main h1")
	b.page("51-default-not-found")
}

// understands checks that an error page says something of the family in the page's language, and offers a way on.
func understands(t *testing.T, b *tab, family string) {
	t.Helper()
	if got := b.attribute(atError, "data-family"); got != family {
		t.Errorf("family %q, want %q", got, family)
	}
	text := b.text(atError)
	japanese := strings.ContainsFunc(text, func(r rune) bool { return r >= 0x3040 && r <= 0x30ff })
	if text == "" || japanese != (b.lang == "ja") {
		t.Errorf("the message is %q", text)
	}
	if b.attribute("#retry", "href") == "" {
		t.Error("no way to try again")
	}
}
