package authn

import (
	"context"
	"time"
)

// tokens is what a code or refresh token was exchanged for.
type tokens struct {
	access         Token
	refresh        string // empty: none
	refreshExpires time.Time
	idToken        string   // empty: none
	granted        []string // nil: the response has no scope
}

// exchange sends the code (RFC 6749, section 4.1.3) with PKCE (RFC 7636) and private_key_jwt.
func (c *Client) exchange(ctx context.Context, f *pendingFields, code string) (tokens, error) {
	answer, err := c.tokenCall(ctx, "grant_type", "authorization_code", "code", code, "redirect_uri", f.RedirectURL,
		"code_verifier", f.Verifier)
	if err != nil {
		return tokens{}, err
	}
	t, err := answer.tokens(c.now(), &c.wire)
	if err == nil && t.idToken == "" {
		err = &Error{Reason: ReasonTokenResponse, Check: "id_token"}
	}
	return t, err
}
