package scssession_test

import (
	"fmt"

	"github.com/alexedwards/scs/v2"

	"github.com/kakunin-go/kakunin/middleware/scssession"
)

// An application's own session manager is held to what a login needs of its cookie.
func ExampleNew() {
	_, err := scssession.New(scssession.Config{Manager: scs.New()}) // as it comes: neither Secure nor __Host-
	fmt.Println(err != nil)
	_, err = scssession.New(scssession.Config{}) // sessions in memory, with safe settings
	fmt.Println(err)
	// Output:
	// true
	// <nil>
}
