package authn_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/fourinfo"
)

// Two registered applications in one program. The tenant of a callback is known from its address; a login that was
// begun for the other one is refused.
func ExampleTenants() {
	tenants, err := authn.NewTenants(authn.Config{Environment: authn.Sandbox()})
	if err != nil {
		log.Print(err)
		return
	}
	for _, t := range []authn.Tenant{
		{Name: "shop", ClientID: "RP00000001", RedirectURL: "https://shop.example/auth/callback"},
		{Name: "city", ClientID: "RP00000002", RedirectURL: "https://city.example/auth/callback",
			Profile: authn.Government},
	} {
		if t.Key, err = authn.GenerateKey(authn.ES256); err != nil { // really: authn.LoadKey
			log.Print(err)
			return
		}
		if _, err = tenants.Add(t); err != nil {
			log.Print(err)
			return
		}
	}
	begun, err := tenants.Begin(context.Background(), "shop", authn.Request{Scopes: authn.Name})
	if err != nil {
		log.Print(err)
		return
	}
	_, err = tenants.Finish(context.Background(), "city", authn.Callback{Pending: begun.Pending, Query: nil})
	fmt.Println(tenants.Names())
	fmt.Println(err, "/", kakunin.FamilyOf(err))
	// Output:
	// [city shop]
	// authn: state mismatch: pending / untrusted
}

// tokenStore is the application's own: one sealed entry per account.
type tokenStore interface {
	Put(ctx context.Context, account string, token []byte) error
	Get(ctx context.Context, account string) ([]byte, error)
}

// Tokens are kept only on request. Refreshing needs no person; a rotated token is stored before it is used.
func ExampleClient_Refresh() {
	var (
		client *authn.Client
		store  tokenStore
		id     *authn.Identity // of a login with Request.KeepTokens
	)
	refresh := func(ctx context.Context, account string) (*authn.Identity, error) {
		stored, err := store.Get(ctx, account)
		if err != nil {
			return nil, err
		}
		token, err := authn.ParseRefreshToken(stored)
		if err != nil {
			return nil, err
		}
		fresh, err := client.Refresh(ctx, token)
		if err != nil {
			return nil, err // kakunin.User: log in again
		}
		if fresh.Rotated {
			next, err := fresh.RefreshToken.RevealBytes()
			if err != nil {
				return nil, err
			}
			if err := store.Put(ctx, account, next); err != nil {
				return nil, err
			}
		}
		return client.Reread(ctx, id, fresh.AccessToken) // the attributes as they are now
	}
	_ = refresh
}

// The key that signs assertions is changed while logins go on; the ring serves the JWK Set for a jwks_uri.
func ExampleKeyRing() {
	current, err := authn.GenerateKey(authn.ES256) // really: authn.LoadKey
	if err != nil {
		log.Print(err)
		return
	}
	next, err := authn.GenerateKey(authn.ES256)
	if err != nil {
		log.Print(err)
		return
	}
	ring, err := authn.NewKeyRing(current) // goes into Config.Keys
	if err != nil {
		log.Print(err)
		return
	}
	http.Handle("/jwks.json", ring)

	if err = ring.Publish(next); err != nil { // and register it; days later:
		log.Print(err)
		return
	}
	if err = ring.Activate(next.KeyID()); err != nil { // minutes later:
		log.Print(err)
		return
	}
	if err = ring.Retire(current.KeyID()); err != nil {
		log.Print(err)
		return
	}
	fmt.Println(ring.Active().KeyID() == next.KeyID(), len(ring.KeyIDs()))
	// Output: true 1
}

// Audit events go to one hook. An alarm belongs to the family Untrusted.
func ExampleConfig_audit() {
	config := authn.Config{Audit: func(_ context.Context, e authn.Event) {
		fmt.Println(e.Kind, e.Reason, e.Step, e.Family)
	}}
	config.Environment, config.ClientID, config.RedirectURL = authn.Sandbox(), "RP00000001",
		"https://shop.example/auth/callback"
	var err error
	if config.Key, err = authn.GenerateKey(authn.ES256); err != nil {
		log.Print(err)
		return
	}
	client, err := authn.New(config)
	if err != nil {
		log.Print(err)
		return
	}
	_, err = client.Finish(context.Background(), authn.Pending{}, nil) // a callback that nobody began
	fmt.Println(err)
	// Output:
	// login refused state mismatch pending untrusted
	// authn: state mismatch: pending
}

// agree compares the person on record with the one who logged in now.
func agree(onRecord, now fourinfo.Person) (doubts []string) {
	matches := onRecord.Compare(now)
	if len(matches) == 0 {
		return []string{"nothing is on record"} // comparing nobody proves nothing
	}
	for _, m := range matches {
		if m.Outcome != fourinfo.Same && m.Outcome != fourinfo.SameAfterNormalisation {
			doubts = append(doubts, m.Attribute+": "+m.Outcome.String())
		}
	}
	return doubts
}

// The subject of a person may change, as when the individual number is reissued. The path back to the account:
//
//  1. Look the account up by (Issuer, Subject). Found: done.
//  2. Not found: let the person say that they have an account, and prove it by something that only they know or hold:
//     a link by email, a letter, a passkey. Agreement of the four attributes alone is no proof, because others know
//     them too.
//  3. Compare the attributes of this login with those on record. Any doubt goes to a member of staff.
//  4. Store the new subject beside the old one, tell the person by another channel, and write it into the audit trail.
func Example_relink() {
	names := fourinfo.ClaimNames{Name: "name", Address: "address", Birthdate: "birthdate", Gender: "gender"}
	// really: of the account, and Identity.Person of this login
	person := func(name, birthdate string) fourinfo.Person {
		p, _ := fourinfo.FromUserinfo(map[string]json.RawMessage{
			"name": json.RawMessage(`"` + name + `"`), "birthdate": json.RawMessage(`"` + birthdate + `"`),
		}, names)
		return p
	}
	onRecord := person("試験　花子", "19900405")
	fmt.Println(agree(onRecord, person("試験　花子", "19900405")))
	fmt.Println(agree(onRecord, person("試験　花子", "19910405")))
	fmt.Println(agree(fourinfo.Person{}, onRecord))
	// Output:
	// []
	// [birthdate: different]
	// [nothing is on record]
}
