package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"sync"
	"testing"
)

// keys are made once: RSA keys take long to find.
var testKeys = sync.OnceValue(func() (k struct {
	rsa, otherRSA, smallRSA *rsa.PrivateKey
	ec, otherEC, p384       *ecdsa.PrivateKey
}) {
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	var err error
	k.rsa, err = rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	k.otherRSA, err = rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	k.smallRSA, err = rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // that it is weak is the test
	must(err)
	k.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	k.otherEC, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	k.p384, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(err)
	return k
})

const testPayload = `{"sub":"a","n":1}`

func enc(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// forge signs any header over any payload, with any key and hash a test wants.
func forge(tb testing.TB, key crypto.Signer, header, payload string) string {
	tb.Helper()
	return forgeParts(tb, key, enc(header), enc(payload))
}

func forgeParts(tb testing.TB, key crypto.Signer, header, payload string) string {
	tb.Helper()
	signed := header + "." + payload
	digest := sha256.Sum256([]byte(signed))
	sig, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		tb.Fatal(err)
	}
	if k, ok := key.(*ecdsa.PrivateKey); ok {
		r, s, err := ecdsa.Sign(rand.Reader, k, digest[:])
		if err != nil {
			tb.Fatal(err)
		}
		n := (k.Curve.Params().BitSize + 7) / 8
		sig = make([]byte, 2*n)
		r.FillBytes(sig[:n])
		s.FillBytes(sig[n:])
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func wantCheck(t *testing.T, err error, want Check) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error = %v, want a *jose.Error with check %q", err, want)
	}
	if e.Check != want {
		t.Fatalf("check = %q (%v), want %q", e.Check, err, want)
	}
}

// kms hides the private key behind nothing but crypto.Signer, as a KMS does.
type kms struct{ inner crypto.Signer }

func (k kms) Public() crypto.PublicKey { return k.inner.Public() }
func (k kms) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return k.inner.Sign(r, digest, opts)
}
