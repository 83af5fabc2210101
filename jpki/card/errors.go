package card

import (
	"context"
	"errors"
	"fmt"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/apdu"
)

// Reason says what went wrong.
type Reason int

// Reasons. The zero value is ReasonUnknown and stands for errors of another origin.
const (
	ReasonUnknown Reason = iota

	// ReasonNotMyNumberCard: the card has no JPKI application.
	ReasonNotMyNumberCard
	// ReasonApplicationMissing: the card lacks the application that was asked for; phones have no text application.
	ReasonApplicationMissing
	// ReasonNoCertificate: the certificate was never written to this card, or was removed.
	ReasonNoCertificate
	// ReasonFileMissing: the application lacks the file that was asked for.
	ReasonFileMissing
	// ReasonDeactivated: the issuer has locked the application or file (status 6283).
	ReasonDeactivated

	// ReasonPINFormat: the PIN cannot be right. It was not sent and cost no try. A new PIN may also have been refused by the card;
	// then Error.Status is set.
	ReasonPINFormat
	// ReasonWrongPIN: the card refused the PIN.
	ReasonWrongPIN
	// ReasonPINBlocked: no try is left.
	ReasonPINBlocked
	// ReasonLastTryRefused: one try is left and the client was not allowed to spend it. The PIN was not sent.
	ReasonLastTryRefused
	// ReasonNotVerified: a PIN must be verified first. It may have been, before another application was selected.
	ReasonNotVerified
	// ReasonTriesNotReported: the card does not tell the remaining tries, as some do while the PIN is verified.
	ReasonTriesNotReported

	// ReasonBadReference: the number names no PIN.
	ReasonBadReference
	// ReasonBadDigest: the digest or the hash is none that the key can sign.
	ReasonBadDigest
	// ReasonUnsupportedKey: the certificate holds a key that this client cannot use.
	ReasonUnsupportedKey
	// ReasonPurposeMissing: an individual number was asked for without a lawful purpose. Nothing was sent.
	ReasonPurposeMissing
	// ReasonInvalidRoot: a root key that the caller supplied cannot be used.
	ReasonInvalidRoot
	// ReasonChannelRefused: the card did not open, or broke, the secure messaging that Options asked for.
	ReasonChannelRefused
	// ReasonUnknownIssuer: no root that the caller supplied certifies the issuer of the data.
	ReasonUnknownIssuer
	// ReasonTampered: a hash or signature over data of the card does not hold.
	ReasonTampered
	// ReasonNotGenuine: the chip could not show that it holds the key that the issuer certified. The data may be a copy.
	ReasonNotGenuine
	// ReasonMalformed: the card's answer breaks the rules of its encoding.
	ReasonMalformed
	// ReasonRefused: the card answered with a status word that has no meaning here; see Error.Status.
	ReasonRefused

	// ReasonTransportFailed: the command did not get through, or its answer did not.
	ReasonTransportFailed
	// ReasonInterrupted: the context ended first. What reached the card is unknown.
	ReasonInterrupted
	// ReasonClosed: the client was closed before.
	ReasonClosed
	// ReasonReaderUnavailable: there is no reader, or no service that runs readers.
	ReasonReaderUnavailable
	// ReasonCardAbsent: no card is on the reader, or it was taken away.
	ReasonCardAbsent
	// ReasonCardBusy: another program holds the card.
	ReasonCardBusy
)

// String returns a short English description for logs.
func (r Reason) String() string {
	switch r {
	case ReasonNotMyNumberCard:
		return "not a My Number Card"
	case ReasonApplicationMissing:
		return "application missing"
	case ReasonNoCertificate:
		return "no certificate"
	case ReasonFileMissing:
		return "file missing"
	case ReasonDeactivated:
		return "deactivated"
	case ReasonPINFormat:
		return "format of the PIN"
	case ReasonWrongPIN:
		return "wrong PIN"
	case ReasonPINBlocked:
		return "PIN blocked"
	case ReasonLastTryRefused:
		return "last try refused"
	case ReasonNotVerified:
		return "PIN not verified"
	case ReasonTriesNotReported:
		return "remaining tries not reported"
	case ReasonBadReference:
		return "unknown PIN reference"
	case ReasonBadDigest:
		return "unsupported digest"
	case ReasonUnsupportedKey:
		return "unsupported key"
	case ReasonPurposeMissing:
		return "no lawful purpose"
	case ReasonInvalidRoot:
		return "invalid root key"
	case ReasonChannelRefused:
		return "no secure messaging"
	case ReasonUnknownIssuer:
		return "unknown issuer"
	case ReasonTampered:
		return "signature of the issuer does not hold"
	case ReasonNotGenuine:
		return "chip does not hold the certified key"
	case ReasonMalformed:
		return "malformed answer"
	case ReasonRefused:
		return "refused by the card"
	case ReasonTransportFailed:
		return "transport failed"
	case ReasonInterrupted:
		return "interrupted"
	case ReasonClosed:
		return "closed"
	case ReasonReaderUnavailable:
		return "reader unavailable"
	case ReasonCardAbsent:
		return "no card"
	case ReasonCardBusy:
		return "card in use by another program"
	case ReasonUnknown:
	}
	return "unknown reason"
}

// family sorts the reasons by what the application should do.
func (r Reason) family() kakunin.Family {
	switch r {
	case ReasonNotMyNumberCard, ReasonPINFormat, ReasonWrongPIN, ReasonLastTryRefused, ReasonNotVerified:
		return kakunin.User
	case ReasonApplicationMissing, ReasonNoCertificate, ReasonFileMissing, ReasonDeactivated, ReasonPINBlocked, ReasonRefused, ReasonChannelRefused:
		return kakunin.Account
	case ReasonBadReference, ReasonBadDigest, ReasonUnsupportedKey, ReasonPurposeMissing, ReasonInvalidRoot, ReasonClosed:
		return kakunin.Configuration
	case ReasonMalformed, ReasonUnknownIssuer, ReasonTampered, ReasonNotGenuine:
		return kakunin.Untrusted
	case ReasonTransportFailed, ReasonInterrupted, ReasonReaderUnavailable, ReasonCardAbsent, ReasonCardBusy, ReasonTriesNotReported, ReasonUnknown:
	}
	return kakunin.Unavailable
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
func (e *Error) Family() kakunin.Family { return e.Reason.family() }

// UserMessage is fit to show to a person.
func (e *Error) UserMessage() kakunin.Message { return message(e.Reason, e.Reference, 0) }

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
	case e.Reason != ReasonUnknown:
		return e.Reason
	case e.Remaining == 0:
		return ReasonPINBlocked
	default:
		return ReasonWrongPIN
	}
}

// Family is User, or Account when the PIN is blocked.
func (e *PINError) Family() kakunin.Family { return e.reason().family() }

// UserMessage is fit to show to a person and tells the remaining tries.
func (e *PINError) UserMessage() kakunin.Message {
	return message(e.reason(), e.Reference, e.Remaining)
}

// ReasonOf returns the reason of the outermost *[Error] or *[PINError] in err's tree, and ReasonUnknown if there is none.
func ReasonOf(err error) Reason {
	var e *Error
	var p *PINError
	switch {
	case errors.As(err, &p):
		return p.reason()
	case errors.As(err, &e):
		return e.Reason
	default:
		return ReasonUnknown
	}
}

// refused turns a status word that is no success into an error.
func refused(op string, s apdu.Status) error {
	reason := ReasonRefused
	switch s {
	case apdu.SecurityNotSatisfied:
		reason = ReasonNotVerified
	case apdu.FileDeactivated:
		reason = ReasonDeactivated
	default:
	}
	return &Error{Op: op, Reason: reason, Status: uint16(s), Err: s}
}

// nameReference tells which PIN a [ReasonNotVerified] is about.
func nameReference(err error, p PIN) error {
	var e *Error
	if errors.As(err, &e) && e.Reason == ReasonNotVerified {
		e.Reference = p
	}
	return err
}

// transportError wraps what a transport returned.
func transportError(ctx context.Context, op string, err error) error {
	var e *Error
	switch {
	case ctx.Err() != nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &Error{Op: op, Reason: ReasonInterrupted, Err: err}
	case errors.As(err, &e) && e.Reason != ReasonUnknown:
		return &Error{Op: op, Reason: e.Reason, Err: err}
	default:
		return &Error{Op: op, Reason: ReasonTransportFailed, Err: err}
	}
}

var (
	_ kakunin.Classified = (*Error)(nil)
	_ kakunin.Classified = (*PINError)(nil)
)

// message returns the text for a person; the zero message leaves it to the family's.
func message(r Reason, p PIN, remaining int) kakunin.Message {
	ja, en := p.words()
	switch r {
	case ReasonPINFormat:
		fja, fen := p.form()
		return kakunin.Message{
			JA: ja + "は" + fja + "です。入力し直してください。",
			EN: "The " + en + " consists of " + fen + ". Please enter it again.",
		}
	case ReasonWrongPIN:
		m := kakunin.Message{JA: ja + "が違います。", EN: "The " + en + " is wrong."}
		if remaining > 0 {
			m.JA += fmt.Sprintf("あと%d回間違えるとロックされます。", remaining)
			m.EN += fmt.Sprintf(" Remaining tries before it is locked: %d.", remaining)
		}
		return m
	case ReasonPINBlocked:
		return kakunin.Message{
			JA: ja + "はロックされています。お住まいの市区町村の窓口などで再設定してください。",
			EN: "The " + en + " is locked. It can be reset at your municipal office.",
		}
	case ReasonLastTryRefused:
		return kakunin.Message{
			JA: ja + "をあと1回間違えるとロックされるため、照合を行いませんでした。正しい暗証番号を確かめてください。",
			EN: "One more mistake would lock the " + en + ", so it was not tried. Please make sure that you know it.",
		}
	case ReasonNotVerified:
		return kakunin.Message{JA: ja + "を入力してください。", EN: "Please enter the " + en + "."}
	default:
		return fixedMessage(r)
	}
}

func fixedMessage(r Reason) kakunin.Message {
	switch r {
	case ReasonNotMyNumberCard:
		return kakunin.Message{
			JA: "マイナンバーカードではないようです。マイナンバーカードを置いてください。",
			EN: "This does not seem to be a My Number Card. Please use your My Number Card.",
		}
	case ReasonApplicationMissing, ReasonFileMissing, ReasonChannelRefused:
		return kakunin.Message{
			JA: "このカードまたはスマートフォンでは、この機能を利用できません。",
			EN: "This card or phone does not offer this function.",
		}
	case ReasonNoCertificate:
		return kakunin.Message{
			JA: "このカードには必要な電子証明書が入っていません。",
			EN: "The certificate that is needed is not on this card.",
		}
	case ReasonDeactivated:
		return kakunin.Message{
			JA: "このカードは利用が停止されています。お住まいの市区町村の窓口にお問い合わせください。",
			EN: "This card has been suspended. Please contact your municipal office.",
		}
	case ReasonReaderUnavailable:
		return kakunin.Message{
			JA: "カードリーダーが見つかりません。接続を確認してください。",
			EN: "No card reader was found. Please check that it is connected.",
		}
	case ReasonCardAbsent:
		return kakunin.Message{
			JA: "カードを読み取れません。カードを置き直してください。",
			EN: "The card cannot be read. Please put it on the reader again.",
		}
	case ReasonTransportFailed:
		return kakunin.Message{
			JA: "カードとの通信に失敗しました。カードを動かさずに、もう一度お試しください。",
			EN: "Communication with the card failed. Please try again without moving the card.",
		}
	case ReasonCardBusy:
		return kakunin.Message{
			JA: "ほかのプログラムがカードを使用しています。しばらくしてからお試しください。",
			EN: "Another program is using the card. Please try again later.",
		}
	default:
		return kakunin.Message{}
	}
}

// words returns how the forms of the municipal office call the PIN.
func (p PIN) words() (ja, en string) {
	if t, ok := p.trait(); ok {
		return t.ja, t.en
	}
	return "暗証番号", "PIN"
}

// form says what the PIN consists of.
func (p PIN) form() (ja, en string) {
	t, _ := p.trait()
	if t.form == password {
		return "英字と数字を組み合わせた6〜16文字", "6 to 16 characters, letters as well as digits"
	}
	return fmt.Sprintf("%d桁の数字", t.form.digits()), fmt.Sprintf("%d digits", t.form.digits())
}
