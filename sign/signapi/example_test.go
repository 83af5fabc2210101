package signapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// A private relying party has a document signed, and loses no result. The line with the number makes it a document that
// no other transaction has: a signature value fits every transaction of the same document.
func ExampleKeeper() {
	var (
		ctx      context.Context
		client   *authn.Client                      // from authn.New
		operator sign.PlatformVerifier              // the platform operator's API
		records  *evidence.Log                      // from evidence.OpenLog
		store    signapi.Store                      // sqlstore.OpenPostgreSQL, sqlstore.OpenSQLite
		keys     *evidence.LocalKeys                // or a key service
		browser  func(begun string) (cb url.Values) // redirect the person, wait for the callback
	)
	run := func() error {
		signer, err := signapi.New(signapi.Config{Client: client})
		if err != nil {
			return err
		}
		keeper, err := signapi.NewKeeper(signapi.KeeperConfig{Client: signer, Store: store, Keys: keys})
		if err != nil {
			return err
		}
		kept, err := keeper.Start(ctx, signapi.Request{
			Document: sign.Text("私は利用規約に同意します。文書番号 2026-0042-7K3Q"), Mode: sign.ModeDigestInfo,
			Reference: "2026-0042-7K3Q", Key: "2026-0042-7K3Q",
		})
		if err != nil {
			return err
		}
		tx, err := keeper.HandOver(ctx, kept.Transaction.ID)
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
		res, err := keeper.Fetch(ctx, tx, id) // kept before it is here; nothing in it is verified yet
		if res == nil {
			return err
		} // with a result and an error, verify it now: it could not be kept
		verdict, err := operator.Verify(ctx, res.Sealed, tx)
		if err != nil {
			return err
		}
		record, err := evidence.FromVerdict(
			evidence.Judged{Verdict: verdict, Sealed: res.Sealed, Transaction: tx}, time.Now())
		if err != nil {
			return err
		}
		if _, err := records.AppendRecords(ctx, record); err != nil {
			return err
		}
		return keeper.Close(ctx, tx.ID)
	}
	_ = run
}

// After a restart, and from time to time: what was fetched and not yet verified goes on, what was interrupted is asked
// for again and, where that is in vain, told to the person, and what is over is deleted after a month.
func ExampleKeeper_Unfinished() {
	var (
		ctx    context.Context
		keeper *signapi.Keeper
		goOn   func(reference string, res *signapi.Unverified) error // verifies, records, and closes
		tell   func(reference string)                                // the person signs again
	)
	run := func() error {
		for kept, err := range keeper.Unfinished(ctx) {
			if err != nil {
				return err
			}
			if kept.State != signapi.StateFetched && !kept.Interrupted {
				continue
			}
			res, err := keeper.AskAgain(ctx, kept.Transaction.ID)
			switch {
			case errors.Is(err, &signapi.Error{Reason: signapi.ReasonLost}):
				tell(kept.Reference)
			case err != nil:
				return err
			default:
				if err := goOn(kept.Reference, res); err != nil {
					return err
				}
			}
		}
		purged, err := keeper.Purge(ctx, time.Now().AddDate(0, -1, 0))
		if err == nil && purged.Waiting > 0 {
			fmt.Println("answers that nobody takes:", purged.Waiting)
		}
		return err
	}
	_ = run
}

// A client that keeps nothing. Wait asks until the person has signed.
func ExampleClient() {
	var (
		ctx     context.Context
		client  *authn.Client                      // from authn.New
		browser func(begun string) (cb url.Values) // redirect the person, wait for the callback
	)
	run := func() (*signapi.Unverified, error) {
		signer, err := signapi.New(signapi.Config{Client: client})
		if err != nil {
			return nil, err
		}
		tx, err := signer.Start(ctx, sign.Text("私は利用規約に同意します。文書番号 2026-0042-7K3Q"), sign.ModeBareHash)
		if err != nil {
			return nil, err
		}
		begun, err := client.Begin(ctx, authn.Request{Sign: tx})
		if err != nil {
			return nil, err
		}
		id, err := client.Finish(ctx, begun.Pending, browser(begun.URL))
		if err != nil {
			return nil, err
		}
		return signer.Wait(ctx, tx, id)
	}
	_ = run
}
