package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/webserve"
)

// list collects the values of a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, " ") }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }

// serviceFlags are the flags of "cardsim service".
type serviceFlags struct {
	address, baseURL, clientID, clientKey string
	redirectURLs, persons                 list
	government, log                       bool
}

func parseServiceFlags(args []string, stderr io.Writer) (serviceFlags, error) {
	var f serviceFlags
	flags := newFlags("service", `Runs the simulated service until interrupted: OpenID Provider, sign API and phone screen, with one registered client.`, stderr)
	flags.StringVar(&f.address, "addr", "127.0.0.1:9000", "`host:port` to listen on; port 0 takes a free one")
	flags.StringVar(&f.baseURL, "base-url", "", "`URL` (scheme and host) under which browsers reach it (default http:// and the address)")
	flags.StringVar(&f.clientID, "client-id", "", "registered client `ID`, 1 to 255 letters and digits")
	flags.StringVar(&f.clientKey, "client-key", "", "`FILE` with the client's public key, JWK or PEM")
	flags.Var(&f.redirectURLs, "redirect-url", "registered redirect `URL`, compared exactly; may be repeated")
	flags.Var(&f.persons, "person", "whose card the phone holds: "+personNames()+"; may be repeated (default "+string(person.Hanako)+")")
	flags.BoolVar(&f.government, "government", false, "the client is a government body: results are plain JSON instead of a JWE")
	flags.BoolVar(&f.log, "log", false, "log what happens to standard error; without personal data and PINs")
	if err := parse(flags, args); err != nil {
		return f, err
	}
	if f.clientID == "" || f.clientKey == "" || len(f.redirectURLs) == 0 {
		return f, &usageError{"-client-id, -client-key and -redirect-url are required; see -h"}
	}
	if err := checkAddress("-addr", f.address); err != nil {
		return f, err
	}
	if f.baseURL == "" && everywhere(f.address) {
		return f, &usageError{"-addr without one address needs -base-url, because browsers and clients are sent there"}
	}
	if len(f.persons) == 0 {
		f.persons = list{string(person.Hanako)}
	}
	return f, nil
}

// runService is "cardsim service".
func runService(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f, err := parseServiceFlags(args, stderr)
	if err != nil {
		return err
	}
	config, err := f.config(stderr)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.address)
	if err != nil {
		return err // says "listen" and the address
	}
	if config.BaseURL == "" {
		config.BaseURL = "http://" + listener.Addr().String()
	}
	service, err := daa.New(config)
	if err != nil {
		_ = listener.Close()
		return asUsage(err)
	}
	for _, card := range config.Cards {
		introduce(stdout, card.Person().Reveal())
	}
	environment := service.Environment()
	_, _ = fmt.Fprintf(stdout, "issuer    %s\nlogin     %s\ntoken     %s\nuserinfo  %s\nkeys      %s\nsign API  %s\nlistening on %s\n",
		environment.Issuer, environment.AuthorizationEndpoint, environment.TokenEndpoint, environment.UserinfoEndpoint,
		environment.JWKSEndpoint, environment.SignEndpoint, config.BaseURL)
	return webserve.Serve(ctx, listener, webserve.New(service, config.Logger))
}

// asUsage names the flag behind what daa.New refuses.
func asUsage(err error) error {
	var refused *daa.Error
	if !errors.As(err, &refused) {
		return err
	}
	message, ok := map[string]string{
		"client-id":    "-client-id must be 1 to 255 letters and digits",
		"client-key":   "-client-key must be an RSA key of 2048 bits or more, or an EC key on P-256",
		"redirect-url": "-redirect-url must be an http or https URL of at most 255 characters, without a fragment",
		"base-url":     "-base-url must be http or https with a host and nothing after it, e.g. https://daa.example",
	}[refused.Step]
	if !ok {
		return err
	}
	return &usageError{message}
}

// everywhere reports whether the host of host:port stands for all addresses of this machine.
func everywhere(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "" || ip != nil && ip.IsUnspecified())
}

// config makes the world of the service: JPKI, cards and client.
func (f serviceFlags) config(stderr io.Writer) (daa.Config, error) {
	c := daa.Config{BaseURL: f.baseURL, Now: time.Now, ShowPINs: true, Logger: slog.New(slog.DiscardHandler)}
	if f.log {
		c.Logger = slog.New(slog.NewTextHandler(stderr, nil))
	}
	key, err := readPublicKey(f.clientKey)
	if err != nil {
		return c, err
	}
	c.Clients = []daa.ClientRegistration{{
		ID: f.clientID, Key: key.Key, KeyID: key.KeyID, Algorithm: key.Algorithm,
		RedirectURLs: f.redirectURLs, Government: f.government,
	}}
	if c.JPKI, err = issuer.New(issuer.Config{Now: c.Now}); err != nil {
		return c, err
	}
	for _, name := range f.persons {
		person, err := person.Lookup(person.Persona(name), c.Now())
		if err != nil {
			return c, &usageError{"-person must be one of " + personNames()}
		}
		card, err := cardsim.NewCard(cardsim.Config{Person: person, JPKI: c.JPKI, Now: c.Now})
		if err != nil {
			return c, err
		}
		c.Cards = append(c.Cards, card)
	}
	return c, nil
}

func readPublicKey(path string) (jose.PublicKey, error) {
	file, err := os.Open(path) //nolint:gosec // the user names the file
	if err != nil {
		return jose.PublicKey{}, fmt.Errorf("client key: %w", err)
	}
	defer func() { _ = file.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(file, limits.KeyFile+1))
	if err != nil {
		return jose.PublicKey{}, fmt.Errorf("client key: %w", err)
	}
	key, err := jose.ParsePublicKey(b)
	if err != nil {
		return jose.PublicKey{}, fmt.Errorf("client key: %w", err)
	}
	return key, nil
}
