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
