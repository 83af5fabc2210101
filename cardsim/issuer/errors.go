package issuer

import "github.com/kakunin-go/kakunin/internal/fault"

// Reason tells errors of this package apart. The zero value is no reason.
type Reason int

// Reasons of an [Error].
const (
	// BadSubject: a field of the Subject cannot stand in a certificate; Error.Field names it.
	BadSubject Reason = iota + 1
	// BadKey: there is no public key.
	BadKey
	// NotIssued: the CA has not issued a certificate with that serial number.
	NotIssued
	// AlreadyRevoked: the certificate is revoked for good.
	AlreadyRevoked
	// NotOnHold: the certificate is not on hold, so it cannot be released.
	NotOnHold
	// BadRevocationReason: not a CRLReason that a certificate can be revoked with.
	BadRevocationReason
	// UnknownPartition: the CA has no revocation list for that municipality, or the certificate names none.
	UnknownPartition
	// DuplicateSerial: the serial number belongs to another certificate.
	DuplicateSerial
	// Malformed: something could not be encoded.
	Malformed
)

// String returns a stable lower-case text.
func (r Reason) String() string {
	switch r {
	case BadSubject:
		return "unusable subject"
	case BadKey:
		return "no public key"
	case NotIssued:
		return "no such certificate"
	case AlreadyRevoked:
		return "already revoked"
	case NotOnHold:
		return "not on hold"
	case BadRevocationReason:
		return "unusable revocation reason"
	case UnknownPartition:
		return "no such revocation list"
	case DuplicateSerial:
		return "serial number in use"
	case Malformed:
		return "cannot be encoded"
	default:
		return "unknown"
	}
}

// Error is every error of this package.
type Error struct {
	Reason Reason
	Field  string // of the Subject, for BadSubject
	Err    error  // may be nil
}

// Error names the reason and the field, never a value.
func (e *Error) Error() string {
	if e.Field != "" {
		return "issuer: " + e.Reason.String() + ": " + e.Field
	}
	return "issuer: " + e.Reason.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Family returns fault.Configuration: a test is set up wrongly.
func (*Error) Family() fault.Family { return fault.Configuration }

// UserMessage returns the zero message: the family's will do.
func (*Error) UserMessage() fault.Message { return fault.Message{} }
