package cardsim_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// A card of a ready person, used through the same client that a reader would use. In a test, cardsim.New(t,
// person.Hanako) does the first steps.
func ExampleNewCard() {
	ctx := context.Background()
	jpki, err := issuer.New(issuer.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	hanako, err := person.Lookup(person.Hanako, time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := cardsim.NewCard(cardsim.Config{Person: hanako, JPKI: jpki})
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := c.Client(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close(ctx) }()

	var wrong *card.Error
	if errors.As(client.Verify(ctx, card.AuthPIN, "0000"), &wrong) {
		fmt.Println("wrong PIN, tries left:", wrong.Remaining)
	}
	if err := client.Verify(ctx, card.AuthPIN, hanako.Reveal().AuthPIN); err != nil {
		fmt.Println(err)
		return
	}
	key, err := client.AuthKey(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	digest := sha256.Sum256([]byte("a document"))
	signature, err := key.SignContext(ctx, digest[:], crypto.SHA256)
	if err != nil {
		fmt.Println(err)
		return
	}
	public, _ := key.Public().(*rsa.PublicKey)
	fmt.Println("signature verifies:", rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil)
	// Output:
	// wrong PIN, tries left: 2
	// signature verifies: true
}

// The card itself takes command APDUs and gives response APDUs.
func ExampleCard_Transmit() {
	jpki, err := exampleJPKI()
	if err != nil {
		fmt.Println(err)
		return
	}
	hanako, err := person.Lookup(person.Hanako, time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := cardsim.NewCard(cardsim.Config{Person: hanako, JPKI: jpki})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, command := range [][]byte{
		{0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01}, // SELECT JPKI-AP
		{0x00, 0x20, 0x00, 0x98},                        // VERIFY without data: how many tries?
		{0x00, 0x20, 0x00, 0x98, 4, '9', '9', '9', '9'}, // a wrong PIN
		{0x00, 0xB0, 0x86, 0x00, 15},                    // READ BINARY of the token label
		{0x80, 0x2A, 0x00, 0x97, 1, 0x55, 0x00},         // a signature without PIN
	} {
		response := c.Transmit(command)
		fmt.Printf("%X %q\n", response[len(response)-2:], response[:len(response)-2])
	}
	// Output:
	// 9000 ""
	// 63C3 ""
	// 63C2 ""
	// 9000 "JPKIAPICCTOKEN2"
	// 6982 ""
}

// exampleJPKI is that of issuer.New(issuer.Config{}), made once: deriving keys takes longer than the examples.
func exampleJPKI() (*issuer.JPKI, error) { return cardsim.SharedJPKI() }

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
	hanako, err := person.Lookup(person.Hanako, time.Now())
	if err != nil {
		return err
	}
	c, err := cardsim.NewCard(cardsim.Config{Person: hanako, JPKI: jpki})
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
	client, err := card.Open(ctx, c.Transport(), card.Config{Roots: roots})
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

// What programs in the field have to cope with: a PIN that is blocked with another status word, a card that needs a
// moment after power-up, and a length that is written in the other way.
func ExampleConfig() {
	c, err := exampleCard(cardsim.Config{BlockedStatus: 0x6983, SlowStart: true, ShortLengths: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	selectText := []byte{0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x08}
	fmt.Printf("%X %X\n", c.Transmit(selectText), c.Transmit(selectText))
	// The reference 0012 of the text application is blocked on every card.
	fmt.Printf("%X\n", c.Transmit([]byte{0x00, 0x20, 0x00, 0x92, 4, '1', '2', '3', '4'}))
	// Output:
	// 6F00 9000
	// 6983
}

// A snapshot of a card, which two programs can go on from.
func ExampleCard_Save() {
	dir, err := os.MkdirTemp("", "cards")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "hanako.json")
	c, err := exampleCard(cardsim.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := c.Save(path); err != nil {
		fmt.Println(err)
		return
	}
	_, err = cardsim.FromImage([]byte("{}"), cardsim.Config{})
	fmt.Println(errors.Is(err, &cardsim.Error{Reason: cardsim.ReasonInvalidImage}), err)
	again, err := cardsim.Load(path, cardsim.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(again.Kind(), again.Person())
	// Output:
	// true cardsim: invalid card image: format
	// plastic [redacted]
}

// The published answers to reset; readers find a card by none of them.
func ExampleATRs() {
	for _, a := range cardsim.ATRs()[:3] {
		fmt.Printf("%s %X: %s\n", a.Name, a.Bytes, a.Note)
	}
	// Output:
	// default 3BF59100FF918171FE400042000100D1D6: listed as My Number Card; OpenSC looks for the application
	// vendor-b3 3BF59100FF918171FE4000420001B3A115: listed as My Number Card, another chip
	// contact 3BE000FF8131FE4514: the contact interface; the only one that OpenSC's driver knows
}
