// Package names compares distinguished names as RFC 5280, 7.1 says, and reads the GeneralNames and distribution points
// that are matched by them.
package names

import (
	"encoding/asn1"
	"sort"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// Tags of string types that cryptobyte does not name (ITU-T X.680, 8.4).
const (
	TagUniversalString = cbasn1.Tag(28)
	TagBMPString       = cbasn1.Tag(30)
	TagNumericString   = cbasn1.Tag(18)
)

// Name is a distinguished name in the form that RFC 5280, 7.1 compares: one canonical string for each relative
// distinguished name. Two names match exactly when their canonical strings are equal.
type Name struct {
	Raw    []byte   // DER
	RDNs   []string // canonical form of each RDN
	Key    string   // canonical form of the whole name
	Emails []string // values of emailAddress attributes, for RFC 5280, 4.2.1.10
}

// Empty reports whether there is no RDN.
func (n *Name) Empty() bool { return len(n.RDNs) == 0 }

// Equal compares two names as RFC 5280, 7.1 says.
func (n *Name) Equal(other *Name) bool { return n.Key == other.Key }

// Within reports whether n lies in the subtree: the subtree's RDNs are the first ones of n (RFC 5280, 7.1).
func (n *Name) Within(subtree *Name) bool {
	if len(subtree.RDNs) > len(n.RDNs) {
		return false
	}
	for i, rdn := range subtree.RDNs {
		if n.RDNs[i] != rdn {
			return false
		}
	}
	return true
}

// Extend returns the name with one more RDN, which is how nameRelativeToCRLIssuer is meant (RFC 5280, 4.2.1.13).
func (n *Name) Extend(rdn string) *Name {
	out := &Name{RDNs: append(append([]string(nil), n.RDNs...), rdn)}
	out.Key = nameKey(out.RDNs)
	return out
}

func nameKey(rdns []string) string {
	var b strings.Builder
	for _, r := range rdns {
		writePart(&b, r)
	}
	return b.String()
}

// writePart writes a length and the text, so that no two lists of parts have the same form.
func writePart(b *strings.Builder, part string) {
	n := len(part)
	b.Write([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
	b.WriteString(part)
}

// Read reads a Name (RFC 5280, 4.1.2.4).
func Read(s *cryptobyte.String) (*Name, bool) {
	var raw, list cryptobyte.String
	if !s.ReadASN1Element(&raw, cbasn1.SEQUENCE) {
		return nil, false
	}
	n := &Name{Raw: raw}
	rest := raw
	if !rest.ReadASN1(&list, cbasn1.SEQUENCE) {
		return nil, false
	}
	for !list.Empty() {
		var set cryptobyte.String
		if !list.ReadASN1(&set, cbasn1.SET) || len(n.RDNs) >= limits.NameRDNs {
			return nil, false
		}
		rdn, ok := n.readRDN(set)
		if !ok {
			return nil, false
		}
		n.RDNs = append(n.RDNs, rdn)
	}
	n.Key = nameKey(n.RDNs)
	return n, true
}

// readRDN reads the content of a RelativeDistinguishedName and returns its canonical form, in which the order of the
// attributes does not matter: "Two relative distinguished names RDN1 and RDN2 match if they have the same number of
// naming attributes and for each naming attribute in RDN1 there is a matching naming attribute in RDN2."
func (n *Name) readRDN(set cryptobyte.String) (string, bool) {
	if set.Empty() {
		return "", false
	}
	var parts []string
	for !set.Empty() {
		var pair, id, value cryptobyte.String
		var tag cbasn1.Tag
		if !set.ReadASN1(&pair, cbasn1.SEQUENCE) || !pair.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) || !SoundOID(id) ||
			!pair.ReadAnyASN1(&value, &tag) || !pair.Empty() {
			return "", false
		}
		text, ok := canonicalValue(value, tag)
		if !ok {
			return "", false
		}
		if string(id) == emailAddressOID {
			n.Emails = append(n.Emails, string(value))
		}
		var b strings.Builder
		writePart(&b, string(id))
		b.WriteString(text)
		parts = append(parts, b.String())
	}
	sort.Strings(parts)
	return nameKey(parts), true
}

// emailAddressOID is the content of the OID 1.2.840.113549.1.9.1.
const emailAddressOID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"

// SoundOID reports whether the octets are a DER OBJECT IDENTIFIER: base 128 without padding.
func SoundOID(content []byte) bool {
	if len(content) == 0 || len(content) > limits.OID || content[len(content)-1]&0x80 != 0 {
		return false
	}
	start := true
	for _, b := range content {
		if start && b == 0x80 {
			return false
		}
		start = b&0x80 == 0
	}
	return true
}

// canonicalValue returns the form of an attribute value in which it is compared. DirectoryStrings of every encoding
// meet in one form, so that a PrintableString matches the same text as UTF8String (RFC 5280, 7.1); IA5String, which
// domainComponent and emailAddress use, ignores the case of ASCII letters (7.3 and 7.5); other types are compared as
// encoded. A string that its type does not allow is refused.
func canonicalValue(value []byte, tag cbasn1.Tag) (string, bool) {
	switch tag {
	case cbasn1.PrintableString:
		return "D" + prepare(string(value)), printable(value)
	case TagNumericString:
		return "D" + prepare(string(value)), numeric(value)
	case cbasn1.UTF8String:
		return "D" + prepare(string(value)), utf8.Valid(value)
	case TagBMPString:
		text, ok := fromBMP(value)
		return "D" + prepare(text), ok
	case TagUniversalString:
		text, ok := fromUniversal(value)
		return "D" + prepare(text), ok
	case cbasn1.IA5String:
		return "I" + LowerASCII(
				strings.Join(strings.FieldsFunc(string(value), func(r rune) bool { return r == ' ' }), " "),
			), ascii(
				value,
			)
	default:
		return "X" + string([]byte{byte(tag)}) + string(value), true
	}
}

// printable reports whether the octets may stand in a PrintableString (ITU-T X.680, 41.4). "*", "&" and "@" are
// tolerated: they are no letters of that alphabet, but certificates with them are common and they hide nothing.
func printable(value []byte) bool {
	for _, b := range value {
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9':
		case strings.IndexByte(" '()+,-./:=?*&@", b) >= 0:
		default:
			return false
		}
	}
	return true
}

func numeric(value []byte) bool {
	for _, b := range value {
		if b != ' ' && (b < '0' || b > '9') {
			return false
		}
	}
	return true
}

func ascii(value []byte) bool {
	for _, b := range value {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func fromBMP(value []byte) (string, bool) {
	if len(value)%2 != 0 {
		return "", false
	}
	units := make([]uint16, 0, len(value)/2)
	for i := 0; i < len(value); i += 2 {
		unit := uint16(value[i])<<8 | uint16(value[i+1])
		if utf16.IsSurrogate(rune(unit)) { // BMPString has the Basic Multilingual Plane only
			return "", false
		}
		units = append(units, unit)
	}
	return string(utf16.Decode(units)), true
}

func fromUniversal(value []byte) (string, bool) {
	if len(value)%4 != 0 {
		return "", false
	}
	var b strings.Builder
	for i := 0; i < len(value); i += 4 {
		r := uint32(value[i])<<24 | uint32(value[i+1])<<16 | uint32(value[i+2])<<8 | uint32(value[i+3])
		if r > unicode.MaxRune || !utf8.ValidRune(rune(r)) {
			return "", false
		}
		b.WriteRune(rune(r))
	}
	return b.String(), true
}

// prepare is the string preparation of RFC 4518 for caseIgnoreMatch, on which RFC 5280, 7.1 bases the comparison: map,
// normalise to NFKC, fold case, and reduce insignificant spaces. A text with a prohibited character keeps its own form,
// so that it matches only itself.
func prepare(text string) string {
	if ascii([]byte(text)) && !strings.ContainsFunc(text, unicode.IsControl) {
		return strings.Join(strings.Fields(LowerASCII(text)), " ")
	}
	if strings.ContainsFunc(text, prohibited) {
		return "\x00" + text
	}
	text = strings.Map(mapRune, text)
	text = norm.NFKC.String(cases.Fold().String(norm.NFKC.String(text)))
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' }), " ")
}

// mapRune is RFC 4518, 2.2: what carries no meaning goes, every space becomes SPACE.
func mapRune(r rune) rune {
	switch {
	case r >= 0x09 && r <= 0x0d, r == 0x85, unicode.Is(unicode.Z, r):
		return ' '
	case r == 0xad, r == 0x1806, r == 0x034f, r >= 0x180b && r <= 0x180d, r >= 0xfe00 && r <= 0xfe0f, r == 0xfffc,
		unicode.Is(unicode.Cc, r), unicode.Is(unicode.Cf, r), r == 0x200b:
		return -1
	}
	return r
}

// prohibited is RFC 4518, 2.4: private use, non-characters, surrogates and the replacement character.
func prohibited(r rune) bool {
	return r == utf8.RuneError || unicode.Is(unicode.Co, r) || unicode.Is(unicode.Noncharacter_Code_Point, r)
}

// LowerASCII lowers the ASCII letters.
func LowerASCII(text string) string {
	for i := range len(text) {
		if c := text[i]; 'A' <= c && c <= 'Z' {
			b := []byte(text)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return text
}

// OIDContent returns the content octets of an OBJECT IDENTIFIER, the form in which this package compares policies.
func OIDContent(id asn1.ObjectIdentifier) (string, bool) {
	var b cryptobyte.Builder
	b.AddASN1ObjectIdentifier(id)
	encoded, err := b.Bytes()
	if err != nil {
		return "", false
	}
	s := cryptobyte.String(encoded)
	var content cryptobyte.String
	if !s.ReadASN1(&content, cbasn1.OBJECT_IDENTIFIER) {
		return "", false
	}
	return string(content), true
}
