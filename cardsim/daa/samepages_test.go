package daa_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/person"
)

// Pages that are shown again have the address of the visit that they are shown to, and of no other.
func TestPagesHaveTheirOwnAddress(t *testing.T) {
	rp := start(t)
	pin := rp.svc.Card().Person().Reveal().AuthPIN
	forms := regexp.MustCompile(`action="/phone/screen/([^"/]*)/`)
	seen := map[string]bool{}
	for range 3 {
		b := rp.browser(phoneAgent).get(rp.authorizationURL(with(rp.authorization(), "scope", "openid")))
		own := b.at.Path[strings.LastIndexByte(b.at.Path, '/')+1:]
		if seen[own] {
			t.Fatal("an address that another visit had")
		}
		seen[own] = true
		look := func() {
			t.Helper()
			found := forms.FindAllStringSubmatch(b.body, -1)
			if len(found) != 2 || found[0][1] != own || found[1][1] != own {
				t.Errorf("forms %q on a page of %s", found, own)
			}
		}
		b.want("auth-pin")
		look()
		b.submit("auth-pin", "pin", pin).want("consent")
		look()
		b.submit("consent")
		if rp.callback(b.left).Get("code") == "" {
			t.Error("no code")
		}
	}
	if n := len(rp.svc.KeptPages()); n != 2 {
		t.Errorf("%d pages kept, want the PIN's and the consent", n)
	}
}

// A page is shown again only where it would be the same: not in the other language, for another website, with another
// choice of cards, for other scopes, or after a mistake.
func TestPagesAreNotMixedUp(t *testing.T) {
	other := daa.ClientRegistration{
		ID: "RP00000002", Name: "Another shop", Key: newKey(t).Public(), RedirectURLs: []string{redirect},
	}
	rp := start(t, daa.WithClient(other), func(c *daa.Config) { c.ShowPINs = true })
	pin := rp.svc.Card().Person().Reveal().AuthPIN
	asked := with(rp.authorization(), "scope", "openid")
	show := func(q ...string) *browser {
		return rp.browser(phoneAgent).get(rp.authorizationURL(with(asked, q...))).want("auth-pin")
	}
	for range 2 {
		show().want("auth-pin", rpID, "暗証番号")
		b := show("client_id", other.ID)
		if b.want("auth-pin", other.Name); strings.Contains(b.body, rpID) {
			t.Error("another website's page")
		}
		if b := show(); strings.Contains(b.body, "住所") {
			t.Error("more is asked than was")
		}
		show("scope", "openid address").want("auth-pin", "住所")
		b = show()
		b.get(b.at.String()+"?lang=en").want("auth-pin", "Enter your PIN")
		b = show().submit("auth-pin", "pin", "1").want("auth-pin", `role="alert"`)
		if b = b.submit("auth-pin", "pin", pin).want("consent"); strings.Contains(b.body, `role="alert"`) {
			t.Error("the alert stayed")
		}
		if b := show(); strings.Contains(b.body, "alert") {
			t.Error("somebody else's mistake")
		}
	}
	before := show().want("auth-pin", "暗証番号")
	if strings.Contains(before.body, "taro") {
		t.Fatal("a card that is not there yet")
	}
	rp.svc.VisitorWith(cardOf(t, rp, cardsim.Config{Person: lookup(t, person.Taro)}))
	show().want("auth-pin", "taro")
}

// What is about a person, and what a visitor wrote into the address, is not kept, and there is a bound to what is.
func TestKeptPagesAreImpersonal(t *testing.T) {
	rp := start(t)
	p := rp.svc.Card().Person().Reveal()
	v := rp.svc.Visitor()
	for _, twoDevices := range []bool{false, true} {
		v.TwoDevices = twoDevices
		if _, err := login(t.Context(), rp.client(), v, authn.Request{Scopes: authn.Attributes}); err != nil {
			t.Fatal(err)
		}
	}
	b := rp.browser(phoneAgent).get(rp.authorizationURL(rp.authorization()))
	b.get(b.at.String() + "?mine=1").want("auth-pin")
	kept := rp.svc.KeptPages()
	if len(kept) == 0 {
		t.Error("nothing is kept")
	}
	for _, body := range kept {
		for _, personal := range []string{p.Name, p.Address, "data-kakunin-number", "mine"} {
			if strings.Contains(body, personal) {
				t.Errorf("%q is kept", personal)
			}
		}
	}
	for n := range 80 {
		id := fmt.Sprintf("RP1%07d", n)
		if err := rp.svc.Register(daa.ClientRegistration{
			ID: id, Key: newKey(t).Public(), RedirectURLs: []string{redirect},
		}); err != nil {
			t.Fatal(err)
		}
		rp.browser(phoneAgent).get(rp.authorizationURL(with(rp.authorization(), "client_id", id))).want("auth-pin", id)
	}
	if n := len(rp.svc.KeptPages()); n > 64 {
		t.Errorf("%d pages kept", n)
	}
}
