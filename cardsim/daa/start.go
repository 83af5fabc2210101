package daa

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/daa/visitor"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/internal/webserve"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/operator"
)

// TB is the part of testing.TB that Start needs.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// Option configures Start. Any function that changes the Config is one.
type Option func(*Config)

// WithClient registers a relying party.
func WithClient(r ClientRegistration) Option {
	return func(c *Config) { c.Clients = append(c.Clients, r) }
}

// WithKnobs sets the knobs.
func WithKnobs(k Knobs) Option { return func(c *Config) { c.Knobs = k } }

// WithClock sets the clock of the service, of the test authorities and of the cards that Start makes.
func WithClock(now func() time.Time) Option { return func(c *Config) { c.Now = now } }

// WithJPKI sets the test authorities. Making their keys and those of a card takes longer than everything else that
// Start does; tests that revoke nothing can share one JPKI, which remembers them.
func WithJPKI(j *issuer.JPKI) Option { return func(c *Config) { c.JPKI = j } }

// WithWire sets the wire profile.
func WithWire(w wire.Profile) Option { return func(c *Config) { c.Wire = &w } }

// WithLogger sets the logger.
func WithLogger(l *slog.Logger) Option { return func(c *Config) { c.Logger = l } }

// WithPersonas puts cards of ready persons into the phone's hand instead of Hanako's.
func WithPersonas(p ...person.Persona) Option {
	return func(c *Config) { c.personas = append(c.personas, p...) }
}

// Start runs a service on a loopback port until the test ends, with plain http, a test JPKI of its own and Hanako's
// card unless the options give others. It calls tb.Fatalf when that fails.
func Start(tb TB, opts ...Option) *Running {
	tb.Helper()
	var c Config
	for _, o := range opts {
		o(&c)
	}
	r, err := start(c)
	if err != nil {
		tb.Fatalf("start the simulated service: %v", err)
		return nil
	}
	r.tb = tb
	tb.Cleanup(r.stop)
	return r
}

func start(c Config) (*Running, error) {
	if err := fillWorld(&c); err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, configError("listen", err)
	}
	c.BaseURL = "http://" + listener.Addr().String()
	s, err := New(c)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	r := &Running{
		Service: s, done: make(chan struct{}),
		server:    webserve.New(s, s.log),
		transport: &http.Transport{Proxy: nil, MaxIdleConnsPerHost: 8, IdleConnTimeout: 30 * time.Second},
	}
	go func() {
		defer close(r.done)
		_ = r.server.Serve(listener) // always an error: the server was closed
	}()
	return r, nil
}

// fillWorld makes the authorities and cards that the options did not give.
func fillWorld(c *Config) (err error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.JPKI == nil {
		if len(c.Cards) > 0 {
			c.JPKI = c.Cards[0].JPKI()
		} else if c.JPKI, err = issuer.New(issuer.Config{Now: c.Now}); err != nil {
			return configError("jpki", err)
		}
	}
	if len(c.Cards) == 0 && len(c.personas) == 0 && c.Reader == nil {
		c.personas = []person.Persona{person.Hanako}
	}
	for _, persona := range c.personas {
		person, err := person.Lookup(persona, c.Now())
		if err != nil {
			return configError("persona", err)
		}
		card, err := cardsim.NewCard(cardsim.Config{Person: person, JPKI: c.JPKI, Now: c.Now})
		if err != nil {
			return configError("card", err)
		}
		c.Cards = append(c.Cards, card)
	}
	return nil
}

// Running is a started service.
type Running struct {
	*Service
	tb        TB
	server    *http.Server
	transport *http.Transport
	done      chan struct{}
}

// Client returns an HTTP client for it: with a timeout, without a proxy, and without following redirects.
func (r *Running) Client() *http.Client {
	return &http.Client{
		Transport: r.transport, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// URL returns the service's base URL.
func (r *Running) URL() string { return r.base.String() }

// Trust returns the anchors of the cards' certificates, for jpki.VerifierConfig and sign.VerifierConfig.
func (r *Running) Trust() jpki.Trust { return r.jpki.Trust() }

// Revocation returns a policy that asks the authorities of the simulated world for their lists of the moment.
func (r *Running) Revocation() revocation.Policy { return revocation.Require(newCurrentCRL(r.jpki)) }

// Verifier returns a verifier of the signatures that cards make here, with revocation.
func (r *Running) Verifier() *sign.Verifier {
	r.tb.Helper()
	v, err := sign.NewVerifier(sign.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: r.Trust(), Revocation: r.Revocation(), Now: r.now,
	})
	if err != nil {
		r.tb.Fatalf("a verifier for the simulated service: %v", err)
	}
	return v
}

// Opener returns the platform operator's opener of sealed results, with the simulator's own [Service.OperatorKey].
func (r *Running) Opener() *sign.Opener {
	r.tb.Helper()
	o, err := sign.NewOpener(sign.OpenerConfig{Key: r.OperatorKey(), Wire: &r.wire})
	if err != nil {
		r.tb.Fatalf("an opener for the simulated service: %v", err)
	}
	return o
}

// Operator returns a client of the simulated platform operator for a registered relying party, which asks for the
// operator's user id, too: what a private business hands sealed results to.
func (r *Running) Operator(clientID string) *operator.Client {
	r.tb.Helper()
	c, err := operator.New(r.operatorConfig(clientID))
	if err != nil {
		r.tb.Fatalf("a client of the simulated platform operator: %v", err)
	}
	return c
}

// Attributes returns a client of the simulated platform operator's other side for a registered relying party: the
// latest attributes of persons who consented.
func (r *Running) Attributes(clientID string) *operator.Attributes {
	r.tb.Helper()
	config := r.operatorConfig(clientID)
	config.URL = r.AttributesURL()
	c, err := operator.NewAttributes(config)
	if err != nil {
		r.tb.Fatalf("a client of the simulated platform operator: %v", err)
	}
	return c
}

func (r *Running) operatorConfig(clientID string) operator.Config {
	token := "Bearer " + r.OperatorToken(clientID)
	return operator.Config{
		URL: r.OperatorURL(), IdentifyUser: true, HTTPClient: r.Client(), Now: r.now, Wire: r.operatorWire,
		Authorize: func(req *http.Request) error { req.Header.Set("Authorization", token); return nil },
	}
}

// Browser returns the browser of that person, which follows the pages of a relying party through the service and back.
func (r *Running) Browser(p *visitor.Person) *visitor.Browser {
	return &visitor.Browser{Person: p, Service: r.env.AuthorizationEndpoint}
}

// Card returns the first card in the phone's hand, Hanako's unless the options gave another.
func (r *Running) Card() *cardsim.Card { return r.hands()[0].held() }

// Cards returns the cards in the phone's hand.
func (r *Running) Cards() []*cardsim.Card {
	var cards []*cardsim.Card
	for _, h := range r.hands() {
		cards = append(cards, h.held())
	}
	return cards
}

// Visitor returns a person who holds the default card and knows its PINs. With a [Reader] nobody knows whose card it
// is, and the caller fills in the PINs.
func (r *Running) Visitor() *visitor.Person {
	if len(r.hands()) == 0 {
		return &visitor.Person{HTTPClient: r.Client()}
	}
	return r.visitor(r.hands()[0])
}

// VisitorWith returns a person who holds that very card and knows its PINs, also when the service did not know the card
// before. It ends the test when the card is of another JPKI.
func (r *Running) VisitorWith(c *cardsim.Card) *visitor.Person {
	r.tb.Helper()
	name, err := r.AddCard(c)
	if err != nil {
		r.tb.Fatalf("a visitor with this card: %v", err)
		return nil
	}
	return r.visitor(r.handOf(name))
}

func (r *Running) visitor(h *hand) *visitor.Person {
	p := h.held().Person().Reveal()
	return &visitor.Person{
		HTTPClient: r.Client(), Card: h.label,
		AuthPIN: p.AuthPIN, TextPIN: p.TextPIN, SigningPassword: p.SigningPassword,
	}
}

func (r *Running) stop() {
	_ = r.server.Close()
	<-r.done
	r.transport.CloseIdleConnections()
}
