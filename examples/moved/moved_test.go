package main

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/cardsim/platform"
	"github.com/kakunin-go/kakunin/examples/internal/stage/stagetest"
)

func open(t *testing.T) *stagetest.Site {
	t.Helper()
	var site *stagetest.Site
	site = stagetest.Open(t, example(nil, func(d time.Duration) { site.Advance(d) }), stagetest.OwnAuthorities)
	return site
}

func newAddress() string {
	all := person.Municipalities()
	to := all[len(all)-1]
	return to.Prefecture + to.City + "架空町９丁目８番７号"
}

// TestACustomerMoves is the whole story, as a person goes through it.
func TestACustomerMoves(t *testing.T) {
	site := open(t)
	hanako := site.Guest(person.Hanako)
	old := site.Sim.Card().Person().Reveal().Address
	do := func(path string, texts ...string) {
		t.Helper()
		stagetest.Expect(t, hanako.Submit(path, url.Values{}), http.StatusOK, texts...)
	}
	stagetest.Expect(t, hanako.Open("/"), http.StatusOK, "引っ越し")
	stagetest.Expect(t, hanako.Open("/account"), http.StatusOK, old, `id="to-consent"`)
	stagetest.Expect(t, hanako.Submit("/news", url.Values{}), http.StatusConflict, `role="alert"`)
	stagetest.Expect(t, hanako.Open("/consent"), http.StatusOK,
		"架空保険", "1. 機構から当社への提供", "15. 連絡先", `value="agree"`, `value="decline"`)
	stagetest.Expect(t, hanako.Submit("/consent", url.Values{"answer": {"decline"}}), http.StatusOK, `id="to-consent"`)
	stagetest.Expect(t, hanako.Submit("/consent", url.Values{"answer": {"agree"}}), http.StatusOK, `id="pending"`)
	stagetest.Expect(t, hanako.Submit("/news", url.Values{}), http.StatusConflict) // counts from tomorrow on

	site.Advance(23 * time.Hour) // the session has its own length: the person logs in again
	hanako = site.Guest(person.Hanako)
	stagetest.Expect(t, hanako.Open("/account"), http.StatusOK, old)
	do("/world/tomorrow", `id="active"`)
	do("/news", `id="unchanged"`, old)
	do("/world/move", old) // nobody has told the insurer
	do("/news", `id="no-certificate"`, old)
	do("/world/reissue", old)
	do("/news", `id="changed"`, newAddress(), `id="match-address"`)
	do("/news", `id="unchanged"`, newAddress())
	// The login with the new card does not write to the contract: the operator does.
	again := site.Guest(person.Hanako)
	stagetest.Expect(t, again.Open("/account"), http.StatusOK, newAddress())
	do("/withdraw", `id="withdrawn"`)
	stagetest.Expect(t, hanako.Submit("/news", url.Values{}), http.StatusConflict)
}

// TestNothingIsTakenFromAnOperatorThatErrs: no consent comes of a verdict about something else.
func TestNothingIsTakenFromAnOperatorThatErrs(t *testing.T) {
	site := open(t)
	hanako := site.Guest(person.Hanako)
	stagetest.Expect(t, hanako.Open("/account"), http.StatusOK)
	for _, how := range []platform.Answer{platform.AnswerOtherDocument, platform.AnswerMismatch,
		platform.AnswerRevoked} {
		site.Sim.SetKnobs(daa.Knobs{Operator: platform.Knobs{Answer: how}})
		page := hanako.Submit("/consent", url.Values{"answer": {"agree"}})
		if page.Status < 400 {
			t.Errorf("%s: %d", how, page.Status)
		}
		stagetest.Expect(t, hanako.Open("/account"), http.StatusOK, `id="to-consent"`)
	}
}
