package jpki

import (
	"encoding/asn1"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// OtherName is a subjectAltName otherName that is not one of the six of the four attributes and is kept as it came,
// because more of them are expected (the phonetic name, for one). It is personal data and redacts itself.
type OtherName struct {
	OID asn1.ObjectIdentifier
	// Raw is the DER of the value, without the [0] around it.
	Raw []byte
}

// personalField returns the last arc of an OID of personalData, 1 to 6, or 0.
func personalField(id asn1.ObjectIdentifier) int {
	n := len(oidPersonalData)
	if len(id) != n+1 || !id[:n].Equal(oidPersonalData) || id[n] < 1 || id[n] > 6 {
		return 0
	}
	return id[n]
}

// readPerson separates the six otherNames of the four attributes, which may come in any order, from the rest. Each may
// appear once and must be a UTF8String; anything else is not a JPKI certificate.
func readPerson(names []OtherName) (fields fourinfo.CertificateFields, found bool, rest []OtherName, err error) {
	slots := [...]**string{
		&fields.Name, &fields.NameSubstitutes, &fields.Gender, &fields.Birthdate, &fields.Address, &fields.AddressSubstitutes,
	}
	for i := range names {
		field := personalField(names[i].OID)
		if field == 0 {
			rest = append(rest, names[i])
			continue
		}
		value := cryptobyte.String(names[i].Raw)
		var text cryptobyte.String
		slot := slots[field-1]
		if *slot != nil || !value.ReadASN1(&text, cbasn1.UTF8String) || !value.Empty() ||
			len(text) > limits.Attribute || !utf8.Valid(text) {
			return fields, false, nil, malformed("other-name", "JPKI certificate profile, subjectAltName")
		}
		s := string(text)
		*slot, found = &s, true
	}
	return fields, found, rest, nil
}
