package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/daa/control"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/internal/webserve"
)

// list collects the values of a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, " ") }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }

// parseServiceFlags reads the flags, which say the same as the file for a service with one client.
func parseServiceFlags(args []string, stderr io.Writer) (serviceConfig, error) {
	var c serviceConfig
	var one clientFile
	var file string
	var redirectURLs, persons, hosts list
	flags := newFlags(
		"service",
		`Runs the simulated service until interrupted: OpenID Provider, sign API and phone screen.
With one client by -client-id, -client-key and -redirect-url, or with what a -config file says.`,
		stderr,
	)
	flags.StringVar(
		&file,
		"config",
		"",
		"`FILE` in JSON, see cardsim config; it says what the other flags would, which then are refused, but -log",
	)
	flags.StringVar(&c.Listen, "addr", "127.0.0.1:9000", "`host:port` to listen on; port 0 takes a free one")
	flags.StringVar(
		&c.BaseURL,
		"base-url",
		"",
		"`URL` (scheme and host) under which browsers reach it (default http:// and the address)",
	)
	flags.Var(&hosts, "host", "further host `NAME` under which it is reached; may be repeated")
	flags.StringVar(
		&c.HTTPS,
		"https",
		"",
		"serve https with a CA in this `DIRECTORY`, made when it is not there; trust its ca.pem",
	)
	flags.BoolVar(
		&c.ExposeUnsafe,
		"expose-unsafe",
		false,
		"listen on an address that other machines reach: whoever does can be anybody",
	)
	flags.StringVar(
		&c.Control,
		"control",
		"",
		"serve the control API, with the token in this `FILE`, made when it is not there",
	)
	flags.StringVar(&one.ID, "client-id", "", "registered client `ID`, 1 to 255 letters and digits")
	flags.StringVar(&one.JWKFile, "client-key", "", "`FILE` with the client's public key, JWK or PEM")
	flags.Var(&redirectURLs, "redirect-url", "registered redirect `URL`, compared exactly; may be repeated")
	flags.Var(
		&persons,
		"person",
		"whose card the phone holds: "+personNames()+"; may be repeated (default "+string(person.Hanako)+")",
	)
	flags.StringVar(
		&c.Card,
		"card",
		"",
		"`pcsc`: the phone reads a test card in a reader of this machine instead of simulated ones; needs the build "+
			"tag",
	)
	flags.StringVar(&c.Reader, "reader", "", "part of the `NAME` of the reader, with -card pcsc (default any)")
	flags.BoolVar(
		&one.Government,
		"government",
		false,
		"the client is a government body: results are plain JSON instead of a JWE",
	)
	flags.StringVar(
		&c.ResetAfter,
		"reset-after",
		"",
		"a card that nobody used for this `TIME`, e.g. 10m, has all its tries again",
	)
	flags.BoolVar(&c.FreshCards, "fresh-cards", false, "every visit has a card of its own")
	flags.BoolVar(&c.Log, "log", false, "log what happens to standard error; without personal data and PINs")
	if err := parse(flags, args); err != nil {
		return c, err
	}
	if file != "" {
		var beside []string
		flags.Visit(func(f *flag.Flag) {
			if f.Name != "config" && f.Name != "log" {
				beside = append(beside, "-"+f.Name)
			}
		})
		if len(beside) > 0 {
			return c, &usageError{strings.Join(beside, ", ") + ": with -config this belongs in the file"}
		}
		log := c.Log
		var err error
		if c, err = readConfig(file); err != nil {
			return c, err
		}
		c.Log = c.Log || log
		if c.Listen == "" {
			c.Listen = "127.0.0.1:9000"
		}
		return c, c.check()
	}
	if one.ID == "" || one.JWKFile == "" || len(redirectURLs) == 0 {
		return c, &usageError{"-client-id, -client-key and -redirect-url are required, or -config; see -h"}
	}
	one.RedirectURLs, c.Hosts = redirectURLs, hosts
	c.Clients = []clientFile{one}
	for _, name := range persons {
		if !slices.Contains(person.Personas(), person.Persona(name)) {
			return c, &usageError{"-person must be one of " + personNames()}
		}
		c.Cards = append(c.Cards, cardFile{Person: name})
	}
	if err := checkAddress("-addr", c.Listen); err != nil {
		return c, err
	}
	return c, c.check()
}

// runService is "cardsim service".
func runService(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, err := parseServiceFlags(args, stderr)
	if err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	if c.Log {
		log = slog.New(slog.NewTextHandler(stderr, nil))
	}
	clock := control.NewClock(time.Now)
	config, err := c.world(clock.Now)
	if err != nil {
		return err
	}
	config.Logger = log
	if c.Card != "" {
		var done func()
		if config.Reader, done, err = openReader(ctx, c.Reader); err != nil {
			return err
		}
		defer done()
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return err // says "listen" and the address
	}
	if config.BaseURL == "" {
		config.BaseURL = "http://" + listener.Addr().String()
		if c.HTTPS != "" {
			config.BaseURL = "https://" + listener.Addr().String()
		}
	}
	service, err := c.newService(config)
	if err != nil {
		_ = listener.Close()
		return err
	}
	p := &site{service: service}
	server := webserve.New(p, log)
	if c.HTTPS != "" {
		certificate, cerr := serverCertificate(c.HTTPS, append([]string{hostOf(config.BaseURL)}, c.Hosts...))
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
		err = cerr
	}
	if c.Control != "" && err == nil {
		p.control, err = newControl(c, service, clock, log)
	}
	if err != nil {
		_ = listener.Close()
		return err
	}
	introduceCards(stdout, service)
	announce(stdout, c, config, service)
	stop := context.AfterFunc(ctx, func() { p.ending.Store(true) })
	defer stop()
	return webserve.Serve(ctx, listener, server)
}

// site is the service with what a machine room asks of a program.
type site struct {
	service *daa.Service
	control http.Handler // nil without a control API
	ending  atomic.Bool
}

// ServeHTTP implements http.Handler. The two probes answer under every host name, other than the service and the
// control API: whoever watches a container or stands before it asks by an address, by a name of its own, or by none. A
// page of another site that rebinds its name to this address (DNS rebinding) learns from them no more than from a
// refusal, that a simulator runs here; they change nothing.
func (p *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	probe := func(text string) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = io.WriteString(w, text+"\n")
	}
	switch path := r.URL.Path; {
	case path == "/healthz":
		probe("ok")
	case path == "/readyz" && p.ending.Load():
		http.Error(w, "ending", http.StatusServiceUnavailable)
	case path == "/readyz":
		probe("ready")
	case p.control != nil && strings.HasPrefix(path, control.Path):
		p.control.ServeHTTP(w, r)
	default:
		p.service.ServeHTTP(w, r)
	}
}

// newControl reads or makes the token.
func newControl(c serviceConfig, s *daa.Service, clock *control.Clock, log *slog.Logger) (http.Handler, error) {
	token, err := os.ReadFile(c.Control)
	if errors.Is(err, fs.ErrNotExist) {
		token = []byte(rand.Text())
		err = os.WriteFile(c.Control, append(token, '\n'), 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("control token: %w", err)
	}
	h, err := control.New(
		control.Config{Service: s, Token: strings.TrimSpace(string(token)), Clock: clock, Logger: log},
	)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Control, err)
	}
	return h, nil
}

// introduceCards says whose cards the phone holds, and by which names the control API knows them.
func introduceCards(w io.Writer, s *daa.Service) {
	for i, name := range s.CardNames() {
		card, ok := s.CardNamed(name)
		if !ok {
			continue
		}
		if i == 0 {
			disclaim(w)
		}
		introduce(w, card.Person().Reveal())
		_, _ = fmt.Fprintf(w, "  card %s (%s)\n", name, card.Kind())
	}
}

// announce says what to put into the relying party.
func announce(w io.Writer, c serviceConfig, config daa.Config, s *daa.Service) {
	e := s.Environment()
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	p("issuer    %s\nlogin     %s\ntoken     %s\nuserinfo  %s\nkeys      %s\nsign API  %s",
		e.Issuer, e.AuthorizationEndpoint, e.TokenEndpoint, e.UserinfoEndpoint, e.JWKSEndpoint, e.SignEndpoint)
	p("metadata  %s/.well-known/openid-configuration", e.Issuer)
	for _, one := range c.Clients {
		p("client    %s, redirect URL %s", one.ID, strings.Join(one.RedirectURLs, " or "))
		if !one.Government {
			p("          operator token %s", s.OperatorToken(one.ID))
		}
	}
	p("operator  %s (simulated PF事業者: opens and verifies what the sign API sealed)", s.OperatorURL())
	if c.Control != "" {
		p("control   %s/control/openapi.json, token in %s", config.BaseURL, c.Control)
	}
	if c.HTTPS != "" {
		p("trust     %s/ca.pem", c.HTTPS)
	}
	p("inspector %s/simulator/inspector", config.BaseURL)
	if !onlyHere(c.Listen) {
		p("UNSAFE    other machines reach this simulator: whoever does can be anybody in it")
	}
	p("listening on %s", config.BaseURL)
}

// everywhere reports whether the host of host:port stands for all addresses of this machine.
func everywhere(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "" || ip != nil && ip.IsUnspecified())
}

// onlyHere reports whether only this machine reaches host:port.
func onlyHere(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}
