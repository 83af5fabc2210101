package middleware

import (
	"errors"
	"net/http"

	"github.com/kakunin-go/kakunin"
)

// Reason says what went wrong. The zero value is never set on an error of this package.
type Reason int

// Reasons of this package. Errors of packages authn and sign reach OnError with their own types and reasons.
const (
	ReasonUnknown Reason = iota
	// ReasonConfiguration: what New or Sign was given cannot work, or an application's function broke its contract.
	ReasonConfiguration
	// ReasonNotFound: there is no such path below the prefix.
	ReasonNotFound
	// ReasonMethod: the path exists but not for this HTTP method.
	ReasonMethod
	// ReasonCrossOrigin: another site made the browser send the request, or it was not a navigation at all.
	ReasonCrossOrigin
	// ReasonCallback: the query of the callback is oversized, malformed or has not exactly one state.
	ReasonCallback
	// ReasonLostLogin: this browser has no pending login for the state: another browser, private browsing, cookies
	// deleted, or a callback that somebody else began (RFC 9700, section 2.1).
	ReasonLostLogin
	// ReasonReplayed: the callback was used before (reload, back button or replay).
	ReasonReplayed
	// ReasonExpired: the pending login is too old.
	ReasonExpired
	// ReasonTampered: the pending login's cookie does not open: altered, moved between cookies, or sealed by a key
	// that is no longer in Config.SealKeys.
	ReasonTampered
	// ReasonLoginRequired: nobody is logged in and the request cannot be repeated after a login.
	ReasonLoginRequired
	// ReasonRequirement: a Requirement of the application refused; Err is its error.
	ReasonRequirement
	// ReasonTooYoung: the person is younger than AgeAtLeast asks.
	ReasonTooYoung
	// ReasonAgeUnknown: the birthdate was not granted or is not precise enough to tell.
	ReasonAgeUnknown
	// ReasonOtherPerson: who signed is not who is logged in.
	ReasonOtherPerson
	// ReasonSignCancelled: the person cancelled a signature; Err is the error of authn.
	ReasonSignCancelled
	// ReasonDocument: the application's Document function failed; Err is its error.
	ReasonDocument
	// ReasonSession: the session store failed.
	ReasonSession
)

type reasonInfo struct {
	name    string
	status  int
	family  kakunin.Family
	message kakunin.Message
}

// infoOf keeps name, HTTP status, family and message of a reason side by side, so that a new reason cannot get only
// half of them.
func infoOf(r Reason) reasonInfo {
	switch r {
	case ReasonUnknown:
	case ReasonConfiguration:
		return reasonInfo{"configuration", http.StatusInternalServerError, kakunin.Configuration, kakunin.Message{}}
	case ReasonNotFound:
		return reasonInfo{"not-found", http.StatusNotFound, kakunin.User, kakunin.Message{
			JA: "ページが見つかりません。",
			EN: "There is no such page.",
		}}
	case ReasonMethod:
		return reasonInfo{"method", http.StatusMethodNotAllowed, kakunin.User, kakunin.Message{
			JA: "この操作は、画面のボタンから行ってください。",
			EN: "Please use the button on the page to do this.",
		}}
	case ReasonCrossOrigin:
		return reasonInfo{"cross-origin", http.StatusForbidden, kakunin.Untrusted, kakunin.Message{
			JA: "別のサイトからの操作のため、処理を中止しました。",
			EN: "We stopped because the request came from another site.",
		}}
	case ReasonCallback:
		return reasonInfo{"callback", http.StatusBadRequest, kakunin.Untrusted, kakunin.Message{}}
	case ReasonLostLogin:
		return reasonInfo{"lost-login", http.StatusBadRequest, kakunin.User, kakunin.Message{
			JA: "このブラウザーで始めた手続きが見つかりませんでした。プライベートブラウズ（シークレットモード）を終了し、同じブラウザーで最初からやり直してください。",
			EN: "We could not find the procedure in this browser. Please leave private (incognito) browsing and start again, staying in the same browser.",
		}}
	case ReasonReplayed:
		return reasonInfo{"replayed", http.StatusBadRequest, kakunin.User, kakunin.Message{
			JA: "この画面はすでに使われています。「戻る」や再読み込みを使わずに、もう一度お試しください。",
			EN: "This page has already been used. Please try again without the back or reload button.",
		}}
	case ReasonExpired:
		return reasonInfo{"expired", http.StatusBadRequest, kakunin.User, kakunin.Message{
			JA: "時間がかかりすぎたため、手続きを終了しました。もう一度お試しください。",
			EN: "This took too long and has expired. Please try again.",
		}}
	case ReasonTampered:
		return reasonInfo{"tampered", http.StatusBadRequest, kakunin.Untrusted, kakunin.Message{}}
	case ReasonLoginRequired:
		return reasonInfo{"login-required", http.StatusUnauthorized, kakunin.User, kakunin.Message{
			JA: "ログインが必要です。",
			EN: "Please log in first.",
		}}
	case ReasonRequirement:
		return reasonInfo{"requirement", http.StatusForbidden, kakunin.Account, kakunin.Message{
			JA: "このページを利用する条件を満たしていません。",
			EN: "You do not meet the requirements for this page.",
		}}
	case ReasonTooYoung:
		return reasonInfo{"too-young", http.StatusForbidden, kakunin.Account, kakunin.Message{
			JA: "年齢の条件を満たしていないため、利用できません。",
			EN: "You are below the age required for this page.",
		}}
	case ReasonAgeUnknown:
		return reasonInfo{"age-unknown", http.StatusForbidden, kakunin.Account, kakunin.Message{
			JA: "年齢を確認できませんでした。生年月日の提供を許可して、もう一度ログインしてください。",
			EN: "Your age could not be confirmed. Please log in again and allow your date of birth to be shared.",
		}}
	case ReasonOtherPerson:
		return reasonInfo{"other-person", http.StatusForbidden, kakunin.Account, kakunin.Message{
			JA: "ログインした方とは別の方のカードで署名されました。ログインしたときと同じカードで署名してください。",
			EN: "The document was signed with another person's card. Please sign with the card you logged in with.",
		}}
	case ReasonSignCancelled:
		return reasonInfo{"sign-cancelled", http.StatusBadRequest, kakunin.User, kakunin.Message{
			JA: "署名は中止されたか、カードを利用できませんでした。文書は署名されていません。もう一度お試しいただけます。",
			EN: "Signing was cancelled, or the card could not be used. Nothing was signed. You can try again whenever you like.",
		}}
	case ReasonDocument:
		return reasonInfo{"document", http.StatusInternalServerError, kakunin.Configuration, kakunin.Message{}}
	case ReasonSession:
		return reasonInfo{"session", http.StatusServiceUnavailable, kakunin.Unavailable, kakunin.Message{}}
	}
	return reasonInfo{"unknown", http.StatusInternalServerError, kakunin.Configuration, kakunin.Message{}}
}

// String returns a stable lower-case name for logs and metrics.
func (r Reason) String() string { return infoOf(r).name }

// Error is every error that this package makes itself. It holds nothing that a person, the network or an attacker
// supplied.
type Error struct {
	Reason Reason
	Detail string // for operators: a fixed text of this package, "" when the reason says it all
	Err    error  // cause, may be nil; its text appears in Error only if it is an error of this module
}

// Error is for operators, not for the person at the browser: for that there is kakunin.MessageFor.
func (e *Error) Error() string {
	s := "middleware: " + e.Reason.String()
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	// A session store's or an application's error may hold addresses or personal data; errors of this module never do.
	if c, ok := errors.AsType[kakunin.Classified](e.Err); ok {
		s += ": " + c.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Family is the cause's family when the cause is an application's (or another package's) classified error.
func (e *Error) Family() kakunin.Family {
	if e.delegates() {
		if f := kakunin.FamilyOf(e.Err); f != kakunin.Unclassified {
			return f
		}
	}
	return infoOf(e.Reason).family
}

// UserMessage is fit to show to a person.
func (e *Error) UserMessage() kakunin.Message {
	if e.delegates() {
		if c, ok := errors.AsType[kakunin.Classified](e.Err); ok {
			return c.UserMessage()
		}
	}
	return infoOf(e.Reason).message
}

// delegates reports whether the cause knows better than the reason what the person should do.
func (e *Error) delegates() bool {
	return e.Reason == ReasonRequirement || e.Reason == ReasonDocument
}

// StatusOf returns the HTTP status that the default error page answers with, for an OnError that draws its own page.
// By family: user 400, account 403, untrusted 400, unavailable 503, everything else 500; an *Error of this package
// may be more precise (401 login required, 403 requirement, 404, 405).
func StatusOf(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		if e.Reason != ReasonDocument || kakunin.FamilyOf(e.Err) == kakunin.Unclassified {
			return infoOf(e.Reason).status
		}
	}
	switch kakunin.FamilyOf(err) {
	case kakunin.User, kakunin.Untrusted:
		// An untrusted answer is the fault of what the browser delivered as far as HTTP can tell, not of this server.
		return http.StatusBadRequest
	case kakunin.Account:
		return http.StatusForbidden
	case kakunin.Unavailable:
		return http.StatusServiceUnavailable
	case kakunin.Configuration, kakunin.Unclassified:
		return http.StatusInternalServerError
	}
	return http.StatusInternalServerError
}
