package evidence

import (
	"strconv"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
)

// Reason says what went wrong.
type Reason int

// Reasons.
const (
	// ReasonUnknown is never returned by this package.
	ReasonUnknown Reason = iota
	// ReasonRequest: the caller's arguments cannot become a record.
	ReasonRequest
	// ReasonNotVerified: the report or verdict says that something did not hold. That is no evidence.
	ReasonNotVerified
	// ReasonText: a free text is too long, not printable, or looks like an individual number.
	ReasonText
	// ReasonFormat: a stored record is oversized, malformed or of an unknown version.
	ReasonFormat
	// ReasonHash: a stored record was changed.
	ReasonHash
	// ReasonChain: a record does not follow the one before it.
	ReasonChain
	// ReasonReused: the signature value is already recorded under another transaction.
	ReasonReused
	// ReasonCheckpoint: the log, or a proof, does not agree with a checkpoint, or a checkpoint's signature does not
	// hold.
	ReasonCheckpoint
	// ReasonTruncated: the log has fewer records than it had at a checkpoint.
	ReasonTruncated
	// ReasonIO: reading or writing the log failed.
	ReasonIO
	// ReasonKeys: the key of a held part could not be wrapped or unwrapped.
	ReasonKeys
	// ReasonAbsent: a held part or an archived file that must be there is not.
	ReasonAbsent
)

// reasons is the one table of names, families and messages.
var reasons = [...]fault.Row{
	ReasonUnknown:     {Name: "unknown", Family: kakunin.Untrusted, Message: kakunin.Message{}},
	ReasonRequest:     {Name: "incomplete arguments", Family: kakunin.Configuration, Message: kakunin.Message{}},
	ReasonNotVerified: {Name: "not verified", Family: kakunin.Untrusted, Message: kakunin.Message{}},
	ReasonText: {Name: "text refused", Family: kakunin.Configuration, Message: kakunin.Message{
		JA: "証跡の説明文に、保存できない内容（個人番号に見える数字など）が含まれています。",
		EN: "The text for the evidence holds something that must not be kept, such as what looks like an individual " +
			"number.",
	}},
	ReasonFormat: {Name: "malformed record", Family: kakunin.Untrusted, Message: damaged},
	ReasonHash:   {Name: "record was changed", Family: kakunin.Untrusted, Message: damaged},
	ReasonChain:  {Name: "record does not follow the one before", Family: kakunin.Untrusted, Message: damaged},
	ReasonReused: {
		Name:    "signature recorded under another transaction",
		Family:  kakunin.Untrusted,
		Message: kakunin.Message{},
	},
	ReasonCheckpoint: {Name: "not the log of the checkpoint", Family: kakunin.Untrusted, Message: damaged},
	ReasonTruncated:  {Name: "records are missing", Family: kakunin.Untrusted, Message: damaged},
	ReasonIO:         {Name: "log not readable or writable", Family: kakunin.Unavailable, Message: kakunin.Message{}},
	ReasonKeys: {Name: "key of the held part not available", Family: kakunin.Unavailable,
		Message: kakunin.Message{}},
	ReasonAbsent: {Name: "part of the evidence is missing", Family: kakunin.Untrusted, Message: damaged},
}

var damaged = kakunin.Message{
	JA: "証跡が壊れているか、書き換えられています。",
	EN: "The evidence is damaged or was changed.",
}

func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a stable English phrase for logs.
func (r Reason) String() string { return r.row().Name }

// Error is every error of this package. Its text never holds content of a record.
type Error struct {
	Reason Reason
	// Step names the part of the record or of the log, e.g. "basis".
	Step string
	// Detail says more, in fixed words.
	Detail string
	// Record is the position in the log, counted from 1; 0 when the error is not about a log.
	Record int
	// Err is the cause. Do not show or log its text.
	Err error
}

// Error names reason, part, detail and position.
func (e *Error) Error() string {
	text := fault.Text("evidence", e.Reason.String(), e.Step, "", e.Detail)
	if e.Record > 0 {
		text += ", record " + strconv.Itoa(e.Record)
	}
	return text
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
