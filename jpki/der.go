package jpki

import (
	"bytes"
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Context-specific tags, "c" for constructed (ITU-T X.690, 8.1.2).
const (
	tag0  = cbasn1.Tag(0x80)
	tag1  = cbasn1.Tag(0x81)
	tag2  = cbasn1.Tag(0x82)
	tag3  = cbasn1.Tag(0x83)
	tag4  = cbasn1.Tag(0x84)
	tag5  = cbasn1.Tag(0x85)
	tag6  = cbasn1.Tag(0x86)
	tag7  = cbasn1.Tag(0x87)
	tag8  = cbasn1.Tag(0x88)
	tag0c = cbasn1.Tag(0xa0)
	tag1c = cbasn1.Tag(0xa1)
	tag2c = cbasn1.Tag(0xa2)
	tag3c = cbasn1.Tag(0xa3)
	tag4c = cbasn1.Tag(0xa4)
	tag5c = cbasn1.Tag(0xa5)
)

// maxSerial is the longest serial number in octets of its INTEGER (RFC 5280, 4.1.2.2).
const maxSerial = 20

// extension is one Extension (RFC 5280, 4.2); value is the content of extnValue.
type extension struct {
	id       asn1.ObjectIdentifier
	critical bool
	value    cryptobyte.String
}

// readExtensions reads the content of "[n] EXPLICIT Extensions". It refuses an empty sequence (SIZE 1..MAX), trailing
// bytes and two extensions with the same OID (RFC 5280, 4.2). An encoded "critical FALSE" is tolerated, because
// certificates with it exist and it changes nothing.
func readExtensions(explicit cryptobyte.String) ([]extension, bool) {
	var list cryptobyte.String
	if !explicit.ReadASN1(&list, cbasn1.SEQUENCE) || !explicit.Empty() {
		return nil, false
	}
	return readExtensionList(list)
}

// readExtensionList reads the content of Extensions itself.
func readExtensionList(list cryptobyte.String) ([]extension, bool) {
	if list.Empty() {
		return nil, false
	}
	out := make([]extension, 0, 12)
	for !list.Empty() {
		var one cryptobyte.String
		var e extension
		if !list.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&e.id) ||
			!readFlag(&one, &e.critical, cbasn1.BOOLEAN) ||
			!one.ReadASN1(&e.value, cbasn1.OCTET_STRING) || !one.Empty() {
			return nil, false
		}
		if find(out, e.id) != nil {
			return nil, false
		}
		out = append(out, e)
	}
	return out, true
}

// readFlag reads a BOOLEAN DEFAULT FALSE with the tag, implicit or its own. DER has only 00 and FF (ITU-T X.690, 11.1).
func readFlag(s *cryptobyte.String, out *bool, tag cbasn1.Tag) bool {
	var value cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&value, &present, tag) {
		return false
	}
	*out = present && len(value) == 1 && value[0] == 0xff
	return !present || len(value) == 1 && (value[0] == 0xff || value[0] == 0)
}

// find returns the extension with the OID, or nil.
func find(list []extension, id asn1.ObjectIdentifier) *extension {
	for i := range list {
		if list[i].id.Equal(id) {
			return &list[i]
		}
	}
	return nil
}

// readTime reads a UTCTime or GeneralizedTime in the only forms that RFC 5280, 4.1.2.5 allows: seconds present, "Z", no
// fraction. Both types are accepted for any year, as 4.1.2.5 demands of applications.
func readTime(s *cryptobyte.String) (time.Time, bool) {
	if s.PeekASN1Tag(cbasn1.UTCTime) {
		var text cryptobyte.String
		if !s.ReadASN1(&text, cbasn1.UTCTime) || len(text) != len("YYMMDDhhmmssZ") {
			return time.Time{}, false
		}
		year, ok := digits(text[:2])
		if year < 50 { // RFC 5280, 4.1.2.5.1
			year += 2000
		} else {
			year += 1900
		}
		if !ok {
			return time.Time{}, false
		}
		return dateTime(year, text[2:])
	}
	return readGeneralizedTime(s)
}

// readGeneralizedTime reads YYYYMMDDhhmmssZ (RFC 5280, 4.1.2.5.2).
func readGeneralizedTime(s *cryptobyte.String) (time.Time, bool) {
	var text cryptobyte.String
	if !s.ReadASN1(&text, cbasn1.GeneralizedTime) || len(text) != len("YYYYMMDDhhmmssZ") {
		return time.Time{}, false
	}
	year, ok := digits(text[:4])
	if !ok {
		return time.Time{}, false
	}
	return dateTime(year, text[4:])
}

// dateTime reads MMDDhhmmssZ. A date that does not exist (31 February, hour 24, second 60) is refused.
func dateTime(year int, text []byte) (time.Time, bool) {
	var part [5]int
	for i := range part {
		n, ok := digits(text[2*i : 2*i+2])
		if !ok {
			return time.Time{}, false
		}
		part[i] = n
	}
	month, day, hour, minute, second := part[0], part[1], part[2], part[3], part[4]
	if text[10] != 'Z' || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	return t, t.Day() == day
}

func digits(text []byte) (n int, ok bool) {
	for _, b := range text {
		if b < '0' || b > '9' {
			return 0, false
		}
		n = 10*n + int(b-'0')
	}
	return n, true
}

// readSerial reads a CertificateSerialNumber and returns the octets of its INTEGER: minimal, positive, at most 20
// (RFC 5280, 4.1.2.2). Equal serial numbers therefore have equal octets.
func readSerial(s *cryptobyte.String) ([]byte, bool) {
	var octets []byte
	if !s.ReadASN1Bytes(&octets, cbasn1.INTEGER) || !positive(octets) || len(octets) > maxSerial {
		return nil, false
	}
	return octets, true
}

// positive reports whether the octets are a minimally encoded INTEGER above zero.
func positive(octets []byte) bool {
	switch {
	case len(octets) == 0, octets[0]&0x80 != 0, len(octets) == 1 && octets[0] == 0:
		return false
	case len(octets) > 1 && octets[0] == 0 && octets[1]&0x80 == 0:
		return false
	}
	return true
}

// compareInteger orders the octets of two non-negative minimal INTEGERs by value.
func compareInteger(a, b []byte) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return bytes.Compare(a, b)
}

// readBits reads a BIT STRING of whole octets, which signatures and keys are.
func readBits(s *cryptobyte.String) ([]byte, bool) {
	var octets []byte
	ok := s.ReadASN1BitStringAsBytes(&octets)
	return octets, ok
}

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

// readName reads a Name and returns its DER. Only the shape is checked (SEQUENCE OF SET OF {type, value}), because names
// are compared as encoded.
func readName(s *cryptobyte.String) ([]byte, bool) {
	var raw cryptobyte.String
	if !s.ReadASN1Element(&raw, cbasn1.SEQUENCE) {
		return nil, false
	}
	rest, name := raw, cryptobyte.String(nil)
	if !rest.ReadASN1(&name, cbasn1.SEQUENCE) {
		return nil, false
	}
	for !name.Empty() {
		var rdn cryptobyte.String
		if !name.ReadASN1(&rdn, cbasn1.SET) || rdn.Empty() {
			return nil, false
		}
		for !rdn.Empty() {
			var pair, value cryptobyte.String
			var tag cbasn1.Tag
			if !rdn.ReadASN1(&pair, cbasn1.SEQUENCE) || !pair.SkipASN1(cbasn1.OBJECT_IDENTIFIER) ||
				!pair.ReadAnyASN1(&value, &tag) || !pair.Empty() {
				return nil, false
			}
		}
	}
	return raw, true
}
