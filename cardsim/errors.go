package cardsim

import "github.com/kakunin-go/kakunin/internal/fault"

// Reason says why a card cannot be made.
type Reason int

// Reasons. The zero value is UnknownReason and is never returned.
const (
	UnknownReason Reason = iota
	// UnknownPersona: there is no ready person of that name.
	UnknownPersona
	// InvalidPerson: a field of the person cannot be stored on a card.
	InvalidPerson
	// InvalidConfig: a field of the configuration is missing or out of range.
	InvalidConfig
	// IssuanceFailed: the test JPKI did not issue a certificate, or one that does not fit.
	IssuanceFailed
	// UnknownKind: there is no kind of card of that name.
	UnknownKind
	// InvalidImage: a card image is not one, was damaged or changed, or does not belong to the test JPKI.
	InvalidImage
	// StorageFailed: a card image could not be read from, or written to, where it is kept.
	StorageFailed
	// InvalidTranscript: a transcript is not one; Field names the line.
	InvalidTranscript
	// TranscriptDiffers: a program sent another command than the transcript has; Field names the line.
	TranscriptDiffers
)

// String returns a short description.
func (r Reason) String() string {
	switch r {
	case UnknownPersona:
		return "no such person"
	case InvalidPerson:
		return "invalid person"
	case InvalidConfig:
		return "invalid configuration"
	case IssuanceFailed:
		return "certificate not issued"
	case UnknownKind:
		return "no such kind of card"
	case InvalidImage:
		return "invalid card image"
	case StorageFailed:
		return "card image not stored"
	case InvalidTranscript:
		return "invalid transcript"
	case TranscriptDiffers:
		return "the command differs from the transcript"
	case UnknownReason:
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
func (e *Error) Family() fault.Family { return fault.Configuration }

// UserMessage is empty: the family's message is used.
func (e *Error) UserMessage() fault.Message { return fault.Message{} }
