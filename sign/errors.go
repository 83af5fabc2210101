package sign

import (
	"errors"
	"fmt"
	"time"

	"github.com/kakunin-go/kakunin"
)

// Reason says what went wrong. Each reason belongs to one family of errors; see [Error.Family].
type Reason int

// Reasons.
const (
	// ReasonUnknown is never returned by this package.
	ReasonUnknown Reason = iota

	// ReasonConfiguration: the configuration given to New, NewOpener or NewVerifier is incomplete or contradictory.
	ReasonConfiguration
	// ReasonRequest: the caller's arguments are wrong (no document, no mode, no transaction).
	ReasonRequest
	// ReasonDocumentRead: reading the document failed.
	ReasonDocumentRead
	// ReasonDocumentSize: the document is larger than is hashed.
	ReasonDocumentSize

	// ReasonServiceToken: no client_credentials token could be had, or the service refused it.
	ReasonServiceToken
	// ReasonUserToken: the service refused the access token of the login that carried the transaction.
	ReasonUserToken
	// ReasonRejected: the service called the request malformed.
	ReasonRejected
	// ReasonScope: the access token lacks the sign scope.
	ReasonScope
	// ReasonTransport: the service could not be reached or did not answer in time.
	ReasonTransport
	// ReasonBusy: the service is overloaded or under maintenance; RetryAfter may say for how long.
	ReasonBusy
	// ReasonPending: the person has not signed yet; RetryAfter may say when to ask again.
	ReasonPending
	// ReasonCancelled: the transaction was cancelled or failed.
	ReasonCancelled
	// ReasonExpired: the transaction expired.
	ReasonExpired
	// ReasonConsumed: the result was already fetched.
	ReasonConsumed
	// ReasonNotFound: the service does not know the transaction, or it belongs to another client or person.
	ReasonNotFound
	// ReasonConflict: the service says that the access token comes from another flow.
	ReasonConflict
	// ReasonResponse: the service's answer is oversized or malformed.
	ReasonResponse
	// ReasonOtherFlow: the login did not carry this transaction.
	ReasonOtherFlow
	// ReasonSealed: the sealed result could not be opened. Every decryption failure looks the same.
	ReasonSealed

	// ReasonMode: the expected mode is not the transaction's.
	ReasonMode
	// ReasonDocument: the document is not the one of the transaction.
	ReasonDocument
	// ReasonCertificateForm: the certificate is not well-formed DER or not a signing certificate.
	ReasonCertificateForm
	// ReasonKey: the public key is not the kind that the card has.
	ReasonKey
	// ReasonSignature: the signature value does not verify in the expected mode.
	ReasonSignature
	// ReasonCertificate: chain, validity, profile or revocation did not hold; Err is the error of package jpki.
	ReasonCertificate
	// ReasonPersonMismatch: the certificate names another person than expected.
	ReasonPersonMismatch
	// ReasonPersonReview: the comparison cannot be decided by a machine, e.g. because the certificate has a substitute
	// character (代替文字) where the name differs. A human must look.
	ReasonPersonReview
)

type reasonInfo struct {
	name    string
	family  kakunin.Family
	message kakunin.Message
}

// info is the one table of names, families and messages.
func (r Reason) info() reasonInfo {
	startOver := func(ja, en string) kakunin.Message {
		return kakunin.Message{JA: ja + "もう一度、署名からやり直してください。", EN: en + " Please start signing again."}
	}
	switch r {
	case ReasonConfiguration:
		return reasonInfo{"configuration", kakunin.Configuration, kakunin.Message{}}
	case ReasonRequest:
		return reasonInfo{"request", kakunin.Configuration, kakunin.Message{}}
	case ReasonDocumentRead:
		return reasonInfo{"document cannot be read", kakunin.Configuration, kakunin.Message{}}
	case ReasonDocumentSize:
		return reasonInfo{"document too large", kakunin.Configuration, kakunin.Message{}}
	case ReasonServiceToken:
		return reasonInfo{"service token refused", kakunin.Configuration, kakunin.Message{}}
	case ReasonUserToken:
		return reasonInfo{"user token refused", kakunin.User, startOver("手続きの有効時間が過ぎました。", "The procedure took too long.")}
	case ReasonRejected:
		return reasonInfo{"request rejected by the service", kakunin.Configuration, kakunin.Message{}}
	case ReasonScope:
		return reasonInfo{"sign scope missing", kakunin.Configuration, kakunin.Message{}}
	case ReasonTransport:
		return reasonInfo{"service not reachable", kakunin.Unavailable, kakunin.Message{}}
	case ReasonBusy:
		return reasonInfo{"service busy", kakunin.Unavailable, kakunin.Message{
			JA: "サービスが混み合っているか、メンテナンス中です。しばらくしてからお試しください。",
			EN: "The service is busy or under maintenance. Please try again later.",
		}}
	case ReasonPending:
		return reasonInfo{"not signed yet", kakunin.Unavailable, kakunin.Message{
			JA: "署名がまだ完了していません。アプリで署名を終えてから、もう一度お試しください。",
			EN: "The signature is not finished yet. Finish signing in the app, then try again.",
		}}
	case ReasonCancelled:
		return reasonInfo{"cancelled", kakunin.User, startOver("署名は中止されました。", "Signing was cancelled.")}
	case ReasonExpired:
		return reasonInfo{"transaction expired", kakunin.User, startOver("署名の有効時間が過ぎました。", "The time to sign has run out.")}
	case ReasonConsumed:
		return reasonInfo{"result already fetched", kakunin.User, startOver("この署名の結果は受け取り済みです。", "The result of this signature was already received.")}
	case ReasonNotFound:
		return reasonInfo{"transaction not found", kakunin.User, startOver("この署名の手続きが見つかりません。", "This signature request was not found.")}
	case ReasonConflict:
		return reasonInfo{"transaction conflict", kakunin.Untrusted, kakunin.Message{}}
	case ReasonResponse:
		return reasonInfo{"malformed answer", kakunin.Untrusted, kakunin.Message{}}
	case ReasonOtherFlow:
		return reasonInfo{"login of another transaction", kakunin.Untrusted, kakunin.Message{}}
	case ReasonSealed:
		return reasonInfo{"sealed result cannot be opened", kakunin.Untrusted, kakunin.Message{}}
	case ReasonMode:
		return reasonInfo{"mode is not the transaction's", kakunin.Untrusted, kakunin.Message{}}
	case ReasonDocument:
		return reasonInfo{"document is not the transaction's", kakunin.Untrusted, kakunin.Message{
			JA: "署名された文書と内容が一致しません。処理を中止しました。",
			EN: "The document is not the one that was signed. We stopped.",
		}}
	case ReasonCertificateForm:
		return reasonInfo{"not a signing certificate", kakunin.Untrusted, kakunin.Message{}}
	case ReasonKey:
		return reasonInfo{"unexpected public key", kakunin.Untrusted, kakunin.Message{}}
	case ReasonSignature:
		return reasonInfo{"signature does not verify", kakunin.Untrusted, kakunin.Message{
			JA: "署名を確認できませんでした。処理を中止しました。",
			EN: "The signature could not be verified. We stopped.",
		}}
	case ReasonCertificate:
		return reasonInfo{"certificate not accepted", kakunin.Untrusted, kakunin.Message{}}
	case ReasonPersonMismatch:
		return reasonInfo{"certificate of another person", kakunin.Account, kakunin.Message{
			JA: "署名用電子証明書の氏名・住所・生年月日・性別が登録内容と一致しません。ご本人のカードをお使いいただくか、登録内容をご確認ください。",
			EN: "The name, address, birthdate or gender in the signing certificate differs from our records. Please use your own card or check your registered details.",
		}}
	case ReasonPersonReview:
		return reasonInfo{"person needs review", kakunin.Account, kakunin.Message{
			JA: "氏名または住所に代替文字が含まれるため、自動では確認できません。担当者が確認します。",
			EN: "The name or address contains a substitute character and cannot be compared automatically. A person will check it.",
		}}
	case ReasonUnknown:
	}
	return reasonInfo{"unknown", kakunin.Untrusted, kakunin.Message{}}
}

// String returns a stable English phrase for logs.
func (r Reason) String() string { return r.info().name }

// Error is every error of this package. Its text holds the reason and the step, never data that a person, the network
// or an attacker supplied.
type Error struct {
	Reason Reason
	// Step is the stable name of what was being done or checked, e.g. "start", "result", "signature.value".
	Step string
	// RetryAfter is how long the service asks to wait; 0 when it did not say.
	RetryAfter time.Duration
	// Err is the cause. Its text may hold data from outside: do not show or log it.
	Err error
}

// Error names reason and step only.
func (e *Error) Error() string { return fmt.Sprintf("sign: %s: %s", e.Step, e.Reason) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an [*Error] with the same reason, so that errors.Is(err, &Error{Reason: ReasonPending})
// works.
func (e *Error) Is(target error) bool {
	var t *Error
	return errors.As(target, &t) && t.Reason == e.Reason && (t.Step == "" || t.Step == e.Step)
}

// Family says what to do about it. A certificate or token problem keeps the family that its own package gave it: a
// revoked certificate is the account's, an unreachable responder is unavailability.
func (e *Error) Family() kakunin.Family {
	if e.delegates() {
		if f := kakunin.FamilyOf(e.Err); f != kakunin.Unclassified {
			return f
		}
	}
	return e.Reason.info().family
}

// UserMessage is fit to show to a person; zero means that the family's text fits.
func (e *Error) UserMessage() kakunin.Message {
	if e.delegates() && kakunin.FamilyOf(e.Err) != kakunin.Unclassified {
		return kakunin.Message{JA: kakunin.MessageFor(e.Err, kakunin.Japanese), EN: kakunin.MessageFor(e.Err, kakunin.English)}
	}
	return e.Reason.info().message
}

func (e *Error) delegates() bool {
	return e.Err != nil && (e.Reason == ReasonCertificate || e.Reason == ReasonServiceToken)
}

// ReasonOf returns the reason of the first error of this package in err's tree, ReasonUnknown when there is none.
func ReasonOf(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ReasonUnknown
}
