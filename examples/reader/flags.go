package main

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/jpki/card"
)

type options struct {
	language kakunin.Language
	wait     time.Duration

	simulated    bool
	person, kind string
	reader       string
	exclusive    bool
	roots        string

	attributes, face, age, login bool
	number, sign, change, images string
	showPersonal, secure         bool
}

// parseFlags reads the command line and says on the error output what is wrong with it.
func parseFlags(args []string, w world) (options, error) {
	var o options
	var lang string
	f := flag.NewFlagSet("reader", flag.ContinueOnError)
	f.SetOutput(w.errors)
	f.StringVar(&lang, "lang", "", "`language` of the messages, ja or en (default from the environment)")
	f.DurationVar(&o.wait, "wait", time.Minute, "how long to wait for a card")
	f.BoolVar(&o.simulated, "simulated", false, "use a simulated card")
	f.StringVar(&o.person, "person", "hanako", "with -simulated: `name` of the synthetic person")
	f.StringVar(
		&o.kind,
		"kind",
		"default",
		"with -simulated: `kind` of card, such as plastic, child, android, iphone, blocked-pins",
	)
	f.StringVar(&o.reader, "reader", "", "use only readers whose name contains this `text`")
	f.BoolVar(&o.exclusive, "exclusive", false, "keep other programs away from the card")
	f.StringVar(
		&o.roots,
		"roots",
		"",
		"check the card's signed data with the issuers' keys in this `file`: lines of identifier and modulus in "+
			"hexadecimal",
	)
	f.BoolVar(&o.attributes, "attributes", false, "read the four attributes (PIN for the four attributes)")
	f.BoolVar(&o.face, "face", false, "read the card face (birthdate, expiry and security code, as printed)")
	f.StringVar(&o.images, "images", "", "as -face, and write the pictures into this `directory`")
	f.BoolVar(&o.age, "age", false, "check the birthdate (by the birthdate itself)")
	f.StringVar(
		&o.number,
		"number",
		"",
		"read the individual number for this lawful `purpose`: administration, reporting or ordinance "+
			"(PIN for the four attributes)",
	)
	f.BoolVar(&o.login, "login", false,
		"prove possession of the authentication key (PIN of the authentication certificate)")
	f.StringVar(
		&o.sign,
		"sign",
		"",
		"sign this `file` with the signing key (password of the signing certificate) and print the signature in base64",
	)
	f.StringVar(&o.change, "change", "", "change this `PIN`: auth, signing, text, resident or common")
	f.BoolVar(&o.showPersonal, "show-personal", false, "show what is personal")
	f.BoolVar(&o.secure, "secure", false, "let attributes and number travel encrypted between card and program")
	f.Usage = func() {
		_, _ = fmt.Fprint(
			w.errors,
			"usage: reader [flags]\n\nShows what a My Number Card holds. Without flags: what needs no PIN and is not "+
				"personal.\n\n",
		)
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.language = languageOf(lang, w.getenv)
	given := map[string]bool{}
	f.Visit(func(g *flag.Flag) { given[g.Name] = true })
	err := o.check(lang, f.NArg(), given)
	if err != nil {
		_, _ = fmt.Fprintf(w.errors, "reader: %v\nRun with -h for help.\n", err)
	}
	return o, err
}

func (o *options) check(lang string, arguments int, given map[string]bool) error {
	switch {
	case arguments > 0:
		return errors.New("there are only flags, no arguments")
	case lang != "" && lang != "ja" && lang != "en":
		return errors.New("-lang must be ja or en")
	case o.wait <= 0:
		return errors.New("-wait must be a positive duration, e.g. 30s")
	}
	for _, name := range []string{"person", "kind"} {
		if given[name] && !o.simulated {
			return fmt.Errorf("-%s needs -simulated", name)
		}
	}
	for _, name := range []string{"reader", "exclusive", "roots"} {
		if given[name] && o.simulated {
			return fmt.Errorf("-%s is for a real reader, not for -simulated", name)
		}
	}
	if _, ok := purposes[o.number]; o.number != "" && !ok {
		return errors.New("-number must be administration, reporting or ordinance: the law knows no other purpose")
	}
	if _, ok := changeable[o.change]; o.change != "" && !ok {
		return errors.New("-change must be auth, signing, text, resident or common")
	}
	return nil
}

// purposes are the lawful grounds on which an individual number may be read.
var purposes = map[string]mynumber.Purpose{
	"administration": mynumber.PurposeAdministration,
	"reporting":      mynumber.PurposeReporting,
	"ordinance":      mynumber.PurposeOrdinance,
}

// changeable are the PINs that the holder chose.
var changeable = map[string]card.PIN{
	"auth":     card.AuthPIN,
	"signing":  card.SigningPIN,
	"text":     card.TextPIN,
	"resident": card.ResidentPIN,
	"common":   card.CommonPIN,
}

// languageOf is the language that was asked for, or that of the environment (POSIX, 8.2), or English.
func languageOf(lang string, getenv func(string) string) kakunin.Language {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if lang == "" {
			lang = getenv(name)
		}
	}
	if strings.HasPrefix(lang, "ja") {
		return kakunin.Japanese
	}
	return kakunin.English
}
