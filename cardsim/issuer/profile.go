package issuer

import (
	"crypto/rsa"
	"encoding/asn1"
	"math/big"
	"math/bits"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// The organization of the test hierarchy; production has JPKI.
const organization = "JPKI-TEST"

// attribute is one relative distinguished name with a single attribute. A name is a list and not a map: the CA's has
// two organizational units, a signing subject two localities.
type attribute struct {
	oid   asn1.ObjectIdentifier
	value string
}

// addName adds a distinguished name that begins with C=JP. The country is a PrintableString, as X.520 requires; all the
// rest is UTF8String.
func addName(b *cryptobyte.Builder, attributes ...attribute) {
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addAttribute(b, attribute{oidCountry(), "JP"}, casn1.PrintableString)
		for _, a := range attributes {
			addAttribute(b, a, casn1.UTF8String)
		}
	})
}

func addAttribute(b *cryptobyte.Builder, a attribute, tag casn1.Tag) {
	b.AddASN1(casn1.SET, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(a.oid)
			b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(a.value)) })
		})
	})
}

// name returns the DER of a distinguished name that begins with C=JP.
func name(attributes ...attribute) ([]byte, error) {
	return build(func(b *cryptobyte.Builder) { addName(b, attributes...) })
}

// addDirectoryName adds the GeneralName directoryName [4]. It is explicit, because Name is a CHOICE.
func addDirectoryName(b *cryptobyte.Builder, name []byte) {
	b.AddASN1(context(4), func(b *cryptobyte.Builder) { b.AddBytes(name) })
}

// addFullName adds a DistributionPointName with a single directoryName as its fullName (RFC 5280, 4.2.1.13), in the
// distributionPoint [0] that both cRLDistributionPoints and issuingDistributionPoint have.
func addFullName(b *cryptobyte.Builder, name []byte) {
	b.AddASN1(context(0), func(b *cryptobyte.Builder) {
		b.AddASN1(context(0), func(b *cryptobyte.Builder) { addDirectoryName(b, name) })
	})
}

// serviceName is the Japanese name of a CA, its subjectAltName and the issuerAltName of what it issues: C=JP,
// O=公的個人認証サービス, OU=公的個人認証サービス署名用 or 利用者証明用, OU=地方公共団体情報システム機構.
func serviceName(unit string) ([]byte, error) {
	return name(
		attribute{oidOrganization(), "公的個人認証サービス"},
		attribute{oidUnit(), unit},
		attribute{oidUnit(), "地方公共団体情報システム機構"},
	)
}

// caName is the subject of a CA, the same in all its generations.
func caName(unit string) ([]byte, error) {
	return name(
		attribute{oidOrganization(), organization},
		attribute{oidUnit(), unit},
		attribute{oidUnit(), "Japan Agency for Local Authority Information Systems"},
	)
}

// partitionName is the distribution point of a municipality's revocation list.
func partitionName(unit, prefecture, city string) ([]byte, error) {
	return name(
		attribute{oidOrganization(), organization},
		attribute{oidUnit(), unit},
		attribute{oidUnit(), "CRL Distribution Points"},
		attribute{oidUnit(), prefecture},
		attribute{oidCommonName(), city + " CRLDP"},
	)
}

// Bits of KeyUsage (RFC 5280, 4.2.1.3), counted from the left as ASN.1 does.
const (
	digitalSignature = 0x80
	nonRepudiation   = 0x40
	keyCertSign      = 0x04
	cRLSign          = 0x02
)

// keyUsage adds the critical extension with at least one bit set. As for every named bit list, trailing zero bits are
// left out (X.690, 11.2.2).
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

// clientAuth adds extKeyUsage with id-kp-clientAuth, which is not critical.
func (e *extensions) clientAuth() {
	e.add(oidExtKeyUsage(), false, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidClientAuth()) })
	})
}

// responder adds authorityInfoAccess with the address of an OCSP responder (RFC 5280, 4.2.2.1).
func (e *extensions) responder(url string) {
	e.add(oidInfoAccess(), false, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidOCSP())
				// uniformResourceIdentifier
				b.AddASN1(primitive(6), func(b *cryptobyte.Builder) { b.AddBytes([]byte(url)) })
			})
		})
	})
}

// authority adds authorityKeyIdentifier in all its parts: the key identifier of the CA, and the issuer and the serial
// number of its certificate, which is self-signed.
func (e *extensions) authority(id, name []byte, serial *big.Int) {
	e.add(oidAuthorityKeyID(), false, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(primitive(0), func(b *cryptobyte.Builder) { b.AddBytes(id) })
			b.AddASN1(context(1), func(b *cryptobyte.Builder) { addDirectoryName(b, name) })
			// The number is positive without a leading zero, see serialFrom.
			b.AddASN1(primitive(2), func(b *cryptobyte.Builder) { b.AddBytes(serial.Bytes()) })
		})
	})
}

// authorityKeyID adds authorityKeyIdentifier with the key identifier of the CA alone, as lists and the responder have
// it.
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

// The object identifiers are functions and not variables so that nothing can be written to.

// arc returns 2.5.29.n, the certificate extensions of ITU-T X.509.
func arc(n int) asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 29, n} }

func oidSubjectKeyID() asn1.ObjectIdentifier     { return arc(14) }
func oidKeyUsage() asn1.ObjectIdentifier         { return arc(15) }
func oidSubjectAltName() asn1.ObjectIdentifier   { return arc(17) }
func oidIssuerAltName() asn1.ObjectIdentifier    { return arc(18) }
func oidBasicConstraints() asn1.ObjectIdentifier { return arc(19) }
func oidCRLNumber() asn1.ObjectIdentifier        { return arc(20) }
func oidReasonCode() asn1.ObjectIdentifier       { return arc(21) }
func oidIssuingDP() asn1.ObjectIdentifier        { return arc(28) }
func oidCRLDP() asn1.ObjectIdentifier            { return arc(31) }
func oidPolicies() asn1.ObjectIdentifier         { return arc(32) }
func oidAuthorityKeyID() asn1.ObjectIdentifier   { return arc(35) }
func oidExtKeyUsage() asn1.ObjectIdentifier      { return arc(37) }

// Attribute types of distinguished names (ITU-T X.520).
func oidCommonName() asn1.ObjectIdentifier   { return asn1.ObjectIdentifier{2, 5, 4, 3} }
func oidCountry() asn1.ObjectIdentifier      { return asn1.ObjectIdentifier{2, 5, 4, 6} }
func oidLocality() asn1.ObjectIdentifier     { return asn1.ObjectIdentifier{2, 5, 4, 7} }
func oidOrganization() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 4, 10} }
func oidUnit() asn1.ObjectIdentifier         { return asn1.ObjectIdentifier{2, 5, 4, 11} }

// pkixArc returns 1.3.6.1.5.5.7.n…, the arc of the IETF PKIX working group.
func pkixArc(n ...int) asn1.ObjectIdentifier {
	return append(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7}, n...)
}

func oidInfoAccess() asn1.ObjectIdentifier   { return pkixArc(1, 1) }
func oidCPSQualifier() asn1.ObjectIdentifier { return pkixArc(2, 1) }
func oidClientAuth() asn1.ObjectIdentifier   { return pkixArc(3, 2) }
func oidOCSPSigning() asn1.ObjectIdentifier  { return pkixArc(3, 9) }
func oidOCSP() asn1.ObjectIdentifier         { return pkixArc(48, 1) }
func oidOCSPBasic() asn1.ObjectIdentifier    { return pkixArc(48, 1, 1) }
func oidOCSPNonce() asn1.ObjectIdentifier    { return pkixArc(48, 1, 2) }
func oidOCSPNoCheck() asn1.ObjectIdentifier  { return pkixArc(48, 1, 5) }

// Algorithms.
func oidSHA256WithRSA() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
}
func oidSHA1() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26} }
func oidSHA256() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
}

// jpkiArc returns 1.2.392.200149.8.5.n…, the PKI arc of J-LIS.
func jpkiArc(n ...int) asn1.ObjectIdentifier {
	return append(asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5}, n...)
}

// oidPersonal returns the otherName type of one of the personal data in a signing certificate.
func oidPersonal(n int) asn1.ObjectIdentifier { return jpkiArc(5, n) }
