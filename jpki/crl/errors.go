package crl

import (
	"errors"

	"github.com/kakunin-go/kakunin"
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

type reasonInfo struct {
	name   string
	family kakunin.Family
}

func (r Reason) info() reasonInfo {
	switch r {
	case ReasonMalformed:
		return reasonInfo{"malformed revocation list", kakunin.Untrusted}
	case ReasonLimit:
		return reasonInfo{"revocation list too large", kakunin.Untrusted}
	case ReasonAlgorithm:
		return reasonInfo{"signature algorithm not allowed", kakunin.Untrusted}
	case ReasonSignature:
		return reasonInfo{"signature of the revocation list does not verify", kakunin.Untrusted}
	case ReasonCritical:
		return reasonInfo{"critical extension not understood", kakunin.Untrusted}
	case ReasonIndex:
		return reasonInfo{"index file not usable", kakunin.Untrusted}
	case ReasonIO:
		return reasonInfo{"input or output failed", kakunin.Unavailable}
	case ReasonUnknown:
	}
	return reasonInfo{"unknown", kakunin.Untrusted}
}

// String returns a stable English phrase for logs.
func (r Reason) String() string { return r.info().name }

// Error is every error of this package. Its text holds the reason, the step and the clause, never data of a list.
type Error struct {
	Reason Reason
	// Step is the stable name of the check that failed, e.g. "crl.entries".
	Step string
	// Clause is the clause of the standard that the check enforces; "" when there is none.
	Clause string
	// Err is the cause, for errors.Is with context.Canceled or fs.ErrNotExist. Its text may hold data from outside.
	Err error
}

// Error names reason, step and clause only.
func (e *Error) Error() string {
	s := e.Step + ": " + e.Reason.String()
	if e.Clause != "" {
		s += " (" + e.Clause + ")"
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an [*Error] with the same reason (and the same step, when target names one).
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error) //nolint:errorlint // Is compares one error of the tree; errors.Is walks it
	return ok && t.Reason == e.Reason && (t.Step == "" || t.Step == e.Step)
}

// Family says what the application should do about it.
func (e *Error) Family() kakunin.Family { return e.Reason.info().family }

// UserMessage is the zero value: the family's message fits.
func (e *Error) UserMessage() kakunin.Message { return kakunin.Message{} }

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
