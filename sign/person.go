package sign

import (
	"github.com/kakunin-go/kakunin/fourinfo"
)

// checkPerson compares the expected person with the certificate's. A certain difference wins over a doubt: somebody
// else's birthdate is not excused by a substitute character in the name.
func (r *verification) checkPerson(want *fourinfo.Person) error {
	if want == nil {
		return nil
	}
	matches := want.Compare(r.leaf.Person)
	if len(matches) == 0 {
		// Expecting a person without any attribute would accept everybody.
		return &Error{Reason: ReasonRequest, Step: stepPerson.name}
	}
	var doubt error
	for _, m := range matches {
		switch m.Outcome {
		case fourinfo.Same:
		case fourinfo.Different:
			return &Error{Reason: ReasonPersonMismatch, Step: stepPerson.name + "." + m.Attribute}
		case fourinfo.NeedsReview, fourinfo.OutcomeUnknown:
			if doubt == nil {
				doubt = &Error{Reason: ReasonPersonReview, Step: stepPerson.name + "." + m.Attribute}
			}
		}
	}
	if doubt != nil {
		return doubt
	}
	r.held(stepPerson)
	return nil
}
