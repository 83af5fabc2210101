package cardsim

import "github.com/kakunin-go/kakunin"

// Reason says why a card cannot be made.
type Reason int

// Reasons. The zero value is ReasonUnknown and is never returned.
const (
	ReasonUnknown Reason = iota
	// ReasonInvalidPerson: the person has no such card, or there is no such person.
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

// String returns a short description.
func (r Reason) String() string {
	switch r {
	case ReasonInvalidPerson:
		return "invalid person"
	case ReasonInvalidConfig:
		return "invalid configuration"
	case ReasonIssuanceFailed:
		return "certificate not issued"
	case ReasonUnknownKind:
		return "no such kind of card"
	case ReasonInvalidImage:
		return "invalid card image"
	case ReasonStorageFailed:
		return "card image not stored"
	case ReasonUnknown:
	}
	return "unknown reason"
}

// Error is the error type of this package. It never holds personal data or PINs: Field is the name of a field.
type Error struct {
	Reason Reason
	// Field is the name of a field, or the place in a file; it is never a value.
	Field string
	Err   error
}

// Error describes the reason and names the field.
func (e *Error) Error() string {
	s := "cardsim: " + e.Reason.String()
	if e.Field != "" {
		s += ": " + e.Field
	}
	return s
}

// Unwrap returns the cause, if any.
func (e *Error) Unwrap() error { return e.Err }

// Family is always Configuration: whoever configures the simulator has to correct it.
func (e *Error) Family() kakunin.Family { return kakunin.Configuration }

// UserMessage is empty: the family's message is used.
func (e *Error) UserMessage() kakunin.Message { return kakunin.Message{} }
