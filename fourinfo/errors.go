package fourinfo

import (
	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
)

// Reason tells errors of this package apart. The zero value is no reason.
type Reason int

// Reasons of an [Error].
const (
	ReasonUnknown Reason = iota
	// ReasonVersion: a stored form is of a version that this release does not read.
	ReasonVersion
	// ReasonMalformed: a value that the application supplied cannot be read.
	ReasonMalformed
)

var reasons = [...]fault.Row{
	ReasonUnknown:   {Name: "unknown", Family: kakunin.Configuration},
	ReasonVersion:   {Name: "unknown version", Family: kakunin.Configuration},
	ReasonMalformed: {Name: "malformed", Family: kakunin.Configuration},
}

func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a few words in lower case, such as "malformed"; "unknown" for the zero value.
func (r Reason) String() string { return r.row().Name }

// Error is every error of this package. It means that data in the application's own hands is defective; what a service
// or a card sends is never an error here but a [Problem]. It contains no personal data.
type Error struct {
	Reason Reason
	Step   string // one of the Attribute… names; "" when the error concerns the whole
}

// Error names the reason and the attribute, never a value.
func (e *Error) Error() string { return fault.Text("fourinfo", e.Reason.String(), e.Step, "", "") }

// Is reports whether target is an *[Error] of the same reason, and of the same step if it names one.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Reason == e.Reason && (t.Step == "" || t.Step == e.Step)
}

// Family implements [kakunin.Classified].
func (e *Error) Family() kakunin.Family { return e.Reason.row().Family }

// UserMessage implements [kakunin.Classified].
func (e *Error) UserMessage() kakunin.Message { return e.Reason.row().Message }
