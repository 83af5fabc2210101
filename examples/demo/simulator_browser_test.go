//go:build browser

package main

import (
	"bufio"
	"context"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/person"
)

const (
	atInspector = `main[data-kakunin-page="inspector"]`
	atTestCard  = `main[data-kakunin-page="test-card"]`
	atService   = `main[data-kakunin-page]`
)

// TestVisitSimulator looks at every page that the simulated service has beside those of a visit, on a phone and on a
// PC: each says that it is a simulation, and what a stranger sent stays text.
func TestVisitSimulator(t *testing.T) {
	chrome := startChrome(t)
	shots := newShots(t)
	for _, lang := range []string{"ja", "en"} {
		for _, d := range []device{phone, desktop} {
			t.Run(d.name+"/"+lang, func(t *testing.T) { seesSimulator(t, openTab(t, chrome, d, lang, shots)) })
		}
		t.Run("keyboard/"+lang, func(t *testing.T) { onlyKeyboard(t, openTab(t, chrome, desktop, lang, shots)) })
	}
}

// Two relying parties with names that are no names, one of whose visitors choose a test response.
const (
	substitute = "TESTCARDS1"
	longNamed  = "LONGNAMED1"

	hostileName = `<img src=x onerror=alert(1)>"'&商店`
	// Longer than a screen is wide, without a place to break, and turned round by what it holds.
	awkwardName = "\u202E\u05D0\u05D1\u05D2寿限無寿限無五劫の擦り切れ海砂利水魚の水行末雲来末風来末株式会社Pneumonoultramicroscopicsilicovolcanoconiosis"
)

func seesSimulator(t *testing.T, b *tab) {
	d := startDemo(t)
	key, _ := newKey(t)
	back := d.base + "/nowhere"
	err := d.sim.Register(daa.ClientRegistration{
		ID: substitute, Name: hostileName, Key: key.Public(), TestCards: true, RedirectURLs: []string{back},
	})
	if err == nil {
		err = d.sim.Register(daa.ClientRegistration{
			ID: longNamed, Name: awkwardName, Key: key.Public(), RedirectURLs: []string{back},
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	authorization := func(change ...string) string {
		q := url.Values{
			"response_type": {"code"}, "scope": {"openid name"}, "client_id": {substitute}, "redirect_uri": {back},
			"state": {`"><script>alert(1)</script>`}, "nonce": {"n"}, "code_challenge_method": {"S256"},
			"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"},
		}
		for i := 0; i+1 < len(change); i += 2 {
			q.Set(change[i], change[i+1])
		}
		return d.service + "/api/realms/main/protocol/openid-connect/auth?" + q.Encode()
	}
	simulation := func(name string) {
		t.Helper()
		if text := b.text("body"); !strings.Contains(text, "公式のサービスではありません") &&
			!strings.Contains(text, "Not the official service") {
			t.Errorf("%s does not say that it is a simulation", name)
		}
		b.page(name)
	}
	b.visit(d.service+"/simulator/inspector", atInspector)
	simulation("60-inspector-empty")
	b.visit(d.service+"/", atService)
	simulation("61-simulator")
	b.visit(d.service+"/nowhere", atService)
	simulation("63-not-found")
	b.visit(authorization("redirect_uri", `https://evil.example/"><script>alert(1)</script>`), atService)
	simulation("64-refused")
	b.visit(authorization(), atTestCard)
	simulation("65-test-card")
	b.run("choose an error", click(`[name="response"][value="error"]`))
	b.press(submit("test-card"), atError)
	if b.address() != back {
		t.Errorf("the test response leads to %s", b.address())
	}
	b.visit(authorization(), atTestCard)
	b.press(submit("test-card"), atError) // the page that the address does not have
	b.visit(d.service+"/simulator/inspector?personal=show", atInspector)
	b.run("open every exchange", evaluate(`document.querySelectorAll('details').forEach(e => e.open = true)`, nil))
	simulation("66-inspector")
	if text := b.text("main"); !strings.Contains(text, "redirect_uri is not exactly a registered one") ||
		!strings.Contains(text, "<script>alert(1)</script>") {
		t.Error("the inspector does not show what was received")
	}
	if b.device.mobile {
		b.visit(authorization("client_id", longNamed), atAuthPIN)
		simulation("68-long-name")
		b.enter("auth-pin", "pin", d.person.Reveal().AuthPIN, atTextPIN)
		b.enter("text-pin", "pin", d.person.Reveal().TextPIN, atConsent)
		simulation("69-long-name-consent")
	}
}

// TestVisitLongNames: people whose names and addresses fill what a card has room for.
func TestVisitLongNames(t *testing.T) {
	chrome := startChrome(t)
	shots := newShots(t)
	for lang, who := range map[string][]person.Persona{
		"ja": {person.Nagai, person.Katsuo}, "en": {person.Alexandra, person.Nagai},
	} {
		for _, holder := range who {
			t.Run(string(holder)+"/"+lang, func(t *testing.T) {
				b, d := openTab(t, chrome, phone, lang, shots), startDemo(t, "-person", string(holder))
				b.visit(d.base+"/account", atAuthPIN)
				b.enter("auth-pin", "pin", d.person.Reveal().AuthPIN, atTextPIN)
				b.enter("text-pin", "pin", d.person.Reveal().TextPIN, atConsent)
				b.page("80-consent-" + string(holder))
				b.press(submit("consent"), atAccount)
				b.page("81-account-" + string(holder))
				seesAccount(t, b, d)
			})
		}
	}
}

// onlyKeyboard logs in with nothing but a keyboard.
func onlyKeyboard(t *testing.T, b *tab) {
	d := startDemo(t)
	b.visit(d.base+"/", "#login")
	var at string
	focus := func(what string) {
		t.Helper()
		for range 25 {
			b.run("press Tab", chromedp.KeyEvent("\t"),
				evaluate(`(e => e.id || e.name || e.closest('form')?.dataset.kakuninForm || '')(document.activeElement)`, &at))
			if at == what {
				return
			}
		}
		t.Fatalf("the keyboard does not reach %s", what)
	}
	enter := func(keys, next string) {
		t.Helper()
		b.run("type", chromedp.KeyEvent(keys))
		b.see(next)
	}
	focus("login")
	enter("\r", atHandover)
	focus("here")
	enter("\r", atAuthPIN)
	focus("pin")
	enter(d.person.Reveal().AuthPIN+"\r", atTextPIN)
	focus("pin")
	b.page("67-keyboard")
	enter(d.person.Reveal().TextPIN+"\r", atConsent)
	focus("consent")
	enter("\r", atAccount)
	seesAccount(t, b, d)
}

// TestVisitOperator: a private business, whose result stays sealed to the platform operator.
func TestVisitOperator(t *testing.T) {
	chrome := startChrome(t)
	shots := newShots(t)
	for _, lang := range []string{"ja", "en"} {
		for _, on := range []device{phone, desktop} {
			t.Run(on.name+"/"+lang, func(t *testing.T) {
				b := openTab(t, chrome, on, lang, shots)
				d := startDemo(t, "-business", "private")
				through := func() {
					if !on.mobile {
						b.press(submit("here"), atAuthPIN)
					}
					b.enter("auth-pin", "pin", d.person.Reveal().AuthPIN, atService)
				}
				first := atAuthPIN
				if !on.mobile {
					first = atHandover
				}
				b.visit(d.base+"/", "#login")
				b.press("#login", first)
				through()
				b.enter("text-pin", "pin", d.person.Reveal().TextPIN, atConsent)
				b.press(submit("consent"), atAccount)
				b.press("#to-document", atDocument)
				b.press("#sign", first)
				through()
				b.enter("signing-password", "password", d.person.Reveal().SigningPassword, atConsent)
				b.press(submit("consent"), atResult)
				if id := b.text("#verification"); len(id) < 10 {
					t.Errorf("verification %q", id)
				}
				b.page("70-operator-result")
			})
		}
	}
}

// TestVisitMoved: examples/moved as a program: the screen of the consent, and a customer who moves.
func TestVisitMoved(t *testing.T) {
	program := filepath.Join(t.TempDir(), "moved")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program,
		"../moved").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	chrome := startChrome(t)
	shots := newShots(t)
	for _, lang := range []string{"ja", "en"} {
		t.Run("phone/"+lang, func(t *testing.T) {
			moves(t, openTab(t, chrome, phone, lang, shots), startProgram(t, program))
		})
		t.Run("pc/"+lang, func(t *testing.T) {
			b, base := openTab(t, chrome, desktop, lang, shots), startProgram(t, program)
			logsInAtMoved(t, b, base)
			b.visit(base+"/consent", `[value="agree"]`)
			b.page("72-consent-terms")
			b.press(`[value="decline"]`, "#to-consent")
		})
	}
}

// startProgram starts an example on a free port and returns the address that it prints.
func startProgram(t *testing.T, program string) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, program, "-addr", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "Open "); ok {
			go func() {
				for lines.Scan() { // what else it says must not fill the pipe
					continue
				}
			}()
			return strings.TrimSpace(address)
		}
	}
	t.Fatal("the program does not say where it is")
	return ""
}

// Hanako's, as the program prints them.
const hanakoPIN, hanakoPassword = "1234", "ABC123"

func logsInAtMoved(t *testing.T, b *tab, base string) {
	t.Helper()
	b.visit(base+"/", "#login")
	first := atAuthPIN
	if !b.device.mobile {
		first = atHandover
	}
	b.press("#login", first)
	if !b.device.mobile {
		b.press(submit("here"), atAuthPIN)
	}
	b.enter("auth-pin", "pin", hanakoPIN, atTextPIN)
	b.enter("text-pin", "pin", hanakoPIN, atConsent)
	b.press(submit("consent"), "#to-consent")
}

func moves(t *testing.T, b *tab, base string) {
	signs := func(button, next string) {
		t.Helper()
		b.press(button, atAuthPIN)
		b.enter("auth-pin", "pin", hanakoPIN, atPassword)
		b.enter("signing-password", "password", hanakoPassword, atConsent)
		b.press(submit("consent"), next)
	}
	b.visit(base+"/", "#login")
	b.page("71-moved-home")
	logsInAtMoved(t, b, base)
	old := b.text("#address")
	b.press("#to-consent", `[value="agree"]`)
	b.page("72-consent-terms")
	signs(`[value="agree"]`, "#pending")
	b.page("73-moved-pending")
	b.press("#tomorrow", "#active")
	b.press("#news", "#unchanged")
	b.press("#move", "#active")
	b.press("#news", "#no-certificate")
	b.page("74-moved-no-certificate")
	b.press("#reissue", "#active")
	b.press("#news", "#changed")
	if now := b.text("#address"); now == old {
		t.Error("the address is the old one")
	}
	b.page("75-moved-changed")
	signs("#withdraw", "#withdrawn")
	b.page("76-moved-withdrawn")
}
