package sign

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/internal/fault"
	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/redact"
	"github.com/kakunin-go/kakunin/internal/signeddata"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

type redacted = redact.Mark

// Sealed is the JWE addressed to the platform operator. Nothing of it is shown when it is printed, logged or
// marshalled.
type Sealed struct {
	redacted
	jwe redact.Value[string]
}

// ParseSealed checks that jwe is a compact JWE (RFC 7516, 7.1): five base64url parts, within the size limit. It does
// not look inside, because the header speaks to the recipient. Errors are [*Error] with [ReasonResponse].
func ParseSealed(jwe string) (*Sealed, error) {
	if !compactJWE(jwe) {
		return nil, &Error{Reason: ReasonResponse, Step: "sealed result"}
	}
	return &Sealed{jwe: redact.Seal(jwe)}, nil
}

// RevealJWE returns the compact JWE for hand-over to the platform operator.
func (s *Sealed) RevealJWE() string {
	if s == nil {
		return ""
	}
	return s.jwe.Reveal()
}

// compactJWE checks five base64url parts. The encrypted key may be empty (RFC 7518, 4.6: ECDH-ES used directly).
func compactJWE(s string) bool {
	if len(s) > limits.SealedResult {
		return false
	}
	parts := strings.Split(s, ".")
	if len(parts) != 5 {
		return false
	}
	for i, part := range parts {
		if part == "" && i != 1 {
			return false
		}
		for j := range len(part) {
			c := part[j]
			if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

// Opened is a signature value with its signing certificate; nothing is verified yet. Nothing of it is shown when it is
// printed, logged or marshalled, because the certificate holds the four attributes of a person.
type Opened struct {
	redacted
	parts redact.Value[openedParts]
}

type openedParts struct {
	signature, certificate []byte
	// attributes are the signed attributes of a CMS signature; nil when the signature is over the document itself.
	attributes *signeddata.Signer
}

// NewOpened takes a raw signature value, big-endian (RFC 8017, 4.1), and the signing certificate in DER, as they come
// from another source than the service: a card in a reader, an archive. Both are copied.
func NewOpened(signature, certificate []byte) *Opened {
	parts := openedParts{signature: bytes.Clone(signature), certificate: bytes.Clone(certificate)}
	return &Opened{parts: redact.Seal(parts)}
}

// RevealSignature returns a copy of the raw signature value, big-endian.
func (o *Opened) RevealSignature() []byte { return bytes.Clone(o.reveal().signature) }

// RevealCertificate returns a copy of the certificate in DER. It is personal data.
func (o *Opened) RevealCertificate() []byte { return bytes.Clone(o.reveal().certificate) }

func (o *Opened) reveal() openedParts {
	if o == nil {
		return openedParts{}
	}
	return o.parts.Reveal()
}

// ParseOpened reads signature and certificate from a JSON object, by the names of the wire profile: the answer for a
// government relying party, or the payload of a sealed result. Their sizes are bounded here, everything else is the
// [Verifier]'s. Errors are [*Error] with [ReasonResponse].
func ParseOpened(answer []byte, w *wire.Sign) (*Opened, error) {
	refuse := func(detail string) error {
		return &Error{Reason: ReasonResponse, Step: "opened result", Detail: detail}
	}
	members, err := strictjson.Object(answer)
	if err != nil {
		return nil, refuse("not an object")
	}
	read := func(name string, limit int) ([]byte, bool) {
		raw, present := members[name]
		text, ok := strictjson.String(raw)
		if !present || name == "" || !ok {
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
	return &Opened{parts: redact.Seal(openedParts{signature: signature, certificate: certificate})}, nil
}

var errBase64 = errors.New("not canonical base64 within its limit")

// decodeBase64 decodes padded standard base64 (RFC 4648, section 4) in its one canonical form. The standard decoder
// skips line breaks, which would give one signature many spellings.
func decodeBase64(s string, limit int) ([]byte, error) {
	if s == "" || len(s) > base64.StdEncoding.EncodedLen(limit) || strings.ContainsAny(s, "\r\n") {
		return nil, errBase64
	}
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) > limit {
		return nil, errBase64
	}
	return b, nil
}

// OpenerConfig configures an [Opener].
type OpenerConfig struct {
	// Key is the private key that results are addressed to: *rsa.PrivateKey of at least 2048 bits, or *ecdsa.PrivateKey
	// on P-256. Required.
	Key crypto.PrivateKey
	// Wire is the wire profile; nil means [wire.Default].
	Wire *wire.Profile
}

// Opener opens sealed results. It is for those to whom the service addresses them: platform operators, government
// relying parties and certified verifiers. It is immutable and safe for concurrent use.
type Opener struct {
	key  redact.Value[crypto.PrivateKey]
	wire wire.Sign
}

// ParseOpenerKey reads the private key for [NewOpener] from a JWK or PEM (PKCS#8, PKCS#1 or SEC 1). A JWK whose use is
// "sig" is refused: a key has one purpose (RFC 7517, 4.2). Errors are [*Error] with [ReasonConfiguration].
func ParseOpenerKey(b []byte) (crypto.PrivateKey, error) {
	key, _, err := jose.ParseDecryptionKey(b)
	if err != nil {
		return nil, &Error{Reason: ReasonConfiguration, Step: "opener", Detail: "Key cannot be read", Err: err}
	}
	return key, nil
}

// NewOpener validates and copies the configuration. Its error is an [*Error] with [ReasonConfiguration] whose Detail
// lists every mistake by the name of its field.
func NewOpener(c OpenerConfig) (*Opener, error) {
	profile := wire.Default()
	if c.Wire != nil {
		profile = c.Wire.Clone()
	}
	w := profile.Sign
	var list fault.Mistakes
	list.Add(!openingKey(c.Key), "Key must be an RSA key of at least 2048 bits or an EC key on P-256")
	list.Add(w.ResultSignatureField == "", "Wire.Sign.ResultSignatureField is missing")
	list.Add(w.ResultCertificateField == "", "Wire.Sign.ResultCertificateField is missing")
	list.Add(w.ResultSignatureField != "" && w.ResultSignatureField == w.ResultCertificateField,
		"Wire.Sign.ResultCertificateField must not be ResultSignatureField")
	list.Add(!within(w.JWEKeyAlgorithms, jose.KeyAlgorithms()),
		"Wire.Sign.JWEKeyAlgorithms is empty or has an algorithm that is not accepted")
	list.Add(!within(w.JWEContentAlgorithms, jose.ContentAlgorithms()),
		"Wire.Sign.JWEContentAlgorithms is empty or has an algorithm that is not accepted")
	if err := misconfigured("opener", list, nil); err != nil {
		return nil, err
	}
	return &Opener{key: redact.Seal(c.Key), wire: w}, nil
}

func openingKey(key crypto.PrivateKey) bool {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return k != nil && k.N != nil && k.N.BitLen() >= limits.RSABitsMin
	case *ecdsa.PrivateKey:
		return k != nil && k.Curve == elliptic.P256()
	}
	return false
}

// Open decrypts a sealed result. Every failure is an [*Error] with [ReasonSealed], so that whoever sends JWEs learns
// nothing about the key from the difference (RFC 7516, 11.5).
func (o *Opener) Open(s *Sealed) (*Opened, error) {
	if s == nil {
		return nil, &Error{Reason: ReasonRequest, Step: "open", Detail: "nothing sealed"}
	}
	refuse := func(err error) error { return &Error{Reason: ReasonSealed, Step: "open", Err: err} }
	payload, _, err := jose.Decrypt(s.RevealJWE(), o.key.Reveal(), jose.DecryptOptions{
		KeyAlgorithms:     o.wire.JWEKeyAlgorithms,
		ContentAlgorithms: o.wire.JWEContentAlgorithms,
		MaxSize:           limits.SealedResult,
	})
	if err != nil {
		return nil, refuse(err)
	}
	opened, err := ParseOpened(json.RawMessage(payload), &o.wire)
	if err != nil {
		return nil, refuse(err)
	}
	return opened, nil
}
