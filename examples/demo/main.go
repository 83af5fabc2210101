// Command demo is a small relying party that logs people in with a My Number Card, shows the four attributes, has a
// document signed and verifies the signature.
//
//	go run ./examples/demo
//
// starts it on loopback together with the simulated service and a simulated card, and prints the address to open. With
//
//	go run ./examples/demo -once
//
// the same visit happens without a browser, and one JSON report comes out. Read app.go first: it is what an application
// writes. verify.go is what a certified verifier (署名検証者) does and private.go what a private business does, whose
// platform operator (PF事業者) verifies (-business private), world.go starts the simulated world, and once.go is the
// visitor without a browser.
//
// The demo is not an official service and not connected to one; persons, cards and certificates are synthetic.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // something did not hold or could not be reached
	exitUsage  = 2 // the command line is wrong
)

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseFlags(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage // parseFlags has said why
	}
	level := slog.LevelInfo
	if o.once {
		level = slog.LevelWarn
	}
	logger := slog.New(mynumber.GuardLogs(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level})))

	d, err := start(ctx, o, logger)
	if err != nil {
		explain(stderr, err)
		if o.once {
			_ = printReport(stdout, report{Error: reportError(err)})
		}
		return exitFailed
	}
	defer d.close() //nolint:contextcheck // ctx is over by then
	if o.once {
		return d.visit(ctx, stdout, stderr)
	}
	d.announce(stdout)
	select {
	case <-ctx.Done():
		return exitOK
	case err := <-d.failed:
		explain(stderr, err)
		return exitFailed
	}
}

// explain says what to do about an error, by its family: the text of an error from below may hold data from outside.
func explain(w io.Writer, err error) {
	advice := map[string]string{
		kakunin.User.String():          "The visit was not completed. Run the demo again.",
		kakunin.Account.String():       "The card or certificate cannot be used.",
		kakunin.Configuration.String(): "Check the flags, the client key and the registration at the service.",
		kakunin.Unavailable.String():   "The service did not answer. Is it running, and is the issuer right?",
		kakunin.Untrusted.String():     "An answer could not be trusted; nothing was accepted.",
	}[reportError(err).Family]
	_, _ = fmt.Fprintf(w, "demo: %v\n", err)
	if advice != "" {
		_, _ = fmt.Fprintf(w, "      %s\n", advice)
	}
}
