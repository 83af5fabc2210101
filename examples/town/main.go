// Command town is a town's site for its residents: they book the sports hall, and get a coupon for the local shops.
//
//	go run ./examples/town
//
// starts it with a simulated service and the cards of two residents of 千代田区 and of a guest; open the address that it
// prints. What is to be learned:
//
//   - Only the address is asked for, and only the question is answered: does this person live here? Nothing of it is
//     kept. middleware.RequireMunicipality refuses whoever lives elsewhere, and says something else to those whose
//     address was not shared or does not tell: they are led to the counter, not away.
//   - An address is as old as the login. Before something of value is handed out, the card is asked again
//     (middleware.RequireFresh).
//   - One booking and one coupon for each person: issuer and subject are the key.
//   - What a shop redeems is a random number that says nothing of the person, once.
package main

import (
	_ "embed" // for the pages
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/examples/internal/stage"
	"github.com/kakunin-go/kakunin/middleware"
)

//go:embed pages.html
var pagesHTML string

// ourTown is 東京都千代田区 (全国地方公共団体コード).
const ourTown = "13101"

func main() { stage.Main(example()) }

func example() stage.Example {
	return stage.Example{
		Name: "town", About: "A town's site for its residents only: bookings and coupons.",
		Cards: []person.Persona{person.Hanako, person.Akira, person.Taro}, New: newTown,
	}
}

type town struct {
	pages *stage.Pages
	desk  *desk
}

func newTown(s *stage.Stage) (http.Handler, error) {
	pages, err := stage.ParsePages(pagesHTML)
	if err != nil {
		return nil, err
	}
	client, err := s.Client("架空の町 / The Town", authn.Config{RedirectURL: s.URL + "/auth/callback"})
	if err != nil {
		return nil, err
	}
	login, err := middleware.New(middleware.Config{
		Client: client, SealKeys: middleware.NewSealKeys(), Now: s.Now, Logger: s.Logger,
		Scopes: authn.Address,
		OnError: func(w http.ResponseWriter, r *http.Request, err error) {
			if errors.Is(err, &middleware.Error{Reason: middleware.ReasonMunicipality}) ||
				errors.Is(err, &middleware.Error{Reason: middleware.ReasonMunicipalityUnknown}) {
				// The default message is right; what a person can do now is for the town to say.
				elsewhere := errors.Is(err, &middleware.Error{Reason: middleware.ReasonMunicipality})
				pages.Status(middleware.StatusOf(err)).Show(w, r, "not-resident", map[string]any{
					"Elsewhere": elsewhere, "Retry": middleware.RetryURL(r.Context()),
				})
				return
			}
			pages.Error(w, r, err)
		},
	})
	if err != nil {
		return nil, err
	}
	t := &town{pages: pages, desk: newDesk(s.Now)}

	mux := http.NewServeMux()
	mux.Handle("/auth/", login)
	mux.Handle("GET /{$}", login.Optional(http.HandlerFunc(t.home)))
	resident := login.Middleware(middleware.RequireMunicipality(ourTown))
	mux.Handle("GET /hall", resident(http.HandlerFunc(t.hall)))
	mux.Handle("POST /hall", resident(http.HandlerFunc(t.book)))
	mux.Handle("POST /hall/cancel", resident(http.HandlerFunc(t.cancel)))
	// A coupon is money: whoever moved away last month has a card that says so, and it is asked again.
	now := login.Middleware(middleware.RequireMunicipality(ourTown), middleware.RequireFresh(15*time.Minute))
	mux.Handle("GET /coupon", now(http.HandlerFunc(t.coupon)))
	shop := http.NewServeMux()
	shop.HandleFunc("GET /shop", func(w http.ResponseWriter, r *http.Request) { pages.Show(w, r, "shop", nil) })
	shop.HandleFunc("POST /shop", t.redeem)
	mux.Handle("/shop", s.Staff("/shop", shop))
	return mux, nil
}

func (t *town) home(w http.ResponseWriter, r *http.Request) {
	t.pages.Show(w, r, "home", map[string]any{"LoggedIn": middleware.IdentityFrom(r.Context()) != nil})
}

func (t *town) hall(w http.ResponseWriter, r *http.Request) {
	slots := t.desk.slots(residentOf(middleware.IdentityFrom(r.Context())))
	booked := false
	for _, s := range slots {
		booked = booked || s.Mine
	}
	t.pages.Show(w, r, "hall", map[string]any{"Slots": slots, "Booked": booked})
}

func (t *town) book(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.ParseInt(r.PostFormValue("slot"), 10, 64)
	if err == nil {
		err = t.desk.book(residentOf(middleware.IdentityFrom(r.Context())), time.Unix(n, 0))
	}
	if err != nil {
		t.pages.Status(http.StatusConflict).Show(w, r, "taken", nil)
		return
	}
	http.Redirect(w, r, "/hall", http.StatusSeeOther)
}

func (t *town) cancel(w http.ResponseWriter, r *http.Request) {
	t.desk.cancel(residentOf(middleware.IdentityFrom(r.Context())))
	http.Redirect(w, r, "/hall", http.StatusSeeOther)
}

func (t *town) coupon(w http.ResponseWriter, r *http.Request) {
	t.pages.Show(w, r, "coupon", t.desk.coupon(residentOf(middleware.IdentityFrom(r.Context()))))
}

func (t *town) redeem(w http.ResponseWriter, r *http.Request) {
	if err := t.desk.redeem(r.PostFormValue("number")); err != nil {
		t.pages.Status(http.StatusConflict).Show(w, r, "shop", map[string]any{"Redeemed": false})
		return
	}
	t.pages.Show(w, r, "shop", map[string]any{"Redeemed": true})
}
