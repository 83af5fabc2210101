package person

import "github.com/kakunin-go/kakunin"

// Reason says why there is no such person.
type Reason int

// Reasons. The zero value is ReasonUnknown and is never returned.
const (
	ReasonUnknown Reason = iota
	// ReasonNobody: there is no ready person of that name.
	ReasonNobody
	// ReasonInvalid: a field cannot stand on a card; Field names it.
	ReasonInvalid
)

// String returns a short description.
func (r Reason) String() string {
	switch r {
	case ReasonNobody:
		return "no such person"
	case ReasonInvalid:
		return "invalid person"
	case ReasonUnknown:
	}
	return "unknown reason"
}

// Error is the error type of this package. It never holds personal data or PINs: Field is the name of a field.
type Error struct {
	Reason Reason
	Field  string
}

// Error describes the reason and names the field.
func (e *Error) Error() string {
	s := "person: " + e.Reason.String()
	if e.Field != "" {
		s += ": " + e.Field
	}
	return s
}

// Family is always Configuration: whoever configures the simulator has to correct it.
func (e *Error) Family() kakunin.Family { return kakunin.Configuration }

// UserMessage is empty: the family's message is used.
func (e *Error) UserMessage() kakunin.Message { return kakunin.Message{} }
