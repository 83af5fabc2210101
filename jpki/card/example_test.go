package card_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"log"
	"strconv"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/card"
)

var testJPKI = sync.OnceValues(func() (*issuer.JPKI, error) { return issuer.New(issuer.Config{}) })

// reader stands for a reader with a card, see package pcsc; here it is a software card.
func reader() card.Transport { return softwareCard().Transport() }

// issuerRoots stands for the keys of the card issuers, which an application has from them; here they are those of the
// test hierarchy.
func issuerRoots() *card.Roots {
	var keys []card.Root
	for id, key := range softwareCard().IssuerRoots() {
		keys = append(keys, card.Root{ID: id, Key: key})
	}
	roots, err := card.InsecureTestRoots(keys...)
	if err != nil {
		log.Fatal(err)
	}
	return roots
}

// onCard is what is printed on the card and opens its face.
type onCard struct {
	birthdate    fourinfo.Date
	expiryYear   int
	securityCode string
}

func printed() onCard {
	p := softwareCard().Person().Reveal()
	birthdate, err := fourinfo.ParseBirthdate(p.Subject.Birthdate)
	if err != nil {
		log.Fatal(err)
	}
	day, _ := birthdate.Reveal().Complete()
	year, err := strconv.Atoi(p.CardExpiry[:4])
	if err != nil {
		log.Fatal(err)
	}
	return onCard{day, year, p.SecurityCode}
}

func softwareCard() *cardsim.Card {
	authority, err := testJPKI()
	if err != nil {
		log.Fatal(err)
	}
	person, err := person.Lookup(person.Hanako, time.Now())
	if err != nil {
		log.Fatal(err)
	}
	c, err := cardsim.NewCard(cardsim.Config{Person: person, JPKI: authority})
	if err != nil {
		log.Fatal(err)
	}
	return c
}

// The usual way: look at the tries, present the PIN, sign, close.
func ExampleOpen() {
	ctx := context.Background()
	c, err := card.Open(ctx, reader(), card.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close(ctx) }()

	tries, err := c.Tries(ctx, card.AuthPIN)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Kind(), "card, tries:", tries)

	if err := c.Verify(ctx, card.AuthPIN, "1234"); err != nil {
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
	fmt.Println("verified:", rsa.VerifyPKCS1v15(key.Public().(*rsa.PublicKey), crypto.SHA256, digest[:],
		signature) == nil)
	// Output:
	// plastic card, tries: 3
	// verified: true
}

// A wrong PIN tells the remaining tries; the last one is spent only if the person agrees.
func ExampleCard_Verify() {
	ctx := context.Background()
	c, err := card.Open(ctx, reader(), card.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close(ctx) }()

	for _, pin := range []string{"12345", "0000", "9999", "1111"} {
		err := c.Verify(ctx, card.AuthPIN, pin)
		var refused *card.Error
		switch {
		case errors.Is(err, &card.Error{Reason: card.ReasonPINFormat}):
			fmt.Println("not sent, no try spent")
		case errors.As(err, &refused):
			fmt.Println(refused.Reason, "- remaining tries:", refused.Remaining)
		}
	}
	fmt.Println(c.Verify(ctx, card.AuthPIN, "1234", card.AllowLastTry()))
	// Output:
	// not sent, no try spent
	// wrong PIN - remaining tries: 2
	// wrong PIN - remaining tries: 1
	// last try refused - remaining tries: 1
	// <nil>
}

// Waits up to a minute for a card in any of several readers and says what stands in the way.
func ExampleWait() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := card.Wait(ctx, reader()) // usually the readers of package pcsc
	if err != nil {
		fmt.Println(kakunin.MessageFor(err, kakunin.English))
		return
	}
	defer func() { _ = c.Close(ctx) }()
	fmt.Println("a", c.Kind(), "card")
	// Output: a plastic card
}

// What the card offers without a PIN: which certificates there are, and the one for authentication.
func ExampleCard_AuthCertificate() {
	ctx := context.Background()
	c, err := card.Open(ctx, reader(), card.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close(ctx) }()

	available, err := c.Availability(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	der, err := c.AuthCertificate(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	certificate, err := jpki.ParseCertificate(der)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%+v\n%v\n", available, certificate.Kind())
	// Output:
	// {Signing:true Authentication:true}
	// authentication-card
}

// The four attributes have a PIN of their own. With roots they are what the municipality signed, on a chip that it
// made. They print as redacted until they are revealed.
func ExampleCard_Attributes() {
	ctx := context.Background()
	c, err := card.Open(ctx, reader(), card.Config{Roots: issuerRoots()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close(ctx) }()

	person, err := c.Attributes(ctx, card.TextPIN, "1234")
	switch kakunin.FamilyOf(err) {
	case kakunin.Untrusted: // tampered, a copy, or of an unknown issuer
		fmt.Println("not a genuine card")
		return
	default:
		if err != nil {
			fmt.Println(kakunin.MessageFor(err, kakunin.English))
			return
		}
	}
	fmt.Println(person, person.Attributes())
	// Output: [redacted] [name address birthdate gender]
}

// The card face opens with what is printed on it; the portrait comes as JPEG 2000.
func ExampleCard_Face() {
	ctx := context.Background()
	c, err := card.Open(ctx, reader(), card.Config{Roots: issuerRoots()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close(ctx) }()

	person := printed() // typed by the person, or read off the card
	number, err := card.Printed{Birthdate: person.birthdate, ExpiryYear: person.expiryYear,
		SecurityCode: person.securityCode}.NumberB()
	if err != nil {
		fmt.Println(kakunin.MessageFor(err, kakunin.English))
		return
	}
	face, err := c.Face(ctx, card.FaceNumberB, number)
	if err != nil {
		fmt.Println(kakunin.MessageFor(err, kakunin.English))
		return
	}
	fmt.Println(face.Portrait, face.Portrait.MediaType(), len(face.Portrait.Reveal()) > 0)
	// Output: [redacted] image/jp2 true
}

// The individual number needs a lawful purpose, and can be revealed for that purpose only.
func ExampleCard_IndividualNumber() {
	ctx := context.Background()
	c, err := card.Open(ctx, reader(), card.Config{Roots: issuerRoots(), SecureMessaging: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close(ctx) }()

	number, err := c.IndividualNumber(ctx, "1234", mynumber.PurposeReporting)
	if err != nil {
		fmt.Println(kakunin.MessageFor(err, kakunin.English))
		return
	}
	digits, err := number.Reveal(mynumber.PurposeReporting)
	fmt.Println(number, len(digits), "digits,", err)
	// Output: [redacted] 12 digits, <nil>
}

// A PIN is changed with the old one. What cannot be a PIN is not sent, and what is printed on the card is not set.
func ExampleCard_ChangePIN() {
	ctx := context.Background()
	c, err := card.Open(ctx, reader(), card.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close(ctx) }()

	born := printed().birthdate.String()
	for _, replacement := range []string{"123", born[:4], "8642"} {
		err := c.ChangePIN(ctx, card.AuthPIN, card.Replace("1234", replacement), card.Avoid(born))
		switch {
		case errors.Is(err, &card.Error{Reason: card.ReasonGuessablePIN}):
			fmt.Println("your year of birth: set it all the same?") // then card.AllowGuessablePIN()
		case err != nil:
			fmt.Println(kakunin.MessageFor(err, kakunin.English))
		default:
			fmt.Println("changed")
		}
	}
	// Output:
	// The PIN of the authentication certificate consists of 4 digits. Please enter it again.
	// your year of birth: set it all the same?
	// changed
}

// The bare-hash mode lets the card pad the 32-byte hash itself.
func ExampleKey_SignContext_withoutDigestInfo() {
	ctx := context.Background()
	c, err := card.Open(ctx, reader(), card.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close(ctx) }()

	if err := c.Verify(ctx, card.SigningPIN, "ABC123"); err != nil {
		fmt.Println(err)
		return
	}
	key, err := c.SigningKey(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	digest := sha256.Sum256([]byte("document"))
	signature, err := key.SignContext(ctx, digest[:], card.WithoutDigestInfo)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(signature), "bytes")
	// Output: 256 bytes
}

// What a card says of itself without a PIN. Expiry and serial number tell of the holder.
func ExampleCard_CardRecord() {
	ctx := context.Background()
	c, err := card.Open(ctx, reader(), card.Config{Roots: issuerRoots()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close(ctx) }()

	token, tokenErr := c.TokenInformation(ctx)
	record, recordErr := c.CardRecord(ctx)
	face, faceErr := c.FaceInformation(ctx)
	text, textErr := c.TextInformation(ctx)
	issuer, issuerErr := c.IssuerData(ctx)
	if err := errors.Join(tokenErr, recordErr, faceErr, textErr, issuerErr); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Kind(), token.Label)
	fmt.Println("one municipality:", record.Municipality == face.Municipality &&
		face.Municipality == issuer.Municipality)
	fmt.Println("issuer's keys:", face.Key, text.Key)
	fmt.Println("chain of certificates leads to a root:", issuer.Issuer != nil)
	// Output:
	// plastic JPKIAPICCTOKEN2
	// one municipality: true
	// issuer's keys: 6000024-001 6000034-001
	// chain of certificates leads to a root: true
}

// An individual number that is on file already is compared by the card, so that none is read.
func ExampleCard_ConfirmIndividualNumber() {
	ctx := context.Background()
	c, err := card.Open(ctx, reader(), card.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close(ctx) }()

	onFile, err := mynumber.New(softwareCard().Person().Reveal().IndividualNumber, mynumber.PurposeReporting)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.ConfirmIndividualNumber(ctx, "1234", onFile))
	// Output: <nil>
}

// Root keys from a file: those that the package knows by fingerprint need no further trust in where the file comes
// from.
func ExamplePinnedRoots() {
	keys, err := card.ParseRoots([]byte("# identifier and modulus, one a line\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	roots, err := card.PinnedRoots(keys...)
	fmt.Println(roots != nil, err) // of an empty file
	// Output: false card: invalid root key: configure roots
}

// A root of a generation that came after this version, for which the caller vouches.
func ExampleNewRoots() {
	id, err := card.ParseKeyID("5000034-002")
	if err != nil {
		fmt.Println(err)
		return
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048) // stands for the issuer's
	if err != nil {
		fmt.Println(err)
		return
	}
	roots, err := card.NewRoots(card.Root{ID: id, Key: &key.PublicKey})
	fmt.Println(id, roots != nil, err)
	// Output: 5000034-002 true <nil>
}
