package mdoc

import (
	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
)

// Reason tells errors of this package apart. The zero value is no reason.
type Reason int

// Reasons of an [Error].
const (
	ReasonUnknown Reason = iota
	// ReasonConfig: the verifier or the expectation is not usable.
	ReasonConfig
	// ReasonMalformed: the response is not what the standard describes, or not encoded as it asks.
	ReasonMalformed
	// ReasonRefused: the wallet reports an error, or sends no document.
	ReasonRefused
	// ReasonDocType: the document is of another type.
	ReasonDocType
	// ReasonChain: the issuer's certificate leads to no anchor.
	ReasonChain
	// ReasonAlgorithm: an algorithm, a key or a curve that is not accepted, or that does not fit its key.
	ReasonAlgorithm
	// ReasonSignature: the issuer's signature does not hold.
	ReasonSignature
	// ReasonDigest: an element is not the one that the issuer signed.
	ReasonDigest
	// ReasonNotYetValid: the document is valid in the future.
	ReasonNotYetValid
	// ReasonExpired: the document is no longer valid.
	ReasonExpired
	// ReasonDevice: the device did not authenticate this session.
	ReasonDevice
)

// expired is what a person is told whose mobile card has run out.
var expired = kakunin.Message{
	JA: "スマートフォンのマイナンバーカードの有効期限が切れています。更新してください。",
	EN: "The card on the phone has expired. Please renew it.",
}

var reasons = [...]fault.Row{
	ReasonUnknown:     fault.Unknown(),
	ReasonConfig:      {Name: "configuration", Family: kakunin.Configuration},
	ReasonMalformed:   {Name: "malformed", Family: kakunin.Untrusted},
	ReasonRefused:     {Name: "no document", Family: kakunin.User},
	ReasonDocType:     {Name: "other document type", Family: kakunin.Untrusted},
	ReasonChain:       {Name: "issuer not trusted", Family: kakunin.Untrusted},
	ReasonAlgorithm:   {Name: "algorithm not accepted", Family: kakunin.Untrusted},
	ReasonSignature:   {Name: "issuer signature wrong", Family: kakunin.Untrusted},
	ReasonDigest:      {Name: "digest wrong", Family: kakunin.Untrusted},
	ReasonNotYetValid: {Name: "not yet valid", Family: kakunin.Account},
	ReasonExpired:     {Name: "expired", Family: kakunin.Account, Message: expired},
	ReasonDevice:      {Name: "device not authenticated", Family: kakunin.Untrusted},
}

func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a few words in lower case, such as "digest wrong".
func (r Reason) String() string { return r.row().Name }

// Steps of an [Error], in the order of the verification.
const (
	stepConfig     = "configuration"
	stepResponse   = "response"
	stepIssuerAuth = "issuer authentication"
	stepChain      = "certificate chain"
	stepDigests    = "digests"
	stepValidity   = "validity"
	stepDeviceAuth = "device authentication"
)

// Error is every error of this package. It contains nothing that a wallet sent.
type Error struct {
	Reason Reason
	Step   string
	// Clause is the rule that does not hold.
	Clause string
	Detail string
	Err    error
}

// Error says reason, step, detail and clause.
func (e *Error) Error() string {
	return fault.Text("mdoc", e.Reason.String(), e.Step, e.Clause, e.Detail)
}

// Unwrap returns the cause, whose text may quote the response: do not show it.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an *[Error] of the same reason, and of the same step if it names one.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Reason == e.Reason && (t.Step == "" || t.Step == e.Step)
}

// Family implements [kakunin.Classified].
func (e *Error) Family() kakunin.Family { return e.Reason.row().Family }

// UserMessage implements [kakunin.Classified].
func (e *Error) UserMessage() kakunin.Message { return e.Reason.row().Message }
