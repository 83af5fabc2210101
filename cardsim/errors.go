package cardsim

import (
	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
)

// Reason says why a card cannot be made.
type Reason int

// Reasons. The zero value is ReasonUnknown and is never returned.
const (
	ReasonUnknown Reason = iota
	// ReasonInvalidPerson: the person has no such card.
	ReasonInvalidPerson
	// ReasonInvalidConfig: a field of the configuration is missing or out of range.
	ReasonInvalidConfig
	// ReasonIssuanceFailed: the test JPKI did not issue a certificate, or one that does not fit.
	ReasonIssuanceFailed
	// ReasonUnknownKind: there is no kind of card of that name.
	ReasonUnknownKind
	// ReasonInvalidImage: a card image is not one, was damaged or changed, or does not belong to the test JPKI.
	ReasonInvalidImage
	// ReasonStorageFailed: a card image could not be read from, or written to, where it is kept.
	ReasonStorageFailed
)

// reasons has the reasons in their order.
var reasons = [...]fault.Row{
	ReasonInvalidPerson:  {Name: "invalid person", Family: kakunin.Configuration},
	ReasonInvalidConfig:  {Name: "invalid configuration", Family: kakunin.Configuration},
	ReasonIssuanceFailed: {Name: "certificate not issued", Family: kakunin.Configuration},
	ReasonUnknownKind:    {Name: "no such kind of card", Family: kakunin.Configuration},
	ReasonInvalidImage:   {Name: "invalid card image", Family: kakunin.Configuration},
	ReasonStorageFailed:  {Name: "card image not stored", Family: kakunin.Configuration},
}

// row is what there is to say about the reason.
func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a stable phrase in lower case.
func (r Reason) String() string { return r.row().Name }

// Error is every error of this package. It never holds personal data, PINs or what an outsider sent.
type Error struct {
	Reason Reason
	// Detail is the name of a field, or the place in a file; it is never a value.
	Detail string
	// Err is the cause; it may be nil.
	Err error
}

// Error names the reason and the detail.
func (e *Error) Error() string { return fault.Text("cardsim", e.Reason.String(), "", "", e.Detail) }

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
