package main

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/examples/internal/stage/stagetest"
)

var (
	slotOnPage   = regexp.MustCompile(`name="slot" value="(\d+)"`)
	couponOnPage = regexp.MustCompile(`<code id="code">(\d{12})</code>`)
)

// A whole visit: log in, book, get the coupon, use it once.
func TestVisit(t *testing.T) {
	site := stagetest.Open(t, example())
	hanako, till := site.Guest(person.Hanako), site.Staff()
	stagetest.Expect(t, hanako.Open("/"), http.StatusOK, `id="hall"`)
	page := hanako.Open("/hall")
	stagetest.Expect(t, page, http.StatusOK)
	slots := slotOnPage.FindAllStringSubmatch(page.Body, -1)
	if len(slots) != 6 {
		t.Fatalf("%d free hours", len(slots))
	}
	first, second := url.Values{"slot": {slots[0][1]}}, url.Values{"slot": {slots[1][1]}}
	stagetest.Expect(t, hanako.Submit("/hall", first), http.StatusOK, `id="booked"`)
	stagetest.Expect(t, hanako.Submit("/hall", second), http.StatusConflict) // one for each person

	page = hanako.Open("/coupon")
	stagetest.Expect(t, page, http.StatusOK)
	number := couponOnPage.FindStringSubmatch(page.Body)[1]
	stagetest.Expect(t, hanako.Open("/coupon"), http.StatusOK, number)
	stagetest.Expect(t, hanako.Submit("/shop", url.Values{"number": {number}}), http.StatusUnauthorized)
	stagetest.Expect(t, till.Submit("/shop", url.Values{"number": {number[:6] + " " + number[6:]}}), http.StatusOK,
		`id="redeemed"`)
	stagetest.Expect(t, till.Submit("/shop", url.Values{"number": {number}}), http.StatusConflict, `id="refused"`)
	stagetest.Expect(t, till.Submit("/shop", url.Values{"number": {"000000000000"}}), http.StatusConflict)
	stagetest.Expect(t, hanako.Open("/coupon"), http.StatusOK, `id="used"`)

	// A neighbour cannot have the hour that is taken, one that is not on the page, or nonsense; once it is free, they
	// can.
	akira := site.Guest(person.Akira)
	akira.Open("/hall")
	for _, slot := range []url.Values{first, {"slot": {"0"}}, {"slot": {"x"}}, nil} {
		stagetest.Expect(t, akira.Submit("/hall", slot), http.StatusConflict)
	}
	stagetest.Expect(t, hanako.Submit("/hall/cancel", nil), http.StatusOK)
	stagetest.Expect(t, akira.Submit("/hall", first), http.StatusOK, `id="booked"`)
}

func TestOnlyForResidents(t *testing.T) {
	site := stagetest.Open(t, example())
	taro := site.Guest(person.Taro)
	stagetest.Expect(t, taro.Open("/hall"), http.StatusForbidden, "千代田区ではありません")
	stagetest.Expect(t, taro.Open("/coupon"), http.StatusForbidden)
	stagetest.Expect(t, taro.Submit("/hall", url.Values{"slot": {"1"}}), http.StatusForbidden)

	// Whose address does not tell is led to the counter, and can try again.
	knobs := daa.Knobs{Userinfo: daa.UserinfoKnobs{SetClaims: map[string]any{"address": "架空町１丁目"}}}
	site.Sim.SetKnobs(knobs)
	stagetest.Expect(t, site.Guest(person.Hanako).Open("/hall"), http.StatusForbidden, "住所を確認できませんでした", `id="retry"`)
}

// The coupon wants a card that was used just now: whoever moved away since is refused.
func TestMovedAway(t *testing.T) {
	site := stagetest.Open(t, example())
	hanako := site.Guest(person.Hanako)
	stagetest.Expect(t, hanako.Open("/hall"), http.StatusOK)
	site.Sim.SetKnobs(daa.Knobs{Userinfo: daa.UserinfoKnobs{SetClaims: map[string]any{"address": "京都府宇治市架空４５番地の６"}}})
	site.Advance(time.Minute)
	stagetest.Expect(t, hanako.Open("/coupon"), http.StatusOK)
	site.Advance(15 * time.Minute)
	stagetest.Expect(t, hanako.Open("/coupon"), http.StatusForbidden, "千代田区ではありません")
}
