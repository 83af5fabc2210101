package timestamp

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"maps"
	"math/big"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/signeddata"
)

// Request is what an authority is asked to stamp, and what its token is compared with.
type Request struct {
	// Hash is SHA-256 (the zero value), SHA-384 or SHA-512; Digest is that of the message.
	Hash   crypto.Hash
	Digest []byte
	// Policy is the one that is asked for; nil leaves it to the authority.
	Policy asn1.ObjectIdentifier
	// Nonce binds the answer to this request; nil sends none, and compares none.
	Nonce *big.Int
}

// Of is the request for a message, hashed here with SHA-256: no policy, no nonce.
func Of(message []byte) Request {
	return Request{Hash: crypto.SHA256, Digest: signeddata.Sum(crypto.SHA256, message)}
}

func (r Request) hash() crypto.Hash {
	if r.Hash == 0 {
		return crypto.SHA256
	}
	return r.Hash
}

func (r Request) check() error {
	switch {
	case signeddata.OIDOf(r.hash()) == nil:
		return &Error{Reason: ReasonRequest, Step: "hash"}
	case len(r.Digest) != r.hash().Size():
		return &Error{Reason: ReasonRequest, Step: "digest"}
	case r.Nonce != nil && (r.Nonce.Sign() < 0 || r.Nonce.BitLen() > limits.TimestampNonce*8):
		return &Error{Reason: ReasonRequest, Step: "nonce"}
	}
	return nil
}

// Marshal encodes a TimeStampReq in DER that asks for the authority's certificate, too (RFC 3161, 2.4.1). Errors are
// [*Error] with [ReasonRequest].
func (r Request) Marshal() ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		addImprint(b, r.hash(), r.Digest)
		if r.Policy != nil {
			b.AddASN1ObjectIdentifier(r.Policy)
		}
		if r.Nonce != nil {
			b.AddASN1BigInt(r.Nonce)
		}
		b.AddASN1Boolean(true)
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, &Error{Reason: ReasonRequest, Step: "policy", Err: err}
	}
	return der, nil
}

// addImprint writes MessageImprint. Hash algorithms are written without parameters (RFC 5754, section 2).
func addImprint(b *cryptobyte.Builder, hash crypto.Hash, digest []byte) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(signeddata.OIDOf(hash)) })
		b.AddASN1OctetString(digest)
	})
}

// failures are the words for PKIFailureInfo (RFC 3161, 2.4.2).
var failures = map[int]string{
	0: "the hash algorithm is not accepted", 2: "bad request", 5: "bad data format", 14: "the time is not available",
	15: "the policy is not accepted", 16: "an extension is not accepted", 17: "additional information is not available",
	25: "system failure",
}

// ParseResponse reads a TimeStampResp and returns its token, of which nothing is verified (RFC 3161, 2.4.2). Errors are
// [*Error]: [ReasonRefused] when the authority refused, with its reason in Detail, else [ReasonMalformed].
func ParseResponse(response []byte) (*Token, error) {
	malformed := func() (*Token, error) {
		return nil, &Error{Reason: ReasonMalformed, Step: "response", Clause: "RFC 3161, 2.4.2"}
	}
	if len(response) > limits.TimestampResponse {
		return malformed()
	}
	definite, ok := signeddata.Definite(response)
	if !ok {
		return malformed()
	}
	input := cryptobyte.String(definite)
	var whole, info, texts cryptobyte.String
	var status int
	var present bool
	if !input.ReadASN1(&whole, cbasn1.SEQUENCE) || !input.Empty() || !whole.ReadASN1(&info, cbasn1.SEQUENCE) ||
		!info.ReadASN1Integer(&status) || !info.ReadOptionalASN1(&texts, &present, cbasn1.SEQUENCE) {
		return malformed()
	}
	if status == 0 || status == 1 { // granted, grantedWithMods
		if !unfailed(info) {
			return malformed()
		}
		return Parse(whole)
	}
	refused := &Error{Reason: ReasonRefused, Step: "response", Clause: "RFC 3161, 2.4.2"}
	var bits asn1.BitString
	if info.ReadASN1BitString(&bits) {
		for _, i := range slices.Sorted(maps.Keys(failures)) {
			if bits.At(i) == 1 {
				refused.Detail = failures[i]
				break
			}
		}
	}
	return nil, refused
}

// unfailed reports whether nothing stands in the place of PKIFailureInfo, or no bit in it: "failInfo … indicates the
// reason why the time-stamp request was rejected" (RFC 3161, 2.4.2).
func unfailed(rest cryptobyte.String) bool {
	var bits asn1.BitString
	if rest.PeekASN1Tag(cbasn1.BIT_STRING) && !rest.ReadASN1BitString(&bits) {
		return false
	}
	return rest.Empty() && len(bytes.Trim(bits.Bytes, "\x00")) == 0
}

func (r Request) sameNonce(t *Token) bool {
	return r.Nonce == nil || t.nonce != nil && r.Nonce.Cmp(t.nonce) == 0
}

func (r Request) sameImprint(t *Token) bool {
	return t.Hash == r.hash() && bytes.Equal(t.Digest, r.Digest)
}
