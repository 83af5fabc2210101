package fourinfo

import (
	"strings"

	"github.com/kakunin-go/kakunin/internal/redact"
)

// Gender is a gender (性別) with its code as received.
type Gender struct {
	redacted
	raw redact.Value[string] // empty when absent
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

var genderNames = [...]string{
	GenderUnknown:       "unknown",
	Male:                "male",
	Female:              "female",
	GenderOther:         "other",
	GenderNotApplicable: "not-applicable",
}

// genderCodes are the codes and words of the sources, in lower case.
var genderCodes = map[string]GenderValue{
	"1": Male, "male": Male, "2": Female, "female": Female, "3": GenderOther, "9": GenderNotApplicable,
}

// String returns "unknown", "male", "female", "other" or "not-applicable". It reveals the value.
func (v GenderValue) String() string {
	if v < 0 || int(v) >= len(genderNames) {
		return genderNames[GenderUnknown]
	}
	return genderNames[v]
}

// NewGender keeps raw, a code ("1", "2", "3", "9") or a word ("male", "female", as in OpenID Connect Core 1.0,
// section 5.1). The result is present even if raw is empty or unlisted.
func NewGender(raw string) Gender { return Gender{raw: redact.Seal(raw)} }

// Reveal decodes the code; GenderUnknown when absent or unlisted.
func (g Gender) Reveal() GenderValue { return genderCodes[strings.ToLower(g.RevealRaw())] }

// RevealRaw returns the code as received; "" when absent.
func (g Gender) RevealRaw() string {
	raw, _ := g.raw.Open()
	return raw
}

// Present reports whether the source had the value at all.
func (g Gender) Present() bool { return !g.raw.Empty() }
