package kakunin

import (
	"context"
	"errors"
)

// Family says what the application should do about an error.
type Family int

// The five families. The zero value is Unclassified, which an application treats like a defect of its own.
const (
	// Unclassified is an error of another origin.
	Unclassified Family = iota
	// User: the person cancelled, mistyped or let it time out. Offer to try again.
	User
	// Account: the card, certificate or account cannot be used. Tell the person what to fix.
	Account
	// Configuration: our own configuration or registration is wrong. Alert the operators.
	Configuration
	// Unavailable: a service, card or reader cannot be reached now. Try again later.
	Unavailable
	// Untrusted: what was received cannot be trusted (attack or corruption). Accept nothing and raise an alarm.
	Untrusted
)

// families holds the name and the message of each family.
var families = [...]struct {
	name    string
	message Message
}{
	Unclassified: {"unclassified", Message{"エラーが発生しました。", "Something went wrong."}},
	User: {"user", Message{
		"手続きが完了しませんでした。もう一度お試しください。", "The procedure was not completed. Please try again.",
	}},
	Account: {"account", Message{
		"このカードまたは電子証明書は利用できません。", "This card or certificate cannot be used.",
	}},
	Configuration: {"configuration", Message{
		"サービスの設定に問題があります。運営者にお問い合わせください。",
		"The service is not set up correctly. Please contact its operator.",
	}},
	Unavailable: {"unavailable", Message{
		"ただいま利用できません。しばらくしてからお試しください。",
		"This is not available right now. Please try again later.",
	}},
	Untrusted: {"untrusted", Message{
		"安全を確認できなかったため、処理を中止しました。", "We stopped because the response could not be trusted.",
	}},
}

// known is the family itself, or Unclassified for a value that is none.
func (f Family) known() Family {
	if f < 0 || int(f) >= len(families) {
		return Unclassified
	}
	return f
}

// String returns a stable lower-case name for logs and metrics.
func (f Family) String() string { return families[f.known()].name }

// Language selects the language of a message.
type Language string

// The languages of user-facing messages. Any other value reads as English.
const (
	Japanese Language = "ja"
	English  Language = "en"
)

// Message is a text for a person, in both languages.
type Message struct{ JA, EN string }

// In returns the text in the language.
func (m Message) In(l Language) string {
	if l == Japanese {
		return m.JA
	}
	return m.EN
}

// Classified is implemented by the error types of the project.
type Classified interface {
	error
	// Family never returns Unclassified.
	Family() Family
	// UserMessage is fit to show to a person; the zero Message means "use the family's".
	UserMessage() Message
}

// FamilyOf returns the family of the outermost classified error in err's tree. A context that ended while waiting is
// Unavailable; nil and errors of another origin are Unclassified.
func FamilyOf(err error) Family {
	var c Classified
	if errors.As(err, &c) {
		return c.Family()
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return Unavailable
	}
	return Unclassified
}

// MessageFor returns a text for a person: the error's own, otherwise its family's. It never contains data taken from
// the error's text.
func MessageFor(err error, l Language) string {
	var c Classified
	if errors.As(err, &c) {
		if m := c.UserMessage(); m != (Message{}) {
			return m.In(l)
		}
	}
	return familyMessage(FamilyOf(err)).In(l)
}

func familyMessage(f Family) Message { return families[f.known()].message }
