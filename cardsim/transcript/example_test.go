package transcript_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/cardsim/transcript"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// Record a session once, and run the test from the transcript.
func ExampleNewReplay() {
	ctx := context.Background()
	c, err := exampleCard()
	if err != nil {
		fmt.Println(err)
		return
	}
	session := func(t card.Transport, pin string) error {
		client, err := card.Open(ctx, t, card.Config{})
		if err != nil {
			return err
		}
		return client.Verify(ctx, card.AuthPIN, pin)
	}
	var text bytes.Buffer
	if err := session(transcript.Record(c.Transport(), &text), "1234"); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("PIN in the transcript:", strings.Contains(text.String(), "31323334"))

	replay, err := transcript.NewReplay(&text)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(session(replay, "9876"), replay.Left())
	// Output:
	// PIN in the transcript: false
	// <nil> 0
}

func exampleCard() (*cardsim.Card, error) {
	jpki, err := testJPKI()
	if err != nil {
		return nil, err
	}
	hanako, err := person.Lookup(person.Hanako, time.Now())
	if err != nil {
		return nil, err
	}
	return cardsim.NewCard(cardsim.Config{Person: hanako, JPKI: jpki})
}
