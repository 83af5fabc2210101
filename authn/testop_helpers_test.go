package authn

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"testing"

	"github.com/kakunin-go/kakunin/internal/jose"
)

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// signRaw signs under a header that package jose would not make.
func signRaw(tb testing.TB, k Key, header string, payload []byte) string {
	tb.Helper()
	// The header takes part in the signature only as text: sign an ordinary token over the text wanted.
	enc := base64.RawURLEncoding.EncodeToString
	signed := enc([]byte(header)) + "." + enc(payload)
	return signed + "." + enc(rawSignature(tb, k, signed))
}

// tx is a signature transaction.
type tx string

func (t tx) TransactionID() string { return string(t) }

const testTx = tx("37a52ac8-b232-ebac-a454-04d68916489f")

func wantError(t *testing.T, err error, reason Reason, check string) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error = %v, want a *authn.Error with %s: %s", err, reason, check)
	}
	if e.Reason != reason || e.Step != check {
		t.Fatalf("error = %v, want %s: %s", err, reason, check)
	}
	return e
}

func with(m claimsMap, name string, value any) claimsMap {
	m = maps.Clone(m)
	m[name] = value
	return m
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// signedInfo is userinfo as a JWT.
func (op *testOP) signedInfo(k Key) string {
	op.tb.Helper()
	body, err := json.Marshal(with(with(op.person, "iss", op.env.Issuer), "aud", testClientID))
	if err != nil {
		op.tb.Fatal(err)
	}
	token, err := jose.Sign(k.signing(), "JWT", body)
	if err != nil {
		op.tb.Fatal(err)
	}
	return token
}

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
