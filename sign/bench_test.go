package sign_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/sign"
)

// bareVerify is the floor: one hash of the document and one RSA verification.
func bareVerify(b *testing.B, key *rsa.PublicKey, mode sign.Mode, signature []byte) {
	b.Helper()
	digest := sha256.Sum256([]byte(document))
	hash := crypto.SHA256
	if mode == sign.ModeBareHash {
		hash = 0
	}
	if err := rsa.VerifyPKCS1v15(key, hash, digest[:], signature); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkVerify is a whole verification (document, signature, certificate, chain, revocation by a list in memory). It
// holds three RSA verifications that cannot be left out: of the document, of the certificate, of the anchor.
func BenchmarkVerify(b *testing.B) {
	w := newWorld(b)
	v := w.verifier(b)
	for _, mode := range []sign.Mode{sign.ModeBareHash, sign.ModeDigestInfo} {
		b.Run(mode.String(), func(b *testing.B) {
			o := w.opened(b, mode)
			run := func() {
				if _, err := v.Verify(b.Context(), o, sign.Expect{Document: strings.NewReader(document), Mode: mode}); err != nil {
					b.Fatal(err)
				}
			}
			run() // the list's signature is checked at its first use
			ratio(b, run, func() { bareVerify(b, &w.key.PublicKey, mode, o.RevealSignature()) })
		})
	}
}

// ratio measures f and reports its time as a multiple of bare, measured in the same run in alternation, so that a busy
// machine slows both.
func ratio(b *testing.B, f, bare func()) {
	b.Helper()
	b.ReportAllocs()
	var whole, floor time.Duration
	for b.Loop() {
		t0 := time.Now()
		f()
		t1 := time.Now()
		bare()
		whole, floor = whole+t1.Sub(t0), floor+time.Since(t1)
	}
	b.ReportMetric(float64(whole)/float64(floor), "x-bare")
}
