package card_test

import (
	"context"
	"fmt"

	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// At the counter of a shop: the person says when they were born, and the card confirms it.
func ExampleCard_AgeCheck() {
	var c *card.Card // from card.Open
	run := func(ctx context.Context, said string) error {
		birthdate, err := c.AgeCheck(ctx, said)
		if err != nil {
			return err // a wrong date costs one of ten tries
		}
		fmt.Println(birthdate.Reveal())
		return nil
	}
	_ = run
}

// A tax office reads the picture of the individual number: the law asks for a purpose, and so does the code.
func ExampleCard_NumberImage() {
	var c *card.Card // from card.Open, with Config.Roots
	run := func(ctx context.Context, number mynumber.Number) error {
		picture, err := c.NumberImage(ctx, number, mynumber.PurposeAdministration)
		if err != nil {
			return err
		}
		fmt.Println(picture) // prints no picture
		return nil
	}
	_ = run
}
