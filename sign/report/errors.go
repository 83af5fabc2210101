package report

import (
	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
)

// Reason says what went wrong.
type Reason int

// Reasons.
const (
	// ReasonUnknown is never returned by this package.
	ReasonUnknown Reason = iota
	// ReasonRequest: the caller's arguments are wrong.
	ReasonRequest
	// ReasonFormat: what Parse was given is no report of this version.
	ReasonFormat
	// ReasonWrite: the page could not be written.
	ReasonWrite
)

var rows = [...]fault.Row{
	ReasonRequest: {Name: "request", Family: kakunin.Configuration},
	ReasonFormat:  {Name: "malformed report", Family: kakunin.Untrusted},
	ReasonWrite:   {Name: "report not writable", Family: kakunin.Unavailable},
}

func (r Reason) row() fault.Row { return fault.Of(rows[:], r) }

// String returns a stable English phrase for logs.
func (r Reason) String() string { return r.row().Name }

// Error is every error of this package. Its text never holds content of a report.
type Error struct {
	Reason Reason
	// Step names the part of the report.
	Step string
	// Detail says more, in fixed words.
	Detail string
	// Err is the cause. Do not show or log its text.
	Err error
}

// Error names reason, part and detail.
func (e *Error) Error() string { return fault.Text("report", e.Reason.String(), e.Step, "", e.Detail) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an [*Error] with the same reason, and with the same step when target names one.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error) //nolint:errorlint // Is compares one error of the tree; errors.Is walks it
	return ok && t.Reason == e.Reason && (t.Step == "" || t.Step == e.Step)
}

// Family says what the application should do; see [kakunin.FamilyOf].
func (e *Error) Family() kakunin.Family { return e.Reason.row().Family }

// UserMessage is fit to show to a person; the zero value means that the family's message fits.
func (e *Error) UserMessage() kakunin.Message { return e.Reason.row().Message }
