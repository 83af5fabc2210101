package cardsim_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// The whole card through the client that real readers use, judged by the certificate parser: what the text application
// says and what the certificate says must be the same person.
func TestClientFindsTheSamePersonTwice(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC) }
	ca, err := cardsim.SharedJPKI()
	if err != nil {
		t.Fatal(err)
	}
	for _, persona := range person.Personas() {
		t.Run(string(persona), func(t *testing.T) {
			ready, err := person.Lookup(persona, now())
			if err != nil {
				t.Fatal(err)
			}
			details := ready.Reveal()
			details.ID = string(person.Hanako) // the keys come from it, and making them takes long
			holder, err := person.New(details)
			if err != nil {
				t.Fatal(err)
			}
			c, err := cardsim.NewCard(cardsim.Config{Person: holder, JPKI: ca, Now: now})
			if err != nil {
				t.Fatal(err)
			}
			ctx := t.Context()
			client, err := c.Client(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if client.Kind() != card.Plastic {
				t.Errorf("kind %v", client.Kind())
			}
			onCard, err := client.Attributes(ctx, card.TextPIN, details.TextPIN)
			if err != nil {
				t.Fatal(err)
			}
			if onCard.Name.Reveal() != details.Name || onCard.Address.Reveal() != details.Address ||
				onCard.Birthdate.RevealRaw() != details.Subject.Birthdate ||
				onCard.Gender.RevealRaw() != details.Subject.Gender {
				t.Error("the text application does not give the person's four attributes")
			}
			if c.Kind() == cardsim.Child {
				return // has no signing certificate
			}
			if err := client.Verify(ctx, card.SigningPIN, details.SigningPassword); err != nil {
				t.Fatal(err)
			}
			der, err := client.SigningCertificate(ctx)
			if err != nil {
				t.Fatal(err)
			}
			certificate, err := jpki.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			if certificate.Kind() != jpki.SigningCard || !certificate.IsTest() {
				t.Errorf("kind %v, test %v", certificate.Kind(), certificate.IsTest())
			}
			for _, m := range onCard.Compare(certificate.Person()) {
				// Such as 髙 on the card and a flagged 高 in the certificate, or a day of birth that nobody knows.
				review := map[string]bool{
					fourinfo.AttributeName:      details.Subject.NameSubstitutes != "",
					fourinfo.AttributeAddress:   details.Subject.AddressSubstitutes != "",
					fourinfo.AttributeBirthdate: strings.HasSuffix(details.Subject.Birthdate, "00"),
				}
				want := fourinfo.Same
				if review[m.Attribute] {
					want = fourinfo.NeedsReview
				}
				if m.Outcome != want {
					t.Errorf("%s: %v, want %v", m.Attribute, m.Outcome, want)
				}
			}
			if err := client.Close(ctx); err != nil {
				t.Error(err)
			}
			if err := client.Verify(ctx, card.AuthPIN, "0000"); !errors.Is(err,
				&card.Error{Reason: card.ReasonClosed}) {
				t.Error("a closed client still talks to the card")
			}
		})
	}
}
