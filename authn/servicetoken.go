package authn

import (
	"context"
	"errors"
	"net/url"
	"sync/atomic"
	"time"
)

// serviceTokenMargin is how long before its end a service token is no longer handed out, so that it does not expire on
// its way to the sign API.
const serviceTokenMargin = 30 * time.Second

// serviceTokens caches the one service token. turn has room for one: whoever puts something in may fetch.
type serviceTokens struct {
	turn   chan struct{}
	cached Token // guarded by turn
	// failed is the last failure of the service, for those who were waiting meanwhile.
	failed atomic.Pointer[Error]
}

func newServiceTokens() *serviceTokens { return &serviceTokens{turn: make(chan struct{}, 1)} }

// ServiceToken gets a client_credentials token (RFC 6749, section 4.4) for the sign API. It is cached until 30 s before
// its end and shared by all callers; a token without a stated lifetime is not cached. At most one request is under way:
// others wait for it, or for the end of their context, and share its failure. It never stands for a person.
func (c *Client) ServiceToken(ctx context.Context) (Token, error) {
	s := c.service
	failed := s.failed.Load()
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return Token{}, transportError(ctx.Err())
	}
	defer func() { <-s.turn }()
	if s.cached != (Token{}) && c.now().Add(serviceTokenMargin).Before(s.cached.Expires()) {
		return s.cached, nil
	}
	if e := s.failed.Load(); e != failed {
		own := *e
		return Token{}, &own
	}
	t, err := c.fetchServiceToken(ctx)
	if err != nil {
		var own *Error
		if ctx.Err() == nil && errors.As(err, &own) { // that a caller gave up says nothing about the service
			s.failed.Store(own)
		}
		return Token{}, err
	}
	s.cached = t
	return t, nil
}

// ForgetServiceToken drops t from the cache if it is the cached one: for a caller to whom the sign API said that the
// token is no longer valid.
func (c *Client) ForgetServiceToken(ctx context.Context, t Token) {
	s := c.service
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-s.turn }()
	if s.cached == t {
		s.cached = Token{}
	}
}

func (c *Client) fetchServiceToken(ctx context.Context) (Token, error) {
	parameters := url.Values{}
	if c.wire.ServiceTokenScope != "" {
		parameters.Set("scope", c.wire.ServiceTokenScope)
	}
	answer, err := c.tokenCall(ctx, c.endpointGrant(parameters))
	if err != nil {
		return Token{}, err
	}
	return answer.access(c.now()), nil
}
