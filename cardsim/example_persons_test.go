package cardsim_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/cardsim/transcript"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// From the resident record to what the card and the certificate say.
func ExampleDescription_Person() {
	person, err := person.Description{
		ID: "example", Family: "\u9AD9橋", Given: "一郎", Gender: "1", // 髙, which no certificate can have
		Municipality: person.Municipalities()[4], Street: "架空1-2-3",
		Birth: person.Birth{Era: person.Showa, Year: 55, Month: time.February}, // the day is not known
	}.Person()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("card:       ", person.Name, person.Address)
	fmt.Println("certificate:", person.Subject.Name, person.Subject.NameSubstitutes, person.Subject.Birthdate)
	fmt.Println("in a log:   ", person)
	// Output:
	// card:        髙橋　一郎 東京都清瀬市架空１－２－３
	// certificate: 高橋　一郎 10000 19800200
	// in a log:    person.Person(example)
}

// As many persons as a test needs, the same ones in every run.
func ExampleRandom() {
	day := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for i := range 3 {
		p := person.Random(fmt.Sprint("customer ", i), day)
		fmt.Println(p.ID, len(p.IndividualNumber), p == person.Random(fmt.Sprint("customer ", i), day))
	}
	// Output:
	// random-customer 0 12 true
	// random-customer 1 12 true
	// random-customer 2 12 true
}

// The certificates on a phone: the same client, another kind of card.
func ExampleConfig_kind() {
	c, err := exampleCard(cardsim.Config{Kind: cardsim.Android})
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := c.Client(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(client.Kind() == card.AndroidPhone)
	// Output: true
}

// A card that survives the program, with the tries that are left.
func ExampleLoad() {
	dir, err := os.MkdirTemp("", "cards")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "hanako.json")
	c, err := exampleCard(cardsim.Config{SaveTo: path})
	if err != nil {
		fmt.Println(err)
		return
	}
	selectJPKI := []byte{0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01}
	c.Transmit(selectJPKI)
	fmt.Printf("%X\n", c.Transmit([]byte{0x00, 0x20, 0x00, 0x98, 4, '9', '9', '9', '9'}))

	c, err = cardsim.Load(path, cardsim.Config{SaveTo: path})
	if err != nil {
		fmt.Println(err)
		return
	}
	c.Transmit(selectJPKI)
	fmt.Printf("%X\n", c.Transmit([]byte{0x00, 0x20, 0x00, 0x98}))
	// Output:
	// 63C2
	// 63C2
}

// Record a session once, and run the test from the transcript.
func ExampleNewReplay() {
	ctx := context.Background()
	c, err := exampleCard(cardsim.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	session := func(t card.Transport, pin string) error {
		client, err := card.Open(ctx, t, card.Options{})
		if err != nil {
			return err
		}
		return client.VerifyAuthPIN(ctx, pin)
	}
	var transcript bytes.Buffer
	if err := session(transcript.Record(c.Transport(), &transcript), "1234"); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("PIN in the transcript:", strings.Contains(transcript.String(), "31323334"))

	replay, err := transcript.NewReplay(&transcript)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(session(replay, "9876"), replay.Left())
	// Output:
	// PIN in the transcript: false
	// <nil> 0
}

func exampleCard(config cardsim.Config) (*cardsim.Card, error) {
	var err error
	if config.JPKI, err = exampleJPKI(); err != nil {
		return nil, err
	}
	if config.Person, err = person.Lookup(person.Hanako, time.Now()); err != nil {
		return nil, err
	}
	return cardsim.NewCard(config)
}
