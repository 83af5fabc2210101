package jpki_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// A certificate judged at the time of the signature, not at that of the audit.
func ExampleAt() {
	w := newWorld()
	lists := new(revocation.Store)
	v, err := jpki.NewVerifier(jpki.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: w.Trust(), Revocation: revocation.Require(lists), Now: clock,
	})
	if err != nil {
		panic(err)
	}
	leaf, err := jpki.ParseCertificate(w.certificate)
	if err != nil {
		panic(err)
	}
	before, err := v.Verify(context.Background(), leaf, jpki.At(clock().AddDate(-2, 0, 0)))
	fmt.Println(before.Status, errors.Is(err, &jpki.Error{Reason: jpki.ReasonNotYetValid}))
	// Output: not-yet-valid true
}
