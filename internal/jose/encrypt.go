package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwe"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// DecryptOptions say which algorithms are acceptable; empty means the defaults (RSA-OAEP-256, ECDH-ES, ECDH-ES+A256KW;
// A256GCM, A128CBC-HS256, A256CBC-HS512). RSA1_5, dir, password-based algorithms and zip never are: a name that is not
// among [KeyAlgorithms] and [ContentAlgorithms] is refused even if it is listed.
type DecryptOptions struct {
	KeyAlgorithms, ContentAlgorithms []string
	MaxSize                          int // of the compact form, in bytes; 0 = limits.SealedResult
}

// KeyAlgorithms returns the "alg" values of JWE that exist here. RSA-OAEP (with SHA-1) is not among the defaults of
// [DecryptOptions] but may be allowed by name.
func KeyAlgorithms() []string {
	return []string{"RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A256KW", "RSA-OAEP", "ECDH-ES+A128KW"}
}

// ContentAlgorithms returns the "enc" values that exist here; A128GCM is not among the defaults of [DecryptOptions].
func ContentAlgorithms() []string {
	return []string{"A256GCM", "A128CBC-HS256", "A256CBC-HS512", "A128GCM"}
}

const (
	defaultKeyAlgorithms     = 3 // how many of KeyAlgorithms are accepted by default
	defaultContentAlgorithms = 3
)

// Decrypt opens a compact JWE; every failure after the header check is the same error, so that nothing can be probed
// (RFC 7516, section 11.5). key is an *rsa.PrivateKey of at least 2048 bits, or an *ecdsa.PrivateKey on P-256 for the
// ECDH-ES algorithms.
func Decrypt(token string, key crypto.PrivateKey, opts DecryptOptions) ([]byte, Header, error) {
	if opts.MaxSize <= 0 {
		opts.MaxSize = limits.SealedResult
	}
	if len(token) > opts.MaxSize {
		return nil, Header{}, fail(CheckSize, "token")
	}
	if strings.Count(token, ".") != jweParts-1 {
		return nil, Header{}, fail(CheckForm, "number of parts")
	}
	h, members, err := header(token)
	if err != nil {
		return nil, Header{}, err
	}
	if !allowed(h.Algorithm, opts.KeyAlgorithms, KeyAlgorithms(), defaultKeyAlgorithms) ||
		!allowed(h.Encryption, opts.ContentAlgorithms, ContentAlgorithms(), defaultContentAlgorithms) {
		return nil, Header{}, fail(CheckAlgorithm, "not on the allow-list")
	}
	parts := strings.Split(token, ".")
	for _, part := range parts[1:] {
		if _, ok := decode64(part); !ok {
			return nil, Header{}, fail(CheckForm, "a part is not base64url")
		}
	}
	if err := checkRecipient(key, h.Algorithm); err != nil {
		return nil, Header{}, err
	}
	if h.Algorithm == "ECDH-ES" && parts[1] != "" {
		// "verify that the JWE Encrypted Key value is an empty octet sequence" (RFC 7516, section 5.2, step 10).
		return nil, Header{}, fail(CheckDecryption, "")
	}
	if isECDH(h.Algorithm) {
		// A point off the curve would disclose the private key bit by bit (RFC 7518, section 8.1 refers to this
		// attack).
		if _, err := parsePublicJWK(members["epk"]); err != nil {
			return nil, Header{}, fail(CheckDecryption, "")
		}
	}
	payload, err := jwe.Decrypt([]byte(token), jwe.WithKey(jwa.KeyEncryptionAlgorithm(h.Algorithm), key))
	if err != nil {
		return nil, Header{}, fail(CheckDecryption, "")
	}
	return payload, h, nil
}

// Encrypt seals payload to an RSA or P-256 public key (the simulated service uses it). The key id goes into the header.
func Encrypt(to PublicKey, keyAlg, contentAlg string, payload []byte) (string, error) {
	return encrypt(to, keyAlg, contentAlg, "", payload)
}

// EncryptJWT seals a signed token: "In the case that nested signing or encryption is employed, this Header Parameter
// [cty] MUST be present; in this case, the value of this Header Parameter MUST be JWT" (RFC 7519, section 5.2).
func EncryptJWT(to PublicKey, keyAlg, contentAlg, token string) (string, error) {
	return encrypt(to, keyAlg, contentAlg, "JWT", []byte(token))
}

func encrypt(to PublicKey, keyAlg, contentAlg, contentType string, payload []byte) (string, error) {
	if !slices.Contains(KeyAlgorithms(), keyAlg) || !slices.Contains(ContentAlgorithms(), contentAlg) {
		return "", fail(CheckAlgorithm, "not on the allow-list")
	}
	if to.Use != "" && to.Use != "enc" {
		return "", fail(CheckKeyForm, "the key is not for encryption")
	}
	if _, isEC := to.Key.(*ecdsa.PublicKey); isEC != isECDH(keyAlg) {
		return "", fail(CheckKeyForm, "key and algorithm do not fit")
	}
	if err := checkNew(to.Key); err != nil {
		return "", err
	}
	h := jwe.NewHeaders()
	if to.KeyID != "" {
		if err := h.Set(jwe.KeyIDKey, to.KeyID); err != nil {
			return "", fail(CheckHeader, "kid")
		}
	}
	if contentType != "" {
		if err := h.Set(jwe.ContentTypeKey, contentType); err != nil {
			return "", fail(CheckHeader, "cty")
		}
	}
	out, err := jwe.Encrypt(payload, jwe.WithKey(jwa.KeyEncryptionAlgorithm(keyAlg), to.Key),
		jwe.WithContentEncryption(jwa.ContentEncryptionAlgorithm(contentAlg)), jwe.WithProtectedHeaders(h))
	if err != nil {
		return "", fail(CheckKeyForm, "cannot encrypt")
	}
	return string(out), nil
}

func allowed(name string, listed, known []string, defaults int) bool {
	if len(listed) == 0 {
		return slices.Contains(known[:defaults], name)
	}
	return slices.Contains(known, name) && slices.Contains(listed, name)
}

func isECDH(alg string) bool { return strings.HasPrefix(alg, "ECDH-ES") }

func checkRecipient(key crypto.PrivateKey, alg string) error {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if k == nil || isECDH(alg) {
			return fail(CheckKey, "key and algorithm do not fit")
		}
		return checkRSA(&k.PublicKey)
	case *ecdsa.PrivateKey:
		if k == nil || !isECDH(alg) {
			return fail(CheckKey, "key and algorithm do not fit")
		}
		return checkP256(&k.PublicKey)
	default:
		return fail(CheckKeyForm, "neither RSA nor EC P-256"+accepted)
	}
}
