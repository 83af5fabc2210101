package middleware

import (
	"context"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/fourinfo"
)

// AgeAtLeast requires an age in completed years by the everyday rule (a person turns twenty on the birthday), on
// today's date in Japan. It needs the birthdate: ask for authn.Birthdate in Config.Scopes. Whoever is not certainly old
// enough is refused: ReasonTooYoung, or ReasonAgeUnknown when the birthdate was not granted, could not be read, or lacks
// the month or day that would decide. Both are in the family Account.
func AgeAtLeast(years int) Requirement {
	return func(_ context.Context, id *authn.Identity, now time.Time) error {
		switch id.Person.Birthdate.IsAtLeast(years, fourinfo.DateOf(now)) {
		case fourinfo.Yes:
			return nil
		case fourinfo.No:
			return &Error{Reason: ReasonTooYoung}
		case fourinfo.Unknown:
		}
		return &Error{Reason: ReasonAgeUnknown}
	}
}
