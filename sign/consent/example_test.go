package consent_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/kakunin-go/kakunin/sign/consent"
)

// From the screen to the end of a consent. The documents are the operator's: their bytes are signed as they are.
func ExampleConsent() {
	var (
		terms              *consent.Terms
		consented, revoked consent.Signed // documents with their verified reports
	)
	screen := func(w http.ResponseWriter, page consent.Page) error { return terms.Render(w, page) }
	begin := func() (*consent.Consent, error) { return terms.Accept(consented, consent.BaseReceived) }
	end := func(c *consent.Consent) error { return c.Withdraw(revoked) }
	document := consent.Prepare // takes the operator's bytes
	_, _, _, _ = screen, begin, end, document
}

// The days on which a person hears of their consent.
func ExampleConsent_NextReminder() {
	var c *consent.Consent // kept since it was given
	remind := func(today time.Time) {
		if day, ok := c.NextReminder(today); ok {
			fmt.Println("remind on", day.Format(time.DateOnly))
		}
		if day, ok := c.RenewFrom(90); ok && !today.Before(day) {
			fmt.Println("ask to consent anew")
		}
	}
	_ = remind
}
