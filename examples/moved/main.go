// Command moved is an insurer that learns of its customers' new addresses without asking them: a customer consents
// once, by a signature, and the platform operator (PF事業者) says from then on what changed (最新の利用者情報（４情報）提供サービス).
//
//	go run ./examples/moved
//
// starts it with a simulated service, a card and an operator; open the address that it prints. Log in, read the fifteen
// items and consent, let the day end, look for news, move, look again, have the card reissued, look again, withdraw.
// What is to be learned:
//
//   - The screen of the consent stands alone and has two buttons of equal weight (consent.Terms.Render). What is signed
//     is the operator's document, byte by byte, in DigestInfo mode.
//   - The insurer is no verifier: the signature stays sealed, and the operator's verdict makes the consent
//     (consent.Terms.AcceptVerdict). It counts from the next day on, for ten years.
//   - The address on file changes by the operator's answer, never by a login: what differs is shown with its reason
//     (fourinfo), and an answer that is lost on the way is given again.
//   - The operator's user id is the same with the new card, which is how a withdrawal is known to be the same person's.
//
// Read insurer.go first; pages.html has the texts.
package main

import (
	_ "embed" // for the pages
	"errors"
	"net/http"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/daa/control"
	"github.com/kakunin-go/kakunin/examples/internal/stage"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/middleware/scssession"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/operator"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

//go:embed pages.html
var pagesHTML string

func main() {
	clock := control.NewClock(time.Now)
	stage.Main(example(clock.Now, clock.Advance))
}

// example runs by a clock that a button on the page moves: a day is long for who looks at an example.
func example(now func() time.Time, advance func(time.Duration)) stage.Example {
	return stage.Example{
		Name: "moved", About: "Learns new addresses from the platform operator, with the customer's consent.",
		Now: now,
		New: func(s *stage.Stage) (http.Handler, error) { return newSite(s, advance) },
	}
}

// site is the web application. What it knows of customers is the [insurer]'s.
type site struct {
	*insurer
	pages   *stage.Pages
	service string // origin of the service, to which forms lead
	world   world
}

// newSite makes the application; advance moves the clock of the simulated world.
func newSite(s *stage.Stage, advance func(time.Duration)) (http.Handler, error) {
	if s.Service == nil {
		return nil, errors.New("this example needs the simulated service, whose operator gives it a token")
	}
	pages, err := stage.ParsePages(pagesHTML)
	if err != nil {
		return nil, err
	}
	client, err := s.Client("架空保険 / Fictitious Insurance", authn.Config{RedirectURL: s.URL + "/auth/callback"})
	if err != nil {
		return nil, err
	}
	signer, err := signapi.New(signapi.Config{Client: client, Now: s.Now, Logger: s.Logger})
	if err != nil {
		return nil, err
	}
	token := "Bearer " + s.Service.OperatorToken(client.ClientID())
	attributes, err := operator.NewAttributes(operator.Config{
		URL: s.Service.AttributesURL(), HTTPClient: s.HTTPClient, Now: s.Now, Logger: s.Logger,
		Authorize: func(r *http.Request) error { r.Header.Set("Authorization", token); return nil },
	})
	if err != nil {
		return nil, err
	}
	at := &site{
		insurer: newInsurer(attributes, s.Now), pages: pages, service: s.Service.Environment().AuthorizationEndpoint,
		world: world{s.Service, advance},
	}
	// The button that lets a day pass must not log the visitor out: sessions go by the machine's clock here.
	sessions, err := scssession.New(scssession.Config{Logger: s.Logger})
	if err != nil {
		return nil, err
	}
	login, err := middleware.New(middleware.Config{
		Client: client, SealKeys: middleware.NewSealKeys(), OnError: pages.Error, Now: s.Now, Logger: s.Logger,
		Scopes: authn.Name | authn.Address, Signer: signer,
		Sessions: sessions, Lifetime: 30 * 24 * time.Hour,
	})
	if err != nil {
		return nil, err
	}
	agree, err := login.Sign("agree", middleware.SignConfig{
		Mode: sign.ModeDigestInfo, Document: at.documentToSign, OnSigned: at.signed,
	})
	if err != nil {
		return nil, err
	}
	end, err := login.Sign("withdraw", middleware.SignConfig{
		Mode: sign.ModeDigestInfo, Document: at.withdrawalToSign, OnSigned: at.withdrawn,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/auth/", login)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { pages.Show(w, r, "home", nil) })
	mux.Handle("GET /account", login.RequireFunc(at.account))
	mux.Handle("GET /consent", login.RequireFunc(at.consentPage))
	mux.Handle("POST /consent", login.RequireFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("answer") != "agree" { // nobody has to, and nothing else depends on it
			http.Redirect(w, r, "/account", http.StatusSeeOther)
			return
		}
		agree.ServeHTTP(w, r)
	}))
	mux.Handle("POST /withdraw", end)
	mux.Handle("POST /news", login.RequireFunc(at.news))
	mux.Handle("POST /world/{what}", login.RequireFunc(at.change))
	return at.formsLeadTo(mux), nil
}
