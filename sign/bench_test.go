package sign_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/tests"
	"github.com/kakunin-go/kakunin/sign"
)

// bareVerify is the floor of a verification: two RSA verifications, of the document's signature and of the
// certificate's, whose hashes are known. That of the authority's own certificate is made once, when the anchor is
// loaded, and that of the list when it is first heard.
func (w *world) bareVerify(b *testing.B, mode sign.Mode, signature []byte) func() {
	b.Helper()
	digest := sha256.Sum256([]byte(document))
	hash := crypto.SHA256
	if mode == sign.ModeBareHash {
		hash = 0
	}
	leaf, err := x509.ParseCertificate(w.cert)
	if err != nil {
		b.Fatal(err)
	}
	issuer := w.jpki.SigningCA().Certificate().PublicKey.(*rsa.PublicKey)
	signed := sha256.Sum256(leaf.RawTBSCertificate)
	return func() {
		if err := rsa.VerifyPKCS1v15(&w.key.PublicKey, hash, digest[:], signature); err != nil {
			b.Fatal(err)
		}
		if err := rsa.VerifyPKCS1v15(issuer, crypto.SHA256, signed[:], leaf.Signature); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerify is a whole verification: document, signature, certificate, chain, revocation by a list in memory.
func BenchmarkVerify(b *testing.B) {
	w := newWorld(b)
	v := w.verifier(b)
	for _, mode := range []sign.Mode{sign.ModeBareHash, sign.ModeDigestInfo} {
		b.Run(mode.String(), func(b *testing.B) {
			o := w.opened(b, mode)
			run := func() {
				if _, err := v.Verify(b.Context(), o, sign.Expect{Document: strings.NewReader(document),
					Mode: mode}); err != nil {
					b.Fatal(err)
				}
			}
			run() // the list's signature is checked at its first use
			tests.InTurns(b, "x-bare", w.bareVerify(b, mode, o.RevealSignature()), run)
		})
	}
}
