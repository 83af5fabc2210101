package signeddata

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/sigalg"
)

// Parts are what a SignedData with one signer is written of.
type Parts struct {
	// ContentType is what was signed; Content its octets, nil for a detached signature.
	ContentType asn1.ObjectIdentifier
	Content     []byte
	// Certificate is the signer's, in DER; More are written beside it.
	Certificate []byte
	More        [][]byte
	// Without leaves all certificates out.
	Without bool
	// Hash is the digest algorithm; Algorithm the signature algorithm.
	Hash      crypto.Hash
	Algorithm *sigalg.Algorithm
	// Attributes is the DER of the signed attributes as SET OF, of [Set]; nil for none.
	Attributes []byte
	// Value is the signature value.
	Value []byte
}

// Write encodes a ContentInfo with SignedData in DER (RFC 5652, 3 and 5.1). The signer is named by issuer and serial
// number. It returns nil if the certificate cannot be read.
func Write(p Parts) []byte {
	_, issuer, serial, ok := identify(p.Certificate)
	if !ok || p.Algorithm == nil || OIDOf(p.Hash) == nil {
		return nil
	}
	version := int64(1)
	if !p.ContentType.Equal(OIDData) {
		version = 3 // 5.1: content other than id-data
	}
	hash := func(b *cryptobyte.Builder) { addAlgorithm(b, OIDOf(p.Hash), false) }
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(OIDSignedData)
		b.AddASN1(der.Tag0C, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(version)
				b.AddASN1(cbasn1.SET, hash)
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(p.ContentType)
					if p.Content != nil {
						b.AddASN1(der.Tag0C, func(b *cryptobyte.Builder) { b.AddASN1OctetString(p.Content) })
					}
				})
				if !p.Without {
					b.AddASN1(der.Tag0C, func(b *cryptobyte.Builder) {
						for _, raw := range sorted(append([][]byte{p.Certificate}, p.More...)) {
							b.AddBytes(raw)
						}
					})
				}
				b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1Int64(1)
						b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
							b.AddBytes(issuer)
							b.AddASN1(cbasn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(serial) })
						})
						hash(b)
						if len(p.Attributes) > 0 {
							b.AddBytes(append([]byte{byte(der.Tag0C)}, p.Attributes[1:]...))
						}
						addAlgorithm(b, p.Algorithm.ID, p.Algorithm == sigalg.RSA(p.Algorithm.Hash))
						b.AddASN1OctetString(p.Value)
					})
				})
			})
		})
	})
	return b.BytesOrPanic()
}

// addAlgorithm writes an AlgorithmIdentifier, with NULL for RSA (RFC 4055, section 5) and nothing for hashes (RFC 5754,
// section 2).
func addAlgorithm(b *cryptobyte.Builder, id asn1.ObjectIdentifier, null bool) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(id)
		if null {
			b.AddASN1NULL()
		}
	})
}

// Attribute encodes one attribute with one value, which is an element in DER.
func Attribute(id asn1.ObjectIdentifier, value []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(id)
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(value) })
	})
	return b.BytesOrPanic()
}

// Set encodes a SET OF in DER: its elements in order (ITU-T X.690, 11.6).
func Set(elements ...[]byte) []byte {
	return wrap(cbasn1.SET, bytes.Join(sorted(elements), nil))
}

func sorted(elements [][]byte) [][]byte {
	list := slices.Clone(elements)
	slices.SortFunc(list, bytes.Compare)
	return list
}

// identify reads the issuer and the serial number of a certificate; rest is what follows the issuer.
func identify(raw []byte) (rest cryptobyte.String, issuer, serial []byte, ok bool) {
	input := cryptobyte.String(raw)
	var cert, tbs, integer cryptobyte.String
	if !input.ReadASN1(&cert, cbasn1.SEQUENCE) || !cert.ReadASN1(&tbs, cbasn1.SEQUENCE) ||
		!tbs.SkipOptionalASN1(der.Tag0C) || !tbs.ReadASN1(&integer, cbasn1.INTEGER) || !tbs.SkipASN1(cbasn1.SEQUENCE) {
		return nil, nil, nil, false
	}
	issuer, ok = der.ReadName(&tbs)
	return tbs, issuer, integer, ok
}
