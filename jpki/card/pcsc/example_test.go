//go:build pcsc

package pcsc_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/jpki/card"
	"github.com/kakunin-go/kakunin/jpki/card/pcsc"
)

// Waits up to a minute for a card in any reader and shows the remaining tries before anyone types.
func ExampleOpen() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	reader, err := pcsc.Open(ctx)
	if err != nil {
		fmt.Println(kakunin.MessageFor(err, kakunin.English))
		return
	}
	defer func() { _ = reader.Close(context.WithoutCancel(ctx)) }()

	c, err := card.Wait(ctx, reader)
	if err != nil {
		fmt.Println(kakunin.MessageFor(err, kakunin.English))
		return
	}
	defer func() { _ = c.Close(ctx) }()

	tries, err := c.Tries(ctx, card.AuthPIN)
	if err != nil {
		fmt.Println(kakunin.MessageFor(err, kakunin.English))
		return
	}
	fmt.Println("remaining tries:", tries)
}

// Follows what happens to the readers whose name begins with ACS until the program is told to stop.
func ExampleEvents() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	acs := pcsc.Matching(func(reader string) bool { return strings.HasPrefix(reader, "ACS") })
	for event, err := range pcsc.Events(ctx, acs) {
		if err != nil {
			fmt.Println(kakunin.MessageFor(err, kakunin.English))
			return
		}
		fmt.Println(event.Reader, event.Kind)
	}
}

// Lists the readers, with or without a card, so that a person can choose.
func ExampleReaders() {
	names, err := pcsc.Readers(context.Background())
	if err != nil {
		fmt.Println(kakunin.MessageFor(err, kakunin.English))
		return
	}
	for _, name := range names {
		fmt.Println(name) // pcsc.Open(ctx, pcsc.Named(name)) opens it
	}
}
