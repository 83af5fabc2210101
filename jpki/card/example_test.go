package card_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"log"
	"sync"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/jpki/card"
)

var testJPKI = sync.OnceValues(func() (*issuer.JPKI, error) { return issuer.New(issuer.Config{}) })

// reader stands for a reader with a card, see package pcsc; here it is a software card.
func reader() card.Transport {
	authority, err := testJPKI()
	if err != nil {
		log.Fatal(err)
	}
	person, err := cardsim.Lookup(cardsim.Hanako)
	if err != nil {
		log.Fatal(err)
	}
	c, err := cardsim.NewCard(cardsim.Config{Person: person, JPKI: authority})
	if err != nil {
		log.Fatal(err)
	}
	return c.Transport()
}

// The usual way: look at the tries, present the PIN, sign, close.
func ExampleOpen() {
	ctx := context.Background()
	c, err := card.Open(ctx, reader(), card.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close(ctx) }()

	tries, err := c.AuthPINTries(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Kind(), "card, tries:", tries)

	if err := c.VerifyAuthPIN(ctx, "1234"); err != nil {
		fmt.Println(err)
		return
	}
	key, err := c.AuthKey(ctx) // a crypto.Signer
	if err != nil {
		fmt.Println(err)
		return
	}
	digest := sha256.Sum256([]byte("challenge"))
	signature, err := key.SignContext(ctx, digest[:], crypto.SHA256)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("verified:", rsa.VerifyPKCS1v15(key.Public().(*rsa.PublicKey), crypto.SHA256, digest[:], signature) == nil)
	// Output:
	// plastic card, tries: 3
	// verified: true
}

// A wrong PIN tells the remaining tries; the last one is spent only if the person agrees.
func ExampleCard_VerifyAuthPIN() {
	ctx := context.Background()
	c, err := card.Open(ctx, reader(), card.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close(ctx) }()

	for _, pin := range []string{"12345", "0000", "9999", "1111"} {
		err := c.VerifyAuthPIN(ctx, pin)
		var refused *card.PINError
		switch {
		case errors.As(err, &refused):
			fmt.Println(refused.Reason, "- remaining tries:", refused.Remaining)
		case card.ReasonOf(err) == card.PINFormat:
			fmt.Println("not sent, no try spent")
		}
	}
	fmt.Println(c.AllowLastTry().VerifyAuthPIN(ctx, "1234"))
	// Output:
	// not sent, no try spent
	// wrong PIN - remaining tries: 2
	// wrong PIN - remaining tries: 1
	// last try refused - remaining tries: 1
	// <nil>
}

// The four attributes have a PIN of their own. They print as redacted until they are revealed.
func ExampleCard_Attributes() {
	ctx := context.Background()
	c, err := card.Open(ctx, reader(), card.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close(ctx) }()

	person, err := c.Attributes(ctx, "1234")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(person, person.Attributes())
	// Output: [redacted] [name address birthdate gender]
}

// The bare-hash mode lets the card pad the 32-byte hash itself.
func ExampleKey_SignContext_bareHash() {
	ctx := context.Background()
	c, err := card.Open(ctx, reader(), card.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close(ctx) }()

	if err := c.VerifySigningPassword(ctx, "ABC123"); err != nil {
		fmt.Println(err)
		return
	}
	key, err := c.SigningKey(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	digest := sha256.Sum256([]byte("document"))
	signature, err := key.SignContext(ctx, digest[:], card.BareHash)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(signature), "bytes")
	// Output: 256 bytes
}
