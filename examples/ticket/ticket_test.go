package main

import (
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/examples/internal/stage/stagetest"
)

var codeOnPage = regexp.MustCompile(`<code id="code">([A-Z2-7]{8})</code>`)

// A whole visit: log in, buy, enter once; with everything that must not work.
func TestVisit(t *testing.T) {
	site := stagetest.Open(t, example(2))
	hanako, staff := site.Guest(person.Hanako), site.Staff()
	stagetest.Expect(t, hanako.Open("/"), http.StatusOK, `<strong id="left">2</strong>`)
	stagetest.Expect(t, hanako.Open("/buy"), http.StatusOK, `id="confirm"`)
	stagetest.Expect(t, hanako.Submit("/buy", nil), http.StatusOK, `id="ticket"`)

	stagetest.Expect(t, hanako.Submit("/buy", nil), http.StatusConflict, "お一人様1枚")
	other := site.Guest(person.Hanako) // the same card, another phone
	other.Open("/buy")
	stagetest.Expect(t, other.Submit("/buy", nil), http.StatusConflict)

	first := entry(t, hanako)
	second := entry(t, hanako)
	stagetest.Expect(t, hanako.Submit("/door", url.Values{"code": {second}}), http.StatusUnauthorized)
	stagetest.Expect(t, staff.Submit("/door", url.Values{"code": {first}}), http.StatusConflict, `id="refused"`)
	stagetest.Expect(t, staff.Submit("/door", url.Values{"code": {" " + second}}), http.StatusOK, `id="admitted"`)
	stagetest.Expect(t, staff.Submit("/door", url.Values{"code": {second}}), http.StatusConflict, `id="refused"`)
	stagetest.Expect(t, hanako.Submit("/return", nil), http.StatusOK, "入場済み")
}

func entry(t *testing.T, g *stagetest.Guest) string {
	t.Helper()
	p := g.Open("/entry")
	stagetest.Expect(t, p, http.StatusOK, "data:image/png")
	return codeOnPage.FindStringSubmatch(p.Body)[1]
}

// Whoever buys a ticket from somebody cannot enter: the code is made after a fresh login, and soon over.
func TestResoldTicketIsWorthNothing(t *testing.T) {
	site := stagetest.Open(t, example(9))
	hanako, staff, taro := site.Guest(person.Hanako), site.Staff(), site.Guest(person.Taro)
	hanako.Open("/buy")
	hanako.Submit("/buy", nil)
	stagetest.Expect(t, taro.Open("/entry"), http.StatusOK, `id="buy"`) // no ticket, no code

	code := entry(t, hanako)
	site.Advance(codeLife + time.Second)
	stagetest.Expect(t, staff.Submit("/door", url.Values{"code": {code}}), http.StatusConflict)

	// Half an hour later the card is asked for again; the simulated person has it.
	site.Advance(30 * time.Minute)
	entry(t, hanako)

	// Who gives a ticket back gets another one as long as there are some.
	stagetest.Expect(t, hanako.Submit("/return", nil), http.StatusOK, `<strong id="left">9</strong>`)
	hanako.Open("/buy")
	stagetest.Expect(t, hanako.Submit("/buy", nil), http.StatusOK, `id="ticket"`)
}

func TestAge(t *testing.T) {
	site := stagetest.Open(t, example(9))
	stagetest.Expect(t, site.Guest(person.Minor).Open("/buy"), http.StatusForbidden, `id="message"`)
	// Born in a year that leaves the age open only for younger people: certainly old enough.
	stagetest.Expect(t, site.Guest(person.Takeo).Open("/buy"), http.StatusOK, `id="confirm"`)
	// Who kept the birthdate back can try again, and share it.
	site.Sim.SetKnobs(daa.Knobs{Authorization: daa.AuthorizationKnobs{
		Scopes: daa.ScopeKnobs{GrantOnly: []string{"name"}}}})
	stagetest.Expect(t, site.Guest(person.Hanako).Open("/buy"), http.StatusForbidden, `id="retry"`)
}

// A certificate that was issued anew can bring another subject: the person is sold a ticket, and looked at at the door.
func TestChangedSubject(t *testing.T) {
	site := stagetest.Open(t, example(9))
	before, staff := site.Guest(person.Hanako), site.Staff()
	before.Open("/buy")
	before.Submit("/buy", nil)
	site.Sim.SetKnobs(daa.Knobs{SubjectGeneration: 1})
	after := site.Guest(person.Hanako)
	after.Open("/buy")
	stagetest.Expect(t, after.Submit("/buy", nil), http.StatusOK, `id="ticket"`, "カードをご提示ください")
	stagetest.Expect(t, staff.Submit("/door", url.Values{"code": {entry(t, after)}}), http.StatusOK, `id="check"`)
}

// The last ticket goes to one of those who want it at the same moment.
func TestLastTicket(t *testing.T) {
	site := stagetest.Open(t, example(1))
	guests := []*stagetest.Guest{site.Guest(person.Hanako), site.Guest(person.Taro), site.Guest(person.Takeo)}
	sold := make(chan int, len(guests))
	var wg sync.WaitGroup
	for _, g := range guests {
		g.Open("/buy")
		wg.Go(func() { sold <- g.Submit("/buy", nil).Status })
	}
	wg.Wait()
	close(sold)
	count := map[int]int{}
	for status := range sold {
		count[status]++
	}
	if count[http.StatusOK] != 1 || count[http.StatusConflict] != 2 {
		t.Errorf("%v", count)
	}
}
