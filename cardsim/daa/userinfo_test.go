package daa_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/fourinfo"
)

// The client reads every form of the attributes that the documents leave open.
func TestAttributeKnobs(t *testing.T) {
	rp := start(t)
	c, v := rp.client(), rp.svc.Visitor()
	p := rp.svc.Card().Person().Reveal()
	read := func(t *testing.T, k daa.AttributeKnobs) *authn.Identity {
		t.Helper()
		rp.svc.SetKnobs(daa.Knobs{Userinfo: daa.UserinfoKnobs{Attributes: k}})
		id, err := login(t.Context(), c, v, authn.Request{Scopes: authn.Attributes})
		if err != nil {
			t.Fatal(err)
		}
		if len(id.Problems) != 0 {
			t.Errorf("problems %v", id.Problems)
		}
		return id
	}
	t.Run("address object", func(t *testing.T) {
		if id := read(t, daa.AttributeKnobs{Address: daa.AddressObject}); id.Person.Address.Reveal() != p.Address {
			t.Error("another address")
		}
	})
	for name, c := range map[string]struct {
		form daa.BirthdateForm
		want fourinfo.PartialDate
		raw  string
	}{
		"compact":       {daa.BirthdateCompact, fourinfo.PartialDate{Year: 1990, Month: 4, Day: 5}, "19900405"},
		"ISO":           {daa.BirthdateISO, fourinfo.PartialDate{Year: 1990, Month: 4, Day: 5}, "1990-04-05"},
		"unknown day":   {daa.BirthdateUnknownDay, fourinfo.PartialDate{Year: 1990, Month: 4}, "19900400"},
		"unknown month": {daa.BirthdateUnknownMonth, fourinfo.PartialDate{Year: 1990}, "19900000"},
	} {
		t.Run("birthdate "+name, func(t *testing.T) {
			born := p.Subject.Birthdate
			want, raw := c.want, born[:4]+c.raw[4:]
			b := read(t, daa.AttributeKnobs{Birthdate: c.form}).Person.Birthdate
			if got := b.Reveal(); len(b.RevealRaw()) != len(raw) || (got.Month == 0) != (want.Month == 0) ||
				(got.Day == 0) != (want.Day == 0) {
				t.Errorf("%q read as %+v", b.RevealRaw(), got)
			}
		})
	}
	t.Run("gender word", func(t *testing.T) {
		if g := read(t, daa.AttributeKnobs{Gender: daa.GenderWord}).Person.Gender; g.Reveal() != fourinfo.Female ||
			g.RevealRaw() != "female" {
			t.Errorf("gender %v", g.RevealRaw())
		}
	})
	t.Run("gender unlisted", func(t *testing.T) {
		if g := read(t, daa.AttributeKnobs{
			Gender: daa.GenderUnlisted}).Person.Gender; g.Reveal() != fourinfo.GenderUnknown || !g.Present() {
			t.Errorf("gender %v", g.RevealRaw())
		}
	})
	for name, c := range map[string]struct {
		separator daa.NameSeparator
		want      string
	}{
		"half-width space": {daa.NameHalfWidth, "氏 名"},
		"no space":         {daa.NameUnseparated, "氏名"},
	} {
		t.Run("name with "+name, func(t *testing.T) {
			got := read(t, daa.AttributeKnobs{NameSeparator: c.separator}).Person.Name.Reveal()
			if got == p.Name || len(got) != len(p.Name)-3+len(c.want)-len("氏名") {
				t.Errorf("name of %d bytes, the card's has %d", len(got), len(p.Name))
			}
		})
	}
}

// userinfo answers POST as well: with the token in the header or in the form, and not in both.
func TestUserinfoByPost(t *testing.T) {
	rp := start(t)
	access := rp.mustToken(rp.exchange(rp.approve(rp.authorization()).Get("code")))
	endpoint := rp.svc.Environment().UserinfoEndpoint
	form := url.Values{"access_token": {access}}.Encode()
	for name, a := range map[string]answer{
		"header":             rp.do(http.MethodPost, endpoint, access, "", ""),
		"form":               rp.do(http.MethodPost, endpoint, "", formType, form),
		"empty form, header": rp.do(http.MethodPost, endpoint, access, formType, ""),
	} {
		if a.status != http.StatusOK || a.json["name"] == nil {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	for name, c := range map[string]struct {
		a      answer
		status int
	}{
		"both":    {rp.do(http.MethodPost, endpoint, access, formType, form), http.StatusBadRequest},
		"twice":   {rp.do(http.MethodPost, endpoint, "", formType, form+"&"+form), http.StatusBadRequest},
		"neither": {rp.do(http.MethodPost, endpoint, "", formType, ""), http.StatusUnauthorized},
		"form as JSON": {rp.do(http.MethodPost, endpoint, "", "application/json", `{"access_token":"`+access+`"}`),
			http.StatusUnauthorized},
		"in the address": {rp.do(http.MethodPost, endpoint+"?access_token="+access, "", "", ""), http.StatusBadRequest},
		"by PUT":         {rp.do(http.MethodPut, endpoint, access, "", ""), http.StatusMethodNotAllowed},
	} {
		if c.a.status != c.status || strings.Contains(string(c.a.body), "name") {
			t.Errorf("%s: %d %s", name, c.a.status, c.a.body)
		}
	}
}
