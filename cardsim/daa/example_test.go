package daa_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/middleware"
)

// exampleTB stands in for the *testing.T of a real test.
type exampleTB struct{ cleanup []func() }

func (*exampleTB) Helper()                           {}
func (*exampleTB) Fatalf(format string, args ...any) { log.Fatalf(format, args...) }
func (e *exampleTB) Cleanup(f func())                { e.cleanup = append(e.cleanup, f) }
func (e *exampleTB) end() {
	for _, f := range e.cleanup {
		f()
	}
}

// exampleClient registers at a new service and makes a client for it. In a real test, pass t to Start.
func exampleClient(t daa.TB) (*daa.Running, *authn.Client) {
	const clientID, redirectURL = "RP00000001", "https://shop.example/auth/callback"
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	svc := daa.Start(t, daa.WithClient(daa.ClientRegistration{ID: clientID, Key: private.Public(),
		RedirectURLs: []string{redirectURL}}))
	key, err := authn.NewKey(private, "")
	if err != nil {
		log.Fatal(err)
	}
	client, err := authn.New(authn.Config{
		Environment: svc.Environment(), HTTPClient: svc.Client(), ClientID: clientID, Key: key,
		RedirectURL: redirectURL,
	})
	if err != nil {
		log.Fatal(err)
	}
	return svc, client
}

// finish is what a relying party does when the browser comes back.
func finish(ctx context.Context, client *authn.Client, p authn.Pending, callback string) (*authn.Identity, error) {
	u, err := url.Parse(callback)
	if err != nil {
		return nil, err
	}
	return client.Finish(ctx, p, u.Query())
}

// A relying party logs a visitor in against the simulated service.
func ExampleStart() {
	t := new(exampleTB)
	defer t.end()
	ctx := context.Background()
	svc, client := exampleClient(t) // daa.Start(t, daa.WithClient(registration)), authn.New(…)
	begun, err := client.Begin(ctx, authn.Request{Scopes: authn.Name | authn.Gender})
	if err != nil {
		fmt.Println(err)
		return
	}
	callback, err := svc.Visitor().Approve(ctx, begun.URL) // types the PINs, consents, and is sent back
	if err != nil {
		fmt.Println(err)
		return
	}
	identity, err := finish(ctx, client, begun.Pending, callback)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(identity.Person.Name.Reveal() == svc.Card().Person().Reveal().Name, identity.Granted)
	// Output: true [openid name gender]
}

// A visitor who cancels is sent back with an error that the relying party has to explain.
func ExampleRunning_Visitor() {
	t := new(exampleTB)
	defer t.end()
	ctx := context.Background()
	svc, client := exampleClient(t)
	begun, err := client.Begin(ctx, authn.Request{})
	if err != nil {
		fmt.Println(err)
		return
	}
	callback, err := svc.Visitor().Cancel(ctx, begun.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = finish(ctx, client, begun.Pending, callback)
	fmt.Println(kakunin.FamilyOf(err))
	// Output: user
}

// The whole login of an application in one call: the service starts first, the application's server next, and what the
// service must know of it is registered then.
func ExampleRunning_Browser() {
	t := new(exampleTB)
	defer t.end()
	ctx := context.Background()
	svc := daa.Start(t)
	mux := http.NewServeMux()
	app := httptest.NewTLSServer(mux)
	t.Cleanup(app.Close)

	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	const clientID = "RP00000001"
	redirectURL := app.URL + "/auth/callback"
	if err := svc.Register(daa.ClientRegistration{ID: clientID, Key: private.Public(),
		RedirectURLs: []string{redirectURL}}); err != nil {
		fmt.Println(err)
		return
	}
	key, err := authn.NewKey(private, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := authn.New(authn.Config{
		Environment: svc.Environment(), HTTPClient: svc.Client(), ClientID: clientID, Key: key,
		RedirectURL: redirectURL,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	login, err := middleware.New(middleware.Config{Client: client, Scopes: authn.Name,
		SealKeys: middleware.NewSealKeys()})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux.Handle("/auth/", login)
	mux.Handle("/account", login.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "Welcome, ", middleware.IdentityFrom(r.Context()).Person.Name.Reveal())
	})))

	browser := svc.Browser(svc.Visitor())
	browser.HTTPClient = app.Client() // trusts the test server's certificate
	page, err := browser.Login(ctx, app.URL+"/account")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(page.Status, page.URL.Path, page.Body == "Welcome, "+svc.Card().Person().Reveal().Name)
	// Output: 200 /account true
}
