package mynumber

import (
	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
)

// Reason tells errors of this package apart. The zero value is no reason.
type Reason int

// Reasons of an [Error].
const (
	ReasonUnknown Reason = iota
	// ReasonMalformed: not as many digits as the number has, or something else among them.
	ReasonMalformed
	// ReasonCheckDigit: the check digit does not fit the other digits.
	ReasonCheckDigit
	// ReasonPurposeMissing: an individual number was asked for without one of the lawful purposes.
	ReasonPurposeMissing
	// ReasonPurposeMismatch: an individual number was asked for another purpose than it was obtained for.
	ReasonPurposeMismatch
	// ReasonAbsent: there is no number to return.
	ReasonAbsent
)

// mistyped is what a person is told whose number cannot be one.
var mistyped = kakunin.Message{JA: "番号に誤りがあります。もう一度ご確認ください。", EN: "The number is not correct. Please check it."}

var reasons = [...]fault.Row{
	ReasonUnknown:         {Name: "unknown", Family: kakunin.Configuration},
	ReasonMalformed:       {Name: "malformed", Family: kakunin.User, Message: mistyped},
	ReasonCheckDigit:      {Name: "wrong check digit", Family: kakunin.User, Message: mistyped},
	ReasonPurposeMissing:  {Name: "no lawful purpose named", Family: kakunin.Configuration},
	ReasonPurposeMismatch: {Name: "obtained for another purpose", Family: kakunin.Configuration},
	ReasonAbsent:          {Name: "absent", Family: kakunin.Configuration},
}

func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a few words in lower case, such as "malformed"; "unknown" for the zero value.
func (r Reason) String() string { return r.row().Name }

// Steps of an [Error]: which number it concerns.
const (
	stepIndividual = "individual number"
	stepCorporate  = "corporate number"
)

// Error is every error of this package. It contains no number.
type Error struct {
	Reason Reason
	Step   string // "individual number" or "corporate number"
}

// Error names the reason and the step, never a value.
func (e *Error) Error() string { return fault.Text("mynumber", e.Reason.String(), e.Step, "", "") }

// Is reports whether target is an *[Error] of the same reason, and of the same step if it names one.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Reason == e.Reason && (t.Step == "" || t.Step == e.Step)
}

// Family implements [kakunin.Classified]: a number that cannot be one is the user's mistake, everything else ours.
func (e *Error) Family() kakunin.Family { return e.Reason.row().Family }

// UserMessage implements [kakunin.Classified].
func (e *Error) UserMessage() kakunin.Message { return e.Reason.row().Message }
