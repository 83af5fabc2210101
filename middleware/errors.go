package middleware

import (
	"errors"
	"net/http"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
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
	// ReasonPreview: the browser asked ahead (prefetch, preview); nothing was used up.
	ReasonPreview
	// ReasonCallback: the query of the callback is oversized or malformed, in a parameter that is read; nothing was
	// used up.
	ReasonCallback
	// ReasonLostLogin: this browser has no pending login for the state: another browser, private browsing, cookies
	// deleted, or a callback that somebody else began (RFC 9700, section 2.1).
	ReasonLostLogin
	// ReasonReplayed: the callback was used before, and this browser does not hold what came out of it.
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
	// ReasonAttributes: the person did not share what RequireAttributes asks for.
	ReasonAttributes
	// ReasonMunicipality: the person lives outside of what RequireMunicipality asks for.
	ReasonMunicipality
	// ReasonMunicipalityUnknown: the address was not shared or does not tell.
	ReasonMunicipalityUnknown
	// ReasonNotFresh: the login is older than RequireFresh asks, and the request cannot be repeated after another one.
	ReasonNotFresh
	// ReasonOtherPerson: who signed is not who is logged in.
	ReasonOtherPerson
	// ReasonSignCancelled: the person cancelled a signature; Err is the error of authn.
	ReasonSignCancelled
	// ReasonDocument: the application's Document function failed; Err is its error.
	ReasonDocument
	// ReasonTermsChanged: the terms of a consent are not those that the person saw.
	ReasonTermsChanged
	// ReasonConsent: a consent was signed and is not good, or could not be kept; Err says more.
	ReasonConsent
	// ReasonConsentWaiting: a consent was signed and kept, and the operator or Register could not be asked; Err is
	// their error. See [ConsentFlow.Resume].
	ReasonConsentWaiting
	// ReasonOnLogin: the application's OnLogin refused the login; Err is its error.
	ReasonOnLogin
	// ReasonSession: the session store, or the store that instances share, failed.
	ReasonSession
)

// row is everything there is to say about a reason.
type row struct {
	fault.Row
	status int
}

// reasons keep name, HTTP status, family and message side by side, so that a new reason cannot get only half of them.
// An empty message is that of the family.
var reasons = [...]row{
	ReasonUnknown: {fault.Row{Name: "unknown", Family: kakunin.Configuration}, http.StatusInternalServerError},
	ReasonConfiguration: {
		fault.Row{Name: "configuration", Family: kakunin.Configuration},
		http.StatusInternalServerError,
	},
	ReasonNotFound: {fault.Row{Name: "not-found", Family: kakunin.User, Message: kakunin.Message{
		JA: "アドレスが正しいか、ご確認ください。",
		EN: "There is no page at this address. Please check it.",
	}}, http.StatusNotFound},
	ReasonMethod: {fault.Row{Name: "method", Family: kakunin.User, Message: kakunin.Message{
		JA: "この操作は、画面のボタンから行ってください。",
		EN: "Please use the button on the page to do this.",
	}}, http.StatusMethodNotAllowed},
	ReasonCrossOrigin: {fault.Row{Name: "cross-origin", Family: kakunin.Untrusted, Message: kakunin.Message{
		JA: "別のサイトからの操作のため、処理を中止しました。",
		EN: "We stopped because the request came from another site.",
	}}, http.StatusForbidden},
	ReasonPreview: {fault.Row{Name: "preview", Family: kakunin.User, Message: kakunin.Message{
		JA: "プレビューや先読みではログインできません。ページを開いてください。",
		EN: "A preview cannot log in. Please open the page.",
	}}, http.StatusForbidden},
	ReasonCallback: {fault.Row{Name: "callback", Family: kakunin.Untrusted}, http.StatusBadRequest},
	ReasonLostLogin: {fault.Row{Name: "lost-login", Family: kakunin.User, Message: kakunin.Message{
		JA: "このブラウザーで始めた手続きが見つかりませんでした。プライベートブラウズ（シークレットモード）を終了し、同じブラウザーで最初からやり直してください。",
		EN: "We could not find the procedure in this browser. Please leave private (incognito) browsing and start " +
			"again, staying in the same browser.",
	}}, http.StatusBadRequest},
	ReasonReplayed: {fault.Row{Name: "replayed", Family: kakunin.User, Message: kakunin.Message{
		JA: "この画面はすでに使われています。「戻る」や再読み込みを使わずに、もう一度お試しください。",
		EN: "This page has already been used. Please try again without the back or reload button.",
	}}, http.StatusBadRequest},
	ReasonExpired: {fault.Row{Name: "expired", Family: kakunin.User, Message: kakunin.Message{
		JA: "時間がかかりすぎたため、手続きを終了しました。もう一度お試しください。",
		EN: "This took too long and has expired. Please try again.",
	}}, http.StatusBadRequest},
	ReasonTampered: {fault.Row{Name: "tampered", Family: kakunin.Untrusted}, http.StatusBadRequest},
	ReasonLoginRequired: {fault.Row{Name: "login-required", Family: kakunin.User, Message: kakunin.Message{
		JA: "ログインが必要です。",
		EN: "Please log in first.",
	}}, http.StatusUnauthorized},
	ReasonRequirement: {fault.Row{Name: "requirement", Family: kakunin.Account, Message: kakunin.Message{
		JA: "このページを利用する条件を満たしていません。",
		EN: "You do not meet the requirements for this page.",
	}}, http.StatusForbidden},
	ReasonTooYoung: {fault.Row{Name: "too-young", Family: kakunin.Account, Message: kakunin.Message{
		JA: "年齢の条件を満たしていないため、利用できません。",
		EN: "You are below the age required for this page.",
	}}, http.StatusForbidden},
	ReasonAgeUnknown: {fault.Row{Name: "age-unknown", Family: kakunin.Account, Message: kakunin.Message{
		JA: "年齢を確認できませんでした。生年月日の提供を許可して、もう一度ログインしてください。",
		EN: "Your age could not be confirmed. Please log in again and allow your date of birth to be shared.",
	}}, http.StatusForbidden},
	ReasonAttributes: {fault.Row{Name: "attributes", Family: kakunin.Account, Message: kakunin.Message{
		JA: "必要な情報が提供されていません。もう一度ログインし、提供に同意してください。",
		EN: "Something that this page needs was not shared. Please log in again and agree to share it.",
	}}, http.StatusForbidden},
	ReasonMunicipality: {fault.Row{Name: "municipality", Family: kakunin.Account, Message: kakunin.Message{
		JA: "対象の市区町村にお住まいの方のためのページです。",
		EN: "This page is for residents of certain municipalities.",
	}}, http.StatusForbidden},
	ReasonMunicipalityUnknown: {
		fault.Row{Name: "municipality-unknown", Family: kakunin.Account, Message: kakunin.Message{
			JA: "お住まいの市区町村を確認できませんでした。住所の提供に同意して、もう一度ログインしてください。",
			EN: "We could not tell your municipality. Please log in again and agree to share your address.",
		}},
		http.StatusForbidden,
	},
	ReasonNotFresh: {fault.Row{Name: "not-fresh", Family: kakunin.User, Message: kakunin.Message{
		JA: "確認のため、もう一度ログインしてください。",
		EN: "Please log in once more to confirm that it is you.",
	}}, http.StatusUnauthorized},
	ReasonOtherPerson: {fault.Row{Name: "other-person", Family: kakunin.Account, Message: kakunin.Message{
		JA: "ログインした方とは別の方のカードで署名されました。ログインしたときと同じカードで署名してください。",
		EN: "The document was signed with another person's card. Please sign with the card you logged in with.",
	}}, http.StatusForbidden},
	ReasonSignCancelled: {fault.Row{Name: "sign-cancelled", Family: kakunin.User, Message: kakunin.Message{
		JA: "文書は署名されていません。ご自身で中止した場合は、もう一度署名できます。暗証番号がロックされた場合や電子証明書が失効している場合は、お住まいの市区町村の窓口で手続きをしてください。",
		EN: "Nothing was signed. If you stopped it yourself, you can sign again. If your password is locked or your " +
			"certificate is no longer valid, please go to the counter of your municipality first.",
	}}, http.StatusBadRequest},
	ReasonDocument: {fault.Row{Name: "document", Family: kakunin.Configuration}, http.StatusInternalServerError},
	ReasonTermsChanged: {fault.Row{Name: "terms-changed", Family: kakunin.User, Message: kakunin.Message{
		JA: "表示された後で、同意事項の内容が変わりました。もう一度お読みになり、同意するかどうかをお選びください。",
		EN: "The terms have changed since you saw them. Please read them again and decide anew.",
	}}, http.StatusConflict},
	ReasonConsent: {fault.Row{Name: "consent", Family: kakunin.Configuration}, http.StatusInternalServerError},
	ReasonConsentWaiting: {fault.Row{Name: "consent-waiting", Family: kakunin.Unavailable, Message: kakunin.Message{
		JA: "署名を受け取りました。登録が終わるまで、しばらくお待ちください。もう一度署名していただく必要はありません。",
		EN: "We have received your signature. It will take a while until your consent is registered. " +
			"You need not sign again.",
	}}, http.StatusServiceUnavailable},
	ReasonOnLogin: {fault.Row{Name: "on-login", Family: kakunin.Configuration}, http.StatusInternalServerError},
	ReasonSession: {fault.Row{Name: "session", Family: kakunin.Unavailable}, http.StatusServiceUnavailable},
}

func (r Reason) row() row {
	if r < 0 || int(r) >= len(reasons) {
		r = ReasonUnknown
	}
	return reasons[r]
}

// String returns a stable lower-case name for logs and metrics.
func (r Reason) String() string { return r.row().Name }

// Error is every error that this package makes itself. It holds nothing that a person, the network or an attacker
// supplied.
type Error struct {
	Reason Reason
	Detail string // for operators: a fixed text of this package, "" when the reason says it all
	Err    error  // cause, may be nil; its text appears in Error only if it is an error of this module

	message kakunin.Message // of Refuse
}

// Error is for operators, not for the person at the browser: for that there is kakunin.MessageFor.
func (e *Error) Error() string {
	s := fault.Text("middleware", e.Reason.String(), "", "", e.Detail)
	// A session store's or an application's error may hold addresses or personal data; errors of this module never do.
	if c, ok := errors.AsType[kakunin.Classified](e.Err); ok {
		s += ": " + c.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is matches errors of this package by their reason.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Reason == e.Reason
}

// Family is the cause's family when the cause is an application's (or another package's) classified error.
func (e *Error) Family() kakunin.Family {
	if e.delegates() {
		if f := kakunin.FamilyOf(e.Err); f != kakunin.Unclassified {
			return f
		}
	}
	return e.Reason.row().Family
}

// UserMessage is fit to show to a person.
func (e *Error) UserMessage() kakunin.Message {
	if e.message != (kakunin.Message{}) {
		return e.message
	}
	if e.delegates() {
		if c, ok := errors.AsType[kakunin.Classified](e.Err); ok {
			return c.UserMessage()
		}
	}
	return e.Reason.row().Message
}

// delegates reports whether the cause knows better than the reason what the person should do.
func (e *Error) delegates() bool {
	return e.Reason == ReasonRequirement || e.Reason == ReasonDocument || e.Reason == ReasonOnLogin ||
		e.Reason == ReasonConsent
}

// StatusOf returns the HTTP status that the default error page answers with, for an OnError that draws its own page.
// By family: user 400, account 403, untrusted 400, unavailable 503, everything else 500; an *Error of this package
// may be more precise (401 login required, 403 requirement, 404, 405).
func StatusOf(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		if (e.Reason != ReasonDocument && e.Reason != ReasonOnLogin && e.Reason != ReasonConsent) ||
			kakunin.FamilyOf(e.Err) == kakunin.Unclassified {
			return e.Reason.row().status
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
