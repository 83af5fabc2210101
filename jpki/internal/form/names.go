package form

import (
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
)

// OtherName is an otherName: its type and the DER of its value, without the [0] around it.
type OtherName struct {
	OID asn1.ObjectIdentifier
	Raw []byte
}

// personalData is the arc of the four attributes: {1 name, 2 substitute flags of the name, 3 gender, 4 birthdate,
// 5 address, 6 flags of the address}.
var personalData = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 5}

// PersonalField returns the last arc of an OID of personalData, 1 to 6, or 0.
func PersonalField(id asn1.ObjectIdentifier) int {
	n := len(personalData)
	if len(id) != n+1 || !id[:n].Equal(personalData) || id[n] < 1 || id[n] > 6 {
		return 0
	}
	return id[n]
}

// generalNames is what is used of a GeneralNames.
type generalNames struct {
	directory [][]byte // DER of each directoryName
	other     []OtherName
	// foreign is true when there is a name of another form, which is skipped.
	foreign bool
}

// readGeneralNames reads the content of GeneralNames (RFC 5280, 4.2.1.6); it must not be empty (SIZE 1..MAX).
func readGeneralNames(list cryptobyte.String) (names generalNames, ok bool) {
	if list.Empty() {
		return names, false
	}
	for !list.Empty() {
		var content cryptobyte.String
		var tag cbasn1.Tag
		if !list.ReadAnyASN1(&content, &tag) {
			return names, false
		}
		switch tag {
		case der.Tag0C: // otherName: SEQUENCE { type-id, value [0] EXPLICIT ANY }
			var n OtherName
			var value cryptobyte.String
			if !der.ReadOID(&content, &n.OID) || !content.ReadASN1(&value, der.Tag0C) || !content.Empty() {
				return names, false
			}
			n.Raw = value
			var inner cryptobyte.String
			var innerTag cbasn1.Tag
			if !value.ReadAnyASN1(&inner, &innerTag) || !value.Empty() {
				return names, false
			}
			if names.other == nil {
				names.other = make([]OtherName, 0, 8) // a person has six
			}
			names.other = append(names.other, n)
		case der.Tag4C: // directoryName: EXPLICIT, because Name is a CHOICE
			name, ok := der.ReadName(&content)
			if !ok || !content.Empty() {
				return names, false
			}
			names.directory = append(names.directory, name)
		case der.Tag1, der.Tag2, der.Tag3C, der.Tag5C, der.Tag6, der.Tag7, der.Tag8:
			names.foreign = true
		default:
			return names, false
		}
	}
	return names, true
}

// readWholeNames reads a value that is one GeneralNames.
func readWholeNames(value cryptobyte.String) (generalNames, bool) {
	var list cryptobyte.String
	if !value.ReadASN1(&list, cbasn1.SEQUENCE) || !value.Empty() {
		return generalNames{}, false
	}
	return readGeneralNames(list)
}
