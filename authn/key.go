package authn

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"

	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// Algorithm is a JWS signature algorithm: ES256, RS256 or PS256. Others, HS256 and none among them, do not exist here.
type Algorithm = jose.Algorithm

// The algorithms (RFC 7518, section 3.1).
const (
	// ES256 is ECDSA with P-256 and SHA-256.
	ES256 = jose.ES256
	// RS256 is RSASSA-PKCS1-v1_5 with SHA-256.
	RS256 = jose.RS256
	// PS256 is RSASSA-PSS with SHA-256.
	PS256 = jose.PS256
)

// Key signs client assertions. Make one with [LoadKey], [ParseKey], [NewKey] or [GenerateKey]; the zero Key is refused by
// [New]. It redacts itself.
type Key struct{ sealed *sealed[jose.SigningKey] }

// signing is the zero value for the zero Key.
func (k Key) signing() jose.SigningKey { return k.sealed.value() }

// LoadKey reads a private key file: a JWK, or PEM with PKCS#8, PKCS#1 or SEC 1, unencrypted; RSA of at least 2048 bits or
// P-256. Errors have ReasonConfiguration and do not quote the path.
func LoadKey(path string) (Key, error) {
	b, err := readKeyFile(path)
	if err != nil {
		return Key{}, err
	}
	return ParseKey(b)
}

// ParseKey reads a private key as [LoadKey] does. The key id and the algorithm are the JWK's "kid" and "alg"; without
// "alg" an RSA key signs RS256 and a P-256 key ES256. PEM has no key id: none is sent, which is right while a single key
// is registered.
func ParseKey(b []byte) (Key, error) {
	k, err := jose.ParsePrivateKey(b)
	if err != nil {
		return Key{}, keyError(err)
	}
	return Key{seal(k)}, nil
}

// NewKey wraps any signer, e.g. a KMS or HSM, whose public key is RSA of at least 2048 bits (signs RS256, see
// [Key.WithAlgorithm]) or P-256 (signs ES256). The signer gets a SHA-256 digest with crypto.SHA256 as options, must be safe
// for concurrent use, and answers an ECDSA signature in ASN.1 form, as [crypto.Signer] describes. It gets no context: the
// client of a KMS needs a time limit of its own. kid may be empty.
func NewKey(signer crypto.Signer, kid string) (Key, error) {
	k := jose.SigningKey{Signer: signer, KeyID: kid, Algorithm: ES256}
	if err := k.Check(); err != nil {
		k.Algorithm = RS256
		if err := k.Check(); err != nil {
			return Key{}, keyError(err)
		}
	}
	return Key{seal(k)}, nil
}

// GenerateKey makes a software key (RSA-2048 for RS256 and PS256, P-256 for ES256) whose key id is its RFC 7638
// thumbprint. Write it to a file with [Key.RevealJWK] or [Key.RevealPEM].
func GenerateKey(alg Algorithm) (Key, error) {
	var signer crypto.Signer
	var err error
	switch alg {
	case ES256:
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case RS256, PS256:
		signer, err = rsa.GenerateKey(rand.Reader, limits.RSABitsMin)
	default:
		return Key{}, &Error{Reason: ReasonConfiguration, Check: "key algorithm"}
	}
	if err != nil {
		return Key{}, &Error{Reason: ReasonKey, Check: "generate", Err: err}
	}
	kid, err := jose.Thumbprint(signer.Public())
	if err != nil {
		return Key{}, keyError(err)
	}
	return Key{seal(jose.SigningKey{Signer: signer, KeyID: kid, Algorithm: alg})}, nil
}

// WithAlgorithm returns the key for another algorithm, e.g. PS256 for an RSA key that was registered with it.
func (k Key) WithAlgorithm(alg Algorithm) (Key, error) {
	s := k.signing()
	s.Algorithm = alg
	if err := s.Check(); err != nil {
		return Key{}, keyError(err)
	}
	return Key{seal(s)}, nil
}

// WithKeyID returns the key under another key id, e.g. the one given at registration; empty sends none.
func (k Key) WithKeyID(kid string) (Key, error) {
	s := k.signing()
	s.KeyID = kid
	if err := s.Check(); err != nil {
		return Key{}, keyError(err)
	}
	return Key{seal(s)}, nil
}

// Public returns the public half; nil for the zero Key.
func (k Key) Public() crypto.PublicKey {
	if k.signing().Signer == nil {
		return nil
	}
	return k.signing().Signer.Public()
}

// KeyID returns the key id; it may be empty.
func (k Key) KeyID() string { return k.signing().KeyID }

// Algorithm returns the algorithm that the key signs with.
func (k Key) Algorithm() Algorithm { return k.signing().Algorithm }

// PublicJWKS returns the public half as a JWK Set, for the registration with the service or a jwks_uri.
func (k Key) PublicJWKS() ([]byte, error) {
	if k.signing().Signer == nil {
		return nil, &Error{Reason: ReasonConfiguration, Check: "no key"}
	}
	b, err := jose.MarshalKeySet(k.signing().Public())
	if err != nil {
		return nil, keyError(err)
	}
	return b, nil
}

// PublicPEM returns the public half as a PEM block (SubjectPublicKeyInfo), for the registration with the service.
func (k Key) PublicPEM() ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		return nil, &Error{Reason: ReasonConfiguration, Check: "no key"}
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// RevealPEM returns the private key as a PEM block (PKCS#8). It is an error for a key in a KMS or HSM. The key id is not
// part of the form; see [Key.RevealJWK].
func (k Key) RevealPEM() ([]byte, error) {
	switch k.signing().Signer.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey:
	default:
		return nil, &Error{Reason: ReasonConfiguration, Check: "the private key is not in software"}
	}
	der, err := x509.MarshalPKCS8PrivateKey(k.signing().Signer)
	if err != nil {
		return nil, &Error{Reason: ReasonConfiguration, Check: "the private key cannot be encoded"}
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// RevealJWK returns the private key as a JWK with key id and algorithm, which [LoadKey] reads back. It is an error for a key
// in a KMS or HSM.
func (k Key) RevealJWK() ([]byte, error) {
	b, err := jose.MarshalPrivateKey(k.signing())
	if err != nil {
		return nil, keyError(err)
	}
	return b, nil
}

// keyError keeps the constant text of package jose: it says what is wrong with the key.
func keyError(err error) error {
	return &Error{Reason: ReasonConfiguration, Check: "key", Err: mistake(err.Error())}
}
