package quirks_test

import (
	"fmt"

	"github.com/kakunin-go/kakunin/cardsim/quirks"
)

// A cheap reader in front of a card: no extended lengths, and the first command after power fails.
func ExampleOver() {
	var device quirks.Device // a card of package cardsim
	list, err := quirks.Parse("short,wakeup")
	if err != nil {
		panic(err)
	}
	reader := quirks.Over(device, list...)
	fmt.Println(len(list), reader != nil)
	// Output: 2 true
}
