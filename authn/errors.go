package authn

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
	"github.com/kakunin-go/kakunin/internal/redact"
	"github.com/kakunin-go/kakunin/internal/webcall"
)

// Reason says what went wrong. The zero value is ReasonUnknown.
type Reason int

// Reasons.
const (
	// ReasonUnknown is not used by this package; a zero Error has it.
	ReasonUnknown Reason = iota
	// ReasonUserCancelled: the person stopped (a redirect code listed in wire.Profile.CancelCodes). Family User.
	ReasonUserCancelled
	// ReasonProviderError: the service reported an error of its own, or a code that is not known. Family Unavailable.
	ReasonProviderError
	// ReasonStateMismatch: the callback does not belong to this pending login. Most often the browser lost its cookie
	// (private browsing, another browser opened by the app); it may also be a forged callback. Family Untrusted.
	ReasonStateMismatch
	// ReasonExpired: the pending login is older than Config.Rules.PendingTTL. Family User.
	ReasonExpired
	// ReasonIDToken: the ID token is not acceptable; Step names the rule. Family Untrusted.
	ReasonIDToken
	// ReasonUserinfo: the userinfo answer is not acceptable, e.g. it is about another subject. Family Untrusted.
	ReasonUserinfo
	// ReasonTokenResponse: the token endpoint's answer is not acceptable. Family Untrusted.
	ReasonTokenResponse
	// ReasonTransport: the service could not be reached, was too slow, or is overloaded. Family Unavailable.
	ReasonTransport
	// ReasonConfiguration: the configuration, a request made with it, or the provider metadata is wrong. Family
	// Configuration.
	ReasonConfiguration
	// ReasonAccessDenied: the service refused this person (access_denied where that does not mean "cancelled"). Family
	// Account.
	ReasonAccessDenied
	// ReasonInteractionRequired: the service wants the person to act first (login_required and the like). Family User.
	ReasonInteractionRequired
	// ReasonRequestRefused: the service refuses our request or registration (invalid_client, invalid_scope …). Family
	// Configuration.
	ReasonRequestRefused
	// ReasonTokenRejected: the authorization code or refresh token was refused (invalid_grant), or the access token by
	// userinfo: expired, used, revoked, or made for another request. Family User: logging in again helps.
	ReasonTokenRejected
	// ReasonReplayed: this pending login was finished before, e.g. by reloading the page. Family User.
	ReasonReplayed
	// ReasonCallback: the callback is malformed, e.g. a parameter occurs twice. Family Untrusted.
	ReasonCallback
	// ReasonIssuerMismatch: the callback names another issuer (mix-up attack, RFC 9207). Family Untrusted.
	ReasonIssuerMismatch
	// ReasonStored: bytes given to ParsePending, ParseRefreshToken or ParseIdentity are not what was stored, or
	// belong to another client. Family Untrusted.
	ReasonStored
	// ReasonKey: the key could not sign, e.g. the KMS did not answer. Family Unavailable.
	ReasonKey
)

// reasons says what there is to say about each reason.
var reasons = [...]fault.Row{
	ReasonUserCancelled: {Name: "user cancelled", Family: kakunin.User, Message: kakunin.Message{
		// The service says the same of a person who stopped and of one whose card is locked: no text may send the
		// latter back to type another PIN.
		JA: "ログインは行われていません。ご自身で中止した場合は、もう一度ログインできます。" +
			"暗証番号がロックされた場合や電子証明書が失効している場合は、お住まいの市区町村の窓口で手続きをしてください。",
		EN: "You were not logged in. If you stopped it yourself, you can log in again. If your PIN is locked or your " +
			"certificate is no longer valid, please go to the counter of your municipality first."}},
	ReasonProviderError: {Name: "provider error", Family: kakunin.Unavailable, Message: kakunin.Message{
		JA: "認証サービスでエラーが発生しました。しばらくしてからお試しください。",
		EN: "The identification service reported an error. Please try again later."}},
	ReasonStateMismatch: {Name: "state mismatch", Family: kakunin.Untrusted, Message: kakunin.Message{
		JA: "ログインを始めたブラウザーと確認できませんでした。" +
			"プライベートブラウズを使わず、同じブラウザーで最初からやり直してください。",
		EN: "We could not match this to a login begun in this browser. " +
			"Please start over in the same browser, without private browsing."}},
	ReasonExpired: {Name: "expired", Family: kakunin.User, Message: kakunin.Message{
		JA: "ログインの有効時間が過ぎました。最初からやり直してください。",
		EN: "The login took too long. Please start over."}},
	ReasonIDToken:       {Name: "ID token", Family: kakunin.Untrusted},
	ReasonUserinfo:      {Name: "userinfo", Family: kakunin.Untrusted},
	ReasonTokenResponse: {Name: "token response", Family: kakunin.Untrusted},
	ReasonTransport: {Name: "transport", Family: kakunin.Unavailable, Message: kakunin.Message{
		JA: "認証サービスに接続できませんでした。しばらくしてからお試しください。",
		EN: "The identification service cannot be reached right now. Please try again later."}},
	ReasonConfiguration: {Name: "configuration", Family: kakunin.Configuration},
	ReasonAccessDenied: {Name: "access denied", Family: kakunin.Account, Message: kakunin.Message{
		JA: "認証サービスでログインが許可されませんでした。マイナンバーカードと電子証明書の有効期限をご確認ください。",
		EN: "The identification service refused the login. Please check that your card and its certificates are valid.",
	}},
	ReasonInteractionRequired: {Name: "interaction required", Family: kakunin.User},
	ReasonRequestRefused:      {Name: "request refused", Family: kakunin.Configuration},
	ReasonTokenRejected: {Name: "token rejected", Family: kakunin.User, Message: kakunin.Message{
		JA: "ログインを完了できませんでした。最初からやり直してください。",
		EN: "The login could not be completed. Please start over."}},
	ReasonReplayed: {Name: "replayed", Family: kakunin.User, Message: kakunin.Message{
		JA: "このログインはすでに処理されています。最初からやり直してください。",
		EN: "This login has already been processed. Please start over."}},
	ReasonCallback:       {Name: "callback", Family: kakunin.Untrusted},
	ReasonIssuerMismatch: {Name: "issuer mismatch", Family: kakunin.Untrusted},
	ReasonStored:         {Name: "stored data", Family: kakunin.Untrusted},
	ReasonKey:            {Name: "key", Family: kakunin.Unavailable},
}

func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a stable lower-case name for logs and metrics.
func (r Reason) String() string { return r.row().Name }

// Error is every error of this package. Find it with [errors.As] and look at Reason, and at Step for details.
type Error struct {
	// Reason says what went wrong.
	Reason Reason
	// Step is the stable name of the rule or step that failed, e.g. "nonce"; a constant, never data.
	Step string
	// Clause is where the rule is written, for those of an ID token.
	Clause string
	// Detail says more, in words of this package: every mistake of a configuration, or what to look at.
	Detail string
	// Code is the OAuth error code that the service sent, if it is a registered one; any other code is dropped.
	Code string
	// Status is the HTTP status that the service answered, where that is why; otherwise 0.
	Status int
	// Err is the cause, for errors.Is and errors.As; it may be nil. Its text is not part of Error's, because causes
	// quote URLs and answers.
	Err error

	description redact.Value[string]
}

// Description is what the token or the userinfo endpoint wrote about its refusal, for the developer: at most 256 bytes,
// quoted as in Go source. It is in no error text, and in no log record unless that has level Debug: it is the service's
// text, and nothing for the person. Empty if there is none.
func (e *Error) Description() string { return e.description.Reveal() }

// described adds what the members of an answer say about the refusal.
func (e *Error) described(members map[string]json.RawMessage) *Error {
	if s := webcall.Describe(members); s != "" {
		e.description = redact.Seal(s)
	}
	return e
}

// Error implements error: constants only.
func (e *Error) Error() string {
	step, detail := e.Step, e.Detail
	if e.Status != 0 {
		step = strings.TrimSpace(step + " " + strconv.Itoa(e.Status))
	}
	if code := knownCode(e.Code); code != "" {
		step += " (" + code + ")"
	}
	return fault.Text("authn", e.Reason.String(), step, e.Clause, detail)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is compare by Reason, and by Step if the target names one.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error) //nolint:errorlint // errors.Is unwraps
	return ok && t.Reason == e.Reason && (t.Step == "" || t.Step == e.Step)
}

// Family says what to do; see [kakunin.FamilyOf].
func (e *Error) Family() kakunin.Family { return e.Reason.row().Family }

// UserMessage is fit to show to a person; see [kakunin.MessageFor].
func (e *Error) UserMessage() kakunin.Message { return e.Reason.row().Message }

// transportError is what an HTTP client returned, in words of this package.
func transportError(err error) *Error {
	if own := (*Error)(nil); errors.As(err, &own) {
		return own
	}
	e := webcall.Explain(err)
	return &Error{Reason: ReasonTransport, Step: string(e.Problem), Err: e.Err}
}

// misconfigured makes the error that names all mistakes at once, in words of this package, or nil if there are none.
func misconfigured(step string, mistakes ...string) error {
	if len(mistakes) == 0 {
		return nil
	}
	return &Error{Reason: ReasonConfiguration, Step: step, Detail: fault.Mistakes(mistakes).Detail()}
}

// knownCodes are the error codes that may be repeated in a log: RFC 6749, sections 4.1.2.1 and 5.2; OpenID Connect Core
// 1.0, section 3.1.2.6; RFC 6750, section 3.1. Anything else in their place is an attacker's text until proven
// otherwise.
func knownCodes() []string {
	return []string{
		"invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type", "invalid_scope",
		"server_error", "temporarily_unavailable",
		"invalid_client", "invalid_grant", "unsupported_grant_type",
		"interaction_required", "login_required", "account_selection_required", "consent_required",
		"invalid_request_uri", "invalid_request_object", "request_not_supported", "request_uri_not_supported",
		"registration_not_supported",
		"invalid_token", "insufficient_scope",
	}
}

// knownCode returns the code, as the list has it, and nothing if it is not there.
func knownCode(code string) string {
	code = undressed(code)
	for _, known := range knownCodes() {
		if strings.EqualFold(known, code) {
			return known
		}
	}
	return ""
}

// undressed is an error code, or the one word of a description, without what a server may put around it.
func undressed(word string) string { return strings.Trim(word, " \t\r\n\"'.!") }

// reasonOfCode sorts the error codes of the redirect and of the token endpoint. Which redirect code means "cancelled"
// is a matter of the wire profile and decided before.
func reasonOfCode(code string) Reason {
	switch knownCode(code) {
	case "access_denied":
		return ReasonAccessDenied
	case "login_required", "interaction_required", "account_selection_required", "consent_required":
		return ReasonInteractionRequired
	case "invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope", "invalid_client",
		"unsupported_grant_type", "invalid_request_uri", "invalid_request_object", "request_not_supported",
		"request_uri_not_supported", "registration_not_supported":
		return ReasonRequestRefused
	case "invalid_grant":
		return ReasonTokenRejected
	default:
		return ReasonProviderError
	}
}
