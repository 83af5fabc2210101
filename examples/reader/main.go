// Command reader shows what a My Number Card on a reader holds.
//
//	go run ./examples/reader -simulated
//
// does it with a simulated card and needs nothing but Go. With a reader (Debian: pcscd, libpcsclite-dev and pkg-config)
//
//	go run -tags pcsc ./examples/reader
//
// asks for a card and shows what everybody may read: no PIN, and nothing personal. Further flags read more and ask for
// the PIN, after a look at the tries that are left; what is personal is shown only with -show-personal. Run with -h for
// all.
//
// The program is not an official one. free.go and guarded.go are what an application writes.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/jpki/card"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], world{
		in:        os.Stdin,
		hide:      hideTyping,
		out:       os.Stdout,
		errors:    os.Stderr,
		getenv:    os.Getenv,
		now:       time.Now,
		authority: testAuthority,
		open:      openSource,
	})
	stop()
	os.Exit(code)
}

// world is what a test replaces.
type world struct {
	in io.Reader
	// hide stops the echo of the terminal and returns how to restore it; it does nothing where there is no terminal.
	hide        func() (restore func())
	out, errors io.Writer
	getenv      func(string) string
	now         func() time.Time
	authority   func(now func() time.Time) (*issuer.JPKI, error)
	open        func(context.Context, options, world) (source, error)
}

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // the card or the reader did not do what was asked
	exitUsage  = 2 // the command line is wrong
)

// source is a reader with its card.
type source struct {
	transport card.Transport
	// name returns the name of the reader once a card was found.
	name func() string
	// roots check the signatures on the card; nil if there are none.
	roots *card.Roots
	// hint is what a person needs to know to use a simulated card; "" for a real one.
	hint  string
	close func(context.Context)
}

// program is one run.
type program struct {
	options
	talk  talker
	now   func() time.Time
	card  *card.Card
	roots *card.Roots
}

func run(ctx context.Context, args []string, w world) int {
	o, err := parseFlags(args, w)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage // parseFlags has said why
	}
	p := &program{options: o, talk: newTalker(w, o.language), now: w.now}
	src, err := w.open(ctx, o, w)
	if err != nil {
		p.talk.fail(err)
		return exitFailed
	}
	defer src.close(context.WithoutCancel(ctx))
	if err := p.serve(ctx, src); err != nil {
		p.talk.fail(err)
		return exitFailed
	}
	return exitOK
}

// serve waits for a card and does what the flags ask for.
func (p *program) serve(ctx context.Context, src source) error {
	p.talk.say("マイナンバーカードをカードリーダーに置いてください。", "Put your My Number Card on the reader.")
	waiting, cancel := context.WithTimeout(ctx, p.wait)
	defer cancel()
	c, err := card.Config{
		Roots:           src.roots,
		SecureMessaging: p.secure,
		Progress:        p.talk.progress,
	}.Wait(
		waiting,
		src.transport,
	)
	if err != nil {
		return err
	}
	// Power goes whatever happens, so that no PIN stays verified for the next program.
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	p.card, p.roots = c, src.roots
	if name := src.name(); name != "" {
		p.talk.say("カードリーダー: %s", "Reader: %s", name)
	}
	if src.hint != "" {
		p.talk.line(src.hint)
	}
	if err := p.free(ctx); err != nil {
		return err
	}
	for _, part := range []struct {
		wanted bool
		do     func(context.Context) error
	}{
		{p.attributes, p.readAttributes},
		{p.face || p.images != "", p.readFace},
		{p.age, p.checkAge},
		{p.number != "", p.readNumber},
		{p.login, p.signIn},
		{p.sign != "", p.signFile},
		{p.change != "", p.changePIN},
	} {
		if part.wanted {
			if err := p.untilRight(ctx, part.do); err != nil {
				return err
			}
		}
	}
	p.talk.say("カードを取ってください。", "Take your card.")
	return nil
}

// untilRight asks again after a wrong PIN. It ends, because the tries do.
func (p *program) untilRight(ctx context.Context, do func(context.Context) error) error {
	for {
		err := do(ctx)
		if reasonOf(err) != card.ReasonWrongPIN {
			return err
		}
		p.talk.warn(err)
	}
}

// localError is something that went wrong on this side of the card.
type localError struct{ ja, en string }

func (e localError) Error() string { return e.en }

func problem(ja, en string) error {
	return localError{ja, en}
}
