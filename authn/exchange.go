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

// exchange sends the code.
func (c *Client) exchange(ctx context.Context, f *pendingFields, code string) (tokens, error) {
	answer, err := c.tokenCall(ctx, c.codeGrant(code, f.RedirectURL, f.Verifier))
	if err != nil {
		return tokens{}, err
	}
	t, err := answer.tokens(c.now(), &c.wire)
	if err == nil && t.idToken == "" {
		err = &Error{Reason: ReasonTokenResponse, Check: "id_token"}
	}
	return t, err
}
