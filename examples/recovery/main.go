// Command recovery is a site whose members find back into their account when their subject has changed: after a card
// was lost and a certificate issued anew, the service may know the person under another identifier.
//
//	go run ./examples/recovery
//
// starts it with a simulated service, which changes the subjects at the press of a button; open the address that it
// prints. What is to be learned:
//
//   - A login whose subject is linked opens its account; one that may be somebody on file opens nothing. It waits for
//     a member of staff, who compares what package accounts found with documents, asks back at an address or
//     telephone number that was known before, and decides. Nothing is automatic: two people may share name, birthdate
//     and address.
//   - Who waits is logged in and sees a page that says so: never whose account it may be.
//   - When an account passes to a new subject, the sessions of the old one end, and the decision is written down.
//   - Whoever decides does not see the account, and the form says which login it decided about.
package main

import (
	"context"
	_ "embed" // for the pages
	"log/slog"
	"net/http"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/examples/internal/stage"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/middleware/accounts"
)

//go:embed pages.html
var pagesHTML string

func main() { stage.Main(example()) }

func example() stage.Example {
	return stage.Example{
		Name: "recovery", About: "Members find back into their account when their subject has changed: by a review.",
		Cards: []person.Persona{person.Hanako, person.Taro}, New: newClub,
	}
}

// club is the web application. Who is a member is in the [register].
type club struct {
	pages    *stage.Pages
	login    *middleware.Login
	register *register
	log      *slog.Logger
	// simulated tells that time can be made to pass.
	simulated bool
}

func newClub(s *stage.Stage) (http.Handler, error) {
	pages, err := stage.ParsePages(pagesHTML)
	if err != nil {
		return nil, err
	}
	client, err := s.Client("架空の会 / The Club", authn.Config{RedirectURL: s.URL + "/auth/callback"})
	if err != nil {
		return nil, err
	}
	c := &club{pages: pages, register: newRegister(), log: s.Logger, simulated: s.Service != nil}
	c.login, err = middleware.New(middleware.Config{
		Client: client, SealKeys: middleware.NewSealKeys(), OnError: pages.Error, Now: s.Now, Logger: s.Logger,
		Scopes:     authn.Name | authn.Address | authn.Birthdate, // without them a changed subject cannot be noticed
		AfterLogin: "/account",
		OnLogin:    c.arrive,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/auth/", c.login)
	mux.Handle("GET /{$}", c.login.Optional(http.HandlerFunc(c.home)))
	mux.Handle("GET /account", c.login.RequireFunc(c.account))
	mux.Handle("GET /benefits", c.login.RequireFunc(c.benefits, c.members))
	staff := http.NewServeMux()
	staff.HandleFunc("GET /staff", c.reviews)
	staff.HandleFunc("POST /staff", c.decide)
	mux.Handle("/staff", s.Staff("/staff", staff))
	if s.Service != nil {
		mux.HandleFunc("POST /reissue", func(w http.ResponseWriter, r *http.Request) {
			// Every card's certificate is issued anew, and the service knows everybody by another subject.
			s.Service.SetKnobs(daa.Knobs{SubjectGeneration: s.Service.Knobs().SubjectGeneration + 1})
			http.Redirect(w, r, "/", http.StatusSeeOther)
		})
	}
	return mux, nil
}

// arrive is OnLogin: it finds the member, or makes one, or notes that somebody has to look.
func (c *club) arrive(_ http.ResponseWriter, r *http.Request, id *authn.Identity) error {
	found, err := accounts.Find(r.Context(), c.register, id)
	if err != nil {
		return err
	}
	switch found.Kind {
	case accounts.New:
		return accounts.Link(r.Context(), c.register, accounts.RowOf(id, c.register.add(id.Person)))
	case accounts.Review:
		c.log.InfoContext(r.Context(), "a review is wanted", slog.Int("candidates", len(found.Candidates)))
		c.register.wait(id, found.Candidates)
	case accounts.Known, accounts.Unknown:
	}
	return nil
}

// memberOf asks with every request: a review ends, and an account is closed, while somebody is logged in.
func (c *club) memberOf(ctx context.Context, id *authn.Identity) (number string, ok bool) {
	number, err := c.register.UserOf(ctx, id.Issuer, id.Subject)
	return number, err == nil && number != ""
}

// members is a requirement of our own: what only members may do, nobody may who waits for a review.
func (c *club) members(ctx context.Context, v middleware.Visit) error {
	if _, ok := c.memberOf(ctx, v.Identity); !ok {
		return errNotMember
	}
	return nil
}

var errNotMember = middleware.Refuse(kakunin.Message{
	JA: "会員の確認が終わるまでお待ちください。", EN: "Please wait until we have found your membership.",
})

func (c *club) home(w http.ResponseWriter, r *http.Request) {
	c.pages.Show(w, r, "home", map[string]any{
		"LoggedIn": middleware.IdentityFrom(r.Context()) != nil, "Simulated": c.simulated,
	})
}

func (c *club) account(w http.ResponseWriter, r *http.Request) {
	id := middleware.IdentityFrom(r.Context())
	number, ok := c.memberOf(r.Context(), id)
	if !ok {
		c.pages.Show(w, r, "waiting", nil)
		return
	}
	c.pages.Show(w, r, "account", map[string]any{"Number": number, "Name": id.Person.Name.Reveal()})
}

func (c *club) benefits(w http.ResponseWriter, r *http.Request) { c.pages.Show(w, r, "benefits", nil) }

func (c *club) reviews(w http.ResponseWriter, r *http.Request) {
	c.pages.Show(w, r, "staff", c.register.waiting())
}

// decide gives the account to the person, or makes a new one.
func (c *club) decide(w http.ResponseWriter, r *http.Request) {
	wait, ok := c.register.take(r.PostFormValue("review"), r.PostFormValue("member"))
	if !ok { // decided already, in another window
		http.Redirect(w, r, "/staff", http.StatusSeeOther)
		return
	}
	number := r.PostFormValue("member")
	old := c.register.passOn(wait.Identity.Issuer, number)
	if number == "" {
		number = c.register.add(wait.Identity.Person)
	}
	if err := accounts.Link(r.Context(), c.register, accounts.RowOf(wait.Identity, number)); err != nil {
		c.pages.Error(w, r, err)
		return
	}
	for _, subject := range old { // whoever holds the lost card is out
		if _, err := c.login.EndSessions(r.Context(), subject); err != nil {
			c.pages.Error(w, r, err)
			return
		}
	}
	// Who decided belongs here, too; a member is told by letter or mail, and may object.
	c.log.InfoContext(r.Context(), "review decided", slog.String("member", number), slog.Bool("existing", len(old) > 0))
	http.Redirect(w, r, "/staff", http.StatusSeeOther)
}
