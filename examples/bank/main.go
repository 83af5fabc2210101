// Command bank opens an account: a bank that is a certified signature verifier (署名検証者) identifies a customer by a
// signature with the My Number Card, as the Act on Prevention of Transfer of Criminal Proceeds (犯罪収益移転防止法) asks.
// With -business private the bank is none, and its platform operator (PF事業者) opens and verifies the signature.
//
//	go run ./examples/bank                     the account is opened
//	go run ./examples/bank -person taro        a substitute character in the name: a human has to look
//	go run ./examples/bank -person akira       another address than typed: refused
//	go run ./examples/bank -business private   through a platform operator: no certificate, so the law asks a human
//	go run ./examples/bank -evidence DIR -timestamp   with a record, and a timestamp of the signature; if it is killed
//	                                           in the middle, the next start finishes the application
//	go run ./examples/bank -batch A -against B two files of customers, compared; only counts come out
//
// It needs nothing but Go: service, card and certificates are simulated in this process and not connected with any real
// ones; bank and persons are fictitious. Read bank.go first, which is what a bank writes: application.go is the text
// that is signed, decide.go what becomes of it, evidence.go what is kept, timestamp.go who says when. unfinished.go is
// what is kept until then, and earlier.go what the next start does with it. world.go is the simulated world, batch.go
// compares files, report.go and words.go say what happened.
//
// Exit codes: 0 opened, 1 refused or failed, 2 the command line is wrong, 3 a human has to decide.
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
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
)

// Exit codes.
const (
	exitOpened  = 0
	exitRefused = 1
	exitUsage   = 2
	exitHuman   = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, surroundings{now: time.Now}, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, s surroundings, args []string, stdout, stderr io.Writer) int {
	o, err := parseFlags(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOpened
	case err != nil:
		return exitUsage // parseFlags has said why
	case o.batch != "":
		return compareFiles(o, stdout, stderr)
	}
	// The guard is a second line of defence; nothing here hands personal data to the logger.
	logger := slog.New(mynumber.GuardLogs(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	var rep report
	w, err := newWorld(ctx, s, o.person, logger)
	if err == nil {
		defer w.close()
		rep, err = openAccount(ctx, w, o)
	}
	if err != nil {
		rep.Outcome, rep.Reason, rep.Family = refused, "failed", kakunin.FamilyOf(err).String()
		_, _ = fmt.Fprintf(stderr, "bank: %v\n      %s\n", err, kakunin.MessageFor(err, kakunin.Language(o.lang)))
	}
	if err := rep.print(stdout, o); err != nil {
		return exitRefused
	}
	return rep.Outcome.exitCode()
}
