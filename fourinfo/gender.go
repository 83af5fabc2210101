package fourinfo

import "strings"

// Gender is a gender (性別) with its code as received.
type Gender struct {
	redacted
	raw sealed[string] // empty when absent
}

// GenderValue is the decoded gender. The zero value is GenderUnknown.
type GenderValue int

// Gender values; every unlisted code is GenderUnknown and never defaults to one of the others.
const (
	GenderUnknown GenderValue = iota
	// Male is code 1 (男).
	Male
	// Female is code 2 (女).
	Female
	// GenderOther is code 3 (その他, 不明).
	GenderOther
	// GenderNotApplicable is code 9 (適用不能).
	GenderNotApplicable
)

// String returns "unknown", "male", "female", "other" or "not-applicable". It reveals the value.
func (v GenderValue) String() string {
	switch v {
	case Male:
		return "male"
	case Female:
		return "female"
	case GenderOther:
		return "other"
	case GenderNotApplicable:
		return "not-applicable"
	case GenderUnknown:
		return "unknown"
	default:
		return "unknown"
	}
}

// NewGender keeps raw, a code ("1", "2", "3", "9") or a word ("male", "female", as in OpenID Connect Core 1.0,
// section 5.1). The result is present even if raw is empty or unlisted.
func NewGender(raw string) Gender { return Gender{raw: seal(raw)} }

// Reveal decodes the code; GenderUnknown when absent or unlisted.
func (g Gender) Reveal() GenderValue {
	switch raw := g.RevealRaw(); {
	case raw == "1", strings.EqualFold(raw, "male"):
		return Male
	case raw == "2", strings.EqualFold(raw, "female"):
		return Female
	case raw == "3":
		return GenderOther
	case raw == "9":
		return GenderNotApplicable
	default:
		return GenderUnknown
	}
}

// RevealRaw returns the code as received; "" when absent.
func (g Gender) RevealRaw() string {
	raw, _ := g.raw.open()
	return raw
}

// Present reports whether the source had the value at all.
func (g Gender) Present() bool { return !g.raw.empty() }
