package card

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/internal/fault"
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

	// ReasonPINFormat: the PIN cannot be right. It was not sent and cost no try. A new PIN may also have been refused
	// by the card; then Error.Status is set.
	ReasonPINFormat
	// ReasonWrongPIN: the card refused the PIN.
	ReasonWrongPIN
	// ReasonPINBlocked: no try is left.
	ReasonPINBlocked
	// ReasonGuessablePIN: the new PIN can be guessed from what is printed on the card. Nothing was changed; see
	// [AllowGuessablePIN].
	ReasonGuessablePIN
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
	// ReasonChannelRefused: the card did not open, or broke, the secure messaging that Config asked for.
	ReasonChannelRefused
	// ReasonUnknownIssuer: no root that the caller supplied certifies the issuer of the data.
	ReasonUnknownIssuer
	// ReasonTampered: a hash or signature over data of the card does not hold.
	ReasonTampered
	// ReasonNotGenuine: the chip could not show that it holds the key that the issuer certified. The data may be a
	// copy.
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
	// ReasonCardReset: the card was reset before the command reached it, by another program or by the system, and has
	// forgotten what was selected and verified. A transport says this; the client selects again and goes on where it
	// can.
	ReasonCardReset
	// ReasonReaderUnfit: the reader carries no extended lengths, or cuts answers, and this use of the card needs them.
	// Error.Detail says which. Another reader will do.
	ReasonReaderUnfit
)

// String returns a short English description for logs.
func (r Reason) String() string { return r.row().Name }

func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// reasons has a row for each reason and is never written. In a message {pin} is the name of the PIN, {form} what it
// consists of, and {tries} what is said of the remaining tries; the zero message leaves it to that of the family.
var reasons = [...]fault.Row{
	ReasonUnknown: fault.Unknown(),

	ReasonNotMyNumberCard: {Name: "not a My Number Card", Family: kakunin.User, Message: kakunin.Message{
		JA: "マイナンバーカードではないようです。マイナンバーカードを置いてください。",
		EN: "This does not seem to be a My Number Card. Please use your My Number Card.",
	}},
	ReasonApplicationMissing: {Name: "application missing", Family: kakunin.Account, Message: notOffered},
	ReasonNoCertificate: {Name: "no certificate", Family: kakunin.Account, Message: kakunin.Message{
		JA: "このカードには必要な電子証明書が入っていません。",
		EN: "The certificate that is needed is not on this card.",
	}},
	ReasonFileMissing: {Name: "file missing", Family: kakunin.Account, Message: notOffered},
	ReasonDeactivated: {Name: "deactivated", Family: kakunin.Account, Message: kakunin.Message{
		JA: "このカードは利用が停止されています。お住まいの市区町村の窓口にお問い合わせください。",
		EN: "This card has been suspended. Please contact your municipal office.",
	}},

	ReasonPINFormat: {Name: "format of the PIN", Family: kakunin.User, Message: kakunin.Message{
		JA: "{pin}は{form}です。入力し直してください。",
		EN: "The {pin} consists of {form}. Please enter it again.",
	}},
	ReasonWrongPIN: {Name: "wrong PIN", Family: kakunin.User, Message: kakunin.Message{
		JA: "{pin}が違います。{tries}",
		EN: "The {pin} is wrong.{tries}",
	}},
	ReasonPINBlocked: {Name: "PIN blocked", Family: kakunin.Account, Message: kakunin.Message{
		JA: "{pin}はロックされています。お住まいの市区町村の窓口などで再設定してください。",
		EN: "The {pin} is locked. It can be reset at your municipal office.",
	}},
	ReasonGuessablePIN: {Name: "new PIN can be guessed", Family: kakunin.User, Message: kakunin.Message{
		JA: "生年月日などカードに記載された情報から推測されやすい番号です。別の番号にしてください。",
		EN: "This can be guessed from your birthdate or something else printed on the card. Please choose another one.",
	}},
	ReasonLastTryRefused: {Name: "last try refused", Family: kakunin.User, Message: kakunin.Message{
		JA: "{pin}をあと1回間違えるとロックされるため、照合を行いませんでした。正しい暗証番号を確かめてください。",
		EN: "One more mistake would lock the {pin}, so it was not tried. Please make sure that you know it.",
	}},
	ReasonNotVerified: {Name: "PIN not verified", Family: kakunin.User, Message: kakunin.Message{
		JA: "{pin}を入力してください。",
		EN: "Please enter the {pin}.",
	}},
	ReasonTriesNotReported: {Name: "remaining tries not reported", Family: kakunin.Unavailable},

	ReasonBadReference:   {Name: "unknown PIN reference", Family: kakunin.Configuration},
	ReasonBadDigest:      {Name: "unsupported digest", Family: kakunin.Configuration},
	ReasonUnsupportedKey: {Name: "unsupported key", Family: kakunin.Configuration},
	ReasonPurposeMissing: {Name: "no lawful purpose", Family: kakunin.Configuration},
	ReasonInvalidRoot:    {Name: "invalid root key", Family: kakunin.Configuration},
	ReasonChannelRefused: {Name: "no secure messaging", Family: kakunin.Account, Message: notOffered},
	ReasonUnknownIssuer:  {Name: "unknown issuer", Family: kakunin.Untrusted},
	ReasonTampered:       {Name: "signature of the issuer does not hold", Family: kakunin.Untrusted},
	ReasonNotGenuine:     {Name: "chip does not hold the certified key", Family: kakunin.Untrusted},
	ReasonMalformed:      {Name: "malformed answer", Family: kakunin.Untrusted},
	ReasonRefused:        {Name: "refused by the card", Family: kakunin.Account},

	ReasonTransportFailed: {Name: "transport failed", Family: kakunin.Unavailable, Message: notHeldStill},
	ReasonInterrupted:     {Name: "interrupted", Family: kakunin.Unavailable},
	ReasonClosed:          {Name: "closed", Family: kakunin.Configuration},
	ReasonReaderUnavailable: {Name: "reader unavailable", Family: kakunin.Unavailable, Message: kakunin.Message{
		JA: "カードリーダーが見つかりません。接続を確認してください。",
		EN: "No card reader was found. Please check that it is connected.",
	}},
	ReasonCardAbsent: {Name: "no card", Family: kakunin.Unavailable, Message: kakunin.Message{
		JA: "カードを読み取れません。カードを置き直してください。",
		EN: "The card cannot be read. Please put it on the reader again.",
	}},
	ReasonCardBusy: {Name: "card in use by another program", Family: kakunin.Unavailable, Message: kakunin.Message{
		JA: "ほかのプログラムがカードを使用しています。しばらくしてからお試しください。",
		EN: "Another program is using the card. Please try again later.",
	}},
	ReasonCardReset: {Name: "card was reset", Family: kakunin.Unavailable, Message: notHeldStill},
	ReasonReaderUnfit: {Name: "reader does not carry what this takes", Family: kakunin.User, Message: kakunin.Message{
		JA: "このカードリーダーでは、この機能を利用できません。別のカードリーダーをお使いください。",
		EN: "This card reader does not carry what this function needs. Please use another reader.",
	}},
}

var (
	notOffered = kakunin.Message{
		JA: "このカードまたはスマートフォンでは、この機能を利用できません。",
		EN: "This card or phone does not offer this function.",
	}
	notHeldStill = kakunin.Message{
		JA: "カードとの通信に失敗しました。カードを動かさずに、もう一度お試しください。",
		EN: "Communication with the card failed. Please try again without moving the card.",
	}
)

// Error is every error of this package. Its text holds nothing that came from the card, the reader or a person, but the
// status word; no part of a PIN.
type Error struct {
	Reason Reason
	// Step is what was being done, in fixed words.
	Step string
	// PIN is the reference concerned, 0 if none.
	PIN PIN
	// Remaining is the number of tries left, with ReasonWrongPIN, ReasonPINBlocked and ReasonLastTryRefused; -1 if the
	// card did not tell. Only ReasonWrongPIN has cost a try, and ReasonPINBlocked may have.
	Remaining int
	// Status is the status word (ISO/IEC 7816-4, 5.6) that the card answered, 0 if none.
	Status uint16
	// Detail says more, in fixed words.
	Detail string
	// Err is the cause, for errors.Is and errors.As; its text is not part of Error's.
	Err error
}

// Error names the reason, what was being done, the PIN, the remaining tries and the status word.
func (e *Error) Error() string {
	var detail []string
	if e.PIN != 0 {
		detail = append(detail, e.PIN.String())
	}
	if e.Remaining > 0 {
		detail = append(detail, fmt.Sprintf("remaining tries: %d", e.Remaining))
	}
	if e.Status != 0 {
		detail = append(detail, fmt.Sprintf("status %04X", e.Status))
	}
	if e.Detail != "" {
		detail = append(detail, e.Detail)
	}
	return fault.Text("card", e.Reason.String(), e.Step, "", strings.Join(detail, ", "))
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an *Error with the same reason, and with the same step and PIN where it names them.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error) //nolint:errorlint // this method is what errors.Is asks
	return ok && t.Reason == e.Reason && (t.Step == "" || t.Step == e.Step) && (t.PIN == 0 || t.PIN == e.PIN)
}

// Family says what the application should do.
func (e *Error) Family() kakunin.Family { return e.Reason.row().Family }

// UserMessage is fit to show to a person and tells the remaining tries after a wrong PIN.
func (e *Error) UserMessage() kakunin.Message {
	ja, en := e.PIN.words()
	formJA, formEN := e.PIN.formWords()
	var triesJA, triesEN string
	if e.Remaining > 0 {
		triesJA = fmt.Sprintf("あと%d回間違えるとロックされます。", e.Remaining)
		triesEN = fmt.Sprintf(" Remaining tries before it is locked: %d.", e.Remaining)
	}
	m := e.Reason.row().Message
	return kakunin.Message{
		JA: strings.NewReplacer("{pin}", ja, "{form}", formJA, "{tries}", triesJA).Replace(m.JA),
		EN: strings.NewReplacer("{pin}", en, "{form}", formEN, "{tries}", triesEN).Replace(m.EN),
	}
}

var _ kakunin.Classified = (*Error)(nil)

// reasonOf returns the reason of the outermost *Error in err's tree, ReasonUnknown if there is none.
func reasonOf(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ReasonUnknown
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
	return &Error{Step: op, Reason: reason, Status: uint16(s), Err: s}
}

// answerCut is the error of an answer that is shorter than it must be: the reader has cut it, or the card is not what
// it seems. Nothing was accepted.
func answerCut(op string) error {
	return &Error{Step: op, Reason: ReasonReaderUnfit, Detail: "the answer is cut short"}
}

// gotThrough reads the outcome of a command that must have extended lengths: an error if it was not the card that
// answered.
func gotThrough(op string, r apdu.Response, err error) error {
	status, reason := r.Status, reasonOf(err)
	if refused := err == nil && (refusesExtended(status) || status == apdu.EndOfFile && len(r.Data) == 0); refused {
		err = status
	} else if reason != ReasonTransportFailed && reason != ReasonMalformed {
		return err
	}
	return &Error{
		Step: op, Reason: ReasonReaderUnfit, Status: uint16(status), Detail: "the reader carries no extended lengths",
		Err: err,
	}
}

// refusesExtended reports whether a status is one with which cards, readers and relays refuse extended lengths.
func refusesExtended(status apdu.Status) bool {
	switch status {
	case apdu.WrongLength,
		0x6884,
		apdu.IncorrectP1P2,
		apdu.OffsetOutsideFile,
		apdu.INSNotSupported,
		apdu.CLANotSupported,
		apdu.NoDiagnosis,
		apdu.VerificationFailed,
		apdu.DataMayBeCorrupted:
		return true
	default:
		return false
	}
}

// namePIN tells which PIN a [ReasonNotVerified] is about.
func namePIN(err error, p PIN) error {
	var e *Error
	if errors.As(err, &e) && e.Reason == ReasonNotVerified {
		e.PIN = p
	}
	return err
}

// transportError wraps what a transport returned.
func transportError(ctx context.Context, op string, err error) error {
	var e *Error
	switch {
	case ctx.Err() != nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &Error{Step: op, Reason: ReasonInterrupted, Err: err}
	case errors.As(err, &e) && e.Reason != ReasonUnknown:
		return &Error{Step: op, Reason: e.Reason, Err: err}
	default:
		return &Error{Step: op, Reason: ReasonTransportFailed, Err: err}
	}
}
