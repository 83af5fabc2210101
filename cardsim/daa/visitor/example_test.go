package visitor_test

import (
	"context"
	"fmt"

	"github.com/kakunin-go/kakunin/cardsim/daa/visitor"
)

// What a test has the person with the phone do. The visitor comes from daa.Running.Visitor, the URL from the relying
// party.
func ExamplePerson() {
	var person *visitor.Person
	run := func(ctx context.Context, authorizationURL string) error {
		callback, err := person.Approve(ctx, authorizationURL) // types the PINs and consents
		if err != nil {
			return err
		}
		fmt.Println("go on at", callback)
		cancelled, err := person.Cancel(ctx, authorizationURL)
		if err != nil {
			return err
		}
		fmt.Println("carries the service's error:", cancelled)
		callback, remaining, err := person.MistypePIN(ctx, authorizationURL, 2)
		fmt.Println(callback, remaining)
		return err
	}
	_ = run
}
