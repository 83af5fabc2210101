package tsa_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/kakunin-go/kakunin/cardsim/timestamping"
	"github.com/kakunin-go/kakunin/jpki/certpath"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign/timestamp"
	"github.com/kakunin-go/kakunin/sign/timestamp/tsa"
)

// A signature value is stamped by an authority, here the one for tests. Its root is pinned; where its certificates'
// status comes from is said explicitly.
func Example() {
	authority, err := timestamping.New(timestamping.Config{Now: clock})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(authority)
	defer server.Close()

	root, err := certpath.ParseCertificate(authority.Root().Raw)
	if err != nil {
		panic(err)
	}
	verifier, err := timestamp.NewVerifier(timestamp.VerifierConfig{
		Anchors: []*certpath.Certificate{root}, Revocation: revocation.InsecureNoRevocation(), Now: clock,
	})
	if err != nil {
		panic(err)
	}
	client, err := tsa.New(tsa.Config{URL: server.URL, Verifier: verifier, Now: clock})
	if err != nil {
		panic(err)
	}
	signature := []byte("a signature value")
	stamped, err := client.Stamp(context.Background(), signature)
	if err != nil {
		panic(err)
	}
	fmt.Println(stamped.Time, "±", stamped.Accuracy)

	// Years later, from the kept token.
	token, err := timestamp.Parse(stamped.Raw())
	if err != nil {
		panic(err)
	}
	_, err = verifier.Verify(context.Background(), token, timestamp.Expect{Request: timestamp.Of(signature)})
	fmt.Println(err)
	// Output:
	// 2026-11-21 03:00:00 +0000 UTC ± 500ms
	// <nil>
}
