package authn_test

import (
	"bytes"
	"fmt"

	"github.com/kakunin-go/kakunin/authn"
)

// A key for a test environment: the private half for a file or a secret store, the public half for the application
// form.
func ExampleGenerateKey() {
	key, err := authn.GenerateKey(authn.RS256)
	if err != nil {
		panic(err)
	}
	private, err := key.RevealJWK() // for authn.LoadKey; never into a log
	if err != nil {
		panic(err)
	}
	public, err := key.PublicJWKS()
	if err != nil {
		panic(err)
	}
	fmt.Println(bytes.Contains(private, []byte(`"d"`)), bytes.Contains(public, []byte(`"d"`)), key)
	// Output: true false [redacted]
}
