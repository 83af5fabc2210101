package card_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim"
)

// BenchmarkSign compares a signature through the client and a software card with the bare RSA-2048 operation (x-bare).
func BenchmarkSign(b *testing.B) {
	c, err := cardsim.New(b, cardsim.Hanako).Client(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if err := c.VerifyAuthPIN(b.Context(), "1234"); err != nil {
		b.Fatal(err)
	}
	key, err := c.AuthKey(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	bare, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256([]byte("document"))
	var through, alone time.Duration
	for b.Loop() {
		// Both in turns, so that they share the conditions of the machine.
		start := time.Now()
		if _, err := key.SignContext(b.Context(), digest[:], crypto.SHA256); err != nil {
			b.Fatal(err)
		}
		between := time.Now()
		if _, err := rsa.SignPKCS1v15(nil, bare, crypto.SHA256, digest[:]); err != nil {
			b.Fatal(err)
		}
		through, alone = through+between.Sub(start), alone+time.Since(between)
	}
	b.ReportMetric(float64(through)/float64(alone), "x-bare")
}
