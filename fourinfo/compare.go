package fourinfo

import "slices"

// Outcome is the result of comparing one attribute. The zero value is OutcomeUnknown, which is never agreement.
type Outcome int

// Outcomes.
const (
	// OutcomeUnknown: the other person lacks the attribute, so nothing was compared.
	OutcomeUnknown Outcome = iota
	// Same: the values agree exactly.
	Same
	// NeedsReview: the values can neither be called equal nor different: a substitute character, an unknown part of a
	// date or an unlisted gender code stands in between. A human or another document has to decide.
	NeedsReview
	// Different: the values contradict each other.
	Different
)

// String returns "unknown", "same", "needs-review" or "different".
func (o Outcome) String() string {
	switch o {
	case Same:
		return "same"
	case NeedsReview:
		return "needs-review"
	case Different:
		return "different"
	case OutcomeUnknown:
		return "unknown"
	default:
		return "unknown"
	}
}

// FieldMatch is the outcome for one attribute. It carries no value and may be logged and kept as evidence.
type FieldMatch struct {
	Attribute string // one of the Attribute… names
	Outcome   Outcome
}

// Compare compares every attribute that p has with the same attribute of other; p is the person you expect. It returns one
// entry per attribute of p, in the order name, address, birthdate, gender; the outcome is OutcomeUnknown if other lacks it.
// The two agree exactly if every outcome is Same; comparing an empty person proves nothing.
//
// Names and addresses are compared raw, code point by code point, without any normalisation. A flagged substitute
// character (on either side) matches any one character, with its variation selectors if it has some, but never exactly.
// Birthdates are compared as dates and genders as values, so that the forms of different sources agree.
func (p Person) Compare(other Person) []FieldMatch {
	var matches []FieldMatch
	add := func(attribute string, wanted, there bool, compare func() Outcome) {
		switch {
		case wanted && there:
			matches = append(matches, FieldMatch{attribute, compare()})
		case wanted:
			matches = append(matches, FieldMatch{attribute, OutcomeUnknown})
		}
	}
	add(AttributeName, p.Name.Present(), other.Name.Present(),
		func() Outcome { return compareTexts(p.Name.text, other.Name.text) })
	add(AttributeAddress, p.Address.Present(), other.Address.Present(),
		func() Outcome { return compareTexts(p.Address.text, other.Address.text) })
	add(AttributeBirthdate, p.Birthdate.Present(), other.Birthdate.Present(),
		func() Outcome { return compareDates(p.Birthdate.Reveal(), other.Birthdate.Reveal()) })
	add(AttributeGender, p.Gender.Present(), other.Gender.Present(),
		func() Outcome { return compareGenders(p.Gender.Reveal(), other.Gender.Reveal()) })
	return matches
}

func compareTexts(a, b text) Outcome {
	sa, sb := a.Substitutes(), b.Substitutes()
	if !sa.flagged() && !sb.flagged() {
		return sameOrDifferent(a.Reveal() == b.Reveal())
	}
	// Flags that cannot be assigned to characters leave everything open.
	if sa.Known && !sa.LengthMatches || sb.Known && !sb.LengthMatches {
		return NeedsReview
	}
	ra, rb := []rune(a.Reveal()), []rune(b.Reveal())
	i, j := 0, 0
	for i < len(ra) && j < len(rb) {
		wild := slices.Contains(sa.Positions, i) || slices.Contains(sb.Positions, j)
		if !wild && ra[i] != rb[j] {
			return Different
		}
		i, j = i+1, j+1
		for wild && i < len(ra) && isVariationSelector(ra[i]) {
			i++
		}
		for wild && j < len(rb) && isVariationSelector(rb[j]) {
			j++
		}
	}
	if i < len(ra) || j < len(rb) {
		return Different
	}
	return NeedsReview
}

// isVariationSelector reports whether r chooses a glyph of the character before it (Unicode Standard, 23.4): the
// certificate replaces the two together by one substitute character.
func isVariationSelector(r rune) bool {
	return r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF
}

func compareDates(a, b PartialDate) Outcome {
	if contradicts(a.Year, b.Year) || contradicts(int(a.Month), int(b.Month)) || contradicts(a.Day, b.Day) {
		return Different
	}
	if _, complete := a.Complete(); !complete {
		return NeedsReview
	}
	if _, complete := b.Complete(); !complete {
		return NeedsReview
	}
	return Same
}

// contradicts reports whether two parts of a date are both known and differ.
func contradicts(a, b int) bool { return a != 0 && b != 0 && a != b }

func compareGenders(a, b GenderValue) Outcome {
	if a == GenderUnknown || b == GenderUnknown {
		return NeedsReview
	}
	return sameOrDifferent(a == b)
}

func sameOrDifferent(same bool) Outcome {
	if same {
		return Same
	}
	return Different
}
