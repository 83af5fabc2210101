package fourinfo

// Outcome is the result of comparing one attribute. The zero value is OutcomeUnknown, which is never agreement.
type Outcome int

// Outcomes.
const (
	// OutcomeUnknown: the other person lacks the attribute, so nothing was compared.
	OutcomeUnknown Outcome = iota
	// Same: the raw values of names and addresses agree exactly; it is never said of texts that differ. Complete birthdates are
	// the same date, and genders the same listed value, whatever code their sources have for them.
	Same
	// SameAfterNormalisation: the raw values differ only in ways of writing that mean the same, each named by a finding.
	SameAfterNormalisation
	// NeedsReview: the values can neither be called equal nor different: a substitute character, a variant of a character,
	// an address that goes on where the other ends, an unknown part of a date or an unlisted gender code stands in between.
	// A human or another document has to decide.
	NeedsReview
	// Different: the values contradict each other.
	Different
)

// String returns "unknown", "same", "same-after-normalisation", "needs-review" or "different".
func (o Outcome) String() string {
	switch o {
	case Same:
		return "same"
	case SameAfterNormalisation:
		return "same-after-normalisation"
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

// Wording is the outcome in words for a person.
func (o Outcome) Wording() Wording {
	switch o {
	case Same:
		return Wording{"完全に一致", "the same"}
	case SameAfterNormalisation:
		return Wording{"表記の違いを除いて一致", "the same but for the way of writing"}
	case NeedsReview:
		return Wording{"確認が必要", "needs review"}
	case Different:
		return Wording{"不一致", "different"}
	case OutcomeUnknown:
		return Wording{"比較できません", "not compared"}
	default:
		return Wording{"比較できません", "not compared"}
	}
}

// Wording is a text for a person, in Japanese and English.
type Wording struct{ JA, EN string }

// In returns the text in the language "ja"; any other reads as English.
func (w Wording) In(language string) string {
	if language == "ja" {
		return w.JA
	}
	return w.EN
}

// Span is a range of a raw value in Unicode code points, counted from 0: From is the first, To the one after the last.
type Span struct{ From, To int }

// Finding is one reason of an outcome: what distinguishes the two raw values there. It carries positions and no characters,
// so it may be logged and kept as evidence.
type Finding struct {
	// Step is the way of writing, or the doubt, that the finding is about.
	Step Step
	// Outcome is what the finding alone makes of the comparison; the attribute's is the gravest of them.
	Outcome Outcome
	// Expected and Actual say where, in the raw value of the person who compares and in the other's. A span that is empty
	// (To equals From) marks the place where something is missing.
	Expected, Actual Span
}

// Wording describes the finding without its positions.
func (f Finding) Wording() Wording { return f.Step.Wording() }

// FieldMatch is the outcome for one attribute. It carries no value and may be logged and kept as evidence.
type FieldMatch struct {
	Attribute string // one of the Attribute… names
	Outcome   Outcome
	// Findings are the reasons, in the order of their places; empty if the outcome is Same or OutcomeUnknown.
	Findings []Finding
}
