package form

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"

	"github.com/kakunin-go/kakunin/internal/sigalg"
)

// Allowed returns the row of the allow-list of signatures on certificates and OCSP responses, or nil: those of package
// sigalg but ECDSA with SHA-512 and its curve P-521, which nobody has announced for JPKI.
func Allowed(id sigalg.Identifier) *sigalg.Algorithm {
	if row := id.Allowed(); row != sigalg.ECDSAWithSHA512 {
		return row
	}
	return nil
}

// VerifySignature checks the signature over message. It works under GODEBUG=fips140=only.
func VerifySignature(a *sigalg.Algorithm, key crypto.PublicKey, message, signature []byte) error {
	if k, is := key.(*ecdsa.PublicKey); is && (k == nil || k.Curve != elliptic.P256() && k.Curve != elliptic.P384()) {
		return sigalg.ErrSignature
	}
	return a.Verify(key, message, signature)
}
