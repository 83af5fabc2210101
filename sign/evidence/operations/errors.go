package operations

import (
	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
)

// Reason says what went wrong.
type Reason int

// Reasons.
const (
	// ReasonUnknown is never returned by this package.
	ReasonUnknown Reason = iota
	// ReasonConfiguration: the duties are incomplete or contradictory.
	ReasonConfiguration
	// ReasonRequest: the caller's arguments cannot become an entry: an unknown action, a text that is none.
	ReasonRequest
	// ReasonDenied: the role may not do this. The attempt is in the log.
	ReasonDenied
	// ReasonSamePerson: nobody approves their own request, nor twice. The attempt is in the log.
	ReasonSamePerson
	// ReasonNotApproved: approvals are missing.
	ReasonNotApproved
	// ReasonOver: the request was carried out before, or is too old.
	ReasonOver
	// ReasonLog: the log could not be written or read. What was to be logged first was not done.
	ReasonLog
)

// reasons is the one table of names and families.
var reasons = [...]fault.Row{
	ReasonUnknown:       fault.Unknown(),
	ReasonConfiguration: {Name: "duties", Family: kakunin.Configuration, Message: kakunin.Message{}},
	ReasonRequest:       {Name: "request", Family: kakunin.Configuration, Message: kakunin.Message{}},
	ReasonDenied: {Name: "not of this role", Family: kakunin.User, Message: kakunin.Message{
		JA: "この操作を行う権限がありません。", EN: "Your role does not allow this.",
	}},
	ReasonSamePerson: {Name: "needs another person", Family: kakunin.User, Message: kakunin.Message{
		JA: "自分の申請は承認できません。別の担当者が承認してください。", EN: "Somebody else has to approve this.",
	}},
	ReasonNotApproved: {Name: "not approved", Family: kakunin.User, Message: kakunin.Message{
		JA: "承認がまだありません。", EN: "This is not approved yet.",
	}},
	ReasonOver: {Name: "carried out or too old", Family: kakunin.User, Message: kakunin.Message{
		JA: "この申請は実施済みか、期限が切れています。", EN: "This was carried out before, or is too old.",
	}},
	ReasonLog: {Name: "log", Family: kakunin.Unavailable, Message: kakunin.Message{}},
}

func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a stable English phrase for logs.
func (r Reason) String() string { return r.row().Name }

// Error is every error of this package. Its text holds fixed words of this package and no content of the log.
type Error struct {
	Reason Reason
	// Step is what was being done: "duties", "ask", "approve", "run", "entries".
	Step string
	// Detail says more, in fixed words.
	Detail string
	// Err is the cause. Do not show or log its text.
	Err error
}

// Error names reason, step and detail.
func (e *Error) Error() string {
	return fault.Text("operations", e.Reason.String(), e.Step, "", e.Detail)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an [*Error] with the same reason; a target that names a step must have that step too.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error) //nolint:errorlint // errors.Is walks the tree itself
	return ok && t.Reason == e.Reason && (t.Step == "" || t.Step == e.Step)
}

// Family says what to do about it.
func (e *Error) Family() kakunin.Family { return e.Reason.row().Family }

// UserMessage is fit to show to a person; zero means that the family's text fits.
func (e *Error) UserMessage() kakunin.Message { return e.Reason.row().Message }

// misconfigured makes the error that names all mistakes at once, or nil if there are none.
func misconfigured(list fault.Mistakes) error {
	if len(list) == 0 {
		return nil
	}
	return &Error{Reason: ReasonConfiguration, Step: "duties", Detail: list.Detail()}
}
