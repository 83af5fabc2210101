package timestamp_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/timestamping"
	"github.com/kakunin-go/kakunin/jpki/certpath"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign/timestamp"
)

// A token that was kept beside a signature is verified years later: it holds for this signature value, and no other.
func ExampleVerifier() {
	now := func() time.Time { return time.Date(2026, time.November, 21, 3, 0, 0, 0, time.UTC) }
	authority, err := timestamping.New(timestamping.Config{Now: now}) // the one for tests
	if err != nil {
		log.Fatal(err)
	}
	request := timestamp.Of([]byte("a signature value"))
	question, err := request.Marshal()
	if err != nil {
		log.Fatal(err)
	}
	token, err := timestamp.ParseResponse(authority.Answer(question, timestamping.Faults{}))
	if err != nil {
		log.Fatal(err)
	}

	root, err := certpath.ParseCertificate(authority.Root().Raw)
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := timestamp.NewVerifier(timestamp.VerifierConfig{
		Anchors: []*certpath.Certificate{root}, Revocation: revocation.InsecureNoRevocation(), Now: now,
	})
	if err != nil {
		log.Fatal(err)
	}
	stamped, err := verifier.Verify(context.Background(), token, timestamp.Expect{Request: request})
	fmt.Println(stamped.Time, err)
	_, err = verifier.Verify(context.Background(), token, timestamp.Expect{
		Request: timestamp.Of([]byte("another signature value")),
	})
	fmt.Println(kakunin.FamilyOf(err))
	// Output:
	// 2026-11-21 03:00:00 +0000 UTC <nil>
	// untrusted
}
