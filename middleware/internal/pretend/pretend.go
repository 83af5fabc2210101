// Package pretend carries a made-up visit from package middlewaretest to package middleware. It is internal so that an
// application's own code cannot log anybody in by a context.
package pretend

import (
	"context"
	"time"

	"github.com/kakunin-go/kakunin/authn"
)

// Visit is who pretends to be logged in, and since when.
type Visit struct {
	Identity *authn.Identity
	LoggedIn time.Time
}

type key struct{}

// With returns a context of somebody who is logged in.
func With(ctx context.Context, v Visit) context.Context { return context.WithValue(ctx, key{}, v) }

// From returns what With was given.
func From(ctx context.Context) (Visit, bool) {
	v, ok := ctx.Value(key{}).(Visit)
	return v, ok
}
