// Command cardsim runs the software My Number Card, and the simulated service around it, as a program.
//
//	cardsim card                      put cards into pcscd's virtual readers (vsmartcard-vpcd)
//	cardsim service -client-id ID -client-key FILE -redirect-url URL
//	cardsim service -config FILE      with several clients; cardsim config describes the file
//
// Card and service run until interrupted. "cardsim card -h" and "cardsim service -h" list the flags. This is a
// simulator for tests and demonstrations: it is not an official service, and its persons do not exist.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/kakunin-go/kakunin/cardsim/person"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

const usage = `cardsim: a software My Number Card and the simulated service around it, for tests and demonstrations.
This is a simulator. It is not an official service, and its persons do not exist.

usage:
  cardsim card [flags]       put cards into pcscd's virtual readers until interrupted
  cardsim service [flags]    run the simulated service (login, signing, phone screen) until interrupted
  cardsim config [-example | -schema]
                             describe the file of cardsim service -config, or print an example or its JSON Schema
  cardsim key                print the simulated operator's key, which opens results of the sign API
  cardsim version            print the version

cardsim card -h and cardsim service -h list the flags.
`

// version is set by the linker in released programs.
var version = "devel"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// streams are standard input, output and error.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// run executes a subcommand until it ends or ctx does, and returns the exit code.
func run(ctx context.Context, args []string, s streams) int {
	if len(args) == 0 {
		_, _ = io.WriteString(s.err, usage)
		return exitUsage
	}
	var err error
	switch args[0] {
	case "card":
		err = runCard(ctx, args[1:], s)
	case "service":
		err = runService(ctx, args[1:], s.out, s.err)
	case "key":
		err = runKey(args[1:], s.out, s.err)
	case "config":
		err = runConfig(args[1:], s.out, s.err)
	case "version":
		_, err = io.WriteString(s.out, "cardsim "+version+"\n")
	case "help", "-h", "-help", "--help":
		_, _ = io.WriteString(s.out, usage)
		return exitOK
	default:
		_, _ = io.WriteString(s.err, "cardsim: the command is one of card, service, config, key and version\n\n"+usage)
		return exitUsage
	}
	var bad *usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.As(err, &bad):
		_, _ = fmt.Fprintf(s.err, "cardsim %s: %s\n", args[0], bad.message)
		return exitUsage
	default:
		_, _ = fmt.Fprintf(s.err, "cardsim %s: %v\n", args[0], err)
		return exitFailure
	}
}

// usageError is a wrong command line.
type usageError struct{ message string }

func (e *usageError) Error() string { return e.message }

// parse reads the flags of a subcommand; the flag package has then already told the user what is wrong.
func parse(flags *flag.FlagSet, args []string) error {
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return &usageError{"see -h"}
	}
	if flags.NArg() > 0 {
		return &usageError{"unexpected argument; see -h"}
	}
	return nil
}

// checkAddress refuses what is no host:port.
func checkAddress(name, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return &usageError{name + " must be host:port with a port from 0 to 65535"}
	}
	return nil
}

func newFlags(name, about string, stderr io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet("cardsim "+name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		_, _ = fmt.Fprintf(stderr, "usage: cardsim %s [flags]\n%s\n", name, about)
		flags.PrintDefaults()
	}
	return flags
}

// given reports whether a flag was on the command line.
func given(flags *flag.FlagSet, name string) bool {
	found := false
	flags.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

// personNames lists the ready persons for the help texts.
func personNames() string {
	s := ""
	for i, p := range person.Personas() {
		if i > 0 {
			s += ", "
		}
		s += string(p)
	}
	return s
}

// disclaim says what this is.
func disclaim(w io.Writer) {
	_, _ = fmt.Fprintln(w, "SIMULATOR: not an official service, no real cards; the persons do not exist.")
}

// introduce says with which PINs the synthetic person's card opens.
func introduce(w io.Writer, p person.Details) {
	_, _ = fmt.Fprintf(w, `person %s
  PIN of the authentication certificate (利用者証明用電子証明書の暗証番号): %s
  PIN for the four attributes (券面事項入力補助用の暗証番号): %s
  password of the signing certificate (署名用電子証明書の暗証番号): %s
`, p.ID, p.AuthPIN, p.TextPIN, p.SigningPassword)
}
