package testca

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"testing"
)

// BareVerify returns a function that verifies n RSA-2048 signatures with their hash: the floor of a verification.
func BareVerify(b *testing.B, n int) func() {
	b.Helper()
	key := TestKey("ca")
	message := make([]byte, 1200)
	digest := sha256.Sum256(message)
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	return func() {
		for range n {
			digest := sha256.Sum256(message)
			if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
				b.Fatal(err)
			}
		}
	}
}
