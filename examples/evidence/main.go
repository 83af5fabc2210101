// Command evidence is for auditors of a log of evidence, and for those who keep one:
//
//	evidence verify [-checkpoint FILE …] [-key TEXT] [-wrapping-key FILE] [-timestamp-anchor FILE …] [-json] DIR|DSN
//	evidence verify [-timestamp-anchor FILE …] [-test] [-key TEXT] [-document FILE] [-json] FOLDER|FILE
//	evidence show   [-json] DIR|DSN|FOLDER|FILE [INDEX …]
//	evidence export -index N -out FOLDER [-checkpoint FILE -key TEXT] [-wrapping-key FILE] [-document FILE]
//	                [-file FILE …] [-reveal] DIR|DSN
//	evidence purge  -dry-run [-json] DIR|DSN
//
// A log is a directory, postgres://… or sqlite:PATH. A FOLDER is what export wrote, a FILE one record. verify reads the
// whole log and its archive, on all cores, and compares it with earlier checkpoints; with -timestamp-anchor it verifies
// every timestamp that the log names, of signatures and of checkpoints, at its own time. Of a folder it verifies the
// signature again: document, signature, certificate, revocation and timestamps at the time of the record, and its place
// in the log.
// -lang ja says it in Japanese.
//
// The exit code is 0 when everything holds, 1 when it does not (the reason is printed), 2 when the command line is
// wrong, something cannot be read or the run was interrupted. Progress goes to standard error. Nothing personal is
// printed without -reveal. A directory is locked while it is open: give auditors a copy.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/kakunin-go/kakunin"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, surroundings{os.Stdout, os.Stderr, time.Now}, os.Args[1:])
	stop()
	os.Exit(code)
}

// Exit codes.
const (
	exitHolds = 0
	exitNot   = 1
	exitUsage = 2
)

// surroundings are what a test puts in the place of.
type surroundings struct {
	stdout, stderr io.Writer
	now            func() time.Time
}

// options are those of all commands.
type options struct {
	surroundings
	where   string
	indexes []string

	checkpoints, anchors, files list
	key, wrappingKey            string
	document, out               string
	index                       int64
	json, reveal, test, dryRun  bool
	language                    kakunin.Language
}

type list []string

func (l *list) String() string { return strings.Join(*l, " ") }

// Set appends one.
func (l *list) Set(s string) error {
	if s == "" {
		return errors.New("a file name is missing")
	}
	*l = append(*l, s)
	return nil
}

// commands are the commands with what they do, and the flags that each takes.
var commands = map[string]struct {
	run   func(context.Context, *options) error
	flags []string
}{
	"verify": {verify, []string{"checkpoint", "key", "wrapping-key", "timestamp-anchor", "test", "document"}},
	"show":   {show, []string{"wrapping-key"}},
	"export": {exportRecord, []string{"checkpoint", "key", "wrapping-key", "document", "file", "reveal", "index",
		"out"}},
	"purge": {purge, []string{"dry-run", "wrapping-key"}},
}

const help = `usage: evidence COMMAND [flags] LOG

  verify  a log whole (a directory, sqlite:PATH or postgres://…), or a folder that export made
  show    what is in a log, or the entries whose numbers follow
  export  one record as a folder that OpenSSL alone verifies
  purge   with -dry-run: what retention by law would delete

evidence COMMAND -h lists the flags. A log to try it with: go run ./examples/bank -evidence DIR
`

// usage is an error of the command line.
type usage string

func (u usage) Error() string { return string(u) }

// failed is the answer of a verification that did not hold.
type failed struct{ err error }

func (f failed) Error() string { return f.err.Error() }
func (f failed) Unwrap() error { return f.err }

func run(ctx context.Context, s surroundings, args []string) int {
	o, command, err := parse(s, args)
	if err == nil {
		err = commands[command].run(ctx, o)
	}
	var not failed
	switch {
	case err == nil:
		return exitHolds
	case errors.Is(err, flag.ErrHelp):
		return exitUsage
	case ctx.Err() != nil:
		_, _ = fmt.Fprintln(s.stderr, "evidence: interrupted")
		return exitUsage
	case errors.As(err, &not):
		return exitNot
	}
	_, _ = fmt.Fprintf(s.stderr, "evidence: %v\n", err)
	return exitUsage
}

func parse(s surroundings, args []string) (*options, string, error) {
	o := &options{surroundings: s, index: -1}
	if len(args) == 0 || commands[args[0]].run == nil {
		_, _ = io.WriteString(s.stderr, help)
		return nil, "", flag.ErrHelp
	}
	command := args[0]
	f := flag.NewFlagSet("evidence "+command, flag.ContinueOnError)
	f.SetOutput(s.stderr)
	all := map[string]func(name string){
		"checkpoint": func(n string) { f.Var(&o.checkpoints, n, "a signed checkpoint that was kept elsewhere") },
		"key":        func(n string) { f.StringVar(&o.key, n, "", "the public key of the checkpoints") },
		"wrapping-key": func(n string) {
			f.StringVar(&o.wrappingKey, n, "", "a file with the 32 bytes that open encrypted parts")
		},
		"timestamp-anchor": func(n string) {
			f.Var(&o.anchors, n, "the certificate of a timestamp authority that is believed, in DER")
		},
		"test": func(n string) {
			f.BoolVar(&o.test, n, false, "accept test certificates, by the authority in the folder")
		},
		"document": func(n string) { f.StringVar(&o.document, n, "", "the document that was signed") },
		"file":     func(n string) { f.Var(&o.files, n, "a list or certificate that the log's archive lacks") },
		"reveal":   func(n string) { f.BoolVar(&o.reveal, n, false, "name the person in the report") },
		"index":    func(n string) { f.Int64Var(&o.index, n, -1, "the record, counted from 0") },
		"out":      func(n string) { f.StringVar(&o.out, n, "", "the folder to make") },
		"dry-run":  func(n string) { f.BoolVar(&o.dryRun, n, false, "say what would be deleted; required") },
	}
	for _, name := range commands[command].flags {
		all[name](name)
	}
	f.BoolVar(&o.json, "json", false, "print JSON")
	language := f.String("lang", "en", "ja or en")
	if err := f.Parse(args[1:]); err != nil {
		return nil, "", err
	}
	o.language = kakunin.Language(*language)
	rest := f.Args()
	switch {
	case !slices.Contains([]string{"ja", "en"}, *language):
		return nil, "", usage("-lang is ja or en")
	case len(rest) == 0:
		return nil, "", usage("a log, a folder or a file is needed")
	case len(rest) > 1 && command != "show":
		return nil, "", usage("one log, folder or file is needed; flags stand before it")
	case (len(o.checkpoints) > 0) && o.key == "":
		return nil, "", usage("-checkpoint needs -key")
	}
	o.where, o.indexes = rest[0], rest[1:]
	return o, command, nil
}

// say prints a line in the language.
func (o *options) say(ja, en string, a ...any) {
	text := en
	if o.language == kakunin.Japanese {
		text = ja
	}
	_, _ = fmt.Fprintf(o.stdout, text+"\n", a...)
}

// print prints a value as JSON.
func (o *options) print(v any) error {
	e := json.NewEncoder(o.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// progress returns a function for long runs, which says at most once a second how far it is.
func (o *options) progress() func(done, all int64) {
	last := o.now()
	return func(done, all int64) {
		if now := o.now(); now.Sub(last) >= time.Second && done < all {
			last = now
			_, _ = fmt.Fprintf(o.stderr, "evidence: %d / %d (%d %%)\n", done, all, 100*done/all)
		}
	}
}

func (o *options) readDocument() (io.ReadCloser, error) {
	if o.document == "" {
		return nil, nil //nolint:nilnil // no document is given
	}
	return openFile(o.document)
}
