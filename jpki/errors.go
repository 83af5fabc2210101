package jpki

import (
	"errors"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
)

// Reason says what went wrong. Each reason belongs to one family of errors; see [Error.Family].
type Reason int

// Reasons.
const (
	// ReasonUnknown is never returned by this package.
	ReasonUnknown Reason = iota

	// ReasonConfiguration: the configuration given to NewVerifier is incomplete or contradictory.
	ReasonConfiguration
	// ReasonTrust: an anchor cannot be read, is not pinned, is not self-consistent or belongs to another hierarchy.
	ReasonTrust

	// ReasonMalformed: a certificate is not strict DER or breaks a rule of its form.
	ReasonMalformed
	// ReasonProfile: no profile of the table has this policy, key usage, key and algorithm.
	ReasonProfile
	// ReasonHierarchy: a test certificate met a production verifier, or the other way round.
	ReasonHierarchy
	// ReasonKind: a certificate of another kind was expected.
	ReasonKind
	// ReasonIssuer: no trusted authority has the issuer's name and key identifier.
	ReasonIssuer
	// ReasonSignature: the signature of the certificate does not verify.
	ReasonSignature
	// ReasonAnchorValidity: the authority's certificate was not valid at the time.
	ReasonAnchorValidity

	// ReasonExpired: the certificate had expired at the time.
	ReasonExpired
	// ReasonNotYetValid: the certificate was not valid yet at the time.
	ReasonNotYetValid
	// ReasonRevoked: the certificate was revoked at the time.
	ReasonRevoked
	// ReasonHold: the certificate was suspended (一時保留) at the time.
	ReasonHold

	// ReasonRevocationUnknown: no source could say whether the certificate was revoked.
	ReasonRevocationUnknown
	// ReasonRevocationForged: a source received revocation data that cannot be trusted, and no other source could say.
	ReasonRevocationForged
)

// reasons is the table of names, families and messages.
var reasons = [...]fault.Row{
	ReasonUnknown:        {Name: "unknown", Family: kakunin.Untrusted},
	ReasonConfiguration:  {Name: "configuration", Family: kakunin.Configuration},
	ReasonTrust:          {Name: "trust anchor refused", Family: kakunin.Configuration},
	ReasonMalformed:      {Name: "malformed certificate", Family: kakunin.Untrusted},
	ReasonProfile:        {Name: "certificate profile not accepted", Family: kakunin.Untrusted},
	ReasonHierarchy:      {Name: "certificate of another hierarchy", Family: kakunin.Untrusted},
	ReasonKind:           {Name: "certificate of another kind", Family: kakunin.Untrusted},
	ReasonIssuer:         {Name: "issuer not trusted", Family: kakunin.Untrusted},
	ReasonSignature:      {Name: "certificate signature does not verify", Family: kakunin.Untrusted},
	ReasonAnchorValidity: {Name: "authority not valid at the time", Family: kakunin.Untrusted},
	ReasonExpired: {Name: "certificate expired", Family: kakunin.Account, Message: kakunin.Message{
		JA: "電子証明書の有効期間が過ぎています。市区町村の窓口で更新の手続きをしてください。",
		EN: "The certificate on the card has expired. Please renew it at your municipal office.",
	}},
	ReasonNotYetValid: {Name: "certificate not yet valid", Family: kakunin.Account, Message: kakunin.Message{
		JA: "電子証明書の有効期間がまだ始まっていません。",
		EN: "The certificate on the card is not valid yet.",
	}},
	ReasonRevoked: {Name: "certificate revoked", Family: kakunin.Account, Message: kakunin.Message{
		JA: "電子証明書が失効しています。氏名や住所が変わったときなどは失効します。市区町村の窓口で新しい電子証明書の発行を受けてください。",
		EN: "The certificate on the card has been revoked, for example after a change of name or address. Please get " +
			"a new one at your municipal office.",
	}},
	ReasonHold: {Name: "certificate on hold", Family: kakunin.Account, Message: kakunin.Message{
		JA: "電子証明書は一時停止中です。一時停止の解除については、市区町村の窓口にお問い合わせください。",
		EN: "The certificate on the card is suspended. Please ask your municipal office how to lift the suspension.",
	}},
	ReasonRevocationUnknown: {Name: "revocation status unknown", Family: kakunin.Unavailable, Message: kakunin.Message{
		JA: "電子証明書の有効性をただいま確認できません。しばらくしてからお試しください。",
		EN: "The validity of the certificate cannot be checked right now. Please try again later.",
	}},
	ReasonRevocationForged: {Name: "revocation data not trustworthy", Family: kakunin.Untrusted},
}

func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a stable English phrase for logs.
func (r Reason) String() string { return r.row().Name }

// Error is every error of this package. Its text holds the reason, the step and the clause, never data of a certificate
// or of the network.
type Error struct {
	Reason Reason
	// Step is the stable name of the check that failed, e.g. "chain.signature"; it equals a [Step.Name] when Verify
	// returned the error.
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
	return fault.Text("jpki", e.Reason.String(), e.Step, e.Clause, e.Detail)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an [*Error] with the same reason (and the same step, when target names one), so that
// errors.Is(err, &jpki.Error{Reason: jpki.ReasonRevoked}) works.
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

func malformed(step, clause string) *Error {
	return &Error{Reason: ReasonMalformed, Step: "certificate." + step, Clause: clause}
}

// malformedForm makes what package form says an error of this package.
func malformedForm(err error) *Error {
	e := malformed("der", "RFC 5280, 4.1")
	var m *form.Malformed
	if errors.As(err, &m) {
		e.Step, e.Clause, e.Err = m.Step, m.Clause, m.Err
	}
	return e
}
