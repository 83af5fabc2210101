package kakunin_test

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/middleware"
)

// Log in, in fifteen lines.
func Example() {
	mux := http.NewServeMux()
	key, err := authn.LoadKey("client-key.jwk") // or authn.NewKey with any crypto.Signer: KMS, HSM
	if err != nil {
		log.Fatal(err)
	}
	client, err := authn.New(authn.Config{Environment: authn.Sandbox(), ClientID: "RP00000001", Key: key, RedirectURL: "https://shop.example/auth/callback"})
	if err != nil {
		log.Fatal(err)
	}
	login, err := middleware.New(middleware.Config{Client: client, Scopes: authn.Attributes, SealKeys: middleware.NewSealKeys()})
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

// The code in both READMEs is the code above, which compiles.
func TestReadmeShowsTheExample(t *testing.T) {
	trimmed := func(s string) string {
		var lines []string
		for line := range strings.Lines(s) {
			lines = append(lines, strings.TrimSpace(line))
		}
		return strings.Join(lines, "\n")
	}
	read := func(name string) string {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	compiled := trimmed(read("example_test.go"))
	for _, name := range []string{"README.md", "README.ja.md"} {
		_, rest, _ := strings.Cut(read(name), "```go\n")
		shown, _, ok := strings.Cut(rest, "\n```")
		statements, function, both := strings.Cut(shown, "\n\nfunc ")
		if !ok || !both {
			t.Errorf("%s shows no example", name)
			continue
		}
		for _, part := range []string{statements, "func " + function} {
			if !strings.Contains(compiled, trimmed(part)) {
				t.Errorf("%s shows code that is not in example_test.go:\n%s", name, part)
			}
		}
	}
}
