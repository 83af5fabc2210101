package vpcd_test

import (
	"context"
	"fmt"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/vpcd"
)

// A card in pcscd's virtual reader until the context ends. Pass a *cardsim.Card as Card; without Address it is
// DefaultAddress.
func ExampleRun() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	err := vpcd.Run(ctx, vpcd.Config{Card: newRecorder(), Address: "127.0.0.1:9"})
	fmt.Println(err)
	// Output: context deadline exceeded
}

// A reader into which a card is put and from which it is taken while programs use it.
func ExampleNewSlot() {
	slot := vpcd.NewSlot(vpcd.Config{Address: "127.0.0.1:9"})
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	slot.Insert(newRecorder())
	fmt.Println(slot.Address(), slot.Occupied())
	slot.Remove()
	fmt.Println(slot.Occupied(), vpcd.RunSlots(ctx, slot))
	// Output:
	// 127.0.0.1:9 true
	// false context deadline exceeded
}
