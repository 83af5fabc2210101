package fourinfo

import "github.com/kakunin-go/kakunin"

// Compare compares every attribute that p has with the same attribute of other; p is the person you expect, or what
// your file says. It returns one entry per attribute of p, in the order of [Person.Attributes]; the outcome is
// OutcomeUnknown if other lacks it. The two agree exactly if every outcome is Same; comparing an empty person proves
// nothing.
//
// Names and addresses are compared through named steps ([Step]); what they equate is reported with its place in the raw
// values, which stay untouched, and nothing is equated by a measure of likeness. A flagged substitute character (on
// either side) matches any one character, with its variation selectors if it has some, but never exactly. Birthdates
// are compared as dates and genders as values, so that the forms of different sources agree.
//
// Compare is symmetric: exchanging the two persons exchanges the spans of the findings and changes no outcome of an
// attribute that both have.
func (p Person) Compare(other Person) []FieldMatch {
	matches := make([]FieldMatch, 0, 4)
	add := func(attribute string, wanted, there bool, compare func() (Outcome, []Finding)) {
		switch {
		case wanted && there:
			o, findings := compare()
			matches = append(matches, FieldMatch{attribute, o, findings})
		case wanted:
			matches = append(matches, FieldMatch{attribute, OutcomeUnknown, nil})
		}
	}
	add(AttributeName, p.Name.Present(), other.Name.Present(),
		func() (Outcome, []Finding) { return compareNamesOf(p, other) })
	add(AttributeAddress, p.Address.Present(), other.Address.Present(),
		func() (Outcome, []Finding) { return compareAddresses(p.Address.text, other.Address.text) })
	add(AttributeBirthdate, p.Birthdate.Present(), other.Birthdate.Present(),
		func() (Outcome, []Finding) { return compareDates(p.Birthdate.Reveal(), other.Birthdate.Reveal()) })
	add(AttributeGender, p.Gender.Present(), other.Gender.Present(),
		func() (Outcome, []Finding) { return compareGenders(p.Gender.Reveal(), other.Gender.Reveal()) })
	add(AttributeFurigana, p.Furigana.Present(), other.Furigana.Present(),
		func() (Outcome, []Finding) { return compareNames(p.Furigana.text, other.Furigana.text) })
	add(AttributeFormerName, p.FormerName.Present(), other.FormerName.Present(),
		func() (Outcome, []Finding) { return compareNames(p.FormerName.text, other.FormerName.text) })
	add(AttributeAlias, p.Alias.Present(), other.Alias.Present(),
		func() (Outcome, []Finding) { return compareNames(p.Alias.text, other.Alias.text) })
	if len(matches) == 0 {
		return nil
	}
	return matches
}

// compareNamesOf compares the names of two persons, with what else is known of them if the names alone do not agree.
func compareNamesOf(p, other Person) (Outcome, []Finding) {
	o, findings := compareNames(p.Name.text, other.Name.text)
	switch {
	case o == Different && (isOtherName(p.Name, other) || isOtherName(other.Name, p)):
		findings[0].Step, findings[0].Outcome = StepOtherName, NeedsReview
		return NeedsReview, findings[:1]
	case o == NeedsReview && findings[0].Step == StepScript && readsOtherwise(p, other):
		findings[0].Step, findings[0].Outcome = StepDifference, Different
		return Different, findings[:1]
	}
	return o, findings
}

// isOtherName reports whether the name is the person's alias (通称), or the former family name (旧氏) with the present
// given one.
func isOtherName(name Name, person Person) bool {
	agrees := func(candidate Name) bool {
		if !candidate.Present() {
			return false
		}
		o, _ := compareNames(name.text, candidate.text)
		return o == Same || o == SameAfterNormalisation || o == NeedsReview
	}
	if agrees(person.Alias) || agrees(person.FormerName) {
		return true
	}
	_, given, ok := person.Name.RevealParts()
	return ok && person.FormerName.Present() && agrees(NewName(person.FormerName.Reveal()+"\u3000"+given))
}

// readsOtherwise reports whether the furigana of one person contradict the other's name, which is written by sound.
func readsOtherwise(p, other Person) bool {
	contradict := func(furigana, name Name) bool {
		if !furigana.Present() || scriptsOf(foldName(name.Reveal(), Substitutes{}).tokens) == scriptHan {
			return false
		}
		o, _ := compareNames(furigana.text, name.text)
		return o == Different
	}
	return contradict(p.Furigana, other.Name) || contradict(other.Furigana, p.Name)
}

func compareDates(a, b PartialDate) (Outcome, []Finding) {
	if contradicts(a.Year, b.Year) || contradicts(int(a.Month), int(b.Month)) || contradicts(a.Day, b.Day) {
		return Different, []Finding{{Step: StepDifference, Outcome: Different}}
	}
	_, completeA := a.Complete()
	_, completeB := b.Complete()
	if !completeA || !completeB {
		return NeedsReview, []Finding{{Step: StepUnknownPart, Outcome: NeedsReview}}
	}
	return Same, nil
}

// contradicts reports whether two parts of a date are both known and differ.
func contradicts(a, b int) bool { return a != 0 && b != 0 && a != b }

func compareGenders(a, b GenderValue) (Outcome, []Finding) {
	switch {
	case a == GenderUnknown || b == GenderUnknown:
		return NeedsReview, []Finding{{Step: StepUnknownPart, Outcome: NeedsReview}}
	case a == b:
		return Same, nil
	default:
		return Different, []Finding{{Step: StepDifference, Outcome: Different}}
	}
}

// Outcome is the result of comparing one attribute. The zero value is OutcomeUnknown, which is never agreement.
type Outcome int

// Outcomes.
const (
	// OutcomeUnknown: the other person lacks the attribute, so nothing was compared.
	OutcomeUnknown Outcome = iota
	// Same: the raw values of names and addresses agree exactly; it is never said of texts that differ. Complete
	// birthdates are the same date, and genders the same listed value, whatever code their sources have for them.
	Same
	// SameAfterNormalisation: the raw values differ only in ways of writing that mean the same, each named by a
	// finding.
	SameAfterNormalisation
	// NeedsReview: the values can neither be called equal nor different: a substitute character, a variant of a
	// character, an address that goes on where the other ends, an unknown part of a date or an unlisted gender code
	// stands in between. A human or another document has to decide.
	NeedsReview
	// Different: the values contradict each other.
	Different
)

// outcomeTexts say how outcomes are called in records and how they are explained to a person.
var outcomeTexts = [...]struct {
	name    string
	wording kakunin.Message
}{
	OutcomeUnknown: {"unknown", kakunin.Message{JA: "比較できません", EN: "not compared"}},
	Same:           {"same", kakunin.Message{JA: "完全に一致", EN: "the same"}},
	SameAfterNormalisation: {
		"same-after-normalisation",
		kakunin.Message{JA: "表記の違いを除いて一致", EN: "the same but for the way of writing"},
	},
	NeedsReview: {"needs-review", kakunin.Message{JA: "確認が必要", EN: "needs review"}},
	Different:   {"different", kakunin.Message{JA: "不一致", EN: "different"}},
}

func (o Outcome) listed() Outcome {
	if o < 0 || int(o) >= len(outcomeTexts) {
		return OutcomeUnknown
	}
	return o
}

// String returns "unknown", "same", "same-after-normalisation", "needs-review" or "different".
func (o Outcome) String() string { return outcomeTexts[o.listed()].name }

// Wording is the outcome in words for a person.
func (o Outcome) Wording() kakunin.Message { return outcomeTexts[o.listed()].wording }

// Span is a range of a raw value in Unicode code points, counted from 0: From is the first, To the one after the last.
type Span struct{ From, To int }

// Finding is one reason of an outcome: what distinguishes the two raw values there. It carries positions and no
// characters, so it may be logged and kept as evidence.
type Finding struct {
	// Step is the way of writing, or the doubt, that the finding is about.
	Step Step
	// Outcome is what the finding alone makes of the comparison; the attribute's is the gravest of them.
	Outcome Outcome
	// Expected and Actual say where, in the raw value of the person who compares and in the other's. A span that is
	// empty (To equals From) marks the place where something is missing.
	Expected, Actual Span
}

// Wording describes the finding without its positions.
func (f Finding) Wording() kakunin.Message { return f.Step.Wording() }

// FieldMatch is the outcome for one attribute. It carries no value and may be logged and kept as evidence.
type FieldMatch struct {
	Attribute string // one of the Attribute… names
	Outcome   Outcome
	// Findings are the reasons, in the order of their places; empty if the outcome is Same or OutcomeUnknown.
	Findings []Finding
}
