package daa

import (
	"strings"

	"github.com/kakunin-go/kakunin/authn/wire"
)

// AttributeKnobs change the forms of the four attributes in userinfo. The documents leave them open, and a client has to
// understand all of them.
type AttributeKnobs struct {
	Address       AddressForm
	Birthdate     BirthdateForm
	Gender        GenderForm
	NameSeparator NameSeparator
}

// AddressForm says how the address is written.
type AddressForm int

// Values of AddressForm.
const (
	// AddressString is a plain string.
	AddressString AddressForm = iota
	// AddressObject is an object with a member "formatted" (OpenID Connect Core 1.0, section 5.1.1).
	AddressObject
)

// BirthdateForm says how the birthdate is written.
type BirthdateForm int

// Values of BirthdateForm.
const (
	// BirthdateCompact is YYYYMMDD.
	BirthdateCompact BirthdateForm = iota
	// BirthdateISO is YYYY-MM-DD (OpenID Connect Core 1.0, section 5.1).
	BirthdateISO
	// BirthdateUnknownDay is YYYYMM00: few cards do not know the day.
	BirthdateUnknownDay
	// BirthdateUnknownMonth is YYYY0000.
	BirthdateUnknownMonth
)

// GenderForm says how the gender is written.
type GenderForm int

// Values of GenderForm.
const (
	// GenderCode is the card's code of one character.
	GenderCode GenderForm = iota
	// GenderWord is "male" or "female" (OpenID Connect Core 1.0, section 5.1); other codes stay codes.
	GenderWord
	// GenderUnlisted is a code that no list has.
	GenderUnlisted
)

// NameSeparator says what stands between the parts of a name.
type NameSeparator int

// Values of NameSeparator.
const (
	// NameFullWidth is U+3000, as on the card.
	NameFullWidth NameSeparator = iota
	// NameHalfWidth is U+0020.
	NameHalfWidth
	// NameUnseparated is nothing.
	NameUnseparated
)

// unlistedGender is a code that neither the card nor a known document has.
const unlistedGender = "7"

// apply rewrites the attributes that are among the claims.
func (k AttributeKnobs) apply(claims map[string]any, w wire.Profile) {
	rewrite := func(name string, f func(string) any) {
		if s, ok := claims[name].(string); ok && name != "" {
			claims[name] = f(s)
		}
	}
	rewrite(w.ClaimAddress, k.address)
	rewrite(w.ClaimBirthdate, k.birthdate)
	rewrite(w.ClaimGender, k.gender)
	rewrite(w.ClaimName, k.name)
}

func (k AttributeKnobs) address(s string) any {
	if k.Address == AddressObject {
		return map[string]string{"formatted": s, "country": "JP"}
	}
	return s
}

func (k AttributeKnobs) birthdate(s string) any {
	if len(s) != len("YYYYMMDD") {
		return s
	}
	switch k.Birthdate {
	case BirthdateISO:
		return s[:4] + "-" + s[4:6] + "-" + s[6:]
	case BirthdateUnknownDay:
		return s[:6] + "00"
	case BirthdateUnknownMonth:
		return s[:4] + "0000"
	case BirthdateCompact:
	}
	return s
}

func (k AttributeKnobs) gender(s string) any {
	switch {
	case k.Gender == GenderUnlisted:
		return unlistedGender
	case k.Gender == GenderWord && s == "1":
		return "male"
	case k.Gender == GenderWord && s == "2":
		return "female"
	}
	return s
}

func (k AttributeKnobs) name(s string) any {
	switch k.NameSeparator {
	case NameHalfWidth:
		return strings.ReplaceAll(s, "\u3000", " ")
	case NameUnseparated:
		return strings.ReplaceAll(s, "\u3000", "")
	case NameFullWidth:
	}
	return s
}
