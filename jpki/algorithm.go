package jpki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"

	"github.com/kakunin-go/kakunin/internal/sigalg"
)

type keyFamily int

const (
	keyRSA keyFamily = iota + 1
	keyECDSA
)

// signatureAlgorithm is one row of the allow-list of signatures on certificates and OCSP responses: those of package sigalg
// but ECDSA with SHA-512 and its curve P-521, which nobody has announced for JPKI.
type signatureAlgorithm struct {
	id  asn1.ObjectIdentifier
	row *sigalg.Algorithm
}

var (
	sha256WithRSA   = signatureAlgorithm{sigalg.SHA256WithRSA.ID, sigalg.SHA256WithRSA}
	sha384WithRSA   = signatureAlgorithm{sigalg.SHA384WithRSA.ID, sigalg.SHA384WithRSA}
	sha512WithRSA   = signatureAlgorithm{sigalg.SHA512WithRSA.ID, sigalg.SHA512WithRSA}
	ecdsaWithSHA256 = signatureAlgorithm{sigalg.ECDSAWithSHA256.ID, sigalg.ECDSAWithSHA256}
	ecdsaWithSHA384 = signatureAlgorithm{sigalg.ECDSAWithSHA384.ID, sigalg.ECDSAWithSHA384}

	signatureAlgorithms = [...]*signatureAlgorithm{
		&sha256WithRSA, &sha384WithRSA, &sha512WithRSA, &ecdsaWithSHA256, &ecdsaWithSHA384,
	}
)

// algorithmIdentifier is an AlgorithmIdentifier as encoded.
type algorithmIdentifier struct {
	raw []byte
	id  sigalg.Identifier
}

func readAlgorithm(s *cryptobyte.String) (a algorithmIdentifier, ok bool) {
	a.id, ok = sigalg.Read(s)
	a.raw = a.id.Raw
	return a, ok
}

// allowed returns the row of the allow-list, or nil.
func (a algorithmIdentifier) allowed() *signatureAlgorithm {
	found := a.id.Allowed()
	for _, own := range signatureAlgorithms {
		if found != nil && own.row == found {
			return own
		}
	}
	return nil
}

// verify checks the signature over message. It works under GODEBUG=fips140=only.
func (a *signatureAlgorithm) verify(key crypto.PublicKey, message, signature []byte) error {
	if k, is := key.(*ecdsa.PublicKey); a == nil || is && (k == nil || k.Curve != elliptic.P256() && k.Curve != elliptic.P384()) {
		return sigalg.ErrSignature
	}
	return a.row.Verify(key, message, signature)
}
