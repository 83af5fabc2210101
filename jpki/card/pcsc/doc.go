// Package pcsc reaches a card in a reader through PC/SC: pcscd on Linux, the smart card services of macOS and Windows.
//
// Most users call Open, wait for a card with package card, and close both:
//
//	reader, err := pcsc.Open(ctx)
//	if err != nil {
//		return err
//	}
//	defer reader.Close(ctx)
//	c, err := card.Wait(ctx, reader)
//	if err != nil {
//		return err
//	}
//	defer c.Close(ctx)
//
// Named and Matching choose among several readers, Exclusive keeps other programs away from the card altogether. Events
// tells what happens to the readers, Readers lists them.
//
// The package is empty unless it is built with the tag pcsc, because the binding needs cgo and libpcsclite (Debian:
// libpcsclite-dev and pkg-config) on Linux:
//
//	go build -tags pcsc ./…
//
// # Contexts
//
// PC/SC calls cannot be interrupted. A call whose context ends returns at once; the reader finishes the exchange behind
// it and drops the answer, and a transaction that is granted too late is given back. Waiting for a card ends within a
// quarter of a second.
//
// # Transactions
//
// While a PIN is verified card.Card holds the card in a transaction. Windows resets a card whose transaction is idle
// for five seconds; the PIN must then be presented again.
//
// # Power
//
// Closing a card.Card, or a Reader, disconnects with SCARD_UNPOWER_CARD: a reset or an ordinary disconnect leaves a PIN
// verified on the card, for the next program.
//
// # Examples
//
// There are examples of [Events], [Open] and [Readers].
//
// # Compatibility
//
// The package stores nothing. What it remembers of a reader lasts as long as the Reader.
package pcsc
