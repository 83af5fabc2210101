package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/vpcd"
)

// runCard is "cardsim card".
func runCard(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := newFlags("card", "Puts a card into pcscd's virtual reader (vsmartcard-vpcd) until interrupted.", stderr)
	address := flags.String("vpcd", vpcd.DefaultAddress, "`host:port` on which the reader driver listens")
	person := flags.String("person", string(cardsim.Hanako), "whose card: "+personNames())
	atr := flags.String("atr", "", "answer to reset in `HEX` (default 3BF59100FF918171FE400042000100D1D6)")
	reset := flags.String("reset", "clear", "what a warm reset does to verified PINs: clear, or sticky as on the real contactless card")
	trace := flags.Bool("trace", false, "print every command and response to standard output; PINs are masked, what is read is not")
	if err := parse(flags, args); err != nil {
		return err
	}
	if err := checkAddress("-vpcd", *address); err != nil {
		return err
	}
	config := cardsim.Config{Now: time.Now}
	switch *reset {
	case "clear":
	case "sticky":
		config.StickyReset = true
	default:
		return &usageError{"-reset must be clear or sticky"}
	}
	var err error
	if config.ATR, err = hex.DecodeString(strings.ReplaceAll(*atr, " ", "")); err != nil {
		return &usageError{"-atr must be hexadecimal"}
	}
	if config.Person, err = cardsim.LookupAt(cardsim.Persona(*person), config.Now()); err != nil {
		return &usageError{"-person must be one of " + personNames()}
	}
	if *trace {
		config.Trace = stdout
	}
	if config.JPKI, err = issuer.New(issuer.Config{Now: config.Now}); err != nil {
		return err
	}
	card, err := cardsim.NewCard(config)
	if err != nil {
		return err
	}
	introduce(stdout, card.Person())
	_, _ = fmt.Fprintf(stdout, "card with ATR %X for the virtual reader at %s; waits until pcscd with vsmartcard-vpcd runs there\n", card.ATR(), *address)
	if err := vpcd.Run(ctx, vpcd.Config{
		Address: *address, Card: card,
		Logger: slog.New(slog.NewTextHandler(stderr, nil)),
	}); ctx.Err() == nil {
		return err
	}
	return nil // interrupted, as intended
}
