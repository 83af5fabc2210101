// Package jose is the only door to the JOSE library: compact JWS and JWE with a strict header parse of our own, an
// algorithm allow-list, and key size and curve checks.
//
// Most callers need [Verify] with a [KeySet] from [ParseKeySet], [Sign] with a [SigningKey] from [ParsePrivateKey], and
// [Decrypt]. [Parse] splits the check in two for a caller that must look at the header before it has the keys.
//
// The library behind it (jwx, version 2) parses JWKs and does JWE. What it accepts and the RFCs forbid never reaches
// it: headers are read here first, keys are handed over raw with an explicit algorithm, nothing is fetched, and no
// algorithm is inferred. JWS needs no more than the standard library, so the signature itself is made and checked with
// crypto/rsa and crypto/ecdsa.
package jose

import (
	"crypto"
)

// Algorithm is a JWS "alg" value (RFC 7518, section 3.1).
type Algorithm string

// The signature algorithms that exist here; HS* and none cannot be named.
const (
	// ES256 is ECDSA with P-256 and SHA-256.
	ES256 Algorithm = "ES256"
	// RS256 is RSASSA-PKCS1-v1_5 with SHA-256.
	RS256 Algorithm = "RS256"
	// PS256 is RSASSA-PSS with SHA-256 and a 32-byte salt.
	PS256 Algorithm = "PS256"
)

// Header is the part of a protected header that may be trusted to mean something once the token verified. The members
// "jwk", "jku", "x5c" and "x5u" are ignored: a token does not choose the key that verifies it.
type Header struct {
	Algorithm   string
	Encryption  string // "enc"; JWE only
	KeyID       string
	Type        string
	ContentType string
}

// PublicKey is a verification (or encryption) key with its metadata.
type PublicKey struct {
	Key       crypto.PublicKey // *rsa.PublicKey or *ecdsa.PublicKey
	KeyID     string
	Algorithm string // may be empty: not restricted
	Use       string // "sig", "enc" or empty
}

// SigningKey signs assertions and tokens; the Signer may be a KMS or HSM. Sign hands it the SHA-256 digest with
// [crypto.SHA256] (or *rsa.PSSOptions for PS256), as [crypto.Signer] describes; an ECDSA signer answers in ASN.1.
type SigningKey struct {
	Signer    crypto.Signer
	KeyID     string
	Algorithm Algorithm
}

// KeySet is a parsed JWK Set; unknown key types are skipped (RFC 7517, section 5).
type KeySet struct{ Keys []PublicKey }
