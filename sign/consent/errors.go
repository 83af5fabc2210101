package consent

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
	// ReasonConfiguration: the terms are incomplete.
	ReasonConfiguration
	// ReasonRequest: the caller's arguments are wrong.
	ReasonRequest
	// ReasonNotVerified: the report says that something did not hold.
	ReasonNotVerified
	// ReasonMode: the signature is not in DigestInfo mode, which J-LIS asks for.
	ReasonMode
	// ReasonDocument: the signature is over another document.
	ReasonDocument
	// ReasonState: the consent was taken back or reflected already, or the time is before its own.
	ReasonState
	// ReasonFormat: a stored consent is malformed or of an unknown version.
	ReasonFormat
)

// reasons is the one table of names and families.
var reasons = [...]fault.Row{
	ReasonUnknown:       fault.Unknown(),
	ReasonConfiguration: {Name: "terms incomplete", Family: kakunin.Configuration, Message: kakunin.Message{}},
	ReasonRequest:       {Name: "request", Family: kakunin.Configuration, Message: kakunin.Message{}},
	ReasonNotVerified:   {Name: "not verified", Family: kakunin.Untrusted, Message: kakunin.Message{}},
	ReasonMode:          {Name: "not in DigestInfo mode", Family: kakunin.Configuration, Message: kakunin.Message{}},
	ReasonDocument: {
		Name:    "signature over another document",
		Family:  kakunin.Untrusted,
		Message: kakunin.Message{},
	},
	ReasonState: {
		Name:    "not possible in this state",
		Family:  kakunin.Configuration,
		Message: kakunin.Message{},
	},
	ReasonFormat: {Name: "malformed consent", Family: kakunin.Untrusted, Message: kakunin.Message{}},
}

func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a stable English phrase for logs.
func (r Reason) String() string { return r.row().Name }

// Error is every error of this package. Its text holds fixed words of this package.
type Error struct {
	Reason Reason
	// Step is what was being done: "terms", "accept", "reflect", "withdraw", "consent".
	Step string
	// Detail says more, in fixed words: which terms are missing.
	Detail string
	// Err is the cause. Do not show or log its text.
	Err error
}

// Error names reason, step and detail.
func (e *Error) Error() string { return fault.Text("consent", e.Reason.String(), e.Step, "", e.Detail) }

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
func misconfigured(step string, list fault.Mistakes) error {
	if len(list) == 0 {
		return nil
	}
	return &Error{Reason: ReasonConfiguration, Step: step, Detail: list.Detail()}
}
