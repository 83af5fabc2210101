package main

import (
	"slices"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/law"
)

// outcome is what becomes of an application. The zero value opens nothing.
type outcome string

const (
	opened     outcome = "opened"
	refused    outcome = "refused"
	needsHuman outcome = "needs-human"

	// Of applications of an earlier start: not decided yet; recorded before it ended.
	waiting  outcome = "waiting"
	recorded outcome = "recorded"
)

func (o outcome) exitCode() int {
	switch o {
	case opened:
		return exitOpened
	case needsHuman:
		return exitHuman
	default:
		return exitRefused
	}
}

// decide is the bank's policy, in one place, and returns its reason. What is certainly wrong wins over what is
// doubtful: a substitute character in the name excuses no other address.
func decide(matches []fourinfo.FieldMatch, p law.Profile, r law.Result) (o outcome, reason string) {
	has := func(outcomes ...fourinfo.Outcome) bool {
		return slices.ContainsFunc(
			matches,
			func(m fourinfo.FieldMatch) bool { return slices.Contains(outcomes, m.Outcome) },
		)
	}
	undeclared := slices.ContainsFunc(p.Requirements, func(q law.Requirement) bool {
		return q.Origin == law.Declared && slices.Contains(r.Missing, q.Item)
	})
	switch {
	case has(fourinfo.Different):
		return refused, "person-different"
	case len(r.Refused) > 0:
		return refused, "law-refused"
	case undeclared: // no clerk can add it: it has to stand in the text that is signed
		return refused, "not-declared"
	case len(matches) == 0 || has(fourinfo.NeedsReview, fourinfo.OutcomeUnknown):
		return needsHuman, "person-review"
	case !r.Complete():
		return needsHuman, "law-review"
	default:
		return opened, "complete"
	}
}
