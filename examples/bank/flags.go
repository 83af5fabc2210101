package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"

	"github.com/kakunin-go/kakunin/cardsim/person"
)

// The two kinds of business.
const (
	certifiedVerifier = "verifier"
	privateBusiness   = "private"
)

type options struct {
	business            string
	person              person.Persona
	purpose, occupation string // keys of purposes and occupations; "" is not declared
	evidence            string
	batch, against      string
	lang                string
	json, showPersonal  bool
	timestamp           bool
}

// parseFlags reads the command line and says on stderr what is wrong with it.
func parseFlags(args []string, stderr io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("bank", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		_, _ = io.WriteString(stderr, "usage: go run ./examples/bank [flags]\n\n"+
			"Opens an account at a bank by a signed application, with a simulated service and customer.\n\n")
		f.PrintDefaults()
	}
	f.StringVar(
		(*string)(&o.person),
		"person",
		string(person.Hanako),
		fmt.Sprintf("the simulated `customer`, one of %v", person.Personas()),
	)
	f.StringVar(
		&o.business,
		"business",
		certifiedVerifier,
		"the bank is a certified `verifier` of signatures, or private and has its platform operator verify",
	)
	f.StringVar(
		&o.purpose,
		"purpose",
		"living",
		"declared purpose of the transactions: "+keys(purposes)+"; empty: not declared",
	)
	f.StringVar(
		&o.occupation,
		"occupation",
		"employee",
		"declared occupation: "+keys(occupations)+"; empty: not declared",
	)
	f.StringVar(
		&o.evidence,
		"evidence",
		"",
		"append a record to the log in this `directory`, which HOLDS the certificate: personal data; what is not"+
			" finished is kept beside it, encrypted, and the next start goes on with it",
	)
	f.BoolVar(
		&o.timestamp,
		"timestamp",
		false,
		"with -evidence: have the signature stamped by a simulated timestamp authority, and keep the token",
	)
	f.StringVar(
		&o.batch,
		"batch",
		"",
		"compare the customers in this `file` of JSON lines with those in -against, print counts",
	)
	f.StringVar(&o.against, "against", "", "with -batch: the second `file`")
	f.StringVar(&o.lang, "lang", "ja", "`language` of the texts: ja or en")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	f.BoolVar(&o.showPersonal, "show-personal", false, "show what the customer typed and what the certificate says")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	err := o.check(f)
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "bank: %v\nRun with -h for help.\n", err)
	}
	return o, err
}

func (o *options) check(f *flag.FlagSet) error {
	_, purpose := purposes[o.purpose]
	_, occupation := occupations[o.occupation]
	alone := true
	f.Visit(func(given *flag.Flag) {
		alone = alone && slices.Contains([]string{"batch", "against", "lang", "json"}, given.Name)
	})
	switch {
	case f.NArg() > 0:
		return errors.New("there are only flags, no arguments")
	case !slices.Contains(person.Personas(), o.person):
		return fmt.Errorf("-person must be one of %v", person.Personas())
	case o.business != certifiedVerifier && o.business != privateBusiness:
		return errors.New("-business must be verifier or private")
	case o.purpose != "" && !purpose:
		return errors.New("-purpose must be one of " + keys(purposes) + ", or empty")
	case o.occupation != "" && !occupation:
		return errors.New("-occupation must be one of " + keys(occupations) + ", or empty")
	case o.lang != "ja" && o.lang != "en":
		return errors.New("-lang must be ja or en")
	case o.timestamp && o.evidence == "":
		return errors.New("-timestamp needs -evidence, where the token is kept")
	case (o.batch == "") != (o.against == ""):
		return errors.New("-batch and -against need each other")
	case o.batch != "" && !alone:
		return errors.New("-batch opens no account: only -against, -lang and -json go with it")
	}
	return nil
}
