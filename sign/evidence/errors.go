package evidence

import (
	"errors"
	"fmt"

	"github.com/kakunin-go/kakunin"
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
	// ReasonIO: reading or writing the log failed.
	ReasonIO
)

// String returns a stable English phrase for logs.
func (r Reason) String() string {
	switch r {
	case ReasonRequest:
		return "incomplete arguments"
	case ReasonNotVerified:
		return "not verified"
	case ReasonText:
		return "text refused"
	case ReasonFormat:
		return "malformed record"
	case ReasonHash:
		return "record was changed"
	case ReasonChain:
		return "record does not follow the one before"
	case ReasonIO:
		return "log not readable or writable"
	case ReasonUnknown:
	}
	return "unknown"
}

// Error is every error of this package. Its text never holds content of a record.
type Error struct {
	Reason Reason
	// Field names the part of the record, e.g. "basis".
	Field string
	// Record is the position in the log, counted from 1; 0 when the error is not about a log.
	Record int
	// Err is the cause. Do not show or log its text.
	Err error
}

// Error names reason, field and position only.
func (e *Error) Error() string {
	if e.Record > 0 {
		return fmt.Sprintf("evidence: record %d: %s: %s", e.Record, e.Field, e.Reason)
	}
	return fmt.Sprintf("evidence: %s: %s", e.Field, e.Reason)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Family says what to do about it.
func (e *Error) Family() kakunin.Family {
	switch e.Reason {
	case ReasonRequest, ReasonText:
		return kakunin.Configuration
	case ReasonIO:
		return kakunin.Unavailable
	case ReasonNotVerified, ReasonFormat, ReasonHash, ReasonChain, ReasonUnknown:
	}
	return kakunin.Untrusted
}

// UserMessage is fit to show to a person.
func (e *Error) UserMessage() kakunin.Message {
	switch e.Reason {
	case ReasonFormat, ReasonHash, ReasonChain:
		return kakunin.Message{
			JA: "証跡が壊れているか、書き換えられています。",
			EN: "The evidence is damaged or was changed.",
		}
	case ReasonText:
		return kakunin.Message{
			JA: "証跡の説明文に、保存できない内容（個人番号に見える数字など）が含まれています。",
			EN: "The text for the evidence holds something that must not be kept, such as what looks like an individual number.",
		}
	case ReasonUnknown, ReasonRequest, ReasonNotVerified, ReasonIO:
	}
	return kakunin.Message{}
}

// ReasonOf returns the reason of the first error of this package in err's tree, ReasonUnknown when there is none.
func ReasonOf(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ReasonUnknown
}
