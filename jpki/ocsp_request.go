package jpki

import (
	"crypto"
	"crypto/fips140"
	"crypto/sha1" //nolint:gosec // an identifier of OCSP, not a protection; see certIDHash
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
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
// clients and many responders know nothing else. It identifies the issuer, who is known and verified already; the response is
// matched by the issuer's key, so a collision gains nothing. SHA-1 is not available when FIPS 140-3 is enforced.
func certIDHash() crypto.Hash {
	if fips140.Enforced() {
		return crypto.SHA256
	}
	return crypto.SHA1
}

var errHash = errors.New("jpki: hash not available for OCSP identifiers")

// newCertID names the leaf for its issuer.
func newCertID(hash crypto.Hash, leaf *form, issuer *x509.Certificate) (certID, error) {
	key, ok := subjectKeyBits(issuer)
	if !ok {
		return certID{}, errHash
	}
	switch {
	case hash == crypto.SHA1 && !fips140.Enforced():
		name, id := sha1.Sum(issuer.RawSubject), sha1.Sum(key) //nolint:gosec // see certIDHash
		return certID{oidSHA1, name[:], id[:], leaf.serial}, nil
	case hash == crypto.SHA256:
		name, id := sha256.Sum256(issuer.RawSubject), sha256.Sum256(key)
		return certID{oidSHA256, name[:], id[:], leaf.serial}, nil
	}
	return certID{}, errHash
}

// subjectKeyBits returns "the value of the BIT STRING subjectPublicKey (excluding the tag, length, and number of unused
// bits)" (RFC 6960, 4.1.1).
func subjectKeyBits(c *x509.Certificate) ([]byte, bool) {
	info := cryptobyte.String(c.RawSubjectPublicKeyInfo)
	return readPublicKey(&info)
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
			b.AddASN1(tag2c, func(b *cryptobyte.Builder) { // requestExtensions
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
