package jpki

import (
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
)

// The pieces of DER that this package shares with those of lists and paths, under the names that it uses them by.
const (
	tag0  = der.Tag0
	tag1  = der.Tag1
	tag2  = der.Tag2
	tag3  = der.Tag3
	tag4  = der.Tag4
	tag5  = der.Tag5
	tag6  = der.Tag6
	tag7  = der.Tag7
	tag8  = der.Tag8
	tag0c = der.Tag0C
	tag1c = der.Tag1C
	tag2c = der.Tag2C
	tag3c = der.Tag3C
	tag4c = der.Tag4C
	tag5c = der.Tag5C
)

type extension = der.Extension

func readExtensions(explicit cryptobyte.String) ([]extension, bool) {
	return der.ReadExtensions(explicit)
}

func find(list []extension, id asn1.ObjectIdentifier) *extension { return der.Find(list, id) }

func readTime(s *cryptobyte.String) (time.Time, bool) { return der.ReadTime(s) }

func readGeneralizedTime(s *cryptobyte.String) (time.Time, bool) { return der.ReadGeneralizedTime(s) }

func readSerial(s *cryptobyte.String) ([]byte, bool) { return der.ReadSerial(s) }

func readBits(s *cryptobyte.String) ([]byte, bool) { return der.ReadBits(s) }

func readName(s *cryptobyte.String) ([]byte, bool) { return der.ReadName(s) }

// generalNames is what this package uses of a GeneralNames.
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
		case tag0c: // otherName: SEQUENCE { type-id, value [0] EXPLICIT ANY }
			var n OtherName
			var value cryptobyte.String
			if !content.ReadASN1ObjectIdentifier(&n.OID) || !content.ReadASN1(&value, tag0c) || !content.Empty() {
				return names, false
			}
			n.Raw = value
			var inner cryptobyte.String
			var innerTag cbasn1.Tag
			if !value.ReadAnyASN1(&inner, &innerTag) || !value.Empty() {
				return names, false
			}
			names.other = append(names.other, n)
		case tag4c: // directoryName: EXPLICIT, because Name is a CHOICE
			name, ok := readName(&content)
			if !ok || !content.Empty() {
				return names, false
			}
			names.directory = append(names.directory, name)
		case tag1, tag2, tag3c, tag5c, tag6, tag7, tag8:
			names.foreign = true
		default:
			return names, false
		}
	}
	return names, true
}
