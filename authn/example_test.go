package authn_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
)

// pendingStore is the application's own: one entry per login under way, bound to the browser by a cookie.
type pendingStore interface {
	Put(w http.ResponseWriter, p authn.Pending) error
	// Take returns the entry and deletes it.
	Take(w http.ResponseWriter, r *http.Request, state string) (authn.Pending, error)
}

// A login in fifteen lines: keep and take are the application's own and store the pending login for this browser.
func Example_fifteenLines() {
	var key authn.Key // from LoadKey
	client, err := authn.New(authn.Config{
		Environment: authn.Sandbox(), ClientID: "RP00000001", Key: key,
		RedirectURL: "https://shop.example/auth/callback"})
	if err != nil {
		return
	}
	http.HandleFunc("POST /auth/login", func(w http.ResponseWriter, r *http.Request) {
		begun, err := client.Begin(r.Context(), authn.Request{Scopes: authn.Attributes})
		if !failed(w, err) && keep(w, r, begun.Pending) {
			http.Redirect(w, r, begun.URL, http.StatusSeeOther)
		}
	})
	http.HandleFunc("GET /auth/callback", func(w http.ResponseWriter, r *http.Request) {
		if id, err := client.Finish(r.Context(), take(w, r), r.URL.Query()); !failed(w, err) {
			_, _ = fmt.Fprintln(w, id.Person.Name.Reveal())
		}
	})
}

// keep stores the pending login under its state, bound to the browser by a cookie.
func keep(http.ResponseWriter, *http.Request, authn.Pending) bool { return true }

// take returns the pending login of the callback's state and deletes it; the zero Pending, which Finish refuses, if
// there is none.
func take(http.ResponseWriter, *http.Request) authn.Pending { return authn.Pending{} }

func failed(w http.ResponseWriter, err error) bool {
	if err != nil {
		http.Error(w, kakunin.MessageFor(err, kakunin.Japanese), http.StatusBadRequest)
	}
	return err != nil
}

// A login without package middleware, with what to do about errors.
func Example() {
	key, err := authn.LoadKey("client-key.jwk")
	if err != nil {
		log.Print(err)
		return
	}
	client, err := authn.New(authn.Config{
		Environment: authn.Sandbox(), ClientID: "RP00000001", Key: key,
		RedirectURL: "https://shop.example/auth/callback",
	})
	if err != nil {
		log.Print(err) // names every mistake of the configuration
		return
	}
	var store pendingStore

	http.HandleFunc("POST /auth/login", func(w http.ResponseWriter, r *http.Request) {
		begun, err := client.Begin(r.Context(), authn.Request{Scopes: authn.Attributes})
		if err == nil {
			err = store.Put(w, begun.Pending)
		}
		if err != nil {
			http.Error(w, kakunin.MessageFor(err, kakunin.Japanese), http.StatusInternalServerError)
			return
		}
		http.Redirect(w, r, begun.URL, http.StatusSeeOther)
	})
	http.HandleFunc("GET /auth/callback", func(w http.ResponseWriter, r *http.Request) {
		pending, err := store.Take(w, r, r.URL.Query().Get("state"))
		if err != nil {
			http.Error(w, kakunin.MessageFor(err, kakunin.Japanese), http.StatusBadRequest)
			return
		}
		id, err := client.Finish(r.Context(), pending, r.URL.Query())
		switch kakunin.FamilyOf(err) {
		case kakunin.User: // cancelled or timed out: offer to try again
		case kakunin.Unavailable: // try again later
		case kakunin.Configuration, kakunin.Untrusted: // alarm: nothing was accepted
		default:
		}
		if err != nil {
			http.Error(w, kakunin.MessageFor(err, kakunin.Japanese), http.StatusBadRequest)
			return
		}
		_, _ = fmt.Fprintln(w, id.Person.Name.Reveal()) // printing id itself shows nothing personal
	})
}

// Any other base URL has the same paths, such as a simulated service on this machine; each URL can be changed.
func ExampleCustom() {
	env := authn.Custom("http://127.0.0.1:9000")
	env.TokenEndpoint = "https://gateway.example/token"
	fmt.Println(env.Issuer)
	fmt.Println(env.TokenEndpoint)
	// Output:
	// http://127.0.0.1:9000/api/realms/main
	// https://gateway.example/token
}

// kms stands for the client of a key management service: the private key never leaves it.
type kms struct{ inside *ecdsa.PrivateKey }

func (k kms) Public() crypto.PublicKey { return k.inside.Public() }

func (k kms) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	// Here the digest would be sent to the service. An ECDSA signature comes back in ASN.1 form.
	return k.inside.Sign(rand.Reader, digest, opts)
}

// A key in a KMS or HSM: whatever implements crypto.Signer.
func ExampleNewKey() {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Print(err)
		return
	}
	key, err := authn.NewKey(kms{private}, "2026-04")
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println(key.Algorithm(), key.KeyID())
	fmt.Println(key)
	// Output:
	// ES256 2026-04
	// [redacted]
}

// The public half goes into the application form of the service.
func ExampleKey_PublicPEM() {
	key, err := authn.GenerateKey(authn.RS256)
	if err != nil {
		log.Print(err)
		return
	}
	pem, err := key.PublicPEM()
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Printf("%.26s\n", pem)
	// Output:
	// -----BEGIN PUBLIC KEY-----
}

// Begin sends the parameters that the service documents and no others.
func ExampleClient_Begin() {
	key, err := authn.GenerateKey(authn.ES256)
	if err != nil {
		log.Print(err)
		return
	}
	client, err := authn.New(authn.Config{
		Environment: authn.Sandbox(), ClientID: "RP00000001", Key: key,
		RedirectURL: "https://shop.example/auth/callback",
	})
	if err != nil {
		log.Print(err)
		return
	}
	begun, err := client.Begin(context.Background(), authn.Request{Scopes: authn.Name | authn.Birthdate})
	if err != nil {
		log.Print(err)
		return
	}
	u, err := url.Parse(begun.URL)
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println(u.Host)
	fmt.Println(u.Query().Get("scope"))
	fmt.Println(u.Query().Get("acr_values"))
	// Output:
	// sb-auth-and-sign.go.jp
	// openid name birthdate
	// aal3 crl
}
