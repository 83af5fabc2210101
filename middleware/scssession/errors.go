package scssession

import (
	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
)

// Reason says what went wrong.
type Reason int

// Reasons of this package.
const (
	ReasonUnknown Reason = iota
	// ReasonConfiguration: the session manager cannot be used. Family Configuration.
	ReasonConfiguration
	// ReasonStore: the session store failed. Family Unavailable.
	ReasonStore
)

var reasons = [...]fault.Row{
	ReasonUnknown:       {Name: "unknown", Family: kakunin.Configuration},
	ReasonConfiguration: {Name: "configuration", Family: kakunin.Configuration},
	ReasonStore:         {Name: "store", Family: kakunin.Unavailable},
}

func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a stable lower-case name for logs and metrics.
func (r Reason) String() string { return r.row().Name }

// Error is every error of this package.
type Error struct {
	Reason Reason
	Detail string // a fixed text of this package
	Err    error  // the store's; not part of Error's text, because stores quote addresses and passwords
}

// Error implements error: constants only.
func (e *Error) Error() string { return fault.Text("scssession", e.Reason.String(), "", "", e.Detail) }

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
