package issuer

import (
	"crypto/rsa"
	"encoding/asn1"
	"math/bits"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Bits of KeyUsage (RFC 5280, 4.2.1.3), counted from the left as ASN.1 does.
const (
	digitalSignature = 0x80
	nonRepudiation   = 0x40
	keyCertSign      = 0x04
	cRLSign          = 0x02
)

// keyUsage adds the critical extension with at least one bit set. As for every named bit list, trailing zero bits are left out (X.690, 11.2.2).
func (e *extensions) keyUsage(usage byte) {
	e.add(oidKeyUsage(), true, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.BIT_STRING, func(b *cryptobyte.Builder) {
			b.AddUint8(uint8(bits.TrailingZeros8(usage)))
			b.AddUint8(usage)
		})
	})
}

// altName adds subjectAltName or issuerAltName with one directoryName.
func (e *extensions) altName(oid asn1.ObjectIdentifier, name []byte) {
	e.add(oid, false, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { addDirectoryName(b, name) })
	})
}

// basicConstraints adds the critical CA:TRUE without a path length.
func (e *extensions) basicConstraints() {
	e.add(oidBasicConstraints(), true, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1Boolean(true) })
	})
}

// distributionPoint adds cRLDistributionPoints with one directoryName and no URI.
func (e *extensions) distributionPoint(name []byte) {
	e.add(oidCRLDP(), false, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { addFullName(b, name) })
		})
	})
}

// policies adds the critical certificatePolicies, each with the pointer to the certification practice statement.
func (e *extensions) policies(oids []asn1.ObjectIdentifier) {
	e.add(oidPolicies(), true, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, oid := range oids {
				b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(oid)
					b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
							b.AddASN1ObjectIdentifier(oidCPSQualifier())
							b.AddASN1(casn1.IA5String, func(b *cryptobyte.Builder) {
								b.AddBytes([]byte("http://www.jpki.go.jp/cps.html"))
							})
						})
					})
				})
			}
		})
	})
}

// authorityKeyID adds the key identifier of the CA.
func (e *extensions) authorityKeyID(id []byte) {
	e.add(oidAuthorityKeyID(), false, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(primitive(0), func(b *cryptobyte.Builder) { b.AddBytes(id) })
		})
	})
}

// subjectKeyID adds the key identifier of the certificate's own key.
func (e *extensions) subjectKeyID(pub *rsa.PublicKey) {
	e.add(oidSubjectKeyID(), false, func(b *cryptobyte.Builder) { b.AddASN1OctetString(keyID(pub)) })
}

// otherNames adds the six personal data in the order in which the cards have them.
func (e *extensions) otherNames(s Subject) {
	e.add(oidSubjectAltName(), false, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, field := range []struct {
				n     int
				value string
			}{
				{1, s.Name}, {4, eraDigit(s.Birthdate) + s.Birthdate}, {3, s.Gender},
				{5, s.Address}, {2, s.NameSubstitutes}, {6, s.AddressSubstitutes},
			} {
				b.AddASN1(context(0), func(b *cryptobyte.Builder) { // otherName
					b.AddASN1ObjectIdentifier(oidPersonal(field.n))
					b.AddASN1(context(0), func(b *cryptobyte.Builder) { // value, explicit
						b.AddASN1(casn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(field.value)) })
					})
				})
			}
		})
	})
}
