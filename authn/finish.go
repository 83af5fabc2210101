package authn

import (
	"context"
	"crypto/subtle"
	"net/url"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

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
	// "If the ID Token is issued ... with an access code, [c_hash] is REQUIRED" only where the front channel carried it; one
	// that is there belongs to the code that was sent (OpenID Connect Core 1.0, section 3.3.2.11).
	if claims.codeHash != nil && !isHalfHash(*claims.codeHash, code) {
		return nil, &Error{Reason: ReasonIDToken, Check: "c_hash"}
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

// callbackParameters are the parameters of a response that mean something here.
func callbackParameters() []string {
	return []string{"state", "code", "iss", "error", "error_description", "error_uri", "session_state", "response"}
}

// checkCallback returns the code of a callback that belongs to f, which is nil for the zero Pending. The order matters: before the state is known to be
// ours, the rest of the callback is an attacker's text and decides nothing.
func (c *Client) checkCallback(f *pendingFields, q url.Values) (string, error) {
	if f == nil || f.Tenant != c.tenant || f.Issuer != c.env.Issuer || f.ClientID != c.clientID || f.RedirectURL != c.redirectURL {
		// A login that another client began, e.g. that of the other environment or of another tenant.
		return "", &Error{Reason: ReasonStateMismatch, Check: "pending"}
	}
	size := 0
	for name, values := range q {
		for _, v := range values {
			size += len(name) + len(v) + 2
		}
	}
	if size > limits.CallbackQuery {
		return "", &Error{Reason: ReasonCallback, Check: "size"}
	}
	// "Request and response parameters MUST NOT be included more than once" (RFC 6749, section 3.1); unknown ones are
	// ignored (section 4.1.2).
	for _, name := range callbackParameters() {
		if len(q[name]) > 1 {
			return "", &Error{Reason: ReasonCallback, Check: "duplicate " + name}
		}
	}
	// RFC 6749, section 10.12: the callback belongs to the login that this browser began.
	if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(f.State)) != 1 {
		return "", &Error{Reason: ReasonStateMismatch, Check: "state"}
	}
	now, created := c.now(), time.UnixMilli(f.Created)
	if !c.finished.first(f.State, now, now.Add(c.pendingTTL+time.Minute)) {
		return "", &Error{Reason: ReasonReplayed, Check: "state"}
	}
	// RFC 9207, section 2.4: an "iss" that is not the expected issuer ends the login. That it is absent says nothing unless
	// the service is known to send it.
	if (q.Has("iss") || c.env.IssuerInCallback) && q.Get("iss") != c.env.Issuer {
		return "", &Error{Reason: ReasonIssuerMismatch, Check: "iss"}
	}
	if q.Has("error") {
		return "", c.redirectError(q.Get("error"))
	}
	if age := now.Sub(created); age > c.pendingTTL || age < -defaultSkew {
		return "", &Error{Reason: ReasonExpired, Check: "created"}
	}
	code := q.Get("code")
	if code == "" {
		return "", &Error{Reason: ReasonCallback, Check: "code"}
	}
	return code, nil
}

// redirectError classifies an error response (RFC 6749, section 4.1.2.1). error_description is not read: it is text from
// outside that nothing here depends on.
func (c *Client) redirectError(code string) error {
	e := &Error{Check: "error", Code: knownCode(code)}
	if slices.Contains(c.wire.CancelCodes, code) {
		e.Reason = ReasonUserCancelled
	} else {
		e.Reason = reasonOfCode(code)
	}
	return e
}
