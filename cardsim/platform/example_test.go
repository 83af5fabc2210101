package platform_test

import (
	"fmt"
	"net/http"

	"github.com/kakunin-go/kakunin/cardsim/platform"
)

// The simulated service mounts its operator by itself; a test that has only an opener and a verifier does it like this.
func ExampleNew() {
	operator, err := platform.New(platform.Config{}) // everything but Wire and Logger is required
	if err != nil {
		fmt.Println("what is missing is named")
		return
	}
	http.Handle(platform.Path, operator)
	// Output: what is missing is named
}
