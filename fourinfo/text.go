package fourinfo

import (
	"strings"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/redact"
)

// Name is a name (氏名), raw as received: usually family name, U+3000, given name, but single names and names with
// several spaces exist. A former name (旧氏) may be part of it.
type Name struct{ text }

// Address is an address (住所), raw as received: from the prefecture on, without postcode, usually with full-width
// digits and hyphens.
type Address struct{ text }

// text is what Name and Address share.
type text struct {
	redacted
	value redact.Value[textValue] // empty when absent
}

type textValue struct {
	raw         string
	substitutes *string // the flags as received; nil when the source has none
}

// NewName keeps raw untouched. The result is present even if raw is empty.
func NewName(raw string) Name { return Name{newText(raw, nil)} }

// NewAddress keeps raw untouched. The result is present even if raw is empty.
func NewAddress(raw string) Address { return Address{newText(raw, nil)} }

func newText(raw string, substitutes *string) text {
	return text{value: redact.Seal(textValue{raw: raw, substitutes: substitutes})}
}

// RevealParts splits a name at its first U+3000, which stands between family and given name in the register. It is a
// hint for display and never more: single names and names of several words exist, and so do family names with a space.
// ok is false unless there is something on either side.
func (n Name) RevealParts() (family, given string, ok bool) {
	family, given, _ = strings.Cut(n.Reveal(), "\u3000")
	if family == "" || given == "" {
		return "", "", false
	}
	return family, given, true
}

// Reveal returns the value exactly as received; "" when absent.
func (t text) Reveal() string {
	v, _ := t.value.Open()
	return v.raw
}

// Present reports whether the source had the value at all.
func (t text) Present() bool { return !t.value.Empty() }

// Substitutes tells which characters the issuer replaced by a substitute character (代替文字). Only certificates say.
func (t text) Substitutes() Substitutes {
	v, _ := t.value.Open()
	if v.substitutes == nil {
		return Substitutes{}
	}
	return readSubstitutes(v.raw, *v.substitutes)
}

// checkText returns the reason why s cannot be the value of an attribute, or "".
func checkText(s string) string {
	switch {
	case s == "":
		return ProblemEmpty
	case len(s) > limits.Attribute:
		return ProblemTooLong
	case !utf8.ValidString(s):
		return ProblemEncoding
	default:
		return ""
	}
}

// Substitutes are the positions of a name or address at which the issuer of a signing certificate put a substitute
// character (代替文字), because the certificate's repertoire (JIS X 0208 and JIS X 0212) lacks the real one: 髙 may
// appear as 高, flagged. What stands at a flagged position is therefore neither equal nor unequal to a record of the
// person; see [Person.Compare].
type Substitutes struct {
	// Known reports whether the source carries flags at all. The service and the card do not.
	Known bool
	// LengthMatches reports whether there is exactly one flag "0" or "1" per Unicode code point, the U+3000 between
	// family and given name included. If not, no flag can be assigned to a character, and Positions is empty.
	LengthMatches bool
	// Positions are the flagged characters, as 0-based indexes of Unicode code points in ascending order.
	Positions []int
}

// flagged reports whether the source marks, or may mark, a character as replaced: unusable flags mark any.
func (s Substitutes) flagged() bool { return s.Known && (!s.LengthMatches || len(s.Positions) > 0) }

// readSubstitutes reads flags against their text. Positions are code points, as the profile counts: 𠮷 (U+20BB7) is one,
// although it has four bytes and two UTF-16 units.
func readSubstitutes(raw, flags string) Substitutes {
	s := Substitutes{Known: true}
	if wellFormedFlags(flags) && utf8.RuneCountInString(raw) == len(flags) {
		s.LengthMatches = true
		for i := range len(flags) {
			if flags[i] == '1' {
				s.Positions = append(s.Positions, i)
			}
		}
	}
	return s
}

// wellFormedFlags reports whether flags consists of "0" and "1" only.
func wellFormedFlags(flags string) bool {
	for i := range len(flags) {
		if flags[i] != '0' && flags[i] != '1' {
			return false
		}
	}
	return true
}
