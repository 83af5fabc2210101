package main

import (
	"bytes"
	"context"
	"crypto"
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
	moved   bool // the wanted port was busy
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
	if d.person, err = person.Lookup(person.Hanako, now()); err != nil {
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
	var operator crypto.PrivateKey
	if o.issuer == "" {
		operator, err = d.simulate(ctx, jpki, &config, logger)
	} else {
		operator, err = d.connect(ctx, jpki, &config)
	}
	if err != nil {
		return nil, err
	}
	client, err := authn.New(config)
	if err != nil {
		return nil, err
	}
	var op *platformOperator
	if operator != nil {
		if op, err = newPlatformOperator(operator, client, jpki.Trust(), d.service+jpkiPath, time.Now); err != nil {
			return nil, err
		}
	}
	d.app, err = newApp(appConfig{
		client: client, redirectURL: redirectURL, mode: o.mode, operator: op, service: d.service,
		showPersonal: o.showPersonal, simulated: op != nil, person: d.person, now: now, logger: logger,
	})
	if err != nil {
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
		return nil, fmt.Errorf("cannot listen on %s: is the port in use?", d.addr)
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

const jpkiPath = "/simulator/jpki"

// simulate starts the service and card, registers this relying party there, and returns the key of the platform
// operator that results are sealed to.
func (d *demo) simulate(
	ctx context.Context,
	jpki *issuer.JPKI,
	config *authn.Config,
	logger *slog.Logger,
) (crypto.PrivateKey, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.New("cannot listen on 127.0.0.1")
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
	return service.OperatorKey(), nil
}

// connect points the relying party at another service. Only a simulated one gives its platform operator's key away: it
// is recognised by its test CA, which is the same in every process. Otherwise the key is nil and results stay sealed.
func (d *demo) connect(ctx context.Context, jpki *issuer.JPKI, config *authn.Config) (crypto.PrivateKey, error) {
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
	twin, err := daa.New(daa.Config{BaseURL: d.service, JPKI: jpki})
	if err != nil {
		return nil, err
	}
	return twin.OperatorKey(), nil
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
	if d.app.simulated {
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
