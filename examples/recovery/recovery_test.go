package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/examples/internal/stage/stagetest"
)

// A whole visit: become a member, lose the card, come back under another subject, wait, and be found.
func TestVisit(t *testing.T) {
	site := stagetest.Open(t, example())
	before, staff := site.Guest(person.Hanako), site.Staff()
	stagetest.Expect(t, before.Open("/"), http.StatusOK, `id="reissue"`)
	stagetest.Expect(t, before.Open("/account"), http.StatusOK, "M00001")
	stagetest.Expect(t, before.Open("/benefits"), http.StatusOK, `id="benefit"`)
	stagetest.Expect(t, site.Guest(person.Taro).Open("/account"), http.StatusOK, "M00002") // somebody else

	before.Submit("/reissue", nil)
	after := site.Guest(person.Hanako)
	page := after.Open("/account")
	stagetest.Expect(t, page, http.StatusOK, `id="waiting"`)
	if strings.Contains(page.Body, "M00001") {
		t.Error("the page says whose account it may be")
	}
	stagetest.Expect(t, after.Open("/benefits"), http.StatusForbidden, "会員の確認が終わるまで")
	stagetest.Expect(t, after.Open("/staff"), http.StatusUnauthorized)

	page = staff.Open("/staff")
	stagetest.Expect(t, page, http.StatusOK, "R1", "M00001", "完全に一致")
	if strings.Contains(page.Body, "花子") || strings.Contains(page.Body, "M00002") {
		t.Error("the staff sees more than it needs")
	}
	stagetest.Expect(t, before.Open("/account"), http.StatusOK, "M00001") // still hers
	// A member who was no candidate is no choice, whoever writes the form.
	stagetest.Expect(t, staff.Submit("/staff", url.Values{"review": {"R1"}, "member": {"M00002"}}), http.StatusOK, "R1")
	stagetest.Expect(t, staff.Submit("/staff", url.Values{"review": {"R1"}, "member": {"M00001"}}), http.StatusOK,
		`id="none"`)

	stagetest.Expect(t, after.Open("/account"), http.StatusOK, "M00001")
	stagetest.Expect(t, after.Open("/benefits"), http.StatusOK, `id="benefit"`)
	// Whoever still had a session of the old subject is out, and would have to log in: as what the card says now.
	if got := before.Ask(stagetest.Request{Path: "/account"}); got.Status != http.StatusSeeOther {
		t.Errorf("the old session lives: %d", got.Status)
	}
	stagetest.Expect(t, staff.Submit("/staff", url.Values{"review": {"R1"}, "member": {"M00001"}}), http.StatusOK,
		`id="none"`)
}

// Two people share name, birthdate and address: each has an account of their own, and only staff could change that.
func TestNamesakes(t *testing.T) {
	site := stagetest.Open(t, example())
	site.Guest(person.Hanako).Open("/account")
	claims := map[string]any{}
	hanako := site.Sim.Card().Person().Reveal()
	claims["name"], claims["address"], claims["birthdate"] = hanako.Name, hanako.Address, "19880723"
	site.Sim.SetKnobs(daa.Knobs{Userinfo: daa.UserinfoKnobs{SetClaims: claims}})
	namesake := site.Guest(person.Taro) // another card, another subject, the same attributes
	stagetest.Expect(t, namesake.Open("/account"), http.StatusOK, `id="waiting"`)
	namesake.Open("/account")
	staff := site.Staff()
	stagetest.Expect(t, staff.Submit("/staff", url.Values{"review": {"R1"}, "member": {""}}), http.StatusOK,
		`id="none"`)
	stagetest.Expect(t, namesake.Open("/account"), http.StatusOK, "M00002")
	again := site.Guest(person.Taro)
	stagetest.Expect(t, again.Open("/account"), http.StatusOK, "M00002")
}
