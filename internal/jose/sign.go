package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// protected is the header of what Sign makes. A fixed struct: no caller's string can become a member name.
type protected struct {
	Algorithm Algorithm `json:"alg"`
	KeyID     string    `json:"kid,omitempty"`
	Type      string    `json:"typ,omitempty"`
}

// tokenRoom is more than most tokens need.
const tokenRoom = 2 << 10

// Check refuses weak keys and a mismatch of key and algorithm.
func (k SigningKey) Check() error {
	if k.Signer == nil {
		return fail(CheckKeyForm, "no key")
	}
	switch p := k.Signer.(type) { // a nil pointer in the interface has no public half to ask for
	case *rsa.PrivateKey:
		if p == nil {
			return fail(CheckKeyForm, "no key")
		}
	case *ecdsa.PrivateKey:
		if p == nil {
			return fail(CheckKeyForm, "no key")
		}
	}
	if len(k.KeyID) > limits.KeyID {
		return fail(CheckKeyForm, "kid is too long")
	}
	return checkPublic(k.Signer.Public(), k.Algorithm)
}

// Public returns the public half with "use":"sig".
func (k SigningKey) Public() PublicKey {
	return PublicKey{Key: k.Signer.Public(), KeyID: k.KeyID, Algorithm: string(k.Algorithm), Use: "sig"}
}

// Sign makes a compact JWS over payload; typ is left out when empty, and so is an empty key id. An error of the signer
// is returned as it is: it may say why a KMS refused.
func Sign(key SigningKey, typ string, payload []byte) (string, error) {
	if err := key.Check(); err != nil {
		return "", err
	}
	head, err := json.Marshal(protected{Algorithm: key.Algorithm, KeyID: key.KeyID, Type: typ})
	if err != nil {
		return "", fail(CheckHeader, "cannot be encoded")
	}
	var room [tokenRoom]byte // on the stack: the token is copied once, when it is whole
	token := b64.AppendEncode(room[:0], head)
	token = append(token, '.')
	token = b64.AppendEncode(token, payload)
	digest := sha256.Sum256(token)
	sig, err := signDigest(key, digest[:])
	if err != nil {
		return "", err
	}
	token = append(token, '.')
	return string(b64.AppendEncode(token, sig)), nil
}

func signDigest(key SigningKey, digest []byte) ([]byte, error) {
	switch key.Algorithm {
	case RS256:
		return key.Signer.Sign(rand.Reader, digest, crypto.SHA256)
	case PS256:
		// RFC 7518, section 3.5: "The size of the salt value is the same size as the hash function output."
		return key.Signer.Sign(
			rand.Reader,
			digest,
			&rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256},
		)
	case ES256:
		der, err := key.Signer.Sign(rand.Reader, digest, crypto.SHA256)
		if err != nil {
			return nil, err
		}
		return rawSignature(der)
	default:
		return nil, fail(CheckAlgorithm, "cannot sign with it")
	}
}

// rawSignature turns the ASN.1 form of an ECDSA signature, which a crypto.Signer answers, into R || S of 32 bytes each
// (RFC 7518, section 3.4).
func rawSignature(der []byte) ([]byte, error) {
	var r, s big.Int
	var inner cryptobyte.String
	in := cryptobyte.String(der)
	if !in.ReadASN1(&inner, asn1.SEQUENCE) || !in.Empty() ||
		!inner.ReadASN1Integer(&r) || !inner.ReadASN1Integer(&s) || !inner.Empty() ||
		r.Sign() <= 0 || s.Sign() <= 0 || r.BitLen() > 256 || s.BitLen() > 256 {
		return nil, fail(CheckKeyForm, "the signer's answer is not an ASN.1 P-256 signature")
	}
	raw := make([]byte, es256Size)
	r.FillBytes(raw[:es256Size/2])
	s.FillBytes(raw[es256Size/2:])
	return raw, nil
}
