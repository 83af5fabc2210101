package kakunin_test

import (
	"fmt"
	"log"
	"net/http"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/middleware"
)

// Log in, in fifteen lines. README.md has them as a whole program, which a test of the examples runs.
func Example() {
	mux := http.NewServeMux()
	key, err := authn.LoadKey("client-key.jwk") // or authn.NewKey with any crypto.Signer: KMS, HSM
	if err != nil {
		log.Fatal(err)
	}
	client, err := authn.New(authn.Config{Environment: authn.Sandbox(), ClientID: "RP00000001", Key: key,
		RedirectURL: "https://shop.example/auth/callback"})
	if err != nil {
		log.Fatal(err)
	}
	login, err := middleware.New(middleware.Config{Client: client, Scopes: authn.Attributes,
		SealKeys: middleware.NewSealKeys()})
	if err != nil {
		log.Fatal(err)
	}
	mux.Handle("/auth/", login) // /auth/login, /auth/callback, /auth/logout
	mux.Handle("/account", login.RequireFunc(account))
	mux.Handle("/sake", login.RequireFunc(shop, middleware.AgeAtLeast(20)))
}

func account(w http.ResponseWriter, r *http.Request) {
	id := middleware.IdentityFrom(r.Context())
	fmt.Fprintln(w, id.Person.Name.Reveal()) // printing id.Person itself shows nothing personal
}

func shop(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "20+") }
