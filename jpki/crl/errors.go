package crl

import (
	"errors"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
)

// Reason says what went wrong.
type Reason int

// Reasons.
const (
	// ReasonUnknown is never returned by this package.
	ReasonUnknown Reason = iota
	// ReasonMalformed: the list is not strict DER or breaks a rule of its form.
	ReasonMalformed
	// ReasonLimit: the list, one of its entries or their number is larger than allowed.
	ReasonLimit
	// ReasonAlgorithm: the signature algorithm is not allowed.
	ReasonAlgorithm
	// ReasonSignature: the signature does not verify with the key.
	ReasonSignature
	// ReasonCritical: a critical extension of the list or of an entry is not understood.
	ReasonCritical
	// ReasonIndex: an index file is damaged, of another version, or made for another list or key.
	ReasonIndex
	// ReasonIO: reading or writing failed, or the context ended.
	ReasonIO
)

// reasons is the table of names and families; the messages of the families fit.
var reasons = [...]fault.Row{
	ReasonUnknown:   fault.Unknown(),
	ReasonMalformed: {Name: "malformed revocation list", Family: kakunin.Untrusted},
	ReasonLimit:     {Name: "revocation list too large", Family: kakunin.Untrusted},
	ReasonAlgorithm: {Name: "signature algorithm not allowed", Family: kakunin.Untrusted},
	ReasonSignature: {Name: "signature of the revocation list does not verify", Family: kakunin.Untrusted},
	ReasonCritical:  {Name: "critical extension not understood", Family: kakunin.Untrusted},
	ReasonIndex:     {Name: "index file not usable", Family: kakunin.Untrusted},
	ReasonIO:        {Name: "input or output failed", Family: kakunin.Unavailable},
}

func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a stable English phrase for logs.
func (r Reason) String() string { return r.row().Name }

// Error is every error of this package. Its text holds the reason, the step and the clause, never data of a list.
type Error struct {
	Reason Reason
	// Step is the stable name of the check that failed, e.g. "crl.entries".
	Step string
	// Clause is the clause of the standard that the check enforces; "" when there is none.
	Clause string
	// Detail is where in the list: the number of the entry and the offset, in bytes.
	Detail string
	// Err is the cause, for errors.Is with context.Canceled or fs.ErrNotExist. Its text may hold data from outside.
	Err error
}

// Error names reason, step, place and clause only.
func (e *Error) Error() string {
	return fault.Text("crl", e.Reason.String(), e.Step, e.Clause, e.Detail)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an [*Error] with the same reason (and the same step, when target names one).
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error) //nolint:errorlint // Is compares one error of the tree; errors.Is walks it
	return ok && t.Reason == e.Reason && (t.Step == "" || t.Step == e.Step)
}

// Family says what the application should do about it.
func (e *Error) Family() kakunin.Family { return e.Reason.row().Family }

// UserMessage is the zero value: the family's message fits.
func (e *Error) UserMessage() kakunin.Message { return e.Reason.row().Message }

func malformed(step, clause string) *Error {
	return &Error{Reason: ReasonMalformed, Step: "crl." + step, Clause: clause}
}

func tooLarge(step string) *Error { return &Error{Reason: ReasonLimit, Step: "crl." + step} }

func ioError(step string, err error) error {
	var own *Error
	if errors.As(err, &own) {
		return err
	}
	return &Error{Reason: ReasonIO, Step: "crl." + step, Err: err}
}
