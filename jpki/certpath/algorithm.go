package certpath

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/sigalg"
)

// PublicKey is a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7).
type PublicKey struct {
	// Algorithm is the OID of the key's algorithm.
	Algorithm asn1.ObjectIdentifier
	// Parameters is the DER of the algorithm's parameters, nil when absent. For an issuer whose certificate leaves them
	// out they are those of the certificate above it, when that has a key of the same algorithm (RFC 5280, 6.1.4 (f)).
	Parameters []byte
	// Bits are the octets of subjectPublicKey.
	Bits []byte
	// Key is the key when crypto/x509 understands it, else nil.
	Key crypto.PublicKey
}

// Algorithm is a signature algorithm beyond the default allow-list, for hierarchies of the past or of other countries.
type Algorithm struct {
	// Identifier is the DER of the AlgorithmIdentifier. It is compared as encoded, so that parameters leave no room.
	Identifier []byte
	// Verify reports whether the signature over the message verifies with the key. It must refuse keys of other
	// algorithms and keys that are too weak, and be safe for concurrent use.
	Verify func(key PublicKey, message, signature []byte) bool
}

// algorithms decides which signatures count: those of package sigalg (RSASSA-PKCS1-v1_5 with RSA from 2048 to 8192
// bits, and ECDSA on P-256, P-384 and P-521, each with SHA-256, SHA-384 or SHA-512), and what the configuration adds.
type algorithms []Algorithm

// allowed reports whether the AlgorithmIdentifier is on the list.
func (a algorithms) allowed(identifier []byte) bool {
	return a.find(identifier) != nil || defaultAlgorithm(identifier) != nil
}

func (a algorithms) find(identifier []byte) *Algorithm {
	for i := range a {
		if bytes.Equal(a[i].Identifier, identifier) {
			return &a[i]
		}
	}
	return nil
}

func defaultAlgorithm(identifier []byte) *sigalg.Algorithm {
	s := cryptobyte.String(identifier)
	id, ok := sigalg.Read(&s)
	if !ok {
		return nil
	}
	return id.Allowed()
}

// verify checks a signature.
func (a algorithms) verify(identifier []byte, key PublicKey, message, signature []byte) bool {
	if row := a.find(identifier); row != nil {
		return row.Verify(key, message, signature)
	}
	return defaultAlgorithm(identifier).Verify(key.Key, message, signature) == nil
}

// soundKey judges the key of a certificate, also that of the target, whose key signs nothing in the path. A key of
// another kind can verify nothing unless the configuration has an algorithm for it.
func soundKey(k PublicKey) bool {
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		bits := key.N.BitLen()
		return bits >= limits.RSABitsMin && bits <= limits.RSABitsMax && key.E&1 == 1 && key.E <= limits.RSAExponentMax
	case *ecdsa.PublicKey:
		return key.Curve != elliptic.P224()
	default:
		return true
	}
}

// cost is what one verification with the key costs, in verifications with RSA-2048: the time grows with more than the
// square of an RSA modulus, which has to be prepared, too, and steeply from one curve to the next.
func (k PublicKey) cost() int {
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		factor := (key.N.BitLen() + limits.RSABitsMin - 1) / limits.RSABitsMin
		return max(1, factor*factor*factor/2)
	case *ecdsa.PublicKey:
		return curveCosts[key.Curve.Params().BitSize]
	}
	return 1
}

// curveCosts are measured, by the size of the curve in bits. P-256 has assembly.
var curveCosts = map[int]int{224: 1, 256: 1, 384: 8, 521: 24}
