package visitor

import (
	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
)

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

var reasons = [...]fault.Row{
	ReasonConfiguration:  {Name: "unusable configuration", Family: kakunin.Configuration},
	ReasonTransport:      {Name: "the simulated service could not be reached", Family: kakunin.Unavailable},
	ReasonRefused:        {Name: "the simulated service refused", Family: kakunin.Configuration},
	ReasonPINRefused:     {Name: "the card refused the PIN or password", Family: kakunin.User},
	ReasonCardUnusable:   {Name: "the card cannot be used", Family: kakunin.Account},
	ReasonUnexpectedPage: {Name: "unexpected page", Family: kakunin.Untrusted},
}

// row returns what there is to say about the reason.
func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// Error is every error of this package. It carries no text from the network, no URL and nothing
// personal.
type Error struct {
	Reason Reason
	Step   string // stable name of what failed, e.g. "page" or "blocked"
	Detail string // fixed text of ours
	Err    error
}

// Error implements error.
func (e *Error) Error() string {
	return fault.Text("visitor", e.Reason.row().Name, e.Step, "", e.Detail)
}

// Unwrap returns the cause, whose text may hold URLs and is therefore not part of Error.
func (e *Error) Unwrap() error { return e.Err }

// Is compares reasons, and the steps when the target names one.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Reason == e.Reason && (t.Step == "" || t.Step == e.Step)
}

// Family implements kakunin.Classified.
func (e *Error) Family() kakunin.Family { return e.Reason.row().Family }

// UserMessage implements kakunin.Classified.
func (e *Error) UserMessage() kakunin.Message { return e.Reason.row().Message }
