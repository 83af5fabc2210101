package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// es256Size is the size of an ES256 signature: R and S, 32 bytes each (RFC 7518, section 3.4).
const es256Size = 64

// VerifyOptions say what is acceptable.
type VerifyOptions struct {
	Algorithms []Algorithm // required, non-empty
	// accepted "typ" values, compared without case and "application/"; "" = absent is fine; nil = any
	Types []string
}

// Token is a parsed compact JWS; nothing of it is verified yet.
type Token struct {
	header    Header
	signed    string // what the signature covers: header and payload as received
	signature []byte
}

// Parse reads a compact JWS strictly: exactly three parts within limits.Token, base64url without padding, line breaks
// or stray bits, and a protected header as [ParseHeader] wants it. Errors are [*Error].
func Parse(token string) (*Token, error) {
	if len(token) > limits.Token {
		return nil, fail(CheckSize, "token")
	}
	if strings.Count(token, ".") != jwsParts-1 {
		return nil, fail(CheckForm, "number of parts")
	}
	h, _, err := header(token)
	if err != nil {
		return nil, err
	}
	dot := strings.LastIndexByte(token, '.')
	sig, ok := decode64(token[dot+1:])
	if !ok {
		return nil, fail(CheckForm, "signature is not base64url")
	}
	return &Token{header: h, signed: token[:dot], signature: sig}, nil
}

// Verify checks a compact JWS against the key set and returns the payload. Errors are [*Error].
//
// The key is the only one in the set that has the token's "kid" and whose type, curve, size, "alg" and "use" fit the
// header's "alg". A token without "kid" is accepted if the set has exactly one key that fits; if it has several, the
// token is refused rather than tried against each.
func Verify(token string, keys KeySet, opts VerifyOptions) ([]byte, Header, error) {
	t, err := Parse(token)
	if err != nil {
		return nil, Header{}, err
	}
	payload, err := t.Verify(keys, opts)
	if err != nil {
		return nil, Header{}, err
	}
	return payload, t.header, nil
}

// Algorithm is what the header says; whether it is acceptable, Acceptable says.
func (t *Token) Algorithm() Algorithm { return Algorithm(t.header.Algorithm) }

// Acceptable checks what needs no key: the algorithm and the type.
func (t *Token) Acceptable(opts VerifyOptions) error {
	// RFC 8725, section 3.1: the algorithm is one that the caller chose beforehand.
	if !slices.Contains(opts.Algorithms, Algorithm(t.header.Algorithm)) {
		return fail(CheckAlgorithm, "not on the allow-list")
	}
	if opts.Types != nil && !typeAccepted(t.header.Type, opts.Types) {
		return fail(CheckType, "not the expected type")
	}
	return nil
}

// Verify is the function Verify for a parsed token.
func (t *Token) Verify(keys KeySet, opts VerifyOptions) ([]byte, error) {
	if err := t.Acceptable(opts); err != nil {
		return nil, err
	}
	alg := Algorithm(t.header.Algorithm)
	key, err := keys.choose(t.header.KeyID, alg)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256([]byte(t.signed))
	if !verifyDigest(alg, key, digest[:], t.signature) {
		return nil, fail(CheckSignature, "")
	}
	payload, ok := decode64(t.signed[strings.IndexByte(t.signed, '.')+1:])
	if !ok {
		return nil, fail(CheckForm, "payload is not base64url")
	}
	return payload, nil
}

// typeAccepted compares media types as RFC 7515, section 4.1.9 describes: without case, "application/" may be left out.
func typeAccepted(typ string, accepted []string) bool {
	short := func(s string) string {
		s = strings.ToLower(strings.TrimSpace(s))
		if rest, ok := strings.CutPrefix(s, "application/"); ok && !strings.Contains(rest, "/") {
			return rest
		}
		return s
	}
	typ = short(typ)
	return slices.ContainsFunc(accepted, func(a string) bool { return short(a) == typ })
}

// choose picks the one key that fits.
func (s KeySet) choose(kid string, alg Algorithm) (crypto.PublicKey, error) {
	var found crypto.PublicKey
	for _, k := range s.Keys {
		if (kid != "" && k.KeyID != kid) || !k.verifies(alg) {
			continue
		}
		if found != nil && !sameKey(found, k.Key) { // listed twice, plain and with x5c, say, it is still one key
			return nil, fail(CheckKey, "more than one key fits")
		}
		found = k.Key
	}
	if found == nil {
		return nil, fail(CheckKey, "no key fits")
	}
	return found, nil
}

// verifies reports whether the key may be used with alg: purpose, declared algorithm, type, curve and size.
func (k PublicKey) verifies(alg Algorithm) bool {
	if k.Use != "" && k.Use != "sig" {
		return false
	}
	if k.Algorithm != "" && k.Algorithm != string(alg) {
		return false
	}
	return checkPublic(k.Key, alg) == nil
}

func verifyDigest(alg Algorithm, key crypto.PublicKey, digest, sig []byte) bool {
	switch alg {
	case RS256:
		return rsa.VerifyPKCS1v15(key.(*rsa.PublicKey), crypto.SHA256, digest, sig) == nil
	case PS256:
		return rsa.VerifyPSS(key.(*rsa.PublicKey), crypto.SHA256, digest, sig,
			&rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
	case ES256:
		return len(sig) == es256Size && ecdsa.VerifyASN1(key.(*ecdsa.PublicKey), digest, derSignature(sig))
	default:
		return false
	}
}

// derSignature turns R || S into the SEQUENCE of two INTEGERs that package ecdsa reads. 64 bytes never need more than
// one length byte.
func derSignature(raw []byte) []byte {
	der := make([]byte, 2, es256Size+8)
	for _, n := range [2][]byte{raw[:es256Size/2], raw[es256Size/2:]} {
		for len(n) > 1 && n[0] == 0 { // an INTEGER is as short as possible (X.690, 8.3.2)
			n = n[1:]
		}
		pad := n[0] >> 7 // and negative if its first bit is set
		der = append(der, 0x02, byte(len(n))+pad)
		der = append(der, make([]byte, pad)...)
		der = append(der, n...)
	}
	der[0], der[1] = 0x30, byte(len(der)-2)
	return der
}
