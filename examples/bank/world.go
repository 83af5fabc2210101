package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/daa/visitor"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/cardsim/timestamping"
	"github.com/kakunin-go/kakunin/examples/internal/stamping"
	"github.com/kakunin-go/kakunin/internal/webserve"
	"github.com/kakunin-go/kakunin/sign/operator"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// surroundings are what a program has and its tests choose.
type surroundings struct {
	now  func() time.Time
	jpki *issuer.JPKI // nil: test authorities of its own
	// around is put around the store of signatures; nil is nothing.
	around func(signapi.Store) signapi.Store
}

// world is everything that is not the bank: the simulated service with its authorities, and the customer with a card.
type world struct {
	surroundings
	service *daa.Service
	person  person.Person
	card    *cardsim.Card
	visitor *visitor.Person
	client  *authn.Client // the bank, as registered at the service
	ocspURL string
	tsaURL  string // the simulated timestamp authority
	tsa     *timestamping.Authority
	server  *http.Server
}

const (
	clientID    = "BANK00000001"
	redirectURL = "https://bank.example/auth/callback" // nobody listens there: the visitor returns the callback instead
)

func newWorld(ctx context.Context, s surroundings, persona person.Persona, logger *slog.Logger) (*world, error) {
	w := &world{surroundings: s}
	var err error
	if w.jpki == nil {
		if w.jpki, err = issuer.New(issuer.Config{Now: s.now}); err != nil {
			return nil, err
		}
	}
	if w.person, err = person.Lookup(persona, s.now()); err != nil {
		return nil, err
	}
	issued := func() time.Time { // for a month it is the same card, whenever the program starts
		now := s.now().UTC()
		return time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	}
	if w.card, err = cardsim.NewCard(cardsim.Config{Person: w.person, JPKI: w.jpki, Now: issued}); err != nil {
		return nil, err
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := authn.NewKey(private, "bank")
	if err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.New("cannot listen on 127.0.0.1")
	}
	base := "http://" + listener.Addr().String()
	// Results are sealed to service.OperatorKey. A real verifier registers the public half of a key of its own.
	w.service, err = daa.New(daa.Config{
		BaseURL: base, JPKI: w.jpki, Cards: []*cardsim.Card{w.card}, Now: s.now, Logger: logger,
		Clients: []daa.ClientRegistration{
			{
				ID:           clientID,
				Name:         "架空銀行 / Fictitious Bank",
				Key:          private.Public(),
				KeyID:        "bank",
				RedirectURLs: []string{redirectURL},
			},
		},
	})
	if err == nil {
		w.client, err = authn.New(authn.Config{
			Environment: w.service.Environment(),
			ClientID:    clientID,
			Key:         key,
			RedirectURL: redirectURL,
			Now:         s.now,
			Logger:      logger,
		})
	}
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	w.ocspURL = base + "/simulator/jpki/sign/ocsp"
	w.visitor = &visitor.Person{
		AuthPIN:         w.person.Reveal().AuthPIN,
		TextPIN:         w.person.Reveal().TextPIN,
		SigningPassword: w.person.Reveal().SigningPassword,
	}
	if w.tsa, err = timestamping.New(timestamping.Config{Now: s.now}); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	w.tsaURL = base + "/simulator/tsa"
	mux := http.NewServeMux()
	mux.Handle("/", w.service)
	mux.Handle("POST /simulator/tsa", w.tsa)
	w.server = webserve.New(mux, logger)
	go func() { _ = w.server.Serve(listener) }() // until close
	return w, nil
}

// bank is the kind of business that the flags ask for, with what it keeps.
func (w *world) bank(ctx context.Context, o options) (*bank, error) {
	b, err := w.business(o)
	if err != nil {
		return nil, err
	}
	if b.stamper, err = w.stamper(o); err != nil {
		return nil, err
	}
	if b.log, err = openLog(ctx, o.evidence, w.now); err != nil {
		return nil, err
	}
	if b.desk, err = openDesk(ctx, o.evidence, w.client, w.surroundings); err != nil {
		b.log.close()
		return nil, err
	}
	return b, nil
}

// business makes the bank itself. The simulator gives the verifier's key away; a real verifier makes it itself, in an
// HSM. A private bank gets a token from its operator and never sees that key.
func (w *world) business(o options) (*bank, error) {
	if o.business == certifiedVerifier {
		return newBank(w.client, w.service.OperatorKey(), w.jpki.Trust(), w.ocspURL, w.now)
	}
	token := "Bearer " + w.service.OperatorToken(clientID)
	op, err := operator.New(operator.Config{
		URL: w.service.OperatorURL(), Now: w.now, Method: "CRL",
		Authorize: func(r *http.Request) error { r.Header.Set("Authorization", token); return nil },
	})
	if err != nil {
		return nil, err
	}
	return newPrivateBank(w.client, op, w.now), nil
}

// stamper asks the simulated authority for timestamps, if the flags say so: a contract with a 時刻認証業務 that the minister
// has accredited gives a real one.
func (w *world) stamper(o options) (*stamper, error) {
	if !o.timestamp {
		return nil, nil //nolint:nilnil // nothing is stamped
	}
	return newStamper(stamping.Authority{URL: w.tsaURL, Root: w.tsa.Root()}, w.now)
}

func (w *world) close() { _ = w.server.Close() }
