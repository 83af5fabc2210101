package daa_test

import (
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/person"
)

// Whoever has a good authentication certificate can log in: an adult and a child with a card, one with a phone, one whose
// card is of the older generation of authorities. Nobody else can.
func TestLoginWithEachKindOfCard(t *testing.T) {
	for _, kind := range cardsim.Kinds() {
		rp := start(t, func(c *daa.Config) {
			person, err := person.Lookup(person.Hanako, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			card, err := cardsim.NewCard(cardsim.Config{Person: person, JPKI: c.JPKI, Kind: kind, Now: c.Now})
			if err != nil {
				t.Fatal(err)
			}
			c.Cards = []*cardsim.Card{card}
		})
		good := map[cardsim.Kind]bool{
			cardsim.Plastic: true, cardsim.Child: true, cardsim.Android: true, cardsim.IPhone: true, cardsim.OlderCA: true,
		}
		_, err := login(t.Context(), rp.client(), rp.svc.Visitor(), authn.Request{})
		if (err == nil) != good[kind] {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
