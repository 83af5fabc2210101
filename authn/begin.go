package authn

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"github.com/kakunin-go/kakunin/internal/limits"
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
		err := &Error{Reason: ReasonConfiguration, Check: "request", Err: mistake(problem)}
		c.report(ctx, LoginRefused, nil, err)
		return Begun{}, err
	}
	c.report(ctx, LoginBegun, f, nil)
	return Begun{URL: target, Pending: Pending{seal(f)}}, nil
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
		Version: pendingVersion, Tenant: c.tenant, Issuer: c.env.Issuer, ClientID: c.clientID, RedirectURL: c.redirectURL,
		State: state, Nonce: nonce, Verifier: verifier,
		Scopes: scopes, KeepTokens: r.KeepTokens, Created: c.now().UnixMilli(),
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
func threeSecrets() (a, b, c string) {
	var random [3 * secretSize]byte
	_, _ = rand.Read(random[:]) // never fails
	var text [3 * secretText]byte
	for i := range 3 {
		base64.RawURLEncoding.Encode(text[i*secretText:(i+1)*secretText], random[i*secretSize:(i+1)*secretSize])
	}
	all := string(text[:])
	return all[:secretText], all[secretText : 2*secretText], all[2*secretText:]
}

// authorizationRequest is what all authorization requests of a client have in common, encoded once. It holds the
// parameters of the published reference and no others. prompt, max_age, login_hint, claims and the like are not known to
// be supported, and what an endpoint does with unknown parameters is its own business.
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

// escapeParameter is url.QueryEscape with "%20" for a space. "+" means a space only in form data; in a URI it is "%20" (RFC
// 3986, section 2.1), and not every parser forgives. A literal "+" has become "%2B" already.
func escapeParameter(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// url checks the variable parameters and appends them. State, nonce and challenge are base64url: 43 characters within the
// documented 1 to 255 (128 for the challenge) of [\x20-\x7E] ([0-9a-zA-Z_-] for the challenge), and nothing to escape.
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
