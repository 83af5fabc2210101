package accounts

import (
	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
)

// Reason says what went wrong.
type Reason int

// Reasons of this package.
const (
	ReasonUnknown Reason = iota
	// ReasonTable: the application's table failed; Err is its error. Family Unavailable.
	ReasonTable
	// ReasonTaken: the subject belongs to another user, or no user was named. Family Configuration.
	ReasonTaken
)

var reasons = [...]fault.Row{
	ReasonUnknown: fault.Unknown(),
	ReasonTable:   {Name: "table", Family: kakunin.Unavailable},
	ReasonTaken:   {Name: "taken", Family: kakunin.Configuration},
}

func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a stable lower-case name for logs and metrics.
func (r Reason) String() string { return r.row().Name }

// Error is every error of this package.
type Error struct {
	Reason Reason
	Err    error // the table's; not part of Error's text, because databases quote values
}

// Error implements error: constants only.
func (e *Error) Error() string { return fault.Text("accounts", e.Reason.String(), "", "", "") }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is matches errors of this package by their reason.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Reason == e.Reason
}

// Family says what to do; see kakunin.FamilyOf.
func (e *Error) Family() kakunin.Family { return e.Reason.row().Family }

// UserMessage is fit to show to a person; see kakunin.MessageFor.
func (e *Error) UserMessage() kakunin.Message { return e.Reason.row().Message }
