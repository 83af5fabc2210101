package daa_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/daa"
)

func TestHandOverFromPCToPhone(t *testing.T) {
	rp := start(t)
	p := rp.svc.Card().Person().Reveal()
	pc := rp.browser(pcAgent).get(rp.authorizationURL(rp.authorization()))
	pc.want("handover", "data:image/png;base64,", "この端末で続ける")
	m := regexp.MustCompile(`data-kakunin-phone="([^"]*)"`).FindStringSubmatch(pc.body)
	phone := rp.browser(phoneAgent).get(m[1]).want("auth-pin")
	pc.submit("number", "number", "123456").want("handover", `role="alert"`)
	phone.submit("auth-pin", "pin", p.AuthPIN).submit("text-pin", "pin", p.TextPIN).want("consent")
	phone.submit("consent").want("number")
	if phone.left != "" {
		t.Fatal("the phone was sent back: the code would end up in the wrong browser")
	}
	number := regexp.MustCompile(`data-kakunin-number="(\d{6})"`).FindStringSubmatch(phone.body)[1]
	wrong := "000000"
	if number == wrong {
		wrong = "000001"
	}
	for range 5 {
		pc.submit("number", "number", wrong).want("handover", "番号が違います")
	}
	pc.submit("number", "number", number).want("handover", "有効期限") // guessed too often
	phone.submit("number").want("number")
	number = regexp.MustCompile(`data-kakunin-number="(\d{6})"`).FindStringSubmatch(phone.body)[1]
	pc.submit("number", "number", number)
	if got := rp.callback(pc.left); got.Get("code") == "" {
		t.Errorf("callback %v", got)
	}
	phone.get(phone.at.String()).want("error")
}

func TestVisitorWithTwoDevices(t *testing.T) {
	rp := start(t)
	v := rp.svc.Visitor()
	v.TwoDevices = true
	target := rp.authorizationURL(rp.authorization())
	callback, err := v.Approve(t.Context(), target)
	if err != nil || rp.callback(callback).Get("code") == "" {
		t.Errorf("approve: %q, %v", callback, err)
	}
	callback, err = v.Cancel(t.Context(), target)
	if err != nil || rp.callback(callback).Get("error") != "access_denied" {
		t.Errorf("cancel: %q, %v", callback, err)
	}
	callback, remaining, err := v.MistypePIN(t.Context(), target, 1)
	if err != nil || remaining != 2 || rp.callback(callback).Get("code") == "" {
		t.Errorf("mistype: %q, %d, %v", callback, remaining, err)
	}
	callback, err = v.Block(t.Context(), target)
	if err != nil || rp.callback(callback).Get("error") != "access_denied" {
		t.Errorf("block: %q, %v", callback, err)
	}
}

func TestHandOverExpiresAndIsRefreshed(t *testing.T) {
	clock := newClock()
	rp := start(t, follow(t, clock))
	p := rp.svc.Card().Person().Reveal()
	address := regexp.MustCompile(`data-kakunin-phone="([^"]*)"`)
	pc := rp.browser(pcAgent).get(rp.authorizationURL(rp.authorization()))
	first := address.FindStringSubmatch(pc.body)[1]
	clock.advance(5 * time.Minute)
	if phone := rp.browser(phoneAgent).get(first).want("error"); phone.status != http.StatusGone {
		t.Errorf("status %d", phone.status)
	}
	pc.get(pc.at.String()).want("handover", "QRコードの有効期限")
	if strings.Contains(pc.body, "data:image/png") {
		t.Error("an expired QR code is shown")
	}
	pc.submit("refresh").want("handover", "data:image/png")
	second := address.FindStringSubmatch(pc.body)[1]
	if second == first {
		t.Fatal("the address did not change")
	}
	phone := rp.browser(phoneAgent).get(second).want("auth-pin")
	clock.advance(5 * time.Minute) // opened in time
	phone.submit("auth-pin", "pin", p.AuthPIN).submit("text-pin", "pin", p.TextPIN).submit("consent").want("number")
	number := regexp.MustCompile(`data-kakunin-number="(\d{6})"`).FindStringSubmatch(phone.body)[1]
	clock.advance(4*time.Minute + 59*time.Second)
	// The whole visit ends after 15 minutes, whatever was shown last.
	clock.advance(time.Second)
	pc.submit("number", "number", number).want("error")
	phone.get(phone.at.String()).want("error")
}

func TestNumberExpires(t *testing.T) {
	clock := newClock()
	rp := start(t, follow(t, clock), daa.WithKnobs(daa.Knobs{Lifetimes: daa.Lifetimes{Number: time.Minute}}))
	p := rp.svc.Card().Person().Reveal()
	pc := rp.browser(pcAgent).get(rp.authorizationURL(rp.authorization()))
	phone := rp.browser(phoneAgent).get(regexp.MustCompile(`data-kakunin-phone="([^"]*)"`).FindStringSubmatch(
		pc.body)[1])
	phone.submit("auth-pin", "pin", p.AuthPIN).submit("text-pin", "pin", p.TextPIN).submit("consent").want("number")
	number := regexp.MustCompile(`data-kakunin-number="(\d{6})"`).FindStringSubmatch(phone.body)[1]
	clock.advance(time.Minute)
	phone.get(phone.at.String()).want("number", "有効期限")
	pc.submit("number", "number", number).want("handover", "有効期限")
}

// The PC page is bound to the browser that began; so is the way back from the phone screen.
func TestVisitsAreBoundToTheBrowser(t *testing.T) {
	rp := start(t)
	p := rp.svc.Card().Person().Reveal()
	pc := rp.browser(pcAgent).get(rp.authorizationURL(rp.authorization())).want("handover")
	stranger := rp.browser(pcAgent).get(pc.at.String()).want("error")
	if stranger.status != http.StatusForbidden {
		t.Errorf("status %d", stranger.status)
	}
	pc.submit("here").want("auth-pin")
	address := pc.at.String()
	pc.submit("auth-pin", "pin", p.AuthPIN).submit("text-pin", "pin", p.TextPIN).want("consent")
	stranger.get(address).want("consent").submit("consent").want("number")
	if stranger.left != "" {
		t.Error("a stranger's browser was sent back with a code")
	}
	// Without a hand-over page a phone without the cookie is a dead end and told so.
	begun := rp.browser(phoneAgent).get(rp.authorizationURL(rp.authorization())).want("auth-pin")
	if b := rp.browser(phoneAgent).get(begun.at.String()).want("error", "Cookie"); b.status != http.StatusForbidden {
		t.Errorf("status %d", b.status)
	}
}

func TestHandoverKnob(t *testing.T) {
	rp := start(t)
	for _, c := range []struct {
		knob  daa.Handover
		agent string
		page  string
	}{
		{daa.HandoverAuto, pcAgent, "handover"}, {daa.HandoverAuto, phoneAgent, "auth-pin"},
		{daa.HandoverAuto, "Mozilla/5.0 (Linux; Android 15; Pixel 9)", "auth-pin"}, {daa.HandoverAuto, "", "handover"},
		{daa.HandoverNever, pcAgent, "auth-pin"}, {daa.HandoverAlways, phoneAgent, "handover"},
	} {
		rp.svc.SetKnobs(daa.Knobs{Authorization: daa.AuthorizationKnobs{Handover: c.knob}})
		rp.browser(c.agent).get(rp.authorizationURL(rp.authorization())).want(c.page)
	}
}

// What ends on the phone is carried back by the PC's tab, by whatever the person does there next.
func TestCancelOnThePhoneReachesThePC(t *testing.T) {
	rp := start(t)
	for _, next := range []func(*browser){
		func(pc *browser) { pc.get(pc.at.String()) },
		func(pc *browser) { pc.submit("number", "number", "123456") },
		func(pc *browser) { pc.submit("cancel") },
	} {
		pc := rp.browser(pcAgent).get(rp.authorizationURL(rp.authorization())).want("handover")
		phone := rp.browser(phoneAgent).get(regexp.MustCompile(`data-kakunin-phone="([^"]*)"`).FindStringSubmatch(
			pc.body)[1])
		phone.submit("cancel").want("closed", "情報は提供されていません")
		next(pc)
		if got := rp.callback(pc.left); got.Get("error") != "access_denied" || got.Get("state") != "a-state" {
			t.Errorf("callback %v", got)
		}
		phone.get(phone.at.String()).want("error")
	}
}
