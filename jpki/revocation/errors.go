package revocation

import (
	"errors"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
)

// Reason says what went wrong. Each reason belongs to one family of errors; see [Error.Family].
type Reason int

// Reasons.
const (
	// ReasonUnknown is never returned by this package.
	ReasonUnknown Reason = iota
	// ReasonConfiguration: a configuration or a query is incomplete or contradictory.
	ReasonConfiguration
	// ReasonMalformed: a certificate cannot be read.
	ReasonMalformed
	// ReasonStatusUnknown: no source could say whether the certificate was revoked.
	ReasonStatusUnknown
	// ReasonForged: a source received revocation data that cannot be trusted, and no other source could say.
	ReasonForged
	// ReasonList: a revocation list is malformed, or of a form that can never decide here.
	ReasonList
	// ReasonListSignature: no trusted authority signed a revocation list.
	ReasonListSignature
	// ReasonListRead: a revocation list or its index file cannot be read or written, or the context ended.
	ReasonListRead
	// ReasonListRollback: a revocation list is older than one that the store already has.
	ReasonListRollback
	// ReasonListIncomplete: the newest list of a series is not in the directory of a store any more, or damaged.
	// Certificates that it is for are unknown until it, or a newer one, is added.
	ReasonListIncomplete
	// ReasonStoreFull: the store of revocation lists has reached its limit.
	ReasonStoreFull
	// ReasonResponse: an OCSP response is malformed, not the answer to the question, or not signed by the responder.
	ReasonResponse
	// ReasonResponseStale: an OCSP response is properly signed, but too old or from the future.
	ReasonResponseStale
	// ReasonResponderRefused: the OCSP responder refuses to answer this client.
	ReasonResponderRefused
	// ReasonResponderUnavailable: the OCSP responder cannot be reached or asks to try later.
	ReasonResponderUnavailable
)

var notNow = kakunin.Message{
	JA: "電子証明書の有効性をただいま確認できません。しばらくしてからお試しください。",
	EN: "The validity of the certificate cannot be checked right now. Please try again later.",
}

// reasons is the table of names, families and messages.
var reasons = [...]fault.Row{
	ReasonUnknown:              fault.Unknown(),
	ReasonConfiguration:        {Name: "configuration", Family: kakunin.Configuration},
	ReasonMalformed:            {Name: "malformed certificate", Family: kakunin.Untrusted},
	ReasonStatusUnknown:        {Name: "revocation status unknown", Family: kakunin.Unavailable, Message: notNow},
	ReasonForged:               {Name: "revocation data not trustworthy", Family: kakunin.Untrusted},
	ReasonList:                 {Name: "revocation list not usable", Family: kakunin.Untrusted},
	ReasonListSignature:        {Name: "revocation list not signed by a trusted authority", Family: kakunin.Untrusted},
	ReasonListRead:             {Name: "revocation list cannot be read", Family: kakunin.Unavailable, Message: notNow},
	ReasonListRollback:         {Name: "revocation list older than a known one", Family: kakunin.Untrusted},
	ReasonListIncomplete:       {Name: "newest revocation list missing", Family: kakunin.Configuration},
	ReasonStoreFull:            {Name: "store of revocation lists full", Family: kakunin.Configuration},
	ReasonResponse:             {Name: "OCSP response not acceptable", Family: kakunin.Untrusted},
	ReasonResponseStale:        {Name: "OCSP response not current", Family: kakunin.Unavailable, Message: notNow},
	ReasonResponderRefused:     {Name: "OCSP responder refuses to answer", Family: kakunin.Configuration},
	ReasonResponderUnavailable: {Name: "OCSP responder not available", Family: kakunin.Unavailable, Message: notNow},
}

func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a stable English phrase for logs.
func (r Reason) String() string { return r.row().Name }

// Error is every error of this package. Its text holds the reason, the step and the clause, never data of a certificate
// or of the network.
type Error struct {
	Reason Reason
	// Step is the stable name of the check that failed, e.g. "ocsp.nonce".
	Step string
	// Clause is the clause of the standard that the check enforces; "" when there is none.
	Clause string
	// Detail is text of this package, or of the operator's own configuration (a file name).
	Detail string
	// Err is the cause. Its text may hold data from outside: do not show or log it.
	Err error
}

// Error names reason, step, detail and clause only.
func (e *Error) Error() string {
	return fault.Text("revocation", e.Reason.String(), e.Step, e.Clause, e.Detail)
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

// UserMessage is fit to show to a person; the zero value means that the family's message fits.
func (e *Error) UserMessage() kakunin.Message { return e.Reason.row().Message }

// reasonOf returns the reason of the outermost [*Error] in err's tree.
func reasonOf(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ReasonUnknown
}

// rule is one check: its stable name, the clause it enforces and the reason when it fails.
type rule struct {
	name, clause string
	reason       Reason
}

// because returns the error of the rule with its cause.
func (r rule) because(err error) *Error {
	return &Error{Reason: r.reason, Step: r.name, Clause: r.clause, Err: err}
}

func unknownStatus(step, clause string, err error) error {
	return &Error{Reason: ReasonStatusUnknown, Step: step, Clause: clause, Err: err}
}

func badList(step, clause string) *Error {
	return &Error{Reason: ReasonList, Step: "crl." + step, Clause: clause}
}

func badResponse(step, clause string) *Error {
	return &Error{Reason: ReasonResponse, Step: "ocsp." + step, Clause: clause}
}

func malformedCertificate(err error) error {
	e := &Error{Reason: ReasonMalformed, Step: "certificate.der", Clause: "RFC 5280, 4.1", Err: err}
	var m *form.Malformed
	if errors.As(err, &m) {
		e.Step, e.Clause, e.Err = m.Step, m.Clause, m.Err
	}
	return e
}

// listError makes an error of package crl one of this package.
func listError(err error) error {
	var e *crl.Error
	if !errors.As(err, &e) {
		return err
	}
	out := &Error{Reason: ReasonList, Step: e.Step, Clause: e.Clause, Detail: e.Detail, Err: e.Err}
	switch e.Reason {
	case crl.ReasonSignature:
		out.Reason = ReasonListSignature
	case crl.ReasonIO:
		out.Reason = ReasonListRead
	case crl.ReasonUnknown,
		crl.ReasonMalformed,
		crl.ReasonLimit,
		crl.ReasonAlgorithm,
		crl.ReasonCritical,
		crl.ReasonIndex:
	}
	return out
}
