package authn_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
)

// A key out of a secret store, which hands over bytes and no file.
func ExampleParseKey() {
	made, err := authn.GenerateKey(authn.RS256)
	if err != nil {
		fmt.Println(err)
		return
	}
	secret, err := made.RevealPEM() // what the store keeps
	if err != nil {
		fmt.Println(err)
		return
	}
	key, err := authn.ParseKey(secret)
	fmt.Println(key, err)
	// Output: [redacted] <nil>
}

// Where the service encrypts userinfo to the application, the configuration names the keys that open it. The second one
// is the next: it is known before the service uses it.
func ExampleLoadDecryptionKey() {
	dir, err := os.MkdirTemp("", "keys")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "opening.pem")
	made, err := authn.GenerateKey(authn.RS256)
	if err != nil {
		fmt.Println(err)
		return
	}
	secret, err := made.RevealPEM()
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := os.WriteFile(file, secret, 0o600); err != nil {
		fmt.Println(err)
		return
	}

	now, err := authn.LoadDecryptionKey(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		fmt.Println(err)
		return
	}
	next, err := authn.NewDecryptionKey(private, "next")
	if err != nil {
		fmt.Println(err)
		return
	}
	rules := authn.Encryption{Keys: []authn.DecryptionKey{now, next}}
	fmt.Println(len(rules.Keys), rules.Keys[0])
	_, err = authn.ParseDecryptionKey([]byte("not a key"))
	fmt.Println(err != nil)
	// Output:
	// 2 [redacted]
	// true
}

// Every login and refusal as a record of the application's own log, without personal data.
func ExampleAuditLog() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	audit := authn.AuditLog(logger) // Config.Audit
	audit(context.Background(), authn.Event{Kind: authn.LoginRefused, Reason: authn.ReasonIDToken, Step: "nonce",
		Family: kakunin.Untrusted})
	// Output: level=WARN msg="login refused" reason="ID token" step=nonce family=untrusted
}
