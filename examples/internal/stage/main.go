package stage

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/internal/webserve"
)

// Main runs the example until it is interrupted.
func Main(e Example) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := Run(ctx, e, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "%s: %v\n", e.Name, err)
		os.Exit(1)
	}
}

type options struct {
	addr, url, issuer, clientIDs, key string
}

func parse(e Example, args []string, out io.Writer) (o options, err error) {
	f := flag.NewFlagSet(e.Name, flag.ContinueOnError)
	f.SetOutput(out)
	f.StringVar(&o.addr, "addr", "127.0.0.1:8080", "`host:port` to listen on")
	f.StringVar(&o.url, "url", "", "where browsers find it, without a path (default http://localhost:PORT)")
	f.StringVar(&o.issuer, "issuer", "", "use the service with this issuer `URL` instead of starting a simulated one")
	f.StringVar(&o.clientIDs, "client-id", "", "with -issuer: the registered client id, or several with commas between")
	f.StringVar(&o.key, "client-key", "", "with -issuer: `file` with the registered private key, JWK or PEM")
	if e.Flags != nil {
		e.Flags(f)
	}
	f.Usage = func() {
		_, _ = fmt.Fprintf(out, "usage: go run ./examples/%s [flags]\n\n%s\n\n", e.Name, e.About)
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, errors.New("there are only flags, no arguments")
	}
	if (o.issuer == "") != (o.clientIDs == "" && o.key == "") ||
		(o.issuer != "") != (o.clientIDs != "" && o.key != "") {
		return o, errors.New("-issuer, -client-id and -client-key go together")
	}
	host, _, err := net.SplitHostPort(o.addr)
	if err != nil {
		return o, errors.New("-addr must be host:port, e.g. 127.0.0.1:8080")
	}
	if a, err := netip.ParseAddr(host); o.issuer == "" && host != "localhost" && (err != nil || !a.IsLoopback()) {
		// A card whose PINs are printed is for this machine only.
		return o, errors.New("-addr must be a loopback address, because the simulated service and card start with it")
	}
	return o, nil
}

// Run runs the example until ctx ends; what there is to open is written to out.
func Run(ctx context.Context, e Example, args []string, out io.Writer) error {
	o, err := parse(e, args, out)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	listener, moved, err := listenOrMove(ctx, o)
	if err != nil {
		return err
	}
	if o.url == "" {
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		o.url = "http://localhost:" + port // another site than the service's 127.0.0.1, as in reality
	}
	s := &Stage{
		URL: strings.TrimSuffix(o.url, "/"), Now: time.Now,
		Logger: slog.New(mynumber.GuardLogs(slog.NewTextHandler(os.Stderr, nil))),
	}
	if e.Now != nil {
		s.Now = e.Now
	}
	cards, err := s.open(ctx, e, o, cancel)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	handler, err := s.Handler(e)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if moved {
		_, _ = fmt.Fprintf(out, "Cannot listen on %s (in use?); another port was taken.\n", o.addr)
	}
	s.announce(out, cards)
	err = webserve.Serve(ctx, listener, webserve.New(handler, s.Logger))
	last, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer done()
	err = errors.Join(err, s.End(last))
	if cause := context.Cause(ctx); err == nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

// open finds the service, or starts the simulated one, which ends with ctx.
func (s *Stage) open(
	ctx context.Context, e Example, o options, failed context.CancelCauseFunc,
) (cards []person.Details, err error) {
	if o.issuer != "" {
		s.clientIDs = strings.Split(o.clientIDs, ",")
		if s.key, err = authn.LoadKey(o.key); err != nil {
			return nil, err
		}
		u, err := url.Parse(o.issuer)
		if err != nil {
			return nil, errors.New("-issuer is no URL")
		}
		if s.env = authn.Custom(u.Scheme + "://" + u.Host); s.env.Issuer != o.issuer {
			s.env, err = authn.Discover(ctx, nil, o.issuer)
		}
		return nil, err
	}
	jpki, err := issuer.New(issuer.Config{Now: s.Now})
	if err != nil {
		return nil, err
	}
	var hand []*cardsim.Card
	for _, persona := range e.cards() {
		p, err := person.Lookup(persona, s.Now())
		if err != nil {
			return nil, err
		}
		card, err := cardsim.NewCard(cardsim.Config{Person: p, JPKI: jpki, Now: s.Now})
		if err != nil {
			return nil, err
		}
		hand, cards = append(hand, card), append(cards, p.Reveal())
	}
	listener, err := listen(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, errors.New("cannot listen on 127.0.0.1")
	}
	s.Service, err = daa.New(daa.Config{
		BaseURL: "http://" + listener.Addr().String(), JPKI: jpki, Cards: hand, Now: s.Now, Logger: s.Logger,
		ShowPINs: true,
	})
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	go func() {
		if err := webserve.Serve(ctx, listener, webserve.New(s.Service, s.Logger)); err != nil {
			failed(err)
		}
	}()
	return cards, nil
}

func (e Example) cards() []person.Persona {
	if len(e.Cards) == 0 {
		return []person.Persona{person.Hanako}
	}
	return e.Cards
}

// Handler makes the application with everything that a page of an example has around it.
func (s *Stage) Handler(e Example) (http.Handler, error) {
	h, err := e.New(s)
	if err != nil {
		return nil, err
	}
	return around(h), nil
}

// listenOrMove opens the wanted address. When that is in use, another port does where the simulated service starts with
// the example and browsers go to the port that is printed.
func listenOrMove(ctx context.Context, o options) (l net.Listener, moved bool, err error) {
	if l, err = listen(ctx, o.addr); err == nil {
		return l, false, nil
	}
	if o.issuer != "" || o.url != "" {
		return nil, false, fmt.Errorf(
			"cannot listen on %s: is the port in use? -addr chooses another one", o.addr,
		)
	}
	host, _, _ := net.SplitHostPort(o.addr)
	if l, err = listen(ctx, net.JoinHostPort(host, "0")); err != nil {
		return nil, false, fmt.Errorf("cannot listen on %s", o.addr)
	}
	return l, true, nil
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	return new(net.ListenConfig).Listen(ctx, "tcp", addr)
}
