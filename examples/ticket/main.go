// Command ticket sells tickets of a concert: one for each person, only to adults, and worth nothing to whoever they are
// resold to.
//
//	go run ./examples/ticket
//
// starts it with a simulated service and four cards; open the address that it prints. What is to be learned:
//
//   - One person, one ticket: the key is issuer and subject, in the same step that takes a ticket from the stock.
//     A subject may change when a certificate is issued anew, and two people may share a name and a birthdate. So a
//     second ticket under the same name and birthdate is sold, and marked for a look at the card at the door.
//   - Nothing of the person is kept: what is compared is a keyed hash.
//   - Resale: a ticket is no picture that can be passed on. At the door the buyer logs in once more
//     (middleware.RequireFresh), and gets a code that is good for two minutes and one entry. Who cannot come gives the
//     ticket back, and the next person in line buys it.
//   - Age: middleware.AgeAtLeast says yes only to who is certainly old enough.
package main

import (
	_ "embed" // for the pages
	"errors"
	"net/http"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/examples/internal/stage"
	"github.com/kakunin-go/kakunin/middleware"
)

//go:embed pages.html
var pagesHTML string

func main() { stage.Main(example(300)) }

func example(stock int) stage.Example {
	return stage.Example{
		Name: "ticket", About: "Sells one ticket to a person, to adults only, and guards against resale.",
		Cards: []person.Persona{person.Hanako, person.Taro, person.Minor, person.Takeo},
		New:   func(s *stage.Stage) (http.Handler, error) { return newShop(s, stock) },
	}
}

// shop is the web application. What it sells is in the [boxOffice].
type shop struct {
	pages  *stage.Pages
	office *boxOffice
}

func newShop(s *stage.Stage, stock int) (http.Handler, error) {
	pages, err := stage.ParsePages(pagesHTML)
	if err != nil {
		return nil, err
	}
	client, err := s.Client("夜間演奏会 / Night Concert", authn.Config{RedirectURL: s.URL + "/auth/callback"})
	if err != nil {
		return nil, err
	}
	login, err := middleware.New(middleware.Config{
		Client: client, SealKeys: middleware.NewSealKeys(), OnError: pages.Error, Now: s.Now, Logger: s.Logger,
		Scopes: authn.Name | authn.Birthdate, // the address and the gender are nobody's business here
	})
	if err != nil {
		return nil, err
	}
	shop := &shop{pages: pages, office: newBoxOffice(stock, s.Now)}

	mux := http.NewServeMux()
	mux.Handle("/auth/", login)
	mux.Handle("GET /{$}", login.Optional(http.HandlerFunc(shop.home)))
	buyer := login.Middleware(middleware.RequireAttributes(authn.Name|authn.Birthdate), middleware.AgeAtLeast(18))
	mux.Handle("GET /buy", buyer(http.HandlerFunc(shop.confirm)))
	mux.Handle("POST /buy", buyer(http.HandlerFunc(shop.buy)))
	mux.Handle("POST /return", login.RequireFunc(shop.giveBack))
	mux.Handle("GET /entry", login.RequireFunc(shop.entry, middleware.RequireFresh(10*time.Minute)))
	door := http.NewServeMux()
	door.HandleFunc("GET /door", func(w http.ResponseWriter, r *http.Request) { pages.Show(w, r, "door", nil) })
	door.HandleFunc("POST /door", shop.admit)
	mux.Handle("/door", s.Staff("/door", door))
	return mux, nil
}

func (s *shop) home(w http.ResponseWriter, r *http.Request) {
	id := middleware.IdentityFrom(r.Context())
	ticket, left := s.office.look(holderOf(id))
	s.pages.Show(w, r, "home", map[string]any{"LoggedIn": id != nil, "Ticket": ticket, "Left": left})
}

func (s *shop) confirm(w http.ResponseWriter, r *http.Request) { s.pages.Show(w, r, "buy", nil) }

func (s *shop) buy(w http.ResponseWriter, r *http.Request) {
	id := middleware.IdentityFrom(r.Context())
	if err := s.office.sell(holderOf(id), id.Person); err != nil {
		s.pages.Status(http.StatusConflict).Show(w, r, "no-ticket", errors.Is(err, errSoldOut))
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *shop) giveBack(w http.ResponseWriter, r *http.Request) {
	s.office.takeBack(holderOf(middleware.IdentityFrom(r.Context())))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// entry is what the person shows at the door, minutes after having used the card.
func (s *shop) entry(w http.ResponseWriter, r *http.Request) {
	code, until, ok := s.office.entryCode(holderOf(middleware.IdentityFrom(r.Context())))
	if !ok {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	picture, err := qrCode(code)
	if err != nil {
		s.pages.Error(w, r, err)
		return
	}
	s.pages.Show(w, r, "entry", map[string]any{"Code": code, "Until": until, "Picture": picture})
}

// admit is the door: what a scanner sends, or a member of staff types.
func (s *shop) admit(w http.ResponseWriter, r *http.Request) {
	t, ok := s.office.admit(r.PostFormValue("code"))
	if !ok {
		s.pages.Status(http.StatusConflict).Show(w, r, "door", map[string]any{"Refused": true})
		return
	}
	s.pages.Show(w, r, "door", map[string]any{"Ticket": t})
}
