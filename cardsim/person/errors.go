package person

import (
	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
)

// Reason says why there is no such person.
type Reason int

// Reasons. The zero value is ReasonUnknown and is never returned.
const (
	ReasonUnknown Reason = iota
	// ReasonNobody: there is no ready person of that name.
	ReasonNobody
	// ReasonInvalid: a field cannot stand on a card; Detail names it.
	ReasonInvalid
)

// reasons has the reasons in their order.
var reasons = [...]fault.Row{
	ReasonNobody:  {Name: "no such person", Family: kakunin.Configuration},
	ReasonInvalid: {Name: "invalid person", Family: kakunin.Configuration},
}

// row is what there is to say about the reason.
func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a stable phrase in lower case.
func (r Reason) String() string { return r.row().Name }

// Error is every error of this package. It never holds personal data, PINs or what an outsider sent.
type Error struct {
	Reason Reason
	// Detail is the name of a field; it is never a value.
	Detail string
	// Err is the cause; it may be nil.
	Err error
}

// Error names the reason and the detail.
func (e *Error) Error() string { return fault.Text("person", e.Reason.String(), "", "", e.Detail) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether the target is an *Error with the same reason.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Reason == e.Reason
}

// Family is [kakunin.Configuration] for every reason: whoever sets up the simulator has to correct it.
func (e *Error) Family() kakunin.Family { return e.Reason.row().Family }

// UserMessage is empty: the family's message is used.
func (e *Error) UserMessage() kakunin.Message { return e.Reason.row().Message }
