package authn

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"

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
func (c *Client) Begin(_ context.Context, r Request) (Begun, error) {
	scopes, problem := r.scopeList(&c.wire)
	if problem != "" {
		return Begun{}, badRequest(problem)
	}
	acr := c.acrValues
	if r.ACRValues != nil {
		acr = slices.Clone(r.ACRValues)
	}
	if slices.ContainsFunc(acr, func(s string) bool { return !isScopeToken(s) }) {
		return Begun{}, badRequest("an acr value has spaces or is empty")
	}
	f := &pendingFields{
		Version: pendingVersion, Issuer: c.env.Issuer, ClientID: c.clientID, RedirectURL: c.redirectURL,
		State: randomText(secretSize), Nonce: randomText(secretSize), Verifier: randomText(secretSize),
		Scopes: scopes, Created: c.now().UnixMilli(),
	}
	if r.Sign != nil {
		f.TransactionID = r.Sign.TransactionID()
		if !isUUIDShape(f.TransactionID) && (!c.wire.Sign.AnyTransactionID || !isPlain(f.TransactionID)) {
			return Begun{}, badRequest("the transaction id does not look like one")
		}
	}
	target, problem := c.authorizationURL(f, acr)
	if problem != "" {
		return Begun{}, badRequest(problem)
	}
	return Begun{URL: target, Pending: Pending{seal(f)}}, nil
}

func badRequest(problem string) error {
	return &Error{Reason: ReasonConfiguration, Check: "request", Err: mistake(problem)}
}

// authorizationURL holds the parameters of the published reference and no others. prompt, max_age, login_hint, claims
// and the like are not known to be supported, and what an endpoint does with unknown parameters is its own business.
func (c *Client) authorizationURL(f *pendingFields, acr []string) (target, problem string) {
	challenge := oauth2.S256ChallengeFromVerifier(f.Verifier)
	q := url.Values{
		"response_type":         {"code"},
		"scope":                 {strings.Join(f.Scopes, " ")},
		"client_id":             {f.ClientID},
		"redirect_uri":          {f.RedirectURL},
		"state":                 {f.State},
		"nonce":                 {f.Nonce},
		"code_challenge":        {challenge},
		"code_challenge_method": {"S256"},
	}
	if len(acr) > 0 {
		q.Set("acr_values", strings.Join(acr, " "))
	}
	if f.TransactionID != "" {
		q.Set(c.wire.Sign.AuthorizationIDParam, f.TransactionID)
	}
	for name, value := range q {
		if max := parameterLimit(name); len(value[0]) > max {
			return "", "the parameter " + name + " is too long"
		}
	}
	// Encode writes a space as "+", which only form data means by it; in a URI it is "%20" (RFC 3986, section 2.1), and
	// not every parser forgives. A literal "+" has become "%2B" already.
	return c.env.AuthorizationEndpoint + "?" + strings.ReplaceAll(q.Encode(), "+", "%20"), ""
}

// parameterLimit is the documented length of a parameter; scope and acr_values have none documented.
func parameterLimit(name string) int {
	switch name {
	case "code_challenge":
		return limits.CodeChallenge
	case "scope", "acr_values":
		return limits.ScopeParameter
	default:
		return limits.AuthorizationParameter
	}
}
