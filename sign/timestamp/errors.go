package timestamp

import (
	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
)

// Reason says what went wrong. Each reason belongs to one family of errors; see [Error.Family].
type Reason int

// Reasons.
const (
	// ReasonUnknown is never returned by this package.
	ReasonUnknown Reason = iota
	// ReasonConfiguration: the configuration given to NewVerifier is incomplete or contradictory.
	ReasonConfiguration
	// ReasonRequest: the caller's arguments are wrong, such as a digest of another length than the hash has.
	ReasonRequest
	// ReasonRefused: the authority gave no timestamp; Detail says why, if it said so.
	ReasonRefused
	// ReasonMalformed: the response or the token is not well-formed.
	ReasonMalformed
	// ReasonImprint: the token is about something else.
	ReasonImprint
	// ReasonNonce: the token answers another request.
	ReasonNonce
	// ReasonPolicy: the token was made under a policy that is not accepted.
	ReasonPolicy
	// ReasonTime: the token's time is in the future, before the request, or outside of the certificate's validity.
	ReasonTime
	// ReasonCertificate: the signer's certificate is absent or not one for timestamping alone.
	ReasonCertificate
	// ReasonAttributes: the signed attributes are not those of the token.
	ReasonAttributes
	// ReasonSignature: the signature does not verify, or is of an algorithm that is not accepted.
	ReasonSignature
	// ReasonPath: the certificate has no valid path to an anchor; Err is the error of package certpath.
	ReasonPath
)

var stamp = kakunin.Message{
	JA: "タイムスタンプを確認できませんでした。",
	EN: "The timestamp could not be verified.",
}

// reasons is the one table of names, families and messages.
var reasons = [...]fault.Row{
	ReasonUnknown:       {Name: "unknown", Family: kakunin.Untrusted},
	ReasonConfiguration: {Name: "configuration", Family: kakunin.Configuration},
	ReasonRequest:       {Name: "request", Family: kakunin.Configuration},
	ReasonRefused:       {Name: "authority refused", Family: kakunin.Unavailable},
	ReasonMalformed:     {Name: "malformed timestamp", Family: kakunin.Untrusted, Message: stamp},
	ReasonImprint:       {Name: "timestamp of something else", Family: kakunin.Untrusted, Message: stamp},
	ReasonNonce:         {Name: "timestamp of another request", Family: kakunin.Untrusted, Message: stamp},
	ReasonPolicy:        {Name: "policy not accepted", Family: kakunin.Untrusted, Message: stamp},
	ReasonTime:          {Name: "time not acceptable", Family: kakunin.Untrusted, Message: stamp},
	ReasonCertificate:   {Name: "not a certificate for timestamping", Family: kakunin.Untrusted, Message: stamp},
	ReasonAttributes: {Name: "signed attributes not those of the timestamp", Family: kakunin.Untrusted,
		Message: stamp},
	ReasonSignature: {Name: "signature does not verify", Family: kakunin.Untrusted, Message: stamp},
	ReasonPath:      {Name: "certificate not accepted", Family: kakunin.Untrusted, Message: stamp},
}

func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a stable English phrase for logs.
func (r Reason) String() string { return r.row().Name }

// Error is every error of this package. Its text holds fixed words of this package, never data from outside.
type Error struct {
	Reason Reason
	// Step is the stable name of what was being done or checked; it equals a [Step.Name] when a check failed.
	Step string
	// Clause is what the failed check enforces; empty where no standard does.
	Clause string
	// Detail says more, in fixed words.
	Detail string
	// Err is the cause. Its text may hold data from outside: do not show or log it.
	Err error
}

// Error names reason, step, detail and clause.
func (e *Error) Error() string {
	return fault.Text("timestamp", e.Reason.String(), e.Step, e.Clause, e.Detail)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an [*Error] with the same reason; a target that names a step must have that step too.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error) //nolint:errorlint // errors.Is walks the tree itself
	return ok && t.Reason == e.Reason && (t.Step == "" || t.Step == e.Step)
}

// Family says what to do about it. A problem with the certificate's path keeps the family that package certpath gave
// it.
func (e *Error) Family() kakunin.Family {
	if e.Reason == ReasonPath && kakunin.FamilyOf(e.Err) != kakunin.Unclassified {
		return kakunin.FamilyOf(e.Err)
	}
	return e.Reason.row().Family
}

// UserMessage is fit to show to a person; zero means that the family's text fits.
func (e *Error) UserMessage() kakunin.Message { return e.Reason.row().Message }
