package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/pemtext"
)

// ParsePrivateKey reads a private JWK or a PEM block (PKCS#8, PKCS#1, SEC 1). The algorithm is the JWK's "alg",
// otherwise ES256 for P-256 and RS256 for RSA. Weak keys, keys for encryption and keys whose halves do not belong
// together are refused.
func ParsePrivateKey(b []byte) (SigningKey, error) {
	key, j, err := parsePrivate(b)
	if err != nil {
		return SigningKey{}, err
	}
	use, err := j.purpose("sign")
	if err != nil {
		return SigningKey{}, err
	}
	if use == "enc" {
		return SigningKey{}, fail(CheckKeyForm, "the key is for encryption")
	}
	k := SigningKey{Signer: key, KeyID: j.kid, Algorithm: Algorithm(j.alg)}
	if k.Algorithm == "" {
		k.Algorithm = DefaultAlgorithm(key.Public())
	}
	if err := k.Check(); err != nil {
		return SigningKey{}, err
	}
	return k, nil
}

// ParseDecryptionKey reads a private JWK or PEM block as ParsePrivateKey does, for [Decrypt]; the key id may be empty.
func ParseDecryptionKey(b []byte) (key crypto.PrivateKey, kid string, err error) {
	k, j, err := parsePrivate(b)
	if err != nil {
		return nil, "", err
	}
	if j.use == "sig" {
		return nil, "", fail(CheckKeyForm, "the key is for signatures")
	}
	return k, j.kid, nil
}

// DefaultAlgorithm is ES256 for P-256, RS256 for RSA, and empty for anything else.
func DefaultAlgorithm(key crypto.PublicKey) Algorithm {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return RS256
	case *ecdsa.PublicKey:
		if checkP256(k) == nil {
			return ES256
		}
	}
	return ""
}

func parsePrivate(b []byte) (crypto.Signer, jwkMembers, error) {
	if len(b) > limits.KeyFile {
		return nil, jwkMembers{}, fail(CheckSize, "key file")
	}
	b = pemtext.Decode(b)
	if pemtext.Has(b) {
		key, err := parsePrivatePEM(b)
		return key, jwkMembers{}, err
	}
	trimmed := bytes.TrimSpace(b)
	switch {
	case len(trimmed) == 0:
		return nil, jwkMembers{}, fail(CheckKeyForm, "it is empty")
	case trimmed[0] != '{':
		return nil, jwkMembers{}, fail(CheckKeyForm, "neither PEM nor a JWK (DER must be converted first)")
	}
	j, err := readJWK(b)
	if err != nil {
		return nil, jwkMembers{}, err
	}
	if _, isSet := j.members["keys"]; isSet && j.kty == "" {
		return nil, jwkMembers{}, fail(CheckKeyForm, "a key set where one key is expected")
	}
	if !j.private {
		return nil, jwkMembers{}, fail(CheckKeyForm, "a public key: it has no private part")
	}
	var raw any
	if err := j.raw(&raw, "d", "p", "q", "dp", "dq", "qi", "oth"); err != nil {
		return nil, jwkMembers{}, err
	}
	key, err := checkPrivate(raw)
	return key, j, err
}

// otherPEM says what a block is that people take for a private key that can be read.
var otherPEM = map[string]string{
	"ENCRYPTED PRIVATE KEY": "an encrypted private key: it must be decrypted first",
	"OPENSSH PRIVATE KEY":   "a key in OpenSSH's own form: convert it with ssh-keygen -p -m PEM",
	"PUBLIC KEY":            "a public key: it has no private part",
	"RSA PUBLIC KEY":        "a public key: it has no private part",
	"CERTIFICATE":           "a certificate: it has no private part",
	"CERTIFICATE REQUEST":   "a certificate request: it has no private part",
}

func parsePrivatePEM(b []byte) (crypto.Signer, error) {
	seen := "no PEM block that can be read"
	blocks, _ := pemtext.Blocks(b)
	for _, block := range blocks {
		if block.Headers["Proc-Type"] == "4,ENCRYPTED" { // RFC 1421, as OpenSSL wrote it
			return nil, fail(CheckKeyForm, otherPEM["ENCRYPTED PRIVATE KEY"])
		}
		if text, ok := otherPEM[block.Type]; ok {
			seen = text
		}
		var key any
		var err error
		switch block.Type {
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		default:
			continue // EC PARAMETERS and certificates may stand beside the key
		}
		if err != nil {
			return nil, fail(CheckKeyForm, "the PEM block cannot be read")
		}
		return checkPrivate(key)
	}
	return nil, fail(CheckKeyForm, seen)
}

// checkPrivate refuses weak keys and keys whose public half is another key's: signatures made with such a key would be
// rejected by everyone, and some faults of that kind disclose the private half.
func checkPrivate(key any) (crypto.Signer, error) {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if err := checkRSA(&k.PublicKey); err != nil {
			return nil, err
		}
		if k.Validate() != nil {
			return nil, fail(CheckKeyForm, "the RSA numbers contradict each other")
		}
		k.Precompute()
		return k, nil
	case *ecdsa.PrivateKey:
		if err := checkNew(&k.PublicKey); err != nil {
			return nil, err
		}
		d, err := k.Bytes()
		if err != nil {
			return nil, fail(CheckKeyForm, "the private number is out of range")
		}
		derived, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
		if err != nil || !derived.PublicKey.Equal(&k.PublicKey) {
			return nil, fail(CheckKeyForm, "the two halves of the key do not belong together")
		}
		return derived, nil
	default:
		return nil, fail(CheckKeyForm, "neither RSA nor EC P-256"+accepted)
	}
}

// ParsePublicKey reads a public JWK or a PEM block (SPKI, PKCS#1 or certificate). A private key is refused, so that a
// mix-up of files is noticed.
func ParsePublicKey(b []byte) (PublicKey, error) {
	if len(b) > limits.KeyFile {
		return PublicKey{}, fail(CheckSize, "key file")
	}
	b = pemtext.Decode(b)
	if !pemtext.Has(b) {
		return parsePublicJWK(b)
	}
	blocks, _ := pemtext.Blocks(b)
	if len(blocks) == 0 {
		return PublicKey{}, fail(CheckKeyForm, "the PEM block cannot be read")
	}
	block := blocks[0]
	var key any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var c *x509.Certificate
		if c, err = x509.ParseCertificate(block.Bytes); err == nil {
			key = c.PublicKey
		}
	default:
		return PublicKey{}, fail(CheckKeyForm, "not a PEM block with a public key")
	}
	if err != nil {
		return PublicKey{}, fail(CheckKeyForm, "the PEM block cannot be read")
	}
	if err := checkNew(key); err != nil {
		return PublicKey{}, err
	}
	return PublicKey{Key: key}, nil
}
