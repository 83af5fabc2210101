package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/internal/webserve"
)

// demo is everything that runs: the relying party and, unless another service is used, the simulated service.
type demo struct {
	options
	app     *app
	base    string // address of the relying party, as a browser sees it
	at      string // host:port where it listens
	service string // address of the service
	person  person.Person
	sim     *daa.Service // nil when another service is used, as is the card
	card    *cardsim.Card
	moved   bool   // the wanted port was busy
	stamps  string // address of the simulated timestamp authority; empty: there is none
	servers []*http.Server
	failed  chan error
}

const demoClientID = "RP00000001"

// start brings everything up; close takes it down.
func start(ctx context.Context, o options, logger *slog.Logger) (_ *demo, err error) {
	d := &demo{options: o, failed: make(chan error, 2)}
	defer func() { //nolint:contextcheck // ctx may be over when there is something to close
		if err != nil {
			d.close()
		}
	}()
	now := time.Now
	if d.person, err = person.Lookup(o.holder, now()); err != nil {
		return nil, err
	}
	jpki, err := issuer.New(issuer.Config{}) // the default seed: the same test CAs in every process
	if err != nil {
		return nil, err
	}
	listener, err := d.listen(ctx)
	if err != nil {
		return nil, err
	}
	d.at = listener.Addr().String()
	_, port, err := net.SplitHostPort(d.at)
	if err != nil {
		return nil, err
	}
	// "localhost" for the relying party and 127.0.0.1 for the service makes them two sites to a browser, as in reality.
	d.base = "http://localhost:" + port
	redirectURL := d.base + loginPrefix + "/callback"
	if o.redirectURL != "" {
		redirectURL = o.redirectURL
		u, err := url.Parse(redirectURL)
		if err != nil {
			return nil, errors.New("the redirect URL cannot be parsed")
		}
		d.base = u.Scheme + "://" + u.Host
	}

	config := authn.Config{RedirectURL: redirectURL, Logger: logger}
	var simulator *daa.Service // or its twin: it has the same keys and tokens
	if o.issuer == "" {
		simulator, err = d.simulate(ctx, jpki, &config, logger)
	} else {
		simulator, err = d.connect(ctx, jpki, &config)
	}
	if err != nil {
		return nil, err
	}
	a := appConfig{
		redirectURL: redirectURL, mode: o.mode, service: d.service, showPersonal: o.showPersonal,
		simulated: simulator != nil, now: now, logger: logger,
	}
	if d.sim != nil {
		a.holder = &d.person // of another service's cards nothing is known
	}
	if a.client, err = authn.New(config); err != nil {
		return nil, err
	}
	stamper, err := d.simulateStamps(ctx, now)
	if err != nil {
		return nil, err
	}
	switch {
	case o.business == private && o.operator != "":
		a.private, err = newPrivateBusiness(o.operator, o.operatorToken, now)
	case o.business == private && simulator != nil:
		a.private, err = newPrivateBusiness(simulator.OperatorURL(), simulator.OperatorToken(config.ClientID), now)
	case o.business == certifiedVerifier && simulator != nil:
		a.verifier, err = newOwnVerifier(simulator.OperatorKey(), a.client, jpki.Trust(), d.service+jpkiPath, now)
		if err == nil {
			err = archiveAuthorities(ctx, a.verifier.log, jpki.Trust())
		}
	}
	if err != nil {
		return nil, err
	}
	switch {
	case a.private != nil:
		a.private.stamper = stamper
	case a.verifier != nil:
		a.verifier.stamper = stamper
	}
	if d.app, err = newApp(a); err != nil {
		return nil, err
	}
	d.serve(listener, d.app)
	return d, nil
}

// listen opens the wanted address. When that is in use, another port does if no browser of somebody's has to find it:
// the service runs in this process, or -once visits, which goes to where the relying party listens.
func (d *demo) listen(ctx context.Context) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", d.addr)
	if err == nil {
		return l, nil
	}
	if d.issuer != "" && (!d.once || d.redirectURL == "") {
		return nil, fmt.Errorf("cannot listen on %s: is the port in use? The registered redirect URL has"+
			" that port: end the program that listens there, or register another one and choose it with -addr", d.addr)
	}
	host, _, splitErr := net.SplitHostPort(d.addr)
	if splitErr != nil {
		return nil, splitErr
	}
	if l, err = lc.Listen(ctx, "tcp", net.JoinHostPort(host, "0")); err != nil {
		return nil, fmt.Errorf("cannot listen on %s", d.addr)
	}
	d.moved = true
	return l, nil
}

// anyPort listens where nobody does.
func anyPort(ctx context.Context) (net.Listener, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.New("cannot listen on 127.0.0.1")
	}
	return listener, nil
}

const jpkiPath = "/simulator/jpki"

// simulate starts the service and card, registers this relying party there, and returns the service.
func (d *demo) simulate(
	ctx context.Context,
	jpki *issuer.JPKI,
	config *authn.Config,
	logger *slog.Logger,
) (*daa.Service, error) {
	listener, err := anyPort(ctx)
	if err != nil {
		return nil, err
	}
	d.service = "http://" + listener.Addr().String()
	if d.card, err = cardsim.NewCard(cardsim.Config{Person: d.person, JPKI: jpki}); err != nil {
		return nil, err
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if config.Key, err = authn.NewKey(private, "demo"); err != nil {
		return nil, err
	}
	service, err := daa.New(daa.Config{
		BaseURL: d.service,
		Clients: []daa.ClientRegistration{
			{
				ID:           demoClientID,
				Name:         "確認商店 / Kakunin Store",
				Key:          private.Public(),
				KeyID:        "demo",
				RedirectURLs: []string{config.RedirectURL},
			},
		},
		JPKI: jpki, Cards: []*cardsim.Card{d.card}, Logger: logger, ShowPINs: true,
	})
	if err != nil {
		return nil, err
	}
	config.ClientID, config.Environment = demoClientID, service.Environment()
	d.sim = service
	d.serve(listener, service)
	return service, nil
}

// connect points the relying party at another service. Only a simulated one gives its platform operator's key and
// tokens away: it is recognised by its test CA, which is the same in every process, and a twin of it is returned.
// Otherwise the twin is nil, and without an operator results stay sealed.
func (d *demo) connect(ctx context.Context, jpki *issuer.JPKI, config *authn.Config) (*daa.Service, error) {
	var err error
	config.ClientID = d.clientID
	if config.Key, err = authn.LoadKey(d.clientKey); err != nil {
		return nil, fmt.Errorf("-client-key: %w", err)
	}
	if config.Environment, err = d.environment(ctx); err != nil {
		return nil, err
	}
	u, err := url.Parse(d.issuer)
	if err != nil {
		return nil, errors.New("the issuer cannot be parsed")
	}
	d.service = u.Scheme + "://" + u.Host
	if d.issuer == authn.Production().Issuer || d.issuer == authn.Sandbox().Issuer {
		return nil, nil
	}
	ca, err := get(ctx, d.service+jpkiPath+"/sign/ca.cer", maxCA)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(ca, jpki.SigningCA().Certificate().Raw) {
		return nil, nil
	}
	return daa.New(daa.Config{BaseURL: d.service, JPKI: jpki})
}

// maxCA is the largest CA certificate read from a simulated service.
const maxCA = 16 << 10

// environment returns the endpoints of the service with the given issuer.
func (d *demo) environment(ctx context.Context) (authn.Environment, error) {
	if d.discover {
		return authn.Discover(ctx, nil, d.issuer)
	}
	known, ok := d.knownPaths()
	if !ok {
		return authn.Environment{}, errors.New("the issuer does not end in " + realm)
	}
	return known, nil
}

// serve starts a server that close ends.
func (d *demo) serve(l net.Listener, h http.Handler) {
	s := webserve.New(h, nil)
	d.servers = append(d.servers, s)
	go func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			d.failed <- err
		}
	}()
}

// close ends the servers; requests under way get a moment to finish.
func (d *demo) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for _, s := range d.servers {
		if s.Shutdown(ctx) != nil {
			_ = s.Close()
		}
	}
}

// announce says where to go and what to type.
func (d *demo) announce(w io.Writer) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	if d.moved {
		p("Cannot listen on %s (in use?); another port was taken.", d.addr)
	}
	p("")
	p("  Open   %s", d.base)
	p("")
	if d.issuer != "" {
		p("  Service: %s", d.service)
	} else {
		p("  Simulated service: %s   (not the official service; person and card are synthetic)", d.service)
	}
	if d.stamps != "" {
		p("  Simulated timestamp authority: %s", d.stamps)
	}
	if d.app.holder != nil {
		p("  %s  利用者証明用電子証明書の暗証番号 / PIN of the authentication certificate", d.person.Reveal().AuthPIN)
		p("  %s  券面事項入力補助用の暗証番号 / PIN for the four attributes", d.person.Reveal().TextPIN)
		p("  %s  署名用電子証明書の暗証番号 / password of the signing certificate", d.person.Reveal().SigningPassword)
	}
	p("")
	p("  Press Ctrl+C to stop.")
}

var errNoService = errors.New("the service does not answer; is it running, and is the issuer right?")

// get fetches a small body; nil when there is nothing at the address.
func get(ctx context.Context, address string, limit int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errNoService
	}
	client := &http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, errNoService
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, nil
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, errNoService
	}
	if int64(len(b)) > limit {
		return nil, nil
	}
	return b, nil
}
