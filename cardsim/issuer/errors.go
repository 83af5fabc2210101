package issuer

import (
	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
)

// Reason says why something was not issued, revoked or published.
type Reason int

// Reasons. The zero value is ReasonUnknown and is never returned.
const (
	ReasonUnknown Reason = iota
	// ReasonBadSubject: a field of the Subject cannot stand in a certificate; Detail names it.
	ReasonBadSubject
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

// reasons has the reasons in their order.
var reasons = [...]fault.Row{
	ReasonBadSubject:          {Name: "unusable subject", Family: kakunin.Configuration},
	ReasonBadKey:              {Name: "no public key", Family: kakunin.Configuration},
	ReasonNotIssued:           {Name: "no such certificate", Family: kakunin.Configuration},
	ReasonAlreadyRevoked:      {Name: "already revoked", Family: kakunin.Configuration},
	ReasonNotOnHold:           {Name: "not on hold", Family: kakunin.Configuration},
	ReasonBadRevocationReason: {Name: "unusable revocation reason", Family: kakunin.Configuration},
	ReasonUnknownPartition:    {Name: "no such revocation list", Family: kakunin.Configuration},
	ReasonDuplicateSerial:     {Name: "serial number in use", Family: kakunin.Configuration},
	ReasonMalformed:           {Name: "cannot be encoded", Family: kakunin.Configuration},
}

// row is what there is to say about the reason.
func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a stable phrase in lower case.
func (r Reason) String() string { return r.row().Name }

// Error is every error of this package. It never holds personal data, PINs or what an outsider sent.
type Error struct {
	Reason Reason
	// Detail is the name of a field; it is never a value.
	Detail string
	// Err is the cause; it may be nil.
	Err error
}

// Error names the reason and the detail.
func (e *Error) Error() string { return fault.Text("issuer", e.Reason.String(), "", "", e.Detail) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether the target is an *Error with the same reason.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Reason == e.Reason
}

// Family is [kakunin.Configuration] for every reason: whoever sets up the simulator has to correct it.
func (e *Error) Family() kakunin.Family { return e.Reason.row().Family }

// UserMessage is empty: the family's message is used.
func (e *Error) UserMessage() kakunin.Message { return e.Reason.row().Message }
