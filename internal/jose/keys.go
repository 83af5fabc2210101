package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"math"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// checkPublic says whether key may be used with alg.
func checkPublic(key crypto.PublicKey, alg Algorithm) error {
	switch alg {
	case RS256, PS256:
		k, ok := key.(*rsa.PublicKey)
		if !ok {
			return fail(CheckKeyForm, "the algorithm needs an RSA key")
		}
		return checkRSA(k)
	case ES256:
		k, ok := key.(*ecdsa.PublicKey)
		if !ok {
			return fail(CheckKeyForm, "the algorithm needs a P-256 key")
		}
		return checkP256(k)
	default:
		return fail(CheckKeyForm, "unknown algorithm")
	}
}

// checkRSA: "A key of size 2048 bits or larger MUST be used" (RFC 7518, sections 3.3, 3.5 and 4.3).
func checkRSA(k *rsa.PublicKey) error {
	if k == nil || k.N == nil || k.N.BitLen() < limits.RSABitsMin {
		return fail(CheckKeyForm, "RSA key of fewer than 2048 bits")
	}
	if k.N.BitLen() > limits.RSABitsMax {
		return fail(CheckKeyForm, "RSA key is too large")
	}
	if k.E < 3 || k.E%2 == 0 || k.E > math.MaxInt32 { // package rsa uses no larger one
		return fail(CheckKeyForm, "RSA exponent")
	}
	return nil
}

// accepted ends the text about a key of another kind.
const accepted = ": accepted are RSA of at least 2048 bits and EC P-256"

// checkP256: ES256 means P-256, no other curve (RFC 7518, section 3.4).
func checkP256(k *ecdsa.PublicKey) error {
	if k == nil || k.Curve != elliptic.P256() {
		return fail(CheckKeyForm, "the curve is not P-256"+accepted)
	}
	return nil
}

// checkNew is checkPublic for a key that has just been read: it also wants the point to be on the curve, which the uses
// of the key check for themselves but too late for a good error.
func checkNew(key crypto.PublicKey) error {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return checkRSA(k)
	case *ecdsa.PublicKey:
		if err := checkP256(k); err != nil {
			return err
		}
		if _, err := k.ECDH(); err != nil {
			return fail(CheckKeyForm, "the point is not on the curve")
		}
		return nil
	default:
		return fail(CheckKeyForm, "neither RSA nor EC P-256"+accepted)
	}
}

// Thumbprint is the RFC 7638 SHA-256 JWK thumbprint, base64url.
func Thumbprint(key crypto.PublicKey) (string, error) {
	if err := checkNew(key); err != nil {
		return "", err
	}
	k, err := jwk.FromRaw(key)
	if err != nil {
		return "", fail(CheckKeyForm, "cannot be encoded")
	}
	sum, err := k.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fail(CheckKeyForm, "no thumbprint")
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}
