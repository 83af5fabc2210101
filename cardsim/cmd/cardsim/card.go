package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/cardsim/quirks"
	"github.com/kakunin-go/kakunin/cardsim/vpcd"
)

// cardFlags are the flags of "cardsim card".
type cardFlags struct {
	address, kind, atr, reset, save, reader string
	persons                                 list
	trace, control                          bool
	quirks                                  []quirks.Quirk
}

func parseCardFlags(args []string, stderr io.Writer) (cardFlags, error) {
	var f cardFlags
	flags := newFlags("card", "Puts cards into pcscd's virtual readers (vsmartcard-vpcd) until interrupted.", stderr)
	flags.StringVar(
		&f.address,
		"vpcd",
		vpcd.DefaultAddress,
		"`host:port` on which the reader driver listens; the second reader has the next port",
	)
	flags.Var(
		&f.persons,
		"person",
		"whose card: "+personNames()+"; when repeated, the next card is in the next reader (default "+string(
			person.Hanako,
		)+")",
	)
	flags.StringVar(
		&f.kind,
		"kind",
		cardsim.DefaultKind.String(),
		"what sort of card: "+kindNames()+"; the default is plastic, and child for a holder under 15",
	)
	flags.StringVar(
		&f.atr,
		"atr",
		"",
		"answer to reset in `HEX`, or one of "+atrNames()+" (default 3BF59100FF918171FE400042000100D1D6)",
	)
	flags.StringVar(
		&f.reset,
		"reset",
		"keep",
		"what a warm reset does to verified PINs: keep, as on real cards, or clear",
	)
	flags.StringVar(
		&f.reader,
		"reader",
		"",
		"what the reader in between cannot do: "+quirkNames()+"; several with commas between them",
	)
	flags.StringVar(
		&f.save,
		"save",
		"",
		"keep the card in `FILE`, with counters and changed PINs; if the file exists, go on with the card in it",
	)
	flags.BoolVar(
		&f.trace,
		"trace",
		false,
		"print every command and response to standard output; PINs are masked, what is read is not",
	)
	flags.BoolVar(
		&f.control,
		"control",
		false,
		`take commands from standard input: "remove" and "insert" take the card out of the reader and put it back, `+
			`with a number "remove 2" means the second reader`,
	)
	if err := parse(flags, args); err != nil {
		return f, err
	}
	return f, f.check(given(flags, "kind") || given(flags, "person"))
}

func (f *cardFlags) check(describesCard bool) error {
	var err error
	if f.quirks, err = quirks.Parse(f.reader); err != nil {
		return &usageError{"-reader must be among " + quirkNames()}
	}
	switch {
	case f.reset != "keep" && f.reset != "clear":
		return &usageError{"-reset must be keep or clear"}
	case f.save != "" && len(f.persons) > 1:
		return &usageError{"-save keeps one card; give one -person"}
	}
	if f.save != "" && describesCard {
		if _, err := os.Stat(f.save); err == nil {
			return &usageError{"-save has a card in its file already, so -person and -kind do not apply"}
		}
	}
	if err := checkAddress("-vpcd", f.address); err != nil {
		return err
	}
	if len(f.persons) == 0 {
		f.persons = list{string(person.Hanako)}
	}
	return nil
}

// runCard is "cardsim card".
func runCard(ctx context.Context, args []string, s streams) error {
	f, err := parseCardFlags(args, s.err)
	if err != nil {
		return err
	}
	cards, err := f.cards(s.out)
	if err != nil {
		return err
	}
	slots, devices := make([]*vpcd.Slot, len(cards)), make([]vpcd.Card, len(cards))
	logger := slog.New(slog.NewTextHandler(s.err, nil))
	for i, card := range cards {
		address, err := nextAddress(f.address, i)
		if err != nil {
			return err
		}
		devices[i] = quirks.Over(card, f.quirks...)
		slots[i] = vpcd.NewSlot(vpcd.Config{Address: address, Card: devices[i], Logger: logger})
		if i == 0 {
			disclaim(s.out)
		}
		introduce(s.out, card.Person().Reveal())
		_, _ = fmt.Fprintf(
			s.out,
			"card %d (%s) with ATR %X for the virtual reader at %s; waits until pcscd with vsmartcard-vpcd runs "+
				"there\n",
			i+1,
			card.Kind(),
			card.ATR(),
			address,
		)
	}
	if f.control {
		go obey(s.in, s.out, slots, devices) // ends with its input, or with the program
	}
	if err := vpcd.RunSlots(ctx, slots...); ctx.Err() == nil {
		return err
	}
	return nil // interrupted, as intended
}

// cards makes the cards, or goes on with the one in the file.
func (f *cardFlags) cards(trace io.Writer) ([]*cardsim.Card, error) {
	config := cardsim.Config{Now: time.Now, ResetClears: f.reset == "clear", SaveTo: f.save}
	if f.trace {
		config.Trace = trace
	}
	var err error
	if f.atr != "" {
		if config.ATR, err = cardsim.ParseATR(f.atr); err != nil {
			return nil, &usageError{"-atr must be an answer to reset in hexadecimal, or one of " + atrNames()}
		}
	}
	if config.Kind, err = cardsim.ParseKind(f.kind); err != nil {
		return nil, &usageError{"-kind must be one of " + kindNames()}
	}
	if config.JPKI, err = issuer.New(issuer.Config{Now: config.Now}); err != nil {
		return nil, err
	}
	if f.save != "" {
		card, err := cardsim.Load(f.save, config)
		if !errors.Is(err, fs.ErrNotExist) {
			return []*cardsim.Card{card}, err
		}
	}
	var cards []*cardsim.Card
	for _, name := range f.persons {
		if config.Person, err = person.Lookup(person.Persona(name), config.Now()); err != nil {
			return nil, &usageError{"-person must be one of " + personNames()}
		}
		card, err := cardsim.NewCard(config)
		if err != nil {
			return nil, err
		}
		cards = append(cards, card)
	}
	return cards, nil
}

// nextAddress is the address of the reader n places after the first.
func nextAddress(first string, n int) (string, error) {
	host, port, err := net.SplitHostPort(first)
	if err != nil {
		return "", err
	}
	number, err := strconv.Atoi(port)
	if err != nil || number+n > 65535 {
		return "", &usageError{"-vpcd leaves no port for the last reader"}
	}
	return net.JoinHostPort(host, strconv.Itoa(number+n)), nil
}

func kindNames() string {
	names := make([]string, 0, len(cardsim.Kinds()))
	for _, k := range cardsim.Kinds() {
		names = append(names, k.String())
	}
	return strings.Join(names, ", ")
}

func quirkNames() string {
	var names []string
	for _, q := range quirks.Quirks() {
		names = append(names, q.String())
	}
	return strings.Join(names, ", ")
}

func atrNames() string {
	var names []string
	for _, a := range cardsim.ATRs() {
		names = append(names, a.Name)
	}
	return strings.Join(names, ", ")
}
