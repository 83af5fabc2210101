package signapi

import (
	"strconv"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
	"github.com/kakunin-go/kakunin/internal/redact"
)

// Reason says what went wrong. Each reason belongs to one family of errors; see [Error.Family].
type Reason int

// Reasons.
const (
	// ReasonUnknown is never returned by this package.
	ReasonUnknown Reason = iota

	// ReasonConfiguration: the configuration given to New, or the wire profile, is incomplete or contradictory.
	ReasonConfiguration
	// ReasonRequest: the caller's arguments are wrong (no document, no mode, no transaction).
	ReasonRequest
	// ReasonDocument: the document cannot be read or is too large; Err is the error of package sign.
	ReasonDocument

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

	// ReasonStore: the store of transactions failed; the service was not asked. Err is the store's error.
	ReasonStore
	// ReasonKeys: the key of an answer could not be wrapped or unwrapped; the service was not asked.
	ReasonKeys
	// ReasonClaimed: another instance is asking for the result; RetryAfter says when to look again.
	ReasonClaimed
	// ReasonNotKept: the result came and the store failed; the result is returned with the error.
	ReasonNotKept
	// ReasonLost: an instance ended between asking for the result and keeping it; the service may have given it, and
	// does not give it again.
	ReasonLost
	// ReasonTampered: what is stored is not what was kept.
	ReasonTampered
)

func startOver(ja, en string) kakunin.Message {
	return kakunin.Message{JA: ja + "もう一度、署名からやり直してください。", EN: en + " Please start signing again."}
}

// reasons is the one table of names, families and messages.
var reasons = [...]fault.Row{
	ReasonUnknown:       {Name: "unknown", Family: kakunin.Untrusted, Message: kakunin.Message{}},
	ReasonConfiguration: {Name: "configuration", Family: kakunin.Configuration, Message: kakunin.Message{}},
	ReasonRequest:       {Name: "request", Family: kakunin.Configuration, Message: kakunin.Message{}},
	ReasonDocument:      {Name: "document", Family: kakunin.Configuration, Message: kakunin.Message{}},
	ReasonServiceToken:  {Name: "service token refused", Family: kakunin.Configuration, Message: kakunin.Message{}},
	ReasonUserToken: {Name: "user token refused", Family: kakunin.User,
		Message: startOver("手続きの有効時間が過ぎました。", "The procedure took too long.")},
	ReasonRejected: {
		Name:    "request rejected by the service",
		Family:  kakunin.Configuration,
		Message: kakunin.Message{},
	},
	ReasonScope:     {Name: "sign scope missing", Family: kakunin.Configuration, Message: kakunin.Message{}},
	ReasonTransport: {Name: "service not reachable", Family: kakunin.Unavailable, Message: kakunin.Message{}},
	ReasonBusy: {Name: "service busy", Family: kakunin.Unavailable, Message: kakunin.Message{
		JA: "サービスが混み合っているか、メンテナンス中です。しばらくしてからお試しください。",
		EN: "The service is busy or under maintenance. Please try again later.",
	}},
	ReasonPending: {Name: "not signed yet", Family: kakunin.Unavailable, Message: kakunin.Message{
		JA: "署名がまだ完了していません。アプリで署名を終えてから、もう一度お試しください。",
		EN: "The signature is not finished yet. Finish signing in the app, then try again.",
	}},
	ReasonCancelled: {Name: "cancelled", Family: kakunin.User,
		Message: startOver("署名は中止されました。", "Signing was cancelled.")},
	ReasonExpired: {Name: "transaction expired", Family: kakunin.User,
		Message: startOver("署名の有効時間が過ぎました。", "The time to sign has run out.")},
	ReasonConsumed: {Name: "result already fetched", Family: kakunin.User,
		Message: startOver("この署名の結果は受け取り済みです。", "The result of this signature was already received.")},
	ReasonNotFound: {Name: "transaction not found", Family: kakunin.User,
		Message: startOver("この署名の手続きが見つかりません。", "This signature request was not found.")},
	ReasonConflict:  {Name: "transaction conflict", Family: kakunin.Untrusted, Message: kakunin.Message{}},
	ReasonResponse:  {Name: "malformed answer", Family: kakunin.Untrusted, Message: kakunin.Message{}},
	ReasonOtherFlow: {Name: "login of another transaction", Family: kakunin.Untrusted, Message: kakunin.Message{}},

	ReasonStore:   {Name: "store failed", Family: kakunin.Unavailable, Message: kakunin.Message{}},
	ReasonKeys:    {Name: "keys failed", Family: kakunin.Unavailable, Message: kakunin.Message{}},
	ReasonClaimed: {Name: "another instance is asking", Family: kakunin.Unavailable, Message: kakunin.Message{}},
	ReasonNotKept: {Name: "result not kept", Family: kakunin.Unavailable, Message: kakunin.Message{}},
	ReasonLost: {Name: "result lost", Family: kakunin.User,
		Message: startOver("署名の結果を受け取れませんでした。", "The result of the signature did not arrive.")},
	ReasonTampered: {Name: "kept answer altered", Family: kakunin.Untrusted, Message: kakunin.Message{}},
}

// reasonNamed finds a reason by the name under which it is stored.
func reasonNamed(name string) Reason {
	for r := range reasons {
		if reasons[r].Name == name {
			return Reason(r)
		}
	}
	return ReasonUnknown
}

func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a stable English phrase for logs.
func (r Reason) String() string { return r.row().Name }

// Error is every error of this package. Its text holds fixed words of this package, never data that a person, the
// network or an attacker supplied.
type Error struct {
	Reason Reason
	// Step is "start", "hand over", "result" or "keep", or "client" for mistakes of the configuration.
	Step string
	// Detail says more, in fixed words: which fields of the configuration, which part of an answer.
	Detail string
	// RetryAfter is how long the service asks to wait; 0 when it did not say.
	RetryAfter time.Duration
	// Status is the HTTP status that the service answered, where that is why; otherwise 0.
	Status int
	// Err is the cause. Its text may hold data from outside: do not show or log it.
	Err error

	description redact.Value[string]
	unanswered  bool // no answer had begun
}

// Description is what the service wrote about its refusal, for the developer: at most 256 bytes, quoted as in Go
// source. It is in no error text and no log record, and nothing for the person. Empty if there is none.
func (e *Error) Description() string { return e.description.Reveal() }

// Error names reason, step, status and detail.
func (e *Error) Error() string {
	step := e.Step
	if e.Status != 0 {
		step = strings.TrimSpace(step + " " + strconv.Itoa(e.Status))
	}
	return fault.Text("signapi", e.Reason.String(), step, "", e.Detail)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an [*Error] with the same reason, so that errors.Is(err, &Error{Reason: ReasonPending})
// works; a target that names a step must have that step too.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error) //nolint:errorlint // errors.Is walks the tree itself
	return ok && t.Reason == e.Reason && (t.Step == "" || t.Step == e.Step)
}

// Family says what to do about it. What package authn or sign found keeps the family that they gave it.
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
	return (e.Reason == ReasonServiceToken || e.Reason == ReasonDocument) &&
		kakunin.FamilyOf(e.Err) != kakunin.Unclassified
}

// misconfigured makes the error that names all mistakes at once, or nil if there are none.
func misconfigured(list fault.Mistakes) error {
	if len(list) == 0 {
		return nil
	}
	return &Error{Reason: ReasonConfiguration, Step: "client", Detail: list.Detail()}
}
