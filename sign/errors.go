package sign

import (
	"slices"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
)

// Reason says what went wrong. Each reason belongs to one family of errors; see [Error.Family].
type Reason int

// Reasons.
const (
	// ReasonUnknown is never returned by this package.
	ReasonUnknown Reason = iota

	// ReasonConfiguration: the configuration given to NewOpener or NewVerifier is incomplete or contradictory.
	ReasonConfiguration
	// ReasonRequest: the caller's arguments are wrong (no document, no mode, no transaction).
	ReasonRequest
	// ReasonDocumentRead: reading the document failed.
	ReasonDocumentRead
	// ReasonDocumentSize: the document is larger than is hashed.
	ReasonDocumentSize
	// ReasonInterrupted: the context ended.
	ReasonInterrupted

	// ReasonResponse: a result of the service is oversized or malformed.
	ReasonResponse
	// ReasonSealed: the sealed result could not be opened. Every decryption failure looks the same.
	ReasonSealed

	// ReasonCMS: a CMS signature is malformed or of a form that is not accepted; Detail says which.
	ReasonCMS

	// ReasonMode: the expected mode is not the transaction's.
	ReasonMode
	// ReasonTransactionTime: the transaction has not begun yet, or is long over, by the verifier's clock.
	ReasonTransactionTime
	// ReasonDocument: the document is not the one of the transaction.
	ReasonDocument
	// ReasonCertificateForm: the certificate is not well-formed DER or not a signing certificate.
	ReasonCertificateForm
	// ReasonKey: the public key is not the kind that the card has.
	ReasonKey
	// ReasonSignature: the signature value does not verify in either mode: another key, document or value.
	ReasonSignature
	// ReasonOtherMode: key and document are right, but the signature was made in the mode that was not asked for.
	ReasonOtherMode
	// ReasonCertificate: chain, validity, profile or revocation did not hold; Err is the error of package jpki.
	ReasonCertificate
	// ReasonPersonMismatch: the certificate names another person than expected.
	ReasonPersonMismatch
	// ReasonPersonReview: the comparison cannot be decided by a machine, e.g. because the certificate has a substitute
	// character (代替文字) where the name differs. A human must look.
	ReasonPersonReview
)

var (
	none            = kakunin.Message{}
	notThisDocument = kakunin.Message{
		JA: "署名された文書と内容が一致しません。処理を中止しました。",
		EN: "The document is not the one that was signed. We stopped.",
	}
	notVerified = kakunin.Message{
		JA: "署名を確認できませんでした。処理を中止しました。",
		EN: "The signature could not be verified. We stopped.",
	}
)

// reasons is the one table of names, families and messages.
var reasons = [...]fault.Row{
	ReasonUnknown:         {Name: "unknown", Family: kakunin.Untrusted, Message: none},
	ReasonConfiguration:   {Name: "configuration", Family: kakunin.Configuration, Message: none},
	ReasonRequest:         {Name: "request", Family: kakunin.Configuration, Message: none},
	ReasonDocumentRead:    {Name: "document cannot be read", Family: kakunin.Configuration, Message: none},
	ReasonDocumentSize:    {Name: "document too large", Family: kakunin.Configuration, Message: none},
	ReasonInterrupted:     {Name: "interrupted", Family: kakunin.Unavailable, Message: none},
	ReasonResponse:        {Name: "malformed result", Family: kakunin.Untrusted, Message: none},
	ReasonSealed:          {Name: "sealed result cannot be opened", Family: kakunin.Untrusted, Message: none},
	ReasonCMS:             {Name: "CMS signature not accepted", Family: kakunin.Untrusted, Message: notVerified},
	ReasonMode:            {Name: "mode is not the transaction's", Family: kakunin.Untrusted, Message: none},
	ReasonTransactionTime: {Name: "transaction of another time", Family: kakunin.Untrusted, Message: none},
	ReasonDocument: {
		Name:    "document is not the transaction's",
		Family:  kakunin.Untrusted,
		Message: notThisDocument,
	},
	ReasonCertificateForm: {Name: "not a signing certificate", Family: kakunin.Untrusted, Message: none},
	ReasonKey:             {Name: "unexpected public key", Family: kakunin.Untrusted, Message: none},
	ReasonSignature:       {Name: "signature does not verify", Family: kakunin.Untrusted, Message: notVerified},
	ReasonOtherMode:       {Name: "signature made in the other mode", Family: kakunin.Untrusted, Message: notVerified},
	ReasonCertificate:     {Name: "certificate not accepted", Family: kakunin.Untrusted, Message: none},
	ReasonPersonMismatch: {Name: "certificate of another person", Family: kakunin.Account, Message: kakunin.Message{
		JA: "署名用電子証明書の氏名・住所・生年月日・性別が登録内容と一致しません。ご本人のカードをお使いいただくか、登録内容をご確認ください。",
		EN: "The name, address, birthdate or gender in the signing certificate differs from our records. Please use " +
			"your own card or check your registered details.",
	}},
	ReasonPersonReview: {Name: "person needs review", Family: kakunin.Account, Message: kakunin.Message{
		JA: "氏名または住所に代替文字が含まれるため、自動では確認できません。担当者が確認します。",
		EN: "The name or address contains a substitute character and cannot be compared automatically. A person will " +
			"check it.",
	}},
}

func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a stable English phrase for logs.
func (r Reason) String() string { return r.row().Name }

// Error is every error of this package. Its text holds fixed words of this package, never data that a person, the
// network or an attacker supplied.
type Error struct {
	Reason Reason
	// Step is the stable name of what was being done or checked, e.g. "open", "signature.value".
	Step string
	// Clause is what the failed check enforces; empty where no standard does.
	Clause string
	// Detail says more, in fixed words: which field of a configuration, which part of an answer.
	Detail string
	// Err is the cause. Its text may hold data from outside: do not show or log it.
	Err error
}

// Error names reason, step, detail and clause.
func (e *Error) Error() string {
	return fault.Text("sign", e.Reason.String(), e.Step, e.Clause, e.Detail)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an [*Error] with the same reason, so that errors.Is(err, &Error{Reason: ReasonMode})
// works; a target that names a step must have that step too.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error) //nolint:errorlint // errors.Is walks the tree itself
	return ok && t.Reason == e.Reason && (t.Step == "" || t.Step == e.Step)
}

// Family says what to do about it. A certificate problem keeps the family that package jpki gave it: a revoked
// certificate is the account's, an unreachable responder is unavailability.
func (e *Error) Family() kakunin.Family {
	if e.delegates() {
		return kakunin.FamilyOf(e.Err)
	}
	return e.Reason.row().Family
}

// UserMessage is fit to show to a person; zero means that the family's text fits.
func (e *Error) UserMessage() kakunin.Message {
	if e.delegates() {
		return kakunin.Message{
			JA: kakunin.MessageFor(e.Err, kakunin.Japanese),
			EN: kakunin.MessageFor(e.Err, kakunin.English),
		}
	}
	return e.Reason.row().Message
}

func (e *Error) delegates() bool {
	return e.Reason == ReasonCertificate && kakunin.FamilyOf(e.Err) != kakunin.Unclassified
}

// misconfigured makes the error that names all mistakes at once, or nil if there are none.
func misconfigured(step string, list fault.Mistakes, cause error) error {
	if len(list) == 0 {
		return nil
	}
	return &Error{Reason: ReasonConfiguration, Step: step, Detail: list.Detail(), Err: cause}
}

// within reports whether list has entries and all of them are known.
func within(list, known []string) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(s string) bool { return !slices.Contains(known, s) })
}
