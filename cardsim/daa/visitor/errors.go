package visitor

import "github.com/kakunin-go/kakunin"

// Reason says what went wrong.
type Reason int

// Reasons. The zero value means that nothing more is known.
const (
	ReasonUnknown Reason = iota
	// ReasonConfiguration: the person or the authorization URL is unusable.
	ReasonConfiguration
	// ReasonTransport: the service could not be reached.
	ReasonTransport
	// ReasonRefused: the service showed an error page instead of starting or continuing the procedure.
	ReasonRefused
	// ReasonPINRefused: the card refused what the person typed.
	ReasonPINRefused
	// ReasonCardUnusable: the card is blocked or its certificate cannot be used.
	ReasonCardUnusable
	// ReasonUnexpectedPage: a page was not what a person knows how to handle.
	ReasonUnexpectedPage
)

// Error is every error of this package. It carries no text from the network, no URL and nothing personal.
type Error struct {
	Reason Reason
	Step   string // stable name of what failed, e.g. "page" or "blocked"
	Err    error
}

// Error implements error.
func (e *Error) Error() string {
	text := "visitor: "
	switch e.Reason {
	case ReasonConfiguration:
		text += "unusable configuration"
	case ReasonTransport:
		text += "the simulated service could not be reached"
	case ReasonRefused:
		text += "the simulated service refused"
	case ReasonPINRefused:
		text += "the card refused the PIN or password"
	case ReasonCardUnusable:
		text += "the card cannot be used"
	case ReasonUnexpectedPage:
		text += "unexpected page"
	default:
		text += "unknown error"
	}
	if e.Step != "" {
		text += ": " + e.Step
	}
	return text
}

// Unwrap returns the cause, whose text may hold URLs and is therefore not part of Error.
func (e *Error) Unwrap() error { return e.Err }

// Is compares reasons, and the steps when the target names one.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Reason == e.Reason && (t.Step == "" || t.Step == e.Step)
}

// Family implements the classification of the module.
func (e *Error) Family() kakunin.Family {
	switch e.Reason {
	case ReasonPINRefused:
		return kakunin.User
	case ReasonCardUnusable:
		return kakunin.Account
	case ReasonTransport:
		return kakunin.Unavailable
	case ReasonUnexpectedPage:
		return kakunin.Untrusted
	default:
		return kakunin.Configuration
	}
}

// UserMessage is empty: the family's message fits.
func (e *Error) UserMessage() kakunin.Message { return kakunin.Message{} }
