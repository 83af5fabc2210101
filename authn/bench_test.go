package authn

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

// compare measures op, then op and bare in turns, and reports the ratio of the two: it does not depend on the machine and
// hardly on what else the machine does.
func compare(b *testing.B, bare, op func()) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		op()
	}
	spentBare, spentOp := make([]time.Duration, b.N), make([]time.Duration, b.N)
	for i := range b.N {
		t0 := time.Now()
		bare()
		t1 := time.Now()
		op()
		spentBare[i], spentOp[i] = t1.Sub(t0), time.Since(t1)
	}
	slices.Sort(spentBare)
	slices.Sort(spentOp)
	b.ReportMetric(float64(spentOp[b.N/2])/float64(spentBare[b.N/2]), "x-bare") // medians
}

// BenchmarkVerifyIDToken is the whole verification with cached keys: strict parse, go-oidc, every rule.
func BenchmarkVerifyIDToken(b *testing.B) {
	for _, key := range []Key{testRSAKey(), testECKey()} {
		b.Run(string(key.Algorithm()), func(b *testing.B) {
			op := newOP(b)
			op.idKey = key
			op.claims = func(m claimsMap) { m["sid"] = strings.Repeat("s", 36) }
			c := op.client()
			const nonce = "4vXcQ0QzKp3F2m0yYb3Ck1lq3q9m3rJ7w5k8Jx1Zz0U"
			raw := op.idToken(nonce, testAccess)
			if _, err := c.verifyIDToken(context.Background(), raw, testAccess, nonce); err != nil {
				b.Fatal(err)
			}
			dot := strings.LastIndexByte(raw, '.')
			signed := []byte(raw[:dot])
			sig, err := base64.RawURLEncoding.DecodeString(raw[dot+1:])
			if err != nil {
				b.Fatal(err)
			}
			bare := func() {
				digest := sha256.Sum256(signed)
				ok := false
				switch k := key.Public().(type) {
				case *rsa.PublicKey:
					ok = rsa.VerifyPKCS1v15(k, crypto.SHA256, digest[:], sig) == nil
				case *ecdsa.PublicKey:
					ok = ecdsa.Verify(k, digest[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
				}
				if !ok {
					b.Fatal("bare")
				}
			}
			compare(b, bare, func() {
				if _, err := c.verifyIDToken(context.Background(), raw, testAccess, nonce); err != nil {
					b.Fatal(err)
				}
			})
			if n := op.jwksHits.Load(); n != 1 {
				b.Errorf("%d network calls in warm verifications", n-1)
			}
		})
	}
}

// BenchmarkAssertion is one client assertion.
func BenchmarkAssertion(b *testing.B) {
	for _, key := range []Key{testRSAKey(), testECKey()} {
		b.Run(string(key.Algorithm()), func(b *testing.B) {
			c := newOP(b).client(func(c *Config) { c.Key = key })
			signer := key.signing().Signer
			text := []byte(strings.Repeat("x", 400))
			compare(b, func() {
				digest := sha256.Sum256(text)
				if _, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
					b.Fatal(err)
				}
			}, func() {
				if _, err := c.assertion(); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// BenchmarkBegin is the start of a login; the bare operation is the random numbers and the hash that it cannot do without.
func BenchmarkBegin(b *testing.B) {
	c := newOP(b).client()
	compare(b, func() {
		for range 3 {
			_ = randomText(secretSize)
		}
		_ = sha256.Sum256(make([]byte, secretText))
	}, func() {
		if _, err := c.Begin(context.Background(), Request{Scopes: Attributes}); err != nil {
			b.Fatal(err)
		}
	})
}
