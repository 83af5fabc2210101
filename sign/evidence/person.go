package evidence

import (
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/sign"
)

// PersonMatch is how one attribute of the certificate compared with the expected person's. It tells outcome, reasons
// and positions and no character of a value.
type PersonMatch struct {
	// Attribute is "name", "address", "birthdate" or "gender".
	Attribute string `json:"attribute"`
	// Outcome is "same", "same-after-normalisation" or "needs-review"; nothing else is accepted as evidence.
	Outcome  string    `json:"outcome"`
	Findings []Finding `json:"findings,omitempty"`
}

// Finding is one reason of an outcome. Step is a name of package fourinfo, such as "width". The spans are the first
// code point and the one after the last in the expected value and in the certificate's.
type Finding struct {
	Step        string `json:"step"`
	Outcome     string `json:"outcome"`
	Expected    [2]int `json:"expected"`
	Certificate [2]int `json:"certificate"`
}

func personOf(r *sign.Report) []PersonMatch {
	var all []PersonMatch
	for _, m := range r.PersonMatches {
		kept := PersonMatch{Attribute: m.Attribute, Outcome: m.Outcome.String()}
		for _, f := range m.Findings {
			kept.Findings = append(kept.Findings, Finding{
				Step: f.Step.String(), Outcome: f.Outcome.String(),
				Expected: [2]int{f.Expected.From, f.Expected.To}, Certificate: [2]int{f.Actual.From, f.Actual.To},
			})
		}
		all = append(all, kept)
	}
	return all
}

// checkPerson accepts what personOf writes.
func (r *Record) checkPerson() bool {
	if len(r.Person) > 0 && !r.PersonCompared || len(r.Person) > limits.EvidenceSteps {
		return false
	}
	for _, m := range r.Person {
		if !knownName(m.Attribute) || !agreed(m.Outcome) || len(m.Findings) > limits.EvidenceSteps {
			return false
		}
		for _, f := range m.Findings {
			if !knownName(f.Step) || !agreed(f.Outcome) || !spanned(f.Expected) || !spanned(f.Certificate) {
				return false
			}
		}
	}
	return true
}

// agreed reports whether an outcome can be part of evidence: a difference never is.
func agreed(outcome string) bool {
	switch outcome {
	case fourinfo.Same.String(), fourinfo.SameAfterNormalisation.String(), fourinfo.NeedsReview.String():
		return true
	default:
		return false
	}
}

// knownName accepts names of attributes and steps by their form, so that a record outlives a change of their list.
func knownName(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && c != '-' && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= limits.EvidenceText
}

func spanned(s [2]int) bool { return 0 <= s[0] && s[0] <= s[1] && s[1] <= limits.Attribute }
