// Package der reads the pieces of DER (ITU-T X.690) that certificates, revocation lists and OCSP responses share. Every
// function takes a cryptobyte.String, advances it past what it read and returns false for anything that is not strict
// DER; nothing is copied, so results alias the input.
package der

import (
	"bytes"
	"encoding/asn1"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Context-specific tags, "c" for constructed (ITU-T X.690, 8.1.2).
const (
	Tag0  = cbasn1.Tag(0x80)
	Tag1  = cbasn1.Tag(0x81)
	Tag2  = cbasn1.Tag(0x82)
	Tag3  = cbasn1.Tag(0x83)
	Tag4  = cbasn1.Tag(0x84)
	Tag5  = cbasn1.Tag(0x85)
	Tag6  = cbasn1.Tag(0x86)
	Tag7  = cbasn1.Tag(0x87)
	Tag8  = cbasn1.Tag(0x88)
	Tag0C = cbasn1.Tag(0xa0)
	Tag1C = cbasn1.Tag(0xa1)
	Tag2C = cbasn1.Tag(0xa2)
	Tag3C = cbasn1.Tag(0xa3)
	Tag4C = cbasn1.Tag(0xa4)
	Tag5C = cbasn1.Tag(0xa5)
)

// MaxSerial is the longest serial number in octets of its INTEGER (RFC 5280, 4.1.2.2).
const MaxSerial = 20

// Extension is one extension (RFC 5280, 4.2); value is the content of extnValue.
type Extension struct {
	ID       asn1.ObjectIdentifier
	Critical bool
	Value    cryptobyte.String
}

// ReadExtensions reads the content of "[n] EXPLICIT Extensions". It refuses an empty sequence (SIZE 1..MAX), trailing
// bytes and two extensions with the same OID (RFC 5280, 4.2). An encoded "critical FALSE" is tolerated, because
// certificates with it exist and it changes nothing.
func ReadExtensions(explicit cryptobyte.String) ([]Extension, bool) {
	var list cryptobyte.String
	if !explicit.ReadASN1(&list, cbasn1.SEQUENCE) || !explicit.Empty() {
		return nil, false
	}
	return ReadExtensionList(list)
}

// ReadExtensionList reads the content of Extensions itself.
func ReadExtensionList(list cryptobyte.String) ([]Extension, bool) {
	if list.Empty() {
		return nil, false
	}
	out := make([]Extension, 0, 8) // a card's certificates have seven
	for !list.Empty() {
		var one cryptobyte.String
		var e Extension
		if !Short(&list, &one, cbasn1.SEQUENCE) || !ReadOID(&one, &e.ID) ||
			!ReadFlag(&one, &e.Critical, cbasn1.BOOLEAN) ||
			!Short(&one, &e.Value, cbasn1.OCTET_STRING) || !one.Empty() {
			return nil, false
		}
		if Find(out, e.ID) != nil {
			return nil, false
		}
		out = append(out, e)
	}
	return out, true
}

// ReadFlag reads a BOOLEAN DEFAULT FALSE with the tag, implicit or its own. DER has only 00 and FF (ITU-T X.690, 11.1).
func ReadFlag(s *cryptobyte.String, out *bool, tag cbasn1.Tag) bool {
	var value cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&value, &present, tag) {
		return false
	}
	*out = present && len(value) == 1 && value[0] == 0xff
	return !present || len(value) == 1 && (value[0] == 0xff || value[0] == 0)
}

// Find returns the extension with the OID, or nil.
func Find(list []Extension, id asn1.ObjectIdentifier) *Extension {
	for i := range list {
		if list[i].ID.Equal(id) {
			return &list[i]
		}
	}
	return nil
}

// ReadTime reads a UTCTime or GeneralizedTime in the only forms that RFC 5280, 4.1.2.5 allows: seconds present, "Z", no
// fraction. Both types are accepted for any year, as 4.1.2.5 demands of applications.
func ReadTime(s *cryptobyte.String) (time.Time, bool) {
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
	return ReadGeneralizedTime(s)
}

// ReadGeneralizedTime reads YYYYMMDDhhmmssZ (RFC 5280, 4.1.2.5.2).
func ReadGeneralizedTime(s *cryptobyte.String) (time.Time, bool) {
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

// ReadSerial reads a CertificateSerialNumber and returns the octets of its INTEGER: minimal, Positive, at most 20
// (RFC 5280, 4.1.2.2). Equal serial numbers therefore have equal octets.
func ReadSerial(s *cryptobyte.String) ([]byte, bool) {
	var octets []byte
	if !s.ReadASN1Bytes(&octets, cbasn1.INTEGER) || !Positive(octets) || len(octets) > MaxSerial {
		return nil, false
	}
	return octets, true
}

// Positive reports whether the octets are a minimally encoded INTEGER above zero.
func Positive(octets []byte) bool {
	switch {
	case len(octets) == 0, octets[0]&0x80 != 0, len(octets) == 1 && octets[0] == 0:
		return false
	case len(octets) > 1 && octets[0] == 0 && octets[1]&0x80 == 0:
		return false
	}
	return true
}

// CompareInteger orders the octets of two non-negative minimal INTEGERs by value.
func CompareInteger(a, b []byte) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return bytes.Compare(a, b)
}

// ReadBits reads a BIT STRING of whole octets, which signatures and keys are.
func ReadBits(s *cryptobyte.String) ([]byte, bool) {
	var octets []byte
	ok := s.ReadASN1BitStringAsBytes(&octets)
	return octets, ok
}

// Short reads an element with the tag, like [cryptobyte.String.ReadASN1], which it asks where the length takes more
// than one octet: nearly all elements of a certificate are shorter.
func Short(s *cryptobyte.String, out *cryptobyte.String, tag cbasn1.Tag) bool {
	in := *s
	if len(in) >= 2 && in[0] == byte(tag) && in[1] < 0x80 && len(in)-2 >= int(in[1]) {
		end := 2 + int(in[1])
		*out, *s = in[2:end], in[end:]
		return true
	}
	return s.ReadASN1(out, tag)
}

// ReadName reads a Name and returns its DER. Only the shape is checked (SEQUENCE OF SET OF {type, value}), because
// names are compared as encoded.
func ReadName(s *cryptobyte.String) ([]byte, bool) {
	raw, _, ok := ReadText(s)
	return raw, ok
}

// ReadText is ReadName. plain is true when every attribute has a type of X.520 and a text in one of the two string
// types that RFC 5280, 4.1.2.4 wants of authorities.
func ReadText(s *cryptobyte.String) (raw []byte, plain, ok bool) {
	var element, name cryptobyte.String
	if !s.ReadASN1Element(&element, cbasn1.SEQUENCE) {
		return nil, false, false
	}
	raw, plain = element, true
	if !Short(&element, &name, cbasn1.SEQUENCE) {
		return nil, false, false
	}
	for !name.Empty() {
		var rdn cryptobyte.String
		if !Short(&name, &rdn, cbasn1.SET) || rdn.Empty() {
			return nil, false, false
		}
		for !rdn.Empty() {
			var pair, id, value cryptobyte.String
			var tag cbasn1.Tag
			if !Short(&rdn, &pair, cbasn1.SEQUENCE) || !Short(&pair, &id, cbasn1.OBJECT_IDENTIFIER) ||
				!pair.ReadAnyASN1(&value, &tag) || !pair.Empty() {
				return nil, false, false
			}
			plain = plain && len(id) == 3 && id[0] == 0x55 && id[1] == 4 && id[2] < 0x80 &&
				(tag == cbasn1.UTF8String && utf8.Valid(value) || tag == cbasn1.PrintableString && printable(value))
		}
	}
	return raw, plain, true
}

// printable reports whether the characters are those of PrintableString (ITU-T X.680, 41.4).
func printable(text []byte) bool {
	for _, b := range text {
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == ' ',
			b >= '\'' && b <= ')', b >= '+' && b <= '/', b == ':', b == '=', b == '?':
		default:
			return false
		}
	}
	return true
}
