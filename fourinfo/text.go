package fourinfo

import (
	"strings"
	"unicode/utf8"
)

// maxAttribute is the longest value of one attribute that is read, in bytes of UTF-8. A name or an address in a
// certificate has at most 200 characters. It equals internal/limits.Attribute; it is repeated because this package
// imports no other of the module.
const maxAttribute = 4 << 10

// Name is a name (氏名), raw as received: usually family name, U+3000, given name, but single names and names with
// several spaces exist. A former name (旧氏) may be part of it.
type Name struct{ text }

// Address is an address (住所), raw as received: from the prefecture on, without postcode, usually with full-width
// digits and hyphens.
type Address struct{ text }

// text is what Name and Address share.
type text struct {
	redacted
	value sealed[textValue] // empty when absent
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
	return text{value: seal(textValue{raw: raw, substitutes: substitutes})}
}

// RevealParts splits a name at its first U+3000, which stands between family and given name in the register. It is a hint
// for display and never more: single names and names of several words exist, and so do family names with a space. ok is
// false unless there is something on either side.
func (n Name) RevealParts() (family, given string, ok bool) {
	family, given, _ = strings.Cut(n.Reveal(), "\u3000")
	if family == "" || given == "" {
		return "", "", false
	}
	return family, given, true
}

// Reveal returns the value exactly as received; "" when absent.
func (t text) Reveal() string {
	v, _ := t.value.open()
	return v.raw
}

// Present reports whether the source had the value at all.
func (t text) Present() bool { return !t.value.empty() }

// Substitutes tells which characters the issuer replaced by a substitute character (代替文字). Only certificates say.
func (t text) Substitutes() Substitutes {
	v, _ := t.value.open()
	if v.substitutes == nil {
		return Substitutes{}
	}
	return readSubstitutes(v.raw, *v.substitutes)
}

// checkText returns the reason why s cannot be the value of an attribute, or "".
func checkText(s string) string {
	switch {
	case s == "":
		return ReasonEmpty
	case len(s) > maxAttribute:
		return ReasonTooLong
	case !utf8.ValidString(s):
		return ReasonEncoding
	default:
		return ""
	}
}
