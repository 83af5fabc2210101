package card

import (
	"context"
	"errors"
	"fmt"

	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/internal/fault"
)

// Reason says what went wrong.
type Reason int

// Reasons. The zero value is UnknownReason and stands for errors of another origin.
const (
	UnknownReason Reason = iota

	// NotMyNumberCard: the card has no JPKI application.
	NotMyNumberCard
	// ApplicationMissing: the card lacks the application that was asked for; phones have no text application.
	ApplicationMissing
	// NoCertificate: the certificate was never written to this card, or was removed.
	NoCertificate
	// FileMissing: the application lacks the file that was asked for.
	FileMissing
	// Deactivated: the issuer has locked the application or file (status 6283).
	Deactivated

	// PINFormat: the PIN cannot be right. It was not sent and cost no try. A new PIN may also have been refused by the card;
	// then Error.Status is set.
	PINFormat
	// WrongPIN: the card refused the PIN.
	WrongPIN
	// PINBlocked: no try is left.
	PINBlocked
	// LastTryRefused: one try is left and the client was not allowed to spend it. The PIN was not sent.
	LastTryRefused
	// NotVerified: a PIN must be verified first. It may have been, before another application was selected.
	NotVerified
	// TriesNotReported: the card does not tell the remaining tries, as some do while the PIN is verified.
	TriesNotReported

	// BadReference: the number names no PIN.
	BadReference
	// BadDigest: the digest or the hash is none that the key can sign.
	BadDigest
	// UnsupportedKey: the certificate holds a key that this client cannot use.
	UnsupportedKey
	// PurposeMissing: an individual number was asked for without a lawful purpose. Nothing was sent.
	PurposeMissing
	// InvalidRoot: a root key that the caller supplied cannot be used.
	InvalidRoot
	// ChannelRefused: the card did not open, or broke, the secure messaging that Options asked for.
	ChannelRefused
	// UnknownIssuer: no root that the caller supplied certifies the issuer of the data.
	UnknownIssuer
	// Tampered: a hash or signature over data of the card does not hold.
	Tampered
	// NotGenuine: the chip could not show that it holds the key that the issuer certified. The data may be a copy.
	NotGenuine
	// Malformed: the card's answer breaks the rules of its encoding.
	Malformed
	// Refused: the card answered with a status word that has no meaning here; see Error.Status.
	Refused

	// TransportFailed: the command did not get through, or its answer did not.
	TransportFailed
	// Interrupted: the context ended first. What reached the card is unknown.
	Interrupted
	// Closed: the client was closed before.
	Closed
	// ReaderUnavailable: there is no reader, or no service that runs readers.
	ReaderUnavailable
	// CardAbsent: no card is on the reader, or it was taken away.
	CardAbsent
	// CardBusy: another program holds the card.
	CardBusy
)

// String returns a short English description for logs.
func (r Reason) String() string {
	switch r {
	case NotMyNumberCard:
		return "not a My Number Card"
	case ApplicationMissing:
		return "application missing"
	case NoCertificate:
		return "no certificate"
	case FileMissing:
		return "file missing"
	case Deactivated:
		return "deactivated"
	case PINFormat:
		return "format of the PIN"
	case WrongPIN:
		return "wrong PIN"
	case PINBlocked:
		return "PIN blocked"
	case LastTryRefused:
		return "last try refused"
	case NotVerified:
		return "PIN not verified"
	case TriesNotReported:
		return "remaining tries not reported"
	case BadReference:
		return "unknown PIN reference"
	case BadDigest:
		return "unsupported digest"
	case UnsupportedKey:
		return "unsupported key"
	case PurposeMissing:
		return "no lawful purpose"
	case InvalidRoot:
		return "invalid root key"
	case ChannelRefused:
		return "no secure messaging"
	case UnknownIssuer:
		return "unknown issuer"
	case Tampered:
		return "signature of the issuer does not hold"
	case NotGenuine:
		return "chip does not hold the certified key"
	case Malformed:
		return "malformed answer"
	case Refused:
		return "refused by the card"
	case TransportFailed:
		return "transport failed"
	case Interrupted:
		return "interrupted"
	case Closed:
		return "closed"
	case ReaderUnavailable:
		return "reader unavailable"
	case CardAbsent:
		return "no card"
	case CardBusy:
		return "card in use by another program"
	case UnknownReason:
	}
	return "unknown reason"
}

// family sorts the reasons by what the application should do.
func (r Reason) family() fault.Family {
	switch r {
	case NotMyNumberCard, PINFormat, WrongPIN, LastTryRefused, NotVerified:
		return fault.User
	case ApplicationMissing, NoCertificate, FileMissing, Deactivated, PINBlocked, Refused, ChannelRefused:
		return fault.Account
	case BadReference, BadDigest, UnsupportedKey, PurposeMissing, InvalidRoot, Closed:
		return fault.Configuration
	case Malformed, UnknownIssuer, Tampered, NotGenuine:
		return fault.Untrusted
	case TransportFailed, Interrupted, ReaderUnavailable, CardAbsent, CardBusy, TriesNotReported, UnknownReason:
	}
	return fault.Unavailable
}

// Error is every error of this package that is not about a refused PIN. Its text holds nothing that came from the card,
// the reader or a person, but the status word.
type Error struct {
	// Op is what was being done, in fixed words.
	Op     string
	Reason Reason
	// Reference is the PIN concerned, with PINFormat, NotVerified and TriesNotReported; 0 otherwise.
	Reference PIN
	// Status is the status word (ISO/IEC 7816-4, 5.6) that the card answered, 0 if none.
	Status uint16
	// Err is the cause, for errors.Is and errors.As; its text is not part of Error's.
	Err error
}

// Error describes what was being done, the reason and the status word.
func (e *Error) Error() string {
	s := "card: "
	if e.Op != "" {
		s += e.Op + ": "
	}
	s += e.Reason.String()
	if e.Reference != 0 {
		s += " (" + e.Reference.String() + ")"
	}
	if e.Status != 0 {
		s += fmt.Sprintf(" (status %04X)", e.Status)
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Family says what the application should do.
func (e *Error) Family() fault.Family { return e.Reason.family() }

// UserMessage is fit to show to a person.
func (e *Error) UserMessage() fault.Message { return message(e.Reason, e.Reference, 0) }

// PINError reports a refused PIN. Remaining is the number of tries left; 0 means blocked, and -1 that the card did not
// tell. Its text holds no part of the PIN.
type PINError struct {
	Reference PIN
	Remaining int
	// Reason is WrongPIN, PINBlocked or LastTryRefused. Only WrongPIN has cost a try, and PINBlocked may have.
	Reason Reason
}

// Error names the PIN, the reason and the remaining tries.
func (e *PINError) Error() string {
	s := "card: " + e.Reference.String() + ": " + e.reason().String()
	if e.Remaining > 0 {
		s += fmt.Sprintf(" (remaining tries: %d)", e.Remaining)
	}
	return s
}

// reason reads an error that somebody else made with the number alone.
func (e *PINError) reason() Reason {
	switch {
	case e.Reason != UnknownReason:
		return e.Reason
	case e.Remaining == 0:
		return PINBlocked
	default:
		return WrongPIN
	}
}

// Family is User, or Account when the PIN is blocked.
func (e *PINError) Family() fault.Family { return e.reason().family() }

// UserMessage is fit to show to a person and tells the remaining tries.
func (e *PINError) UserMessage() fault.Message { return message(e.reason(), e.Reference, e.Remaining) }

// ReasonOf returns the reason of the outermost *[Error] or *[PINError] in err's tree, and UnknownReason if there is none.
func ReasonOf(err error) Reason {
	var e *Error
	var p *PINError
	switch {
	case errors.As(err, &p):
		return p.reason()
	case errors.As(err, &e):
		return e.Reason
	default:
		return UnknownReason
	}
}

// refused turns a status word that is no success into an error.
func refused(op string, s apdu.Status) error {
	reason := Refused
	switch s {
	case apdu.SecurityNotSatisfied:
		reason = NotVerified
	case apdu.FileDeactivated:
		reason = Deactivated
	default:
	}
	return &Error{Op: op, Reason: reason, Status: uint16(s), Err: s}
}

// nameReference tells which PIN a [NotVerified] is about.
func nameReference(err error, p PIN) error {
	var e *Error
	if errors.As(err, &e) && e.Reason == NotVerified {
		e.Reference = p
	}
	return err
}

// transportError wraps what a transport returned.
func transportError(ctx context.Context, op string, err error) error {
	var e *Error
	switch {
	case ctx.Err() != nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &Error{Op: op, Reason: Interrupted, Err: err}
	case errors.As(err, &e) && e.Reason != UnknownReason:
		return &Error{Op: op, Reason: e.Reason, Err: err}
	default:
		return &Error{Op: op, Reason: TransportFailed, Err: err}
	}
}

var (
	_ fault.Classified = (*Error)(nil)
	_ fault.Classified = (*PINError)(nil)
)
