package operator

import (
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
)

// Reason says what went wrong. Each reason belongs to one family of errors; see [Error.Family].
type Reason int

// Reasons.
const (
	// ReasonUnknown is never returned by this package.
	ReasonUnknown Reason = iota
	// ReasonConfiguration: the configuration given to New or NewHandler is incomplete or contradictory.
	ReasonConfiguration
	// ReasonRequest: the caller's arguments are wrong, or the operator called the request malformed.
	ReasonRequest
	// ReasonCredentials: the operator does not know us, or not for this.
	ReasonCredentials
	// ReasonTransport: the operator could not be reached or did not answer in time.
	ReasonTransport
	// ReasonBusy: the operator is overloaded, or has no revocation data; RetryAfter may say for how long.
	ReasonBusy
	// ReasonResponse: the operator's answer is oversized, malformed, or of an unknown code.
	ReasonResponse
	// ReasonOtherVerdict: the answer is about another transaction or document.
	ReasonOtherVerdict
	// ReasonExpired: the certificate has expired; the verdict says so too.
	ReasonExpired
	// ReasonRevoked: the certificate is revoked; the verdict says so too.
	ReasonRevoked
	// ReasonSignature: the signature does not verify.
	ReasonSignature
	// ReasonReused: the signature is recorded under another transaction.
	ReasonReused
	// ReasonSealed: the operator cannot open the result.
	ReasonSealed
	// ReasonUnsupported: the operator does not judge such certificates.
	ReasonUnsupported
	// ReasonConsent: there is no consent that counts now: unknown, not begun, withdrawn or over.
	ReasonConsent
	// ReasonDocument: the operator did not make the document, or for another purpose.
	ReasonDocument
)

// reasons is the one table of names, families and messages.
var reasons = [...]fault.Row{
	ReasonUnknown:       {Name: "unknown", Family: kakunin.Untrusted, Message: kakunin.Message{}},
	ReasonConfiguration: {Name: "configuration", Family: kakunin.Configuration, Message: kakunin.Message{}},
	ReasonRequest:       {Name: "request", Family: kakunin.Configuration, Message: kakunin.Message{}},
	ReasonCredentials:   {Name: "credentials refused", Family: kakunin.Configuration, Message: kakunin.Message{}},
	ReasonTransport:     {Name: "operator not reachable", Family: kakunin.Unavailable, Message: kakunin.Message{}},
	ReasonBusy:          {Name: "operator busy", Family: kakunin.Unavailable, Message: kakunin.Message{}},
	ReasonResponse:      {Name: "malformed answer", Family: kakunin.Untrusted, Message: kakunin.Message{}},
	ReasonOtherVerdict:  {Name: "verdict on something else", Family: kakunin.Untrusted, Message: kakunin.Message{}},
	ReasonExpired: {Name: "certificate expired", Family: kakunin.Account, Message: kakunin.Message{
		JA: "署名用電子証明書の有効期限が切れています。市区町村の窓口で更新してください。",
		EN: "The signing certificate has expired. Please renew it at your municipal office.",
	}},
	ReasonRevoked: {Name: "certificate revoked", Family: kakunin.Account, Message: kakunin.Message{
		JA: "署名用電子証明書が失効しています。引っ越しなどのあとは、市区町村の窓口で再発行してください。",
		EN: "The signing certificate is no longer valid. After a move, for example, have it reissued at your " +
			"municipal office.",
	}},
	ReasonSignature: {Name: "signature does not verify", Family: kakunin.Untrusted, Message: kakunin.Message{
		JA: "署名を確認できませんでした。処理を中止しました。",
		EN: "The signature could not be verified. We stopped.",
	}},
	ReasonReused: {
		Name:    "signature recorded under another transaction",
		Family:  kakunin.Untrusted,
		Message: kakunin.Message{},
	},
	ReasonSealed: {Name: "sealed result cannot be opened", Family: kakunin.Untrusted, Message: kakunin.Message{}},
	ReasonUnsupported: {Name: "certificate not supported", Family: kakunin.Account, Message: kakunin.Message{
		JA: "この電子証明書には対応していません。マイナンバーカードの署名用電子証明書をお使いください。",
		EN: "This certificate is not supported. Please use the signing certificate of a My Number Card.",
	}},
	ReasonConsent: {Name: "no consent that counts", Family: kakunin.User, Message: kakunin.Message{
		JA: "最新の情報の提供についての同意がないか、有効期間外です。同意をお願いします。",
		EN: "There is no consent to providing your latest information, or it does not count now. Please consent.",
	}},
	ReasonDocument: {Name: "not the operator's document", Family: kakunin.Configuration, Message: kakunin.Message{}},
}

func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a stable English phrase for logs.
func (r Reason) String() string { return r.row().Name }

// Error is every error of this package. Its text holds fixed words of this package, never data of the network.
type Error struct {
	Reason Reason
	// Step is "client", "handler", "verify", or what [Attributes] was doing: "document", "register", "withdraw",
	// "state", "ask".
	Step string
	// Detail says more, in fixed words: which fields of the configuration, which part of an answer.
	Detail string
	// RetryAfter is how long the operator asks to wait; 0 when it did not say.
	RetryAfter time.Duration
	// Err is the cause. Its text may hold data from outside: do not show or log it.
	Err error
}

// Error names reason, step and detail.
func (e *Error) Error() string {
	return fault.Text("operator", e.Reason.String(), e.Step, "", e.Detail)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an [*Error] with the same reason; a target that names a step must have that step too.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error) //nolint:errorlint // errors.Is walks the tree itself
	return ok && t.Reason == e.Reason && (t.Step == "" || t.Step == e.Step)
}

// Family says what to do about it.
func (e *Error) Family() kakunin.Family { return e.Reason.row().Family }

// UserMessage is fit to show to a person; zero means that the family's text fits.
func (e *Error) UserMessage() kakunin.Message { return e.Reason.row().Message }

// misconfigured makes the error that names all mistakes at once, or nil if there are none.
func misconfigured(step string, list fault.Mistakes) error {
	if len(list) == 0 {
		return nil
	}
	return &Error{Reason: ReasonConfiguration, Step: step, Detail: list.Detail()}
}
