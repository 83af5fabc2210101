package daa

import "github.com/kakunin-go/kakunin/internal/fault"

// Reason says what went wrong.
type Reason int

// Reasons. The zero value means that nothing more is known.
const (
	ReasonUnknown Reason = iota
	// ReasonConfiguration: the configuration given to New or Start is unusable.
	ReasonConfiguration
	// ReasonTransport: a Visitor could not reach the service.
	ReasonTransport
	// ReasonRefused: the service showed an error page instead of starting or continuing the procedure.
	ReasonRefused
	// ReasonPINRefused: the card refused what the Visitor typed.
	ReasonPINRefused
	// ReasonCardUnusable: the card is blocked or its certificate cannot be used.
	ReasonCardUnusable
	// ReasonUnexpectedPage: a page was not what the Visitor knows how to handle.
	ReasonUnexpectedPage
)

// Error is every error of this package. It carries no text from the network, no URL and nothing personal.
type Error struct {
	Reason Reason
	Check  string // stable name of what failed, e.g. "base-url" or "page"
	Err    error
}

// Error implements error.
func (e *Error) Error() string {
	text := "daa: "
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
	if e.Check != "" {
		text += ": " + e.Check
	}
	return text
}

// Unwrap returns the cause, whose text may hold URLs and is therefore not part of Error.
func (e *Error) Unwrap() error { return e.Err }

// Family implements the classification of the module.
func (e *Error) Family() fault.Family {
	switch e.Reason {
	case ReasonPINRefused:
		return fault.User
	case ReasonCardUnusable:
		return fault.Account
	case ReasonTransport:
		return fault.Unavailable
	case ReasonUnexpectedPage:
		return fault.Untrusted
	default:
		return fault.Configuration
	}
}

// UserMessage is empty: the family's message fits.
func (e *Error) UserMessage() fault.Message { return fault.Message{} }

func configError(check string, err error) error {
	return &Error{Reason: ReasonConfiguration, Check: check, Err: err}
}
