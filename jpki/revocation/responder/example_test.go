package responder_test

import (
	"fmt"
	"log"

	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/jpki/revocation/responder"
)

// The responder's address is configured: none is taken from a certificate.
func ExampleNew() {
	over, err := responder.New(responder.Config{URL: "https://ocsp.example/"})
	if err != nil {
		log.Fatal(err)
	}
	source, err := revocation.NewOCSP(revocation.OCSPConfig{Responder: over})
	if err != nil {
		log.Fatal(err)
	}
	policy := revocation.Require(source) // for jpki.VerifierConfig, certpath and sign
	_ = policy

	_, err = responder.New(responder.Config{URL: "http://ocsp.example/"})
	fmt.Println(err)
	// Output: responder: configuration: url
}
