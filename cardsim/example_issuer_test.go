package cardsim_test

import (
	"context"
	"fmt"
	"time"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// What the card says of its holder is signed by the municipality, under roots that the verifier has to know.
func ExampleCard_IssuerRoots() {
	if err := verifyCard(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// born 1988-07-23, said by the municipality on this very chip
	// the common key answers
}

func verifyCard() error {
	ctx := context.Background()
	jpki, err := exampleJPKI()
	if err != nil {
		return err
	}
	person, err := person.Lookup(person.Hanako, time.Now())
	if err != nil {
		return err
	}
	c, err := cardsim.NewCard(cardsim.Config{Person: person, JPKI: jpki})
	if err != nil {
		return err
	}
	var keys []card.Root
	for id, key := range c.IssuerRoots() {
		keys = append(keys, card.Root{ID: id, Key: key})
	}
	roots, err := card.InsecureTestRoots(keys...)
	if err != nil {
		return err
	}
	client, err := card.Open(ctx, c.Transport(), card.Options{Roots: roots})
	if err != nil {
		return err
	}
	defer func() { _ = client.Close(ctx) }()
	// 昭和63年7月23日, as it is printed on the card.
	birthdate, err := client.AgeCheck(ctx, "630723")
	if err != nil {
		return err
	}
	day := birthdate.RevealRaw()
	fmt.Printf("born %s-%s-%s, said by the municipality on this very chip\n", day[:4], day[4:6], day[6:])
	if err := client.AuthenticateCommonKey(ctx, c.CommonKey()); err != nil {
		return err
	}
	fmt.Println("the common key answers")
	return nil
}
