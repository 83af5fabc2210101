package issuer

import "github.com/kakunin-go/kakunin"

// Reason tells errors of this package apart. The zero value is no reason.
type Reason int

// Reasons of an [Error].
const (
	// ReasonBadSubject: a field of the Subject cannot stand in a certificate; Error.Field names it.
	ReasonBadSubject Reason = iota + 1
	// ReasonBadKey: there is no public key.
	ReasonBadKey
	// ReasonNotIssued: the CA has not issued a certificate with that serial number.
	ReasonNotIssued
	// ReasonAlreadyRevoked: the certificate is revoked for good.
	ReasonAlreadyRevoked
	// ReasonNotOnHold: the certificate is not on hold, so it cannot be released.
	ReasonNotOnHold
	// ReasonBadRevocationReason: not a CRLReason that a certificate can be revoked with.
	ReasonBadRevocationReason
	// ReasonUnknownPartition: the CA has no revocation list for that municipality, or the certificate names none.
	ReasonUnknownPartition
	// ReasonDuplicateSerial: the serial number belongs to another certificate.
	ReasonDuplicateSerial
	// ReasonMalformed: something could not be encoded.
	ReasonMalformed
)

// String returns a stable lower-case text.
func (r Reason) String() string {
	switch r {
	case ReasonBadSubject:
		return "unusable subject"
	case ReasonBadKey:
		return "no public key"
	case ReasonNotIssued:
		return "no such certificate"
	case ReasonAlreadyRevoked:
		return "already revoked"
	case ReasonNotOnHold:
		return "not on hold"
	case ReasonBadRevocationReason:
		return "unusable revocation reason"
	case ReasonUnknownPartition:
		return "no such revocation list"
	case ReasonDuplicateSerial:
		return "serial number in use"
	case ReasonMalformed:
		return "cannot be encoded"
	default:
		return "unknown"
	}
}

// Error is every error of this package.
type Error struct {
	Reason Reason
	Field  string // of the Subject, for ReasonBadSubject
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

// Family returns kakunin.Configuration: a test is set up wrongly.
func (*Error) Family() kakunin.Family { return kakunin.Configuration }

// UserMessage returns the zero message: the family's will do.
func (*Error) UserMessage() kakunin.Message { return kakunin.Message{} }
