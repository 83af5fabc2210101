package main

import (
	"encoding/asn1"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/jpki/certpath"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

type options struct {
	anchors, pool, crls, ocsp []string
	leaf                      string
	at                        time.Time
	json                      bool
	language                  kakunin.Language
	config                    certpath.VerifierConfig
	policy                    func(sources ...revocation.Source) revocation.Policy
}

// policies are the modes of -revocation.
var policies = map[string]func(sources ...revocation.Source) revocation.Policy{
	"require":    revocation.Require,
	"if-present": revocation.IfPresent,
	"none":       func(...revocation.Source) revocation.Policy { return revocation.InsecureNoRevocation() },
}

// textWriter keeps what package flag repeats of the command line from steering a terminal.
type textWriter struct{ w io.Writer }

// Write implements io.Writer.
func (t textWriter) Write(text []byte) (int, error) {
	var lines []string
	for line := range strings.SplitSeq(string(text), "\n") {
		lines = append(lines, printable(strings.ReplaceAll(line, "\t", "    ")))
	}
	if _, err := io.WriteString(t.w, strings.Join(lines, "\n")); err != nil {
		return 0, err
	}
	return len(text), nil
}

// files is a flag that may be given several times.
type files []string

func (f *files) String() string { return strings.Join(*f, " ") }

// Set appends one file.
func (f *files) Set(name string) error {
	if name == "" {
		return errors.New("a file name is missing")
	}
	*f = append(*f, name)
	return nil
}

// parseFlags reads the command line and says on stderr what is wrong with it.
func parseFlags(args []string, stderr io.Writer, getenv func(string) string) (options, error) {
	var o options
	f := flag.NewFlagSet("certcheck", flag.ContinueOnError)
	f.SetOutput(textWriter{stderr})
	f.Var((*files)(&o.anchors), "anchor", "`file` with trusted authorities (required; may be repeated)")
	f.Var(
		(*files)(&o.pool),
		"pool",
		"`file` with certificates to build the path from; nothing in it is trusted (may be repeated)",
	)
	f.Var((*files)(&o.crls), "crl", "`file` with a certificate revocation list, complete or delta (may be repeated)")
	f.Var((*files)(&o.ocsp), "ocsp", "`file` with the DER of an OCSP response (may be repeated)")
	f.Func("time", "verification `time`, RFC 3339, e.g. 2026-11-21T09:00:00+09:00 (default: now)", o.setTime)
	f.Func(
		"policy",
		"acceptable certificate policy, an `OID` such as 1.2.392.200149.8.5.1.1.20 (may be repeated; default: any)",
		o.addPolicy,
	)
	f.BoolVar(
		&o.config.RequireExplicitPolicy,
		"require-explicit-policy",
		false,
		"one of the policies must hold for the whole path",
	)
	f.BoolVar(&o.config.InhibitPolicyMapping, "inhibit-policy-mapping", false, "do not follow policy mappings")
	f.BoolVar(&o.config.InhibitAnyPolicy, "inhibit-any-policy", false, "do not accept anyPolicy for a policy")
	mode := f.String("revocation", "require", "`mode`: require, if-present or none")
	language := f.String("lang", languageOf(getenv), "`language` of the texts: ja or en")
	f.BoolVar(&o.json, "json", false, "print one JSON object instead of text")
	f.Usage = func() {
		_, _ = fmt.Fprint(stderr, "usage: certcheck -anchor FILE [flags] LEAF\n\n"+
			"Validates the certificate in the file LEAF (RFC 5280). Exit code: 0 valid, 1 not valid, 2 usage.\n\n")
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	err := o.check(f, *mode, *language)
	if err != nil {
		complain(stderr, "%v", err)
		_, _ = fmt.Fprintln(stderr, "Run with -h for help.")
	}
	return o, err
}

// languageOf follows the usual variables of the environment.
func languageOf(getenv func(string) string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := getenv(name); value != "" {
			if strings.HasPrefix(value, "ja") {
				return string(kakunin.Japanese)
			}
			break
		}
	}
	return string(kakunin.English)
}

func (o *options) setTime(text string) (err error) {
	if o.at, err = time.Parse(time.RFC3339, text); err != nil || o.at.IsZero() { // the zero time stands for now
		return errors.New("not a time like 2026-11-21T09:00:00+09:00")
	}
	return nil
}

func (o *options) addPolicy(text string) error {
	var id asn1.ObjectIdentifier
	for part := range strings.SplitSeq(text, ".") {
		n, err := strconv.ParseUint(part, 10, 31)
		if err != nil || len(part) > 1 && part[0] == '0' {
			return errors.New("not an object identifier")
		}
		id = append(id, int(n))
	}
	if len(id) < 2 || id[0] > 2 || id[0] < 2 && id[1] > 39 {
		return errors.New("not an object identifier")
	}
	o.config.Policies = append(o.config.Policies, id)
	return nil
}

func (o *options) check(f *flag.FlagSet, mode, language string) error {
	switch f.NArg() {
	case 0:
		return errors.New("which certificate? Give its file after the flags")
	case 1:
		o.leaf = f.Arg(0)
	default:
		return errors.New("one certificate at a time; flags come before its file")
	}
	if len(o.anchors) == 0 {
		return errors.New("-anchor is required")
	}
	var ok bool
	if o.policy, ok = policies[mode]; !ok {
		return errors.New("-revocation must be require, if-present or none")
	}
	if mode == "require" && len(o.crls)+len(o.ocsp) == 0 {
		return errors.New("-revocation require needs -crl or -ocsp; without any, choose -revocation if-present or none")
	}
	o.language = kakunin.Language(language)
	if o.language != kakunin.Japanese && o.language != kakunin.English {
		return errors.New("-lang must be ja or en")
	}
	return nil
}
