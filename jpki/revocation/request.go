package revocation

import (
	"crypto"
	"crypto/fips140"
	"crypto/sha1" //nolint:gosec // an identifier of OCSP, not a protection; see certIDHash
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
)

var (
	oidOCSPBasic   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	oidOCSPNonce   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
	oidOCSPNoCheck = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}

	oidKeyUsage       = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidInvalidityDate = asn1.ObjectIdentifier{2, 5, 29, 24}

	oidSHA1   = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
)

// nonceSize is the length that RFC 9654, 2.1 asks of clients.
const nonceSize = 32

// certID is CertID (RFC 6960, 4.1.1): what is asked about.
type certID struct {
	hash     asn1.ObjectIdentifier
	nameHash []byte
	keyHash  []byte
	serial   []byte // octets of the INTEGER
}

// certIDHash returns the hash to use when the configuration does not say: SHA-1, because RFC 5019, 2.1.1 demands it of
// clients and many responders know nothing else. It identifies the issuer, who is known and verified already; the
// response is matched by the issuer's key, so a collision gains nothing. SHA-1 is not available when FIPS 140-3 is
// enforced.
func certIDHash() crypto.Hash {
	if fips140.Enforced() {
		return crypto.SHA256
	}
	return crypto.SHA1
}

var (
	errHash   = errors.New("revocation: hash not available for OCSP identifiers")
	errIssuer = errors.New("revocation: the certificate names another issuer")
)

// newCertID names a certificate: "the hash shall be calculated over the DER encoding of the issuer's name field in the
// certificate being checked" (RFC 6960, 4.1.1). An issuer of another name is none of the certificate's, even if it has
// the key.
func newCertID(hash crypto.Hash, c, issuer *form.Facts) (certID, error) {
	if !sameName(c.Issuer, issuer.Subject) {
		return certID{}, errIssuer
	}
	var id asn1.ObjectIdentifier
	var sum func([]byte) []byte
	switch {
	case hash == crypto.SHA1 && !fips140.Enforced():
		id, sum = oidSHA1, func(b []byte) []byte { s := sha1.Sum(b); return s[:] } //nolint:gosec // see certIDHash
	case hash == crypto.SHA256:
		id, sum = oidSHA256, func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }
	case hash == crypto.SHA384:
		id, sum = oidSHA384, func(b []byte) []byte { s := sha512.Sum384(b); return s[:] }
	case hash == crypto.SHA512:
		id, sum = oidSHA512, func(b []byte) []byte { s := sha512.Sum512(b); return s[:] }
	default:
		return certID{}, errHash
	}
	// "the value of the BIT STRING subjectPublicKey (excluding the tag, length, and number of unused bits)" (RFC 6960,
	// 4.1.1).
	return certID{id, sum(c.Issuer), sum(issuer.KeyBits), c.Serial}, nil
}

func (id *certID) marshal(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(id.hash)
			b.AddASN1NULL()
		})
		b.AddASN1OctetString(id.nameHash)
		b.AddASN1OctetString(id.keyHash)
		b.AddASN1(cbasn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(id.serial) })
	})
}

// request encodes an OCSPRequest for one certificate (RFC 6960, 4.1.1), with a nonce (RFC 9654) unless it is nil.
func (id *certID) request(nonce []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // OCSPRequest
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // TBSRequest
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // requestList
				b.AddASN1(cbasn1.SEQUENCE, id.marshal) // Request
			})
			if nonce == nil {
				return
			}
			b.AddASN1(der.Tag2C, func(b *cryptobyte.Builder) { // requestExtensions
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(oidOCSPNonce)
						b.AddASN1(cbasn1.OCTET_STRING, func(b *cryptobyte.Builder) { b.AddASN1OctetString(nonce) })
					})
				})
			})
		})
	})
	return b.Bytes()
}
