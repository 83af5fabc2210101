package daa_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/daa/visitor"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/internal/tests"
	"github.com/kakunin-go/kakunin/jpki"
)

func TestPhoneScreenStepByStep(t *testing.T) {
	rp := start(t)
	p := rp.svc.Card().Person().Reveal()
	b := rp.browser(phoneAgent).get(rp.authorizationURL(rp.authorization()))
	b.want("auth-pin", "氏名", "住所", "生年月日", "性別", rpID)
	b.submit("auth-pin", "pin", p.AuthPIN).want("text-pin")
	b.submit("text-pin", "pin", p.TextPIN).want("consent", p.Name, p.Address, "許可", "中止")
	b.submit("consent")
	if got := rp.callback(b.left); got.Get("code") == "" {
		t.Errorf("callback %v", got)
	}
	// Back and reload show that it is over, and repeat nothing.
	b.get(strings.Replace(b.at.String(), "/consent", "", 1)).want("error")
	if b.status != http.StatusGone {
		t.Errorf("status %d", b.status)
	}
}

// The consent page lists exactly what was asked.
func TestConsentListsOnlyWhatWasAsked(t *testing.T) {
	rp := start(t)
	p := rp.svc.Card().Person().Reveal()
	b := rp.browser(phoneAgent).get(rp.authorizationURL(with(rp.authorization(), "scope", "openid gender")))
	b.submit("auth-pin", "pin", p.AuthPIN).submit("text-pin", "pin", p.TextPIN).want("consent", "性別")
	for _, absent := range []string{p.Name, p.Address, "氏名", "住所", "生年月日"} {
		if strings.Contains(b.body, absent) {
			t.Errorf("the page shows %q", absent)
		}
	}
	// Without attributes the second PIN is not asked.
	b = rp.browser(phoneAgent).get(rp.authorizationURL(with(rp.authorization(), "scope", "openid")))
	b.submit("auth-pin", "pin", p.AuthPIN).want("consent")
}

func TestWrongPINShowsTheRemainingTriesAndBlocks(t *testing.T) {
	rp := start(t)
	p := rp.svc.Card().Person().Reveal()
	b := rp.browser(phoneAgent).get(rp.authorizationURL(rp.authorization()))
	b.submit("auth-pin", "pin", "12345").want("auth-pin", `role="alert"`, "カードには送っていません")
	b.submit("auth-pin", "pin", "0000").want("auth-pin", `role="alert"`, "あと2回", `data-kakunin-remaining="2"`)
	b.submit("auth-pin", "pin", "0000").want("auth-pin", "あと1回")
	b.get(b.at.String()+"?lang=en").want("auth-pin", "1 more wrong attempt")
	b.submit("auth-pin", "pin", "0000").want("problem", "locked", "municipality", `data-kakunin-blocked="auth-pin"`)
	b.submit("leave")
	if got := rp.callback(b.left); got.Get("error") != "access_denied" || got.Get("state") != "a-state" ||
		got.Has("code") {
		t.Errorf("callback %v", got)
	}
	// The card stays blocked for the right PIN too.
	b = rp.browser(phoneAgent).get(rp.authorizationURL(rp.authorization()))
	b.submit("auth-pin", "pin", p.AuthPIN).want("problem")
}

func TestWrongTextPINAndSigningPasswordBlock(t *testing.T) {
	rp := start(t)
	p := rp.svc.Card().Person().Reveal()
	b := rp.browser(phoneAgent).get(rp.authorizationURL(rp.authorization())).submit("auth-pin", "pin", p.AuthPIN)
	for range 2 {
		b.submit("text-pin", "pin", "0000").want("text-pin", `role="alert"`)
	}
	b.submit("text-pin", "pin", "0000").want("problem", `data-kakunin-blocked="text-pin"`)

	id := rp.transaction(make([]byte, 32))
	b = rp.browser(phoneAgent).get(rp.authorizationURL(rp.signing(id))).submit("auth-pin", "pin", p.AuthPIN)
	b.want("signing-password", "ハッシュ値").submit("signing-password", "password", "short").want("signing-password",
		`role="alert"`)
	for range 4 {
		b.submit("signing-password", "password", "WRONG1").want("signing-password", `role="alert"`)
	}
	b.submit("signing-password", "password", "WRONG1").want("problem", `data-kakunin-blocked="signing-password"`)
	b.submit("leave")
	if got := rp.callback(b.left); got.Get("error") != "access_denied" {
		t.Errorf("callback %v", got)
	}
}

func TestSigningPasswordInLowerCase(t *testing.T) {
	rp := start(t)
	p := rp.svc.Card().Person().Reveal()
	id := rp.transaction(make([]byte, 32))
	b := rp.browser(phoneAgent).get(rp.authorizationURL(rp.signing(id))).submit("auth-pin", "pin", p.AuthPIN)
	b.submit("signing-password", "password", strings.ToLower(p.SigningPassword)).want("consent", "電子署名")
}

func TestCancelOnEveryPage(t *testing.T) {
	rp := start(t)
	p := rp.svc.Card().Person().Reveal()
	id := rp.transaction(make([]byte, 32))
	steps := []func(*browser){
		func(*browser) {},
		func(b *browser) { b.submit("auth-pin", "pin", p.AuthPIN).want("text-pin") },
		func(b *browser) { b.submit("text-pin", "pin", p.TextPIN).want("signing-password") },
		func(b *browser) { b.submit("signing-password", "password", p.SigningPassword).want("consent") },
	}
	for n := range steps {
		q := with(rp.signing(rp.transaction(make([]byte, 32))), "scope", "openid name sign")
		b := rp.browser(phoneAgent).get(rp.authorizationURL(q))
		for _, step := range steps[:n+1] {
			step(b)
		}
		b.submit("cancel")
		got := rp.callback(b.left)
		if got.Get("error") != "access_denied" || got.Get("state") != "a-state" || got.Has("code") {
			t.Errorf("after %d steps: %v", n, got)
		}
	}
	// A cancelled transaction cannot be used again; one that nobody cancelled can.
	if got := rp.approve(rp.signing(id)); got.Get("code") == "" {
		t.Errorf("got %v", got)
	}
}

func TestVisitorCancelsMistypesAndBlocks(t *testing.T) {
	rp := start(t)
	v := rp.svc.Visitor()
	target := rp.authorizationURL(rp.authorization())
	callback, err := v.Cancel(t.Context(), target)
	if err != nil || rp.callback(callback).Get("error") != "access_denied" {
		t.Errorf("cancel: %q, %v", callback, err)
	}
	callback, remaining, err := v.MistypePIN(t.Context(), target, 2)
	if err != nil || remaining != 1 || rp.callback(callback).Get("code") == "" {
		t.Errorf("two mistakes: %d, %v", remaining, err)
	}
	v.TextPIN = "0000"
	var e *visitor.Error
	if _, err = v.Approve(t.Context(), target); !errors.As(err, &e) || e.Reason != visitor.ReasonPINRefused {
		t.Errorf("wrong text PIN: %v", err)
	}
	v = rp.svc.Visitor()
	v.AuthPIN = "9999"
	if _, err = v.Approve(t.Context(), target); !errors.As(err, &e) || e.Reason != visitor.ReasonPINRefused {
		t.Errorf("wrong PIN: %v", err)
	}
	v = rp.svc.Visitor()
	callback, err = v.Block(t.Context(), target)
	if err != nil || rp.callback(callback).Get("error") != "access_denied" {
		t.Errorf("block: %q, %v", callback, err)
	}
	callback, err = v.Approve(t.Context(), target)
	if !errors.As(err, &e) || e.Reason != visitor.ReasonCardUnusable ||
		rp.callback(callback).Get("error") != "access_denied" {
		t.Errorf("blocked card: %q, %v", callback, err)
	}
	if _, err = v.Approve(t.Context(), rp.authorizationURL(with(rp.authorization(), "client_id", "X"))); !errors.As(err,
		&e) ||
		e.Reason != visitor.ReasonRefused || e.Step != "client" {
		t.Errorf("unknown client: %v", err)
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	rp := start(t)
	p := rp.svc.Card().Person().Reveal()
	for _, header := range []map[string]string{
		{"Sec-Fetch-Site": "cross-site"},
		{"Sec-Fetch-Site": "same-site"},
		{"Sec-Fetch-Site": "", "Origin": "https://evil.example"},
	} {
		b := rp.browser(phoneAgent).get(rp.authorizationURL(rp.authorization())).want("auth-pin")
		b.header = header
		b.submit("auth-pin", "pin", p.AuthPIN).want("error")
		if b.status != http.StatusForbidden {
			t.Errorf("%v: status %d", header, b.status)
		}
	}
	// What a browser sends from our own page over plain http to another machine, under Referrer-Policy no-referrer.
	b := rp.browser(phoneAgent).get(rp.authorizationURL(rp.authorization()))
	b.header = map[string]string{"Sec-Fetch-Site": "", "Origin": "null"}
	b.submit("auth-pin", "pin", p.AuthPIN).want("text-pin")
	// Posting to a page that is not shown now changes nothing.
	b.header = nil
	b.post(strings.Replace(b.at.Path, "/text-pin", "", 1) + "/consent").want("text-pin")
}

func TestRevokedAuthenticationCertificate(t *testing.T) {
	rp := start(t, own)
	_, der := rp.svc.Card().Certificates()
	leaf, err := jpki.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := rp.svc.JPKI().AuthenticationCA().Revoke(leaf.X509().SerialNumber,
		issuer.Revocation{Reason: 1, At: time.Now().Add(-time.Hour)}); err != nil {
		t.Fatal(err)
	}
	p := rp.svc.Card().Person().Reveal()
	b := rp.browser(phoneAgent).get(rp.authorizationURL(rp.authorization()))
	b.submit("auth-pin", "pin", p.AuthPIN).want("problem", "失効", "市区町村").submit("leave")
	if got := rp.callback(b.left); got.Get("error") != "access_denied" {
		t.Errorf("callback %v", got)
	}
	rp.svc.SetKnobs(daa.Knobs{Authorization: daa.AuthorizationKnobs{
		Failures: daa.FailureKnobs{CertificateUnusable: "server_error", OmitDescription: true}}})
	callback, err := rp.svc.Visitor().Approve(t.Context(), rp.authorizationURL(rp.authorization()))
	var e *visitor.Error
	if got := rp.callback(callback); !errors.As(err, &e) || got.Get("error") != "server_error" ||
		got.Has("error_description") {
		t.Errorf("callback %v, %v", got, err)
	}
}

func TestChoosingACard(t *testing.T) {
	rp := start(t, daa.WithPersonas(person.Hanako, person.Taro))
	taro := rp.svc.Cards()[1]
	callback, err := rp.svc.VisitorWith(taro).Approve(t.Context(), rp.authorizationURL(rp.authorization()))
	if err != nil {
		t.Fatal(err)
	}
	access := rp.mustToken(rp.exchange(rp.callback(callback).Get("code")))
	a := rp.do(http.MethodGet, rp.svc.Environment().UserinfoEndpoint, access, "", "")
	if a.json["name"] != taro.Person().Reveal().Name {
		t.Errorf("userinfo %s", a.body)
	}
	b := rp.browser(phoneAgent).get(rp.authorizationURL(rp.authorization())).want("auth-pin", "taro", "hanako")
	b.submit("auth-pin", "pin", "1234").want("auth-pin", "カードを選んで")
}

func TestLanguages(t *testing.T) {
	rp := start(t)
	target := rp.authorizationURL(rp.authorization())
	for header, text := range map[string]string{
		"": "暗証番号を入力", "ja": "暗証番号を入力", "en-US,en;q=0.9": "Enter your PIN", "en;q=0.5, ja;q=0.9": "暗証番号を入力",
		"fr": "Enter your PIN", "*": "暗証番号を入力", "ja;q=0, en": "Enter your PIN",
	} {
		b := rp.browser(phoneAgent)
		b.header = map[string]string{"Accept-Language": header}
		b.get(target).want("auth-pin", text)
	}
	// The choice stays over a form.
	b := rp.browser(phoneAgent).get(target)
	b.get(b.at.String()+"?lang=en").want("auth-pin", `<html lang="en">`, `href="?lang=ja"`)
	b.submit("auth-pin", "pin", rp.svc.Card().Person().Reveal().AuthPIN).want("text-pin", "Enter your second PIN")
}

// Every page says what it is, runs no script, cannot be framed or cached, and leaks no address.
func TestPagesAreHardened(t *testing.T) {
	rp := start(t)
	p := rp.svc.Card().Person().Reveal()
	var seen []string
	check := func(b *browser) {
		t.Helper()
		seen = append(seen, b.page())
		h := b.resp
		csp := h.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "script") ||
			strings.Contains(csp, "unsafe") ||
			!strings.Contains(csp, "frame-ancestors 'none'") || !strings.Contains(csp, "form-action 'self'") {
			t.Errorf("%s: policy %q", b.page(), csp)
		}
		if h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" ||
			h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: headers %v", b.page(), h)
		}
		for _, text := range []string{"シミュレーター", "公式のサービスではありません", `<html lang="ja">`, "width=device-width"} {
			if !strings.Contains(b.body, text) {
				t.Errorf("%s does not say %q", b.page(), text)
			}
		}
		for _, text := range []string{"<script", "style=", "onclick", p.AuthPIN + "<", p.SigningPassword} {
			if strings.Contains(b.body, text) {
				t.Errorf("%s has %q", b.page(), text)
			}
		}
		for _, input := range regexp.MustCompile(`<input[^>]*>`).FindAllString(b.body, -1) {
			id := regexp.MustCompile(` id="([^"]+)"`).FindStringSubmatch(input)
			if id == nil || !strings.Contains(b.body, `<label for="`+id[1]+`">`) ||
				!strings.Contains(input, `autocomplete="off"`) {
				t.Errorf("%s: input without label or with autocomplete: %s", b.page(), input)
			}
		}
	}
	home := rp.browser(pcAgent)
	check(home.get(rp.svc.URL()+"/").want("home", rpID))
	check(home.get(rp.svc.URL() + "/nothing").want("error"))
	pc := rp.browser(pcAgent).get(rp.authorizationURL(with(rp.signing(rp.transaction(make([]byte, 32))), "scope",
		"openid name sign")))
	check(pc)
	if !strings.Contains(pc.resp.Get("Content-Security-Policy"), "form-action 'self' https://shop.example") {
		t.Error("a browser would stop the way back to the relying party")
	}
	phone := rp.browser(phoneAgent).get(regexp.MustCompile(`data-kakunin-phone="([^"]*)"`).FindStringSubmatch(
		pc.body)[1])
	check(phone)
	check(phone.submit("auth-pin", "pin", p.AuthPIN))
	check(phone.submit("text-pin", "pin", p.TextPIN))
	check(phone.submit("signing-password", "password", p.SigningPassword))
	check(phone.submit("consent"))
	check(phone.submit("cancel"))
	b := rp.browser(phoneAgent).get(rp.authorizationURL(rp.authorization()))
	for range 3 {
		b.submit("auth-pin", "pin", "0000")
	}
	check(b)
	want := "home error handover auth-pin text-pin signing-password consent number closed problem"
	if got := strings.Join(seen, " "); got != want {
		t.Errorf("pages %s, want %s", got, want)
	}
	css := rp.do(http.MethodGet, rp.svc.URL()+"/phone/style.css", "", "", "")
	if css.header.Get("Content-Type") != "text/css; charset=utf-8" ||
		!bytes.Contains(css.body, []byte("min-height: 52px")) {
		t.Error("style sheet")
	}
}

func TestLogsHoldNothingSecretOrPersonal(t *testing.T) {
	var log tests.Log
	rp := start(t, daa.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	p := rp.svc.Card().Person().Reveal()
	id := rp.transaction(make([]byte, 32))
	b := rp.browser(phoneAgent).get(rp.authorizationURL(with(rp.signing(id), "scope",
		"openid name address birthdate gender sign")))
	b.submit("auth-pin", "pin", "9876").submit("auth-pin", "pin", p.AuthPIN).submit("text-pin", "pin", p.TextPIN)
	b.submit("signing-password", "password", p.SigningPassword).submit("consent")
	code := rp.callback(b.left).Get("code")
	access := rp.mustToken(rp.exchange(code))
	rp.result(id, access)
	rp.token(rp.exchange(code))
	out := log.String()
	if !strings.Contains(out, "token issued") || !strings.Contains(out, "visit ended") {
		t.Fatalf("nothing was logged: %s", out)
	}
	for _, secret := range []string{
		"9876", "pin=", p.SigningPassword, p.Name, p.Address, p.Subject.Birthdate, p.IndividualNumber, code, access,
		verifier,
	} {
		if strings.Contains(out, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}
