//go:build pcsc

package pcsc_test

import (
	"context"
	"fmt"
	"time"

	"github.com/kakunin-go/kakunin/jpki/card"
	"github.com/kakunin-go/kakunin/jpki/card/pcsc"
)

// Waits up to a minute for a card in any reader and shows the remaining tries before anyone types.
func ExampleOpen() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	reader, err := pcsc.Open(ctx, pcsc.Config{})
	if err != nil {
		fmt.Println(card.MessageFor(err, card.English))
		return
	}
	defer func() { _ = reader.Close(context.WithoutCancel(ctx)) }()

	c, err := card.Open(ctx, reader, card.Options{})
	if err != nil {
		fmt.Println(card.MessageFor(err, card.English))
		return
	}
	defer func() { _ = c.Close(ctx) }()

	tries, err := c.AuthPINTries(ctx)
	if err != nil {
		fmt.Println(card.MessageFor(err, card.English))
		return
	}
	fmt.Println("remaining tries:", tries)
}
