package jpki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/limits"
)

type keyFamily int

const (
	keyRSA keyFamily = iota + 1
	keyECDSA
)

// signatureAlgorithm is one row of the allow-list of signatures on certificates, lists and OCSP responses. SHA-1 is not
// in it, and neither is RSASSA-PSS, which JPKI does not use.
type signatureAlgorithm struct {
	id   asn1.ObjectIdentifier
	hash crypto.Hash
	key  keyFamily
}

// RFC 4055, section 5 and RFC 5758, section 3.2.
var (
	sha256WithRSA   = signatureAlgorithm{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, crypto.SHA256, keyRSA}
	sha384WithRSA   = signatureAlgorithm{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}, crypto.SHA384, keyRSA}
	sha512WithRSA   = signatureAlgorithm{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}, crypto.SHA512, keyRSA}
	ecdsaWithSHA256 = signatureAlgorithm{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}, crypto.SHA256, keyECDSA}
	ecdsaWithSHA384 = signatureAlgorithm{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}, crypto.SHA384, keyECDSA}

	signatureAlgorithms = [...]*signatureAlgorithm{
		&sha256WithRSA, &sha384WithRSA, &sha512WithRSA, &ecdsaWithSHA256, &ecdsaWithSHA384,
	}
)

// algorithmIdentifier is an AlgorithmIdentifier as encoded and its OID.
type algorithmIdentifier struct {
	raw    []byte
	id     asn1.ObjectIdentifier
	null   bool // parameters are NULL
	absent bool // there are no parameters
}

func readAlgorithm(s *cryptobyte.String) (a algorithmIdentifier, ok bool) {
	var raw, content cryptobyte.String
	if !s.ReadASN1Element(&raw, cbasn1.SEQUENCE) {
		return a, false
	}
	a.raw = raw
	if !raw.ReadASN1(&content, cbasn1.SEQUENCE) || !content.ReadASN1ObjectIdentifier(&a.id) {
		return a, false
	}
	if content.Empty() {
		a.absent = true
		return a, true
	}
	var value cryptobyte.String
	var tag cbasn1.Tag
	if !content.ReadAnyASN1(&value, &tag) || !content.Empty() {
		return a, false
	}
	a.null = tag == cbasn1.NULL && value.Empty()
	return a, true
}

// allowed returns the row of the allow-list, or nil. RSA takes NULL or absent parameters (RFC 4055, section 5), ECDSA
// only absent ones (RFC 5758, section 3.2).
func (a algorithmIdentifier) allowed() *signatureAlgorithm {
	for _, row := range signatureAlgorithms {
		if row.id.Equal(a.id) && (a.absent || a.null && row.key == keyRSA) {
			return row
		}
	}
	return nil
}

var errSignature = errors.New("jpki: signature does not verify")

// verify checks the signature over message. It works under GODEBUG=fips140=only.
func (a *signatureAlgorithm) verify(key crypto.PublicKey, message, signature []byte) error {
	if a == nil {
		return errSignature
	}
	var buffer [sha512.Size]byte
	digest := buffer[:0]
	switch a.hash { //nolint:exhaustive // the allow-list has no others
	case crypto.SHA256:
		sum := sha256.Sum256(message)
		digest = append(digest, sum[:]...)
	case crypto.SHA384:
		sum := sha512.Sum384(message)
		digest = append(digest, sum[:]...)
	case crypto.SHA512:
		sum := sha512.Sum512(message)
		digest = append(digest, sum[:]...)
	default:
		return errSignature
	}
	switch k := key.(type) {
	case *rsa.PublicKey:
		if a.key == keyRSA && soundRSA(k) && rsa.VerifyPKCS1v15(k, a.hash, digest, signature) == nil {
			return nil
		}
	case *ecdsa.PublicKey:
		if a.key == keyECDSA && soundECDSA(k) && ecdsa.VerifyASN1(k, digest, signature) {
			return nil
		}
	}
	return errSignature
}

// soundRSA bounds the keys of authorities and responders. The keys of certificate holders are checked by their profile.
func soundRSA(k *rsa.PublicKey) bool {
	bits := k.N.BitLen()
	return bits >= limits.RSABitsMin && bits <= limits.RSABitsMax && k.E >= 65537 && k.E&1 == 1
}

func soundECDSA(k *ecdsa.PublicKey) bool {
	return k.Curve == elliptic.P256() || k.Curve == elliptic.P384()
}
