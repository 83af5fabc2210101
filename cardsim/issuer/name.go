package issuer

import (
	"encoding/asn1"

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

// serviceName is the name of the service in the alternative names: C=JP, O=公的個人認証サービス.
func serviceName() ([]byte, error) {
	return name(attribute{oidOrganization(), "公的個人認証サービス"})
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
