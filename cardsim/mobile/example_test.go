package mobile_test

import (
	"crypto/x509"
	"fmt"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/mobile"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/fourinfo/mdoc"
)

// A wallet in a browser shows that somebody is twenty or older, and nothing else.
func ExampleWallet_Present() {
	now := func() time.Time { return time.Date(2026, time.November, 21, 3, 0, 0, 0, time.UTC) }
	authority, err := mobile.NewIssuer(mobile.Config{Now: now})
	if err != nil {
		fmt.Println(err)
		return
	}
	taro, err := person.Lookup(person.Taro, now())
	if err != nil {
		fmt.Println(err)
		return
	}
	wallet, err := authority.Issue(mobile.Card{Person: taro})
	if err != nil {
		fmt.Println(err)
		return
	}
	session := mdoc.DigitalCredentials{Origin: "https://shop.example", Nonce: "fresh for each request"}
	response, err := wallet.Present(mobile.Request{Session: session, Elements: mobile.Adult()})
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier, err := mdoc.NewVerifier(mdoc.Config{Anchors: []*x509.Certificate{authority.Anchor()}, Now: now})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = verifier.Verify(response, mdoc.Expect{Session: session})
	fmt.Println(err)
	_, err = verifier.Verify(response, mdoc.Expect{
		Session: mdoc.DigitalCredentials{Origin: "https://shop.example", Nonce: "of another request"},
	})
	fmt.Println(err != nil)
	// Output:
	// <nil>
	// true
}
