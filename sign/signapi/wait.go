package signapi

import (
	"context"
	"errors"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/internal/webcall"
	"github.com/kakunin-go/kakunin/sign"
)

// How often Wait asks. The service says in Retry-After when it wants to be asked again, and is not asked sooner.
const (
	pollEvery = 2 * time.Second
	pollLeast = time.Second
)

// Wait is [Client.Fetch] until the person has signed: it asks every two seconds, or when the service says, until the
// transaction expires or the context ends, and then returns the last error. A request that is under way is carried
// through, because its answer may be the only one. See the package's documentation for what is asked again.
func (c *Client) Wait(ctx context.Context, tx *sign.Transaction, id *authn.Identity) (*Unverified, error) {
	bearer, err := c.bearerFor(tx, id)
	if err != nil {
		return nil, err
	}
	lasting := context.WithoutCancel(ctx)
	return c.poll(ctx, tx, func() (*Unverified, error) { return c.fetch(lasting, tx, bearer) })
}

// Wait is [Keeper.Fetch] until the person has signed, as [Client.Wait]. When another instance asks, it waits for what
// that one keeps.
func (k *Keeper) Wait(ctx context.Context, tx *sign.Transaction, id *authn.Identity) (*Unverified, error) {
	bearer, err := k.client.bearerFor(tx, id)
	if err != nil {
		return nil, err
	}
	return k.client.poll(ctx, tx, func() (*Unverified, error) { return k.fetch(ctx, tx, bearer) })
}

func (c *Client) poll(
	ctx context.Context, tx *sign.Transaction, fetch func() (*Unverified, error),
) (*Unverified, error) {
	for {
		res, err := fetch()
		e, ok := errors.AsType[*Error](err)
		if err == nil || !ok || !e.again() {
			return res, err
		}
		pause := pollEvery
		if e.RetryAfter > 0 {
			pause = max(e.RetryAfter, pollLeast)
		}
		if !tx.Expires.IsZero() && c.now().Add(pause).After(tx.Expires) || !wait(ctx, pause) {
			return nil, err
		}
	}
}

// again reports whether it makes sense to ask for the result once more.
func (e *Error) again() bool {
	switch e.Reason {
	case ReasonPending, ReasonClaimed, ReasonBusy:
		return true
	case ReasonTransport:
		// Nothing of an answer had come. A GET may then be repeated: if the service counts the result as given, no
		// other way is left to find out.
		w, ok := errors.AsType[*webcall.Error](e.Err)
		return e.unanswered && ok && w.Problem != webcall.Cancelled && w.Problem != webcall.BadURL
	default:
		return false
	}
}

// wait waits, or reports false when the context ended before.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
