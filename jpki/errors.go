package jpki

import (
	"errors"
	"fmt"

	"github.com/kakunin-go/kakunin"
)

// Reason says what went wrong. Each reason belongs to one family of errors; see [Error.Family].
type Reason int

// Reasons.
const (
	// ReasonUnknown is never returned by this package.
	ReasonUnknown Reason = iota

	// ReasonConfiguration: the configuration given to NewVerifier or NewOCSP is incomplete or contradictory.
	ReasonConfiguration
	// ReasonTrust: an anchor cannot be read, is not pinned, is not self-consistent or belongs to another environment.
	ReasonTrust

	// ReasonMalformed: a certificate is not strict DER or breaks a rule of its form.
	ReasonMalformed
	// ReasonProfile: no profile of the table has this policy, key usage, key and algorithm.
	ReasonProfile
	// ReasonEnvironment: a test certificate met a production verifier, or the other way round.
	ReasonEnvironment
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
	// ReasonList: a revocation list is malformed, or of a form that can never decide here.
	ReasonList
	// ReasonListSignature: no trusted authority signed a revocation list.
	ReasonListSignature
	// ReasonListRead: a revocation list or its index file cannot be read or written, or the context ended.
	ReasonListRead
	// ReasonListRollback: a revocation list is older than one that the store already has.
	ReasonListRollback
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

type reasonInfo struct {
	name    string
	family  kakunin.Family
	message kakunin.Message
}

// info is the one table of names, families and messages.
func (r Reason) info() reasonInfo {
	switch r {
	case ReasonConfiguration:
		return reasonInfo{"configuration", kakunin.Configuration, kakunin.Message{}}
	case ReasonTrust:
		return reasonInfo{"trust anchor refused", kakunin.Configuration, kakunin.Message{}}
	case ReasonMalformed:
		return reasonInfo{"malformed certificate", kakunin.Untrusted, kakunin.Message{}}
	case ReasonProfile:
		return reasonInfo{"certificate profile not accepted", kakunin.Untrusted, kakunin.Message{}}
	case ReasonEnvironment:
		return reasonInfo{"certificate of another environment", kakunin.Untrusted, kakunin.Message{}}
	case ReasonKind:
		return reasonInfo{"certificate of another kind", kakunin.Untrusted, kakunin.Message{}}
	case ReasonIssuer:
		return reasonInfo{"issuer not trusted", kakunin.Untrusted, kakunin.Message{}}
	case ReasonSignature:
		return reasonInfo{"certificate signature does not verify", kakunin.Untrusted, kakunin.Message{}}
	case ReasonAnchorValidity:
		return reasonInfo{"authority not valid at the time", kakunin.Untrusted, kakunin.Message{}}
	case ReasonExpired:
		return reasonInfo{"certificate expired", kakunin.Account, kakunin.Message{
			JA: "電子証明書の有効期間が過ぎています。市区町村の窓口で更新の手続きをしてください。",
			EN: "The certificate on the card has expired. Please renew it at your municipal office.",
		}}
	case ReasonNotYetValid:
		return reasonInfo{"certificate not yet valid", kakunin.Account, kakunin.Message{
			JA: "電子証明書の有効期間がまだ始まっていません。",
			EN: "The certificate on the card is not valid yet.",
		}}
	case ReasonRevoked:
		return reasonInfo{"certificate revoked", kakunin.Account, kakunin.Message{
			JA: "電子証明書が失効しています。氏名や住所が変わったときなどは失効します。市区町村の窓口で新しい電子証明書の発行を受けてください。",
			EN: "The certificate on the card has been revoked, for example after a change of name or address. Please get a new one at your municipal office.",
		}}
	case ReasonHold:
		return reasonInfo{"certificate on hold", kakunin.Account, kakunin.Message{
			JA: "電子証明書は一時停止中です。一時停止の解除については、市区町村の窓口にお問い合わせください。",
			EN: "The certificate on the card is suspended. Please ask your municipal office how to lift the suspension.",
		}}
	case ReasonRevocationUnknown:
		return reasonInfo{"revocation status unknown", kakunin.Unavailable, kakunin.Message{
			JA: "電子証明書の有効性をただいま確認できません。しばらくしてからお試しください。",
			EN: "The validity of the certificate cannot be checked right now. Please try again later.",
		}}
	case ReasonRevocationForged:
		return reasonInfo{"revocation data not trustworthy", kakunin.Untrusted, kakunin.Message{}}
	case ReasonList:
		return reasonInfo{"revocation list not usable", kakunin.Untrusted, kakunin.Message{}}
	case ReasonListSignature:
		return reasonInfo{"revocation list not signed by a trusted authority", kakunin.Untrusted, kakunin.Message{}}
	case ReasonListRead:
		return reasonInfo{"revocation list cannot be read", kakunin.Unavailable, kakunin.Message{}}
	case ReasonListRollback:
		return reasonInfo{"revocation list older than a known one", kakunin.Untrusted, kakunin.Message{}}
	case ReasonStoreFull:
		return reasonInfo{"store of revocation lists full", kakunin.Configuration, kakunin.Message{}}
	case ReasonResponse:
		return reasonInfo{"OCSP response not acceptable", kakunin.Untrusted, kakunin.Message{}}
	case ReasonResponseStale:
		return reasonInfo{"OCSP response not current", kakunin.Unavailable, kakunin.Message{}}
	case ReasonResponderRefused:
		return reasonInfo{"OCSP responder refuses to answer", kakunin.Configuration, kakunin.Message{}}
	case ReasonResponderUnavailable:
		return reasonInfo{"OCSP responder not available", kakunin.Unavailable, kakunin.Message{}}
	case ReasonUnknown:
	}
	return reasonInfo{"unknown", kakunin.Untrusted, kakunin.Message{}}
}

// String returns a stable English phrase for logs.
func (r Reason) String() string { return r.info().name }

// Error is every error of this package. Its text holds the reason, the step and the clause, never data of a certificate
// or of the network.
type Error struct {
	Reason Reason
	// Step is the stable name of the check that failed, e.g. "chain.signature"; it equals a [Step.Name] when Verify
	// returned the error.
	Step string
	// Clause is the clause of the standard that the check enforces; "" when there is none.
	Clause string
	// Err is the cause. Its text may hold data from outside: do not show or log it.
	Err error

	// where is text of this package or of the operator's own configuration (a file name).
	where string
}

// Error names reason, step and clause only.
func (e *Error) Error() string {
	s := fmt.Sprintf("jpki: %s: %s", e.Step, e.Reason)
	if e.where != "" {
		s += ": " + e.where
	}
	if e.Clause != "" {
		s += " (" + e.Clause + ")"
	}
	return s
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
func (e *Error) Family() kakunin.Family { return e.Reason.info().family }

// UserMessage is fit to show to a person; the zero value means that the family's message fits.
func (e *Error) UserMessage() kakunin.Message { return e.Reason.info().message }

// reasonOf returns the reason of the outermost [*Error] in err's tree.
func reasonOf(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ReasonUnknown
}
