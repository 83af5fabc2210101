package signapi_test

import (
	"context"
	"fmt"
	"net/url"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// A private relying party has a document signed. The person goes to the service between Start and Result; package
// middleware does the part in the browser.
func ExampleClient() {
	var (
		ctx      context.Context
		client   *authn.Client                      // from authn.New
		operator sign.PlatformVerifier              // the platform operator's API
		browser  func(begun string) (cb url.Values) // redirect the person, wait for the callback
	)
	run := func() error {
		signer, err := signapi.New(signapi.Config{Client: client})
		if err != nil {
			return err
		}
		tx, err := signer.Start(ctx, sign.Text("私は利用規約に同意します。文書番号 2026-0042-7K3Q"), sign.ModeBareHash)
		if err != nil {
			return err
		}
		begun, err := client.Begin(ctx, authn.Request{Sign: tx})
		if err != nil {
			return err
		}
		id, err := client.Finish(ctx, begun.Pending, browser(begun.URL))
		if err != nil {
			return err
		}
		res, err := signer.Fetch(ctx, tx, id) // nothing in it is verified yet
		if err != nil {
			return err
		}
		verdict, err := operator.Verify(ctx, res.Sealed, tx)
		if err != nil {
			return err
		}
		fmt.Println(verdict.Status)
		return nil
	}
	_ = run
}
