package middleware_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/consent"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// exampleClient stands for authn.LoadKey("client-key.jwk") and authn.New of a registered relying party.
func exampleClient() *authn.Client {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	clientKey, err := authn.NewKey(key, "2026-11") // any crypto.Signer works
	if err != nil {
		log.Fatal(err)
	}
	client, err := authn.New(authn.Config{
		Environment: authn.Sandbox(), ClientID: "RP00000001", Key: clientKey,
		RedirectURL: "https://shop.example/auth/callback",
	})
	if err != nil {
		log.Fatal(err)
	}
	return client
}

// Log in with My Number Card.
func Example() {
	login, err := middleware.New(middleware.Config{
		Client: exampleClient(), Scopes: authn.Attributes, SealKeys: middleware.NewSealKeys(),
	})
	if err != nil {
		log.Fatal(err)
	}
	account := func(w http.ResponseWriter, r *http.Request) {
		id := middleware.IdentityFrom(r.Context()) // *authn.Identity: Subject, AuthTime, ACR, Person
		fmt.Fprintln(w, template.HTMLEscapeString(id.Person.Name.Reveal()))
	}
	mux := http.NewServeMux()
	mux.Handle("/auth/", login) // /auth/login, /auth/callback, /auth/logout
	mux.Handle("/account", login.RequireFunc(account))
	mux.Handle("/sake", login.RequireFunc(account, middleware.AgeAtLeast(20)))

	// Somebody who is not logged in is sent to log in, and comes back.
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/account", nil))
	fmt.Println(w.Code, w.Header().Get("Location"))
	// Output: 303 /auth/login?return=%2Faccount
}

// Pages for people who are logged in.
func ExampleLogin_Require() {
	login, err := middleware.New(middleware.Config{
		Client: exampleClient(), Scopes: authn.Name | authn.Birthdate, SealKeys: middleware.NewSealKeys(),
	})
	if err != nil {
		log.Fatal(err)
	}
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "the subject is the key of an account:", middleware.IdentityFrom(r.Context()).Subject.Reveal())
	})
	mux := http.NewServeMux()
	mux.Handle("/auth/", login)
	mux.Handle("/account", login.Require(page))
	mux.Handle("/sake", login.Require(page, middleware.AgeAtLeast(20)))
	mux.Handle("/transfer", login.Require(page, middleware.RequireFresh(5*time.Minute)))

	// A browser is sent to log in and comes back; a script is told.
	browser := httptest.NewRecorder()
	mux.ServeHTTP(browser, httptest.NewRequest(http.MethodGet, "/account?tab=2", nil))
	script := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/account", nil)
	r.Header.Set("Sec-Fetch-Mode", "cors")
	mux.ServeHTTP(script, r)
	fmt.Println(browser.Code, browser.Header().Get("Location"), script.Code)
	// Output: 303 /auth/login?return=%2Faccount%3Ftab%3D2 401
}

// Require in the form that routers take: chi's Use, echo.WrapMiddleware, and others.
func ExampleLogin_Middleware() {
	login, err := middleware.New(middleware.Config{Client: exampleClient(), SealKeys: middleware.NewSealKeys()})
	if err != nil {
		log.Fatal(err)
	}
	adults := login.Middleware(middleware.RequireAttributes(authn.Birthdate), middleware.AgeAtLeast(18))
	members := http.NewServeMux() // any router
	w := httptest.NewRecorder()
	adults(members).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	fmt.Println(w.Code)
	// Output: 303
}

// Before a payment the card is asked for again, unless it was used in the last five minutes.
func ExampleRequireFresh() {
	fresh := middleware.RequireFresh(5 * time.Minute)
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for _, age := range []time.Duration{time.Minute, time.Hour} {
		fmt.Println(fresh(context.Background(), middleware.Visit{LoggedIn: now.Add(-age), Now: now}))
	}
	// Output:
	// <nil>
	// middleware: not-fresh
}

// An application that has users, sessions and more than one instance.
func ExampleConfig() {
	// kakunin-seal-keys comes from where the program keeps its secrets; "openssl rand -base64 32" makes one.
	keys, err := middleware.ParseSealKeys("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	if err != nil {
		log.Fatal(err)
	}
	users := map[authn.Subject]int{}
	_, err = middleware.New(middleware.Config{
		Client: exampleClient(), Scopes: authn.Name, SealKeys: keys,
		AfterLogin: "/home",
		OnLogin: func(_ http.ResponseWriter, _ *http.Request, id *authn.Identity) error {
			if _, known := users[id.Subject]; !known {
				users[id.Subject] = len(users) + 1
			}
			return nil
		},
	})
	fmt.Println(err, keys)
	// Output: <nil> [[redacted]]
}

// An age gate says yes only to people who are certainly old enough.
func ExampleAgeAtLeast() {
	sake := middleware.AgeAtLeast(20)
	today := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for _, birthdate := range []string{"20061101", "20061102", "20060000"} {
		person, _ := fourinfo.FromCard(fourinfo.CardFields{
			Name: "試験　花子", Address: "東京都千代田区架空町１丁目", Birthdate: birthdate, Gender: "2",
		})
		err := sake(context.Background(), middleware.Visit{Identity: &authn.Identity{Person: person}, Now: today})
		fmt.Println(err)
	}
	// Output:
	// <nil>
	// middleware: too-young
	// middleware: age-unknown
}

// Have a document signed by the person who is logged in.
func ExampleLogin_Sign() {
	client := exampleClient()
	signer, err := signapi.New(signapi.Config{Client: client})
	if err != nil {
		log.Fatal(err)
	}
	login, err := middleware.New(middleware.Config{Client: client, SealKeys: middleware.NewSealKeys(), Signer: signer})
	if err != nil {
		log.Fatal(err)
	}
	contract, err := login.Sign("contract", middleware.SignConfig{
		Mode: sign.ModeDigestInfo,
		Document: func(r *http.Request) (sign.Document, string, error) {
			text := "…" // the text that the page showed, from where the application keeps it
			return sign.Text(text), "contract-2026-0007", nil
		},
		OnSigned: func(w http.ResponseWriter, r *http.Request, s middleware.Signed) {
			// Hand s.Unverified.Sealed to the platform operator, keep the transaction, and show a page.
			http.Redirect(w, r, "/contracts/"+s.Reference, http.StatusSeeOther)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/auth/", login)
	mux.Handle("/sign", contract) // <form method="post" action="/sign">

	// Another site cannot make a browser sign.
	r := httptest.NewRequest(http.MethodPost, "/sign", http.NoBody)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println(w.Code)
	// Output: 403
}

// A consent to the latest attributes (最新の利用者情報（4情報）提供サービス): the person reads the terms,
// agrees, and signs the operator's document.
func ExampleLogin_Consent() {
	client := exampleClient()
	signer, err := signapi.New(signapi.Config{Client: client})
	if err != nil {
		log.Fatal(err)
	}
	login, err := middleware.New(middleware.Config{Client: client, SealKeys: middleware.NewSealKeys(), Signer: signer})
	if err != nil {
		log.Fatal(err)
	}
	var platform sign.PlatformVerifier // operator.New of package sign/operator
	flow, err := login.Consent("latest-address", middleware.ConsentConfig{
		Terms: &consent.Terms{}, Base: consent.BaseReceived, Operator: platform,
		Document: func(r *http.Request) (document []byte, reference string, err error) {
			return nil, "customer-0007", nil // from the operator's software, for the person who is logged in
		},
		Keep: func(ctx context.Context, s middleware.Signed) error {
			return nil // store s.Reference, s.Terms, and of s.Unverified the Transaction and Sealed.RevealJWE()
		},
		Register: func(ctx context.Context, c middleware.Consented) error {
			return nil // store c.Consent beside the customer and c.Verdict as evidence, tell the operator
		},
		OnRegistered: func(w http.ResponseWriter, r *http.Request, c middleware.Consented) {
			http.Redirect(w, r, "/account", http.StatusSeeOther)
		},
		OnState: func(ctx context.Context, e middleware.ConsentEvent) {
			if e.State == middleware.ConsentWaiting { // a job calls flow.Resume with what Keep stored
				log.Print(e.Reference, " waits")
			}
		},
	})
	fmt.Println(flow == nil, err)
	// Output: true middleware: configuration: Consent: Operator is missing
}

// The error page drawn by the application itself, with a way to try again.
func ExampleRetryURL() {
	onError := func(w http.ResponseWriter, r *http.Request, err error) {
		w.WriteHeader(middleware.StatusOf(err))
		fmt.Fprintln(w, kakunin.MessageFor(err, kakunin.English))
		if again := middleware.RetryURL(r.Context()); again != "" {
			fmt.Fprintf(w, `<a href="%s">Try again</a>`, template.HTMLEscapeString(again))
		}
	}
	login, err := middleware.New(middleware.Config{Client: exampleClient(), SealKeys: middleware.NewSealKeys(),
		OnError: onError})
	if err != nil {
		log.Fatal(err)
	}
	w := httptest.NewRecorder()
	login.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/auth/callback?state=of-another-browser&code=x", nil))
	fmt.Println(w.Code, strings.Contains(w.Body.String(), "private (incognito)"),
		strings.Contains(w.Body.String(), "/auth/login"))
	// Output: 400 true true
}

// Several businesses in one program, each with its own host and registration.
func ExampleByHost() {
	acme, err := middleware.New(middleware.Config{Client: exampleClient(), SealKeys: middleware.NewSealKeys()})
	if err != nil {
		log.Fatal(err)
	}
	tenants := middleware.ByHost(map[string]*middleware.Login{"shop.example": acme})
	mux := http.NewServeMux()
	mux.Handle("/auth/", tenants)
	mux.Handle("/account", tenants.Require(http.NotFoundHandler()))
	for _, host := range []string{"shop.example", "other.example"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "https://"+host+"/account", nil))
		fmt.Println(host, w.Code)
	}
	// Output:
	// shop.example 303
	// other.example 404
}
