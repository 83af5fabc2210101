package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/examples/internal/stage"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/consent"
	"github.com/kakunin-go/kakunin/sign/operator"
)

// accountData is what the page of a customer shows.
type accountData struct {
	Name, Address string
	State         string // of the consent; "" without one
	From, Until   time.Time
	Asked         time.Time
	Change        string
	Matches       []matchRow
	Now           time.Time
}

type matchRow struct{ Attribute, Outcome string }

func (s *site) account(w http.ResponseWriter, r *http.Request) {
	c := s.customerOf(middleware.IdentityFrom(r.Context()))
	data := accountData{
		Name: c.person.Name.Reveal(), Address: c.person.Address.Reveal(), Asked: c.asked, Now: s.now(),
	}
	if c.consent != nil {
		data.State = c.consent.StateAt(s.now()).String()
		data.From, data.Until, _ = c.consent.Validity()
	}
	if c.change != operator.ChangeUnknown {
		data.Change = c.change.String()
	}
	for _, m := range c.matches {
		if m.Outcome != fourinfo.Same {
			data.Matches = append(data.Matches,
				matchRow{m.Attribute, m.Outcome.Wording().In(stage.LanguageOf(r))})
		}
	}
	s.pages.Show(w, r, "account", data)
}

// consentPage is a screen of its own, with nothing else on it.
func (s *site) consentPage(w http.ResponseWriter, r *http.Request) {
	var page bytes.Buffer
	err := terms().Render(&page, consent.Page{
		Language: stage.LanguageOf(r), Action: "/consent", // Style is where the business's own brand goes
	})
	if err != nil {
		s.pages.Error(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(page.Bytes())
}

func (s *site) documentToSign(r *http.Request) (sign.Document, string, error) {
	t := terms()
	document, reference, err := s.document(r.Context(), operator.Purpose{Service: t.Service, TermsVersion: t.Version})
	return sign.Document{Reader: bytes.NewReader(document), MediaType: "application/xml"}, reference, err
}

func (s *site) withdrawalToSign(r *http.Request) (sign.Document, string, error) {
	c := s.customerOf(middleware.IdentityFrom(r.Context()))
	if c.consent == nil {
		return sign.Document{}, "", errNoConsent
	}
	document, reference, err := s.document(r.Context(), operator.Purpose{Withdraws: c.id})
	return sign.Document{Reader: bytes.NewReader(document), MediaType: "application/xml"}, reference, err
}

// handedIn is what the service kept of a signature over a document of the operator's.
func (s *site) handedIn(signed middleware.Signed) operator.Signed {
	return operator.Signed{
		Document: s.takeDocument(signed.Reference), Sealed: signed.Unverified.Sealed,
		Transaction: signed.Unverified.Transaction,
	}
}

func (s *site) signed(w http.ResponseWriter, r *http.Request, signed middleware.Signed) {
	s.back(w, r, s.consented(r.Context(), middleware.IdentityFrom(r.Context()).Subject, s.handedIn(signed)))
}

func (s *site) withdrawn(w http.ResponseWriter, r *http.Request, signed middleware.Signed) {
	id := middleware.IdentityFrom(r.Context())
	s.back(w, r, s.withdraw(r.Context(), s.customerOf(id), id.Subject, s.handedIn(signed)))
}

// news asks the operator now; an insurer would at night.
func (s *site) news(w http.ResponseWriter, r *http.Request) {
	id := middleware.IdentityFrom(r.Context())
	s.back(w, r, s.ask(r.Context(), s.customerOf(id), id.Subject))
}

func (s *site) back(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, errNoConsent):
		s.pages.Status(http.StatusConflict).Show(w, r, "no-consent", nil)
	case err != nil:
		s.pages.Error(w, r, err)
	default:
		http.Redirect(w, r, "/account", http.StatusSeeOther)
	}
}

// formsLeadTo lets forms of this site lead to the service: browsers apply form-action to where a form redirects, too.
func (s *site) formsLeadTo(next http.Handler) http.Handler {
	origin := ""
	if u, err := url.Parse(s.service); err == nil {
		origin = u.Scheme + "://" + u.Host
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self' "+consent.StyleSource()+
			"; form-action 'self' "+origin+"; base-uri 'none'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}

// world is what happens outside of the insurer's business: it is the simulator's, and no part of an application.
type world struct {
	service *daa.Service
	advance func(time.Duration)
}

func (s *site) change(w http.ResponseWriter, r *http.Request) {
	card := s.world.service.CardNames()[0]
	var err error
	switch r.PathValue("what") {
	case "tomorrow":
		s.world.advance(24 * time.Hour)
	case "move":
		to := person.Municipalities()
		err = s.world.service.Move(card, daa.Residence{Municipality: to[len(to)-1], Street: "架空町９丁目８番７号"})
	case "reissue":
		err = s.world.service.Reissue(card)
	default:
		http.NotFound(w, r)
		return
	}
	s.back(w, r, err)
}
