package authn

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/redact"
)

// Transaction is a signature transaction that a login carries (sign.Transaction implements it).
type Transaction interface {
	// TransactionID returns the id that the sign API gave.
	TransactionID() string
}

// Request is one login.
type Request struct {
	// Scopes are asked for besides openid; the zero value asks for the subject alone.
	Scopes Scopes
	// ExtraScopes are sent as given, after the others.
	ExtraScopes []string
	// ACRValues replaces the client's; nil means the client's, an empty list sends none.
	ACRValues []string
	// Sign carries a signature transaction: it adds the sign scope and sign_transaction_id, and makes Finish keep the
	// access token, which the result of the transaction is fetched with.
	Sign Transaction
	// KeepTokens makes Finish keep the access token and, if the service issues one, the refresh token, for
	// [Client.Refresh] and [Client.Reread]. A token that is not needed is a token that cannot be stolen.
	KeepTokens bool
}

// Begun is a login that was begun.
type Begun struct {
	// URL is where to redirect the browser, with 303 See Other after a POST.
	URL string
	// Pending is to be kept for Finish, bound to this browser.
	Pending Pending
}

// Begin makes state, nonce and PKCE verifier, each of 256 random bits, and the URL to redirect to. Only parameters that
// the service documents are sent, and each is checked against the documented length and characters before. It makes no
// request. Errors have ReasonConfiguration.
func (c *Client) Begin(ctx context.Context, r Request) (Begun, error) {
	f, target, problem := c.prepare(r)
	if problem != "" {
		err := misconfigured("request", problem)
		c.report(ctx, LoginRefused, nil, err)
		return Begun{}, err
	}
	c.report(ctx, LoginBegun, f, nil)
	return Begun{URL: target, Pending: Pending{v: redact.Seal(f)}}, nil
}

func (c *Client) prepare(r Request) (f *pendingFields, target, problem string) {
	scopes, problem := r.scopeList(&c.wire, c.profile)
	if problem != "" {
		return nil, "", problem
	}
	acr := c.acrValues
	if r.ACRValues != nil {
		acr = r.ACRValues
	}
	if slices.ContainsFunc(acr, func(s string) bool { return !isScopeToken(s) }) {
		return nil, "", "an acr value has spaces or is empty"
	}
	state, nonce, verifier := threeSecrets()
	f = &pendingFields{
		Tenant:      c.tenant,
		Issuer:      c.env.Issuer,
		ClientID:    c.clientID,
		RedirectURL: c.redirectURL,
		State:       state,
		Nonce:       nonce,
		Verifier:    verifier,
		Scopes:      scopes,
		KeepTokens:  r.KeepTokens,
		Created:     c.now().UnixMilli(),
	}
	if r.Sign != nil {
		f.TransactionID = r.Sign.TransactionID()
		if !isUUIDShape(f.TransactionID) && (!c.wire.Sign.AnyTransactionID || !isPlain(f.TransactionID)) {
			return nil, "", "the transaction id does not look like one"
		}
	}
	target, problem = c.begin.url(f, acr)
	return f, target, problem
}

// threeSecrets makes state, nonce and verifier with one call of the random number generator.
func threeSecrets() (state, nonce, verifier string) {
	var random [3 * secretSize]byte
	_, _ = rand.Read(random[:]) // never fails
	return secretTexts(random)
}

// authorizationRequest is what all authorization requests of a client have in common, encoded once. It holds the
// parameters of the published reference and no others. prompt, max_age, login_hint, claims and the like are not known
// to be supported, and what an endpoint does with unknown parameters is its own business.
type authorizationRequest struct {
	head        string // endpoint and constant parameters
	transaction string // "&name=" of the transaction's id
}

func newAuthorizationRequest(c *Client) authorizationRequest {
	return authorizationRequest{
		head: c.env.AuthorizationEndpoint + "?response_type=code&client_id=" + c.clientID + // letters and digits
			"&redirect_uri=" + escapeParameter(c.redirectURL) + "&code_challenge_method=S256&code_challenge=",
		transaction: "&" + escapeParameter(c.wire.Sign.AuthorizationIDParam) + "=",
	}
}

// escapeParameter is url.QueryEscape with "%20" for a space. "+" means a space only in form data; in a URI it is "%20"
// (RFC 3986, section 2.1), and not every parser forgives. A literal "+" has become "%2B" already.
func escapeParameter(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// url checks the variable parameters and appends them. State, nonce and challenge are base64url: 43 characters within
// the documented 1 to 255 (128 for the challenge) of [\x20-\x7E] ([0-9a-zA-Z_-] for the challenge), and nothing to
// escape.
func (a *authorizationRequest) url(f *pendingFields, acr []string) (target, problem string) {
	scope, acrValues := strings.Join(f.Scopes, " "), strings.Join(acr, " ")
	switch {
	case len(scope) > limits.ScopeParameter:
		return "", "the parameter scope is too long"
	case len(acrValues) > limits.ScopeParameter:
		return "", "the parameter acr_values is too long"
	}
	challenge := sha256.Sum256([]byte(f.Verifier)) // RFC 7636, section 4.2
	b := make([]byte, 0, len(a.head)+len(a.transaction)+3*secretText+len(scope)+len(acrValues)+128)
	b = append(b, a.head...)
	b = base64.RawURLEncoding.AppendEncode(b, challenge[:])
	b = append(append(b, "&state="...), f.State...)
	b = append(append(b, "&nonce="...), f.Nonce...)
	b = append(append(b, "&scope="...), escapeParameter(scope)...)
	if acrValues != "" {
		b = append(append(b, "&acr_values="...), escapeParameter(acrValues)...)
	}
	if f.TransactionID != "" {
		b = append(append(b, a.transaction...), escapeParameter(f.TransactionID)...)
	}
	return string(b), ""
}

// Pending is a login under way. It must be kept, bound to the browser that began it, until Finish: it holds state,
// nonce and PKCE verifier. It is secret and redacts itself; [Pending.RevealBytes] encodes it for sealed storage.
type Pending struct {
	redacted
	v redact.Value[*pendingFields]
}

// fields is nil for the zero Pending.
func (p Pending) fields() *pendingFields { return p.v.Reveal() }

// pendingFields are bound together: the callback must fit all of them.
type pendingFields struct {
	Tenant        string
	Issuer        string
	ClientID      string
	RedirectURL   string
	State         string
	Nonce         string
	Verifier      string
	Scopes        []string
	TransactionID string
	KeepTokens    bool
	Created       int64 // milliseconds since 1970
}

// State is the key under which a pending login is kept; it is in the URL anyway. Empty for the zero Pending.
func (p Pending) State() string {
	if f := p.fields(); f != nil {
		return f.State
	}
	return ""
}

// Created is when the login was begun; the zero time for the zero Pending.
func (p Pending) Created() time.Time {
	if f := p.fields(); f != nil {
		return time.UnixMilli(f.Created)
	}
	return time.Time{}
}

// TransactionID is the signature transaction that the login carries; empty if none.
func (p Pending) TransactionID() string {
	if f := p.fields(); f != nil {
		return f.TransactionID
	}
	return ""
}

// isPlain accepts 1 to 255 printable ASCII characters without space.
func isPlain(s string) bool {
	return s != "" && len(s) <= limits.AuthorizationParameter &&
		!strings.ContainsFunc(s, func(r rune) bool { return r <= 0x20 || r > 0x7e })
}

// isUUIDShape accepts 8-4-4-4-12 hexadecimal digits. Version and variant are not looked at: the service's own example
// has none that RFC 9562 knows.
func isUUIDShape(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
			continue
		}
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// Finish checks the callback, exchanges the code and validates everything; see the package documentation for the order.
// callback is the query of the request to the redirect URL. A pending login is finished once: the second call with the
// same one fails, whatever the first call's result was, and nothing is retried once a code has been sent. Errors are
// [*Error]; an Identity is returned only if every check held.
func (c *Client) Finish(ctx context.Context, p Pending, callback url.Values) (*Identity, error) {
	f := p.fields()
	id, err := c.finish(ctx, f, callback)
	if err != nil {
		c.report(ctx, LoginRefused, f, err)
		return nil, err
	}
	c.report(ctx, LoginFinished, f, nil)
	return id, nil
}

func (c *Client) finish(ctx context.Context, f *pendingFields, callback url.Values) (*Identity, error) {
	code, err := c.checkCallback(f, callback)
	if err != nil {
		return nil, err
	}
	tokens, err := c.exchange(ctx, f, code)
	if err != nil {
		return nil, err
	}
	claims, err := c.verifyIDToken(ctx, tokens.idToken, tokens.access.Reveal(), f.Nonce)
	if err != nil {
		return nil, err
	}
	// "If the ID Token is issued ... with an access code, [c_hash] is REQUIRED" only where the front channel carried
	// it; one that is there belongs to the code that was sent (OpenID Connect Core 1.0, section 3.3.2.11).
	if claims.codeHash != nil && !isHalfHash(*claims.codeHash, code) {
		return nil, &Error{Reason: ReasonIDToken, Step: "c_hash"}
	}
	id := claims.identity(c, f, tokens)
	if needUserinfo(f.Scopes) {
		info, err := c.userinfo(ctx, tokens.access, claims.subject)
		if err != nil {
			return nil, err
		}
		c.addUserinfo(id, info)
	}
	return id, nil
}

// callbackParameters are the parameters of a response that decide something here. Only these can make it malformed.
func callbackParameters() []string { return []string{"state", "code", "iss", "error"} }

// checkCallback returns the code of a callback that belongs to f, which is nil for the zero Pending. The order matters:
// before the state is known to be ours, the rest of the callback is an attacker's text and decides nothing.
func (c *Client) checkCallback(f *pendingFields, q url.Values) (string, error) {
	if f == nil || f.Tenant != c.tenant || f.Issuer != c.env.Issuer || f.ClientID != c.clientID ||
		f.RedirectURL != c.redirectURL {
		// A login that another client began, e.g. that of the other environment or of another tenant.
		return "", &Error{Reason: ReasonStateMismatch, Step: "pending"}
	}
	size := 0
	for name, values := range q {
		for _, v := range values {
			size += len(name) + len(v) + 2
		}
	}
	if size > limits.CallbackQuery {
		return "", &Error{Reason: ReasonCallback, Step: "size"}
	}
	// "Request and response parameters MUST NOT be included more than once" (RFC 6749, section 3.1); unknown ones are
	// ignored (section 4.1.2).
	for _, name := range callbackParameters() {
		if len(q[name]) > 1 {
			return "", &Error{Reason: ReasonCallback, Step: "duplicate " + name}
		}
	}
	// "Parameters sent without a value MUST be treated as if they were omitted" (the same section). An empty iss is
	// refused nevertheless, below: it says who answered.
	refused := q.Get("error") != ""
	// RFC 6749, section 10.12: the callback belongs to the login that this browser began.
	if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(f.State)) != 1 {
		return "", &Error{Reason: ReasonStateMismatch, Step: "state"}
	}
	// What is malformed uses nothing up: the real callback may still come.
	if !refused && q.Get("code") == "" {
		return "", &Error{Reason: ReasonCallback, Step: "code"}
	}
	now, created := c.now(), time.UnixMilli(f.Created)
	if !c.finished.First(f.State, now, now.Add(c.pendingTTL+time.Minute)) {
		return "", &Error{Reason: ReasonReplayed, Step: "state"}
	}
	// RFC 9207, section 2.4: an "iss" that is not the expected issuer ends the login. That it is absent says nothing
	// unless the service is known to send it.
	if (q.Has("iss") || c.env.IssuerInCallback) && q.Get("iss") != c.env.Issuer {
		return "", &Error{Reason: ReasonIssuerMismatch, Step: "iss"}
	}
	if refused {
		return "", c.redirectError(q.Get("error"), q["error_description"])
	}
	if age := now.Sub(created); age > c.pendingTTL || age < -defaultSkew {
		e := &Error{Reason: ReasonExpired, Step: "created"}
		if age < 0 {
			e.Detail = "begun in the future: the clocks of the machines that begin and finish logins differ"
		}
		return "", e
	}
	return q.Get("code"), nil
}

// redirectError classifies an error response (RFC 6749, section 4.1.2.1). Of the description only known words are
// looked for, where the code alone would call an outage what the person can mend by starting again; nothing of it is
// kept: whoever sends the browser here writes it.
func (c *Client) redirectError(code string, descriptions []string) error {
	e := &Error{Step: "error", Code: knownCode(code), Reason: reasonOfCode(code)}
	among := func(list []string, word string) bool {
		return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, undressed(word)) })
	}
	left := func(word string) bool { return among(c.wire.ExpiredCodes, word) }
	switch {
	case among(c.wire.CancelCodes, code):
		e.Reason = ReasonUserCancelled
	case e.Reason != ReasonProviderError && e.Reason != ReasonInteractionRequired:
	case left(code) || slices.ContainsFunc(descriptions, left):
		e.Reason = ReasonExpired
	}
	return e
}
