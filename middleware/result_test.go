package middleware

import (
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

const resultTransaction = "65a04b4e-af8b-45a2-8713-5ec2631bab64"

func signedResult(subject string, o *sign.Opened) *finished {
	return &finished{signed: &Signed{
		Unverified: &signapi.Unverified{Opened: o},
		Identity: &authn.Identity{
			Subject: authn.NewSubject(subject), Issuer: "iss", TransactionID: resultTransaction,
		},
	}}
}

func pendingSignature() pending {
	return pending{Sign: &pendingSign{
		Reference: "contract-7", Subject: subjectHash(authn.NewSubject("hanako")),
		Transaction: &sign.Transaction{ID: resultTransaction},
	}}
}

// A result goes to the callback that it came out of and to no other, though whoever reads it holds the key.
func TestResultsBelongToTheirCallback(t *testing.T) {
	login := &finished{identity: &authn.Identity{Subject: authn.NewSubject("hanako"), Issuer: "iss"}}
	opened := sign.NewOpened([]byte("signature"), []byte("certificate"))
	half := signedResult("hanako", sign.NewOpened([]byte("signature"), nil))
	otherTransaction := pendingSignature()
	otherTransaction.Sign.Transaction = &sign.Transaction{ID: "another"}
	for name, c := range map[string]struct {
		result *finished
		reader pending
		ok     bool
	}{
		"a login":                         {login, pending{}, true},
		"a signature":                     {signedResult("hanako", opened), pendingSignature(), true},
		"a signature for a login":         {signedResult("hanako", opened), pending{}, false},
		"a login for a signature":         {login, pendingSignature(), false},
		"another person's signature":      {signedResult("taro", opened), pendingSignature(), false},
		"another transaction's signature": {signedResult("hanako", opened), otherTransaction, false},
		"a signature without one":         {signedResult("hanako", nil), pendingSignature(), false},
		"half a signature":                {half, pendingSignature(), false},
	} {
		b, err := encodeResult(c.result, time.Unix(1, 0))
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeResult(b, c.reader)
		if (err == nil) != c.ok || (got != nil) != c.ok {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if c.ok && c.reader.Sign != nil && (got.signed.Reference != "contract-7" ||
			string(got.signed.Unverified.Opened.RevealCertificate()) != "certificate") {
			t.Errorf("%s came back as %+v", name, got.signed)
		}
	}
}

// FuzzResult: what comes from the store, under whatever key, never panics and never gives half a result.
func FuzzResult(f *testing.F) {
	for _, r := range []*finished{
		{identity: &authn.Identity{Subject: authn.NewSubject("hanako"), Issuer: "iss"}},
		signedResult("hanako", sign.NewOpened([]byte("s"), []byte("c"))), signedResult("taro", nil),
	} {
		b, err := encodeResult(r, time.Unix(1, 0))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"id":{},"jwe":"a.b.c.d.e"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := decodeResult(b, pending{}); err == nil && (got.identity == nil || got.signed != nil) {
			t.Fatalf("%+v", got)
		}
		got, err := decodeResult(b, pendingSignature())
		if err != nil {
			return
		}
		if u := got.signed.Unverified; (u.Sealed == nil) == (u.Opened == nil) {
			t.Fatalf("%+v", got)
		}
	})
}
