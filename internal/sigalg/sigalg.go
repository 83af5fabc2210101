// Package sigalg is the allow-list of signature algorithms on certificates, revocation lists and OCSP responses. SHA-1
// is not in it, and neither is RSASSA-PSS, which JPKI does not use. The digest may be computed elsewhere, for lists
// that are too large to be held in memory.
package sigalg

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"errors"
	"hash"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/limits"
)

type family int

const (
	familyRSA family = iota + 1
	familyECDSA
)

// Algorithm is one row of the allow-list.
type Algorithm struct {
	// ID is the OID of the AlgorithmIdentifier.
	ID asn1.ObjectIdentifier
	// Hash is the hash that is signed.
	Hash crypto.Hash

	key family
}

// The rows (RFC 4055, section 5 and RFC 5758, section 3.2).
var (
	SHA256WithRSA   = &Algorithm{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, crypto.SHA256, familyRSA}
	SHA384WithRSA   = &Algorithm{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}, crypto.SHA384, familyRSA}
	SHA512WithRSA   = &Algorithm{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}, crypto.SHA512, familyRSA}
	ECDSAWithSHA256 = &Algorithm{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}, crypto.SHA256, familyECDSA}
	ECDSAWithSHA384 = &Algorithm{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}, crypto.SHA384, familyECDSA}
	ECDSAWithSHA512 = &Algorithm{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}, crypto.SHA512, familyECDSA}

	table = [...]*Algorithm{
		SHA256WithRSA,
		SHA384WithRSA,
		SHA512WithRSA,
		ECDSAWithSHA256,
		ECDSAWithSHA384,
		ECDSAWithSHA512,
	}
)

// Identifier is an AlgorithmIdentifier as encoded.
type Identifier struct {
	// Raw is its DER: the one inside what is signed and the one beside the signature must be the same bytes.
	Raw []byte
	// ID is its OID.
	ID asn1.ObjectIdentifier

	null   bool // parameters are NULL
	absent bool // there are no parameters
}

// Read reads an AlgorithmIdentifier and advances s.
func Read(s *cryptobyte.String) (id Identifier, ok bool) {
	var raw, content cryptobyte.String
	if !s.ReadASN1Element(&raw, cbasn1.SEQUENCE) {
		return id, false
	}
	id.Raw = raw
	if !raw.ReadASN1(&content, cbasn1.SEQUENCE) || !der.ReadOID(&content, &id.ID) {
		return id, false
	}
	if content.Empty() {
		id.absent = true
		return id, true
	}
	var value cryptobyte.String
	var tag cbasn1.Tag
	if !content.ReadAnyASN1(&value, &tag) || !content.Empty() {
		return id, false
	}
	id.null = tag == cbasn1.NULL && value.Empty()
	return id, true
}

// Plain reports whether the parameters are NULL or absent, the two forms of a hash algorithm (RFC 5754, section 2).
func (id Identifier) Plain() bool { return id.absent || id.null }

// Allowed returns the row of the allow-list, or nil. RSA takes NULL or absent parameters (RFC 4055, section 5), ECDSA
// only absent ones (RFC 5758, section 3.2).
func (id Identifier) Allowed() *Algorithm {
	for _, row := range table {
		if row.ID.Equal(id.ID) && (id.absent || id.null && row.key == familyRSA) {
			return row
		}
	}
	return nil
}

// RSA returns RSASSA-PKCS1-v1_5 with the hash, or nil: for forms that name key and hash apart (RFC 5652, 5.3).
func RSA(hash crypto.Hash) *Algorithm {
	for _, row := range table {
		if row.key == familyRSA && row.Hash == hash {
			return row
		}
	}
	return nil
}

// ErrSignature says that a signature does not verify, or that the key is of another kind or size than allowed.
var ErrSignature = errors.New("signature does not verify")

// New returns the algorithm's hash.
func (a *Algorithm) New() hash.Hash {
	switch a.Hash { //nolint:exhaustive // the allow-list has no others
	case crypto.SHA384:
		return sha512.New384()
	case crypto.SHA512:
		return sha512.New()
	default:
		return sha256.New()
	}
}

// Verify checks the signature over message. It works under GODEBUG=fips140=only.
func (a *Algorithm) Verify(key crypto.PublicKey, message, signature []byte) error {
	if a == nil {
		return ErrSignature
	}
	var buffer [sha512.Size]byte
	digest := buffer[:0]
	switch a.Hash { //nolint:exhaustive // the allow-list has no others
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
		return ErrSignature
	}
	return a.VerifyDigest(key, digest, signature)
}

// VerifyDigest checks the signature over a message whose digest under a.Hash was computed by the caller: never pass a
// digest that came from outside.
func (a *Algorithm) VerifyDigest(key crypto.PublicKey, digest, signature []byte) error {
	if a == nil || len(digest) != a.Hash.Size() {
		return ErrSignature
	}
	switch k := key.(type) {
	case *rsa.PublicKey:
		if a.key == familyRSA && soundRSA(k) && rsa.VerifyPKCS1v15(k, a.Hash, digest, signature) == nil {
			return nil
		}
	case *ecdsa.PublicKey:
		if a.key == familyECDSA && soundECDSA(k) && ecdsa.VerifyASN1(k, digest, signature) {
			return nil
		}
	}
	return ErrSignature
}

// soundRSA bounds the keys of authorities and responders. The keys of certificate holders are checked by their profile.
func soundRSA(k *rsa.PublicKey) bool {
	if k == nil || k.N == nil {
		return false
	}
	bits := k.N.BitLen()
	return bits >= limits.RSABitsMin && bits <= limits.RSABitsMax && k.E >= 65537 && k.E <= limits.RSAExponentMax &&
		k.E&1 == 1
}

func soundECDSA(k *ecdsa.PublicKey) bool {
	return k != nil && (k.Curve == elliptic.P256() || k.Curve == elliptic.P384() || k.Curve == elliptic.P521())
}
