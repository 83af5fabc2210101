package authn

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"testing"
)

// rawSignature signs a JWS signing input in the form of RFC 7518.
func rawSignature(tb testing.TB, k Key, signed string) []byte {
	tb.Helper()
	digest := sha256.Sum256([]byte(signed))
	switch key := k.signing().Signer.(type) {
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
		if err != nil {
			tb.Fatal(err)
		}
		sig := make([]byte, 64)
		r.FillBytes(sig[:32])
		s.FillBytes(sig[32:])
		return sig
	case *rsa.PrivateKey:
		sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
		if err != nil {
			tb.Fatal(err)
		}
		return sig
	default:
		tb.Fatalf("%T", key)
		return nil
	}
}
