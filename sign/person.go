package sign

import (
	"github.com/kakunin-go/kakunin/fourinfo"
)

// PersonPolicy says which outcomes of comparing the expected person with the certificate's are accepted. An attribute
// that is [fourinfo.Different], or that the certificate lacks, is accepted by none.
type PersonPolicy int

// Policies, from strict to lenient.
const (
	// ExactPerson accepts [fourinfo.Same] only: names and addresses equal code point by code point, and none with a
	// substitute character; birthdates and genders equal as values. Anything else that is not different fails with
	// [ReasonPersonReview].
	ExactPerson PersonPolicy = iota
	// NormalisedPerson accepts [fourinfo.SameAfterNormalisation] too: full and half width, ways of writing an address
	// and the like.
	NormalisedPerson
	// ReviewedPerson accepts [fourinfo.NeedsReview] too. Whoever chooses it looks at Report.PersonMatches and decides,
	// by a human or another document, before relying on the report.
	ReviewedPerson
)

// gravest is the gravest outcome that each policy accepts.
var gravest = [...]fourinfo.Outcome{
	ExactPerson: fourinfo.Same, NormalisedPerson: fourinfo.SameAfterNormalisation, ReviewedPerson: fourinfo.NeedsReview,
}

// checkPerson compares the expected person with the certificate's. A certain difference wins over a doubt: somebody
// else's birthdate is not excused by a substitute character in the name.
func (r *verification) checkPerson(want *fourinfo.Person, policy PersonPolicy) error {
	if policy < 0 || int(policy) >= len(gravest) {
		return &Error{Reason: ReasonRequest, Step: stepPerson.name, Detail: "no such policy"}
	}
	if want == nil {
		return nil
	}
	matches := want.Compare(r.leaf.Person())
	if len(matches) == 0 {
		// Expecting a person without any attribute would accept everybody.
		return &Error{Reason: ReasonRequest, Step: stepPerson.name, Detail: "a person without attributes"}
	}
	var doubt error
	for _, m := range matches {
		switch {
		case m.Outcome == fourinfo.Different:
			return &Error{Reason: ReasonPersonMismatch, Step: stepPerson.name + "." + m.Attribute}
		case m.Outcome == fourinfo.OutcomeUnknown || m.Outcome > gravest[policy]:
			if doubt == nil {
				doubt = &Error{Reason: ReasonPersonReview, Step: stepPerson.name + "." + m.Attribute}
			}
		}
	}
	if doubt != nil {
		return doubt
	}
	r.person = matches
	r.held(stepPerson)
	return nil
}
