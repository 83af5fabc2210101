package sign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"slices"

	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

// Opener opens sealed results. It is for those to whom the service addresses them: platform operators, government
// relying parties and certified verifiers. It is immutable and safe for concurrent use.
type Opener struct {
	key  crypto.PrivateKey
	wire wire.Sign
}

// ParseOpenerKey reads the private key for [NewOpener] from a JWK or PEM (PKCS#8, PKCS#1 or SEC 1). A JWK whose use is
// "sig" is refused: a key has one purpose (RFC 7517, 4.2). Errors are [*Error] with [ReasonConfiguration].
func ParseOpenerKey(b []byte) (crypto.PrivateKey, error) {
	key, _, err := jose.ParseDecryptionKey(b)
	if err != nil {
		return nil, &Error{Reason: ReasonConfiguration, Step: "opener: key", Err: err}
	}
	return key, nil
}

// NewOpener takes the private key that results are addressed to (*rsa.PrivateKey of at least 2048 bits, or
// *ecdsa.PrivateKey on P-256) and the wire profile (nil = [wire.Default]). Errors are [*Error] with
// [ReasonConfiguration].
func NewOpener(key crypto.PrivateKey, names *wire.Profile) (*Opener, error) {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if k == nil || k.N == nil || k.N.BitLen() < limits.RSABitsMin {
			return nil, &Error{Reason: ReasonConfiguration, Step: "opener: key"}
		}
	case *ecdsa.PrivateKey:
		if k == nil || k.Curve != elliptic.P256() {
			return nil, &Error{Reason: ReasonConfiguration, Step: "opener: key"}
		}
	default:
		return nil, &Error{Reason: ReasonConfiguration, Step: "opener: key"}
	}
	if names == nil {
		w := wire.Default()
		names = &w
	}
	w := names.Sign
	w.JWEKeyAlgorithms = slices.Clone(w.JWEKeyAlgorithms)
	w.JWEContentAlgorithms = slices.Clone(w.JWEContentAlgorithms)
	if w.ResultSignatureField == "" || w.ResultCertificateField == "" || w.ResultSignatureField == w.ResultCertificateField {
		return nil, &Error{Reason: ReasonConfiguration, Step: "opener: wire profile"}
	}
	return &Opener{key: key, wire: w}, nil
}

// Open decrypts a sealed result. Every failure is an [*Error] with [ReasonSealed], so that whoever sends JWEs learns
// nothing about the key from the difference (RFC 7516, 11.5).
func (o *Opener) Open(s *Sealed) (*Opened, error) {
	refuse := func(err error) error { return &Error{Reason: ReasonSealed, Step: "open", Err: err} }
	if s == nil {
		return nil, &Error{Reason: ReasonRequest, Step: "open"}
	}
	payload, _, err := jose.Decrypt(s.jwe, o.key, jose.DecryptOptions{
		KeyAlgorithms:     o.wire.JWEKeyAlgorithms,
		ContentAlgorithms: o.wire.JWEContentAlgorithms,
		MaxSize:           limits.SealedResult,
	})
	if err != nil {
		return nil, refuse(err)
	}
	members, err := strictjson.Object(payload)
	if err != nil {
		return nil, refuse(err)
	}
	opened, err := parseOpened(members, o.wire, "open: ")
	if err != nil {
		return nil, refuse(err)
	}
	return opened, nil
}

// parseOpened reads signature and certificate; their sizes are bounded here, everything else is the Verifier's.
func parseOpened(members map[string]json.RawMessage, w wire.Sign, step string) (*Opened, error) {
	refuse := func(what string) error { return &Error{Reason: ReasonResponse, Step: step + what} }
	read := func(name string, limit int) ([]byte, bool) {
		text, present, ok := stringMember(members, name)
		if !ok || !present {
			return nil, false
		}
		b, err := decodeBase64(text, limit)
		return b, err == nil
	}
	signature, ok := read(w.ResultSignatureField, limits.SignatureValue)
	if !ok {
		return nil, refuse("signature")
	}
	certificate, ok := read(w.ResultCertificateField, limits.Certificate)
	if !ok {
		return nil, refuse("certificate")
	}
	return &Opened{Signature: signature, Certificate: certificate}, nil
}
