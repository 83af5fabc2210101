package authn

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/webcall"
)

const (
	// keysFresh is how long a key set is used without looking for a newer one, which is how a key that the service has
	// withdrawn disappears.
	keysFresh = time.Hour
	// keysUsable is how long it is used when no newer one can be had.
	keysUsable = 24 * time.Hour
	// keysCooldown is the pause after a fetch that brought no new key: so many bad tokens, so few fetches.
	keysCooldown = 30 * time.Second
)

// keyCache holds the service's signing keys. A token that no key verifies makes it look for newer keys once; a fetch
// that brings none, or not the token's, starts the cooldown. That order keeps a flood of bad tokens down to one fetch
// per cooldown and still finds a key that the service began to use a moment ago, be it under a new or a re-used key id.
//
// A fetch runs in the goroutine and under the context of the call that needs it, one at a time: no background work, no
// context kept, and a caller who gives up takes nobody else's fetch along, because the next one waiting starts its own.
type keyCache struct {
	url    string
	client *http.Client
	now    func() time.Time
	log    *slog.Logger

	turn chan struct{} // room for one: whoever puts something in may fetch
	cur  atomic.Pointer[keySnapshot]
	// quiet is when the last fetch that helped no token ended, in nanoseconds since 1970; 0 = never.
	quiet atomic.Int64
	// failed is what the last fetch failed with; nil after one that succeeded.
	failed atomic.Pointer[Error]
}

// keySnapshot never changes.
type keySnapshot struct {
	set     jose.KeySet
	fetched time.Time
}

func newKeyCache(url string, client *http.Client, now func() time.Time, log *slog.Logger) *keyCache {
	return &keyCache{url: url, client: client, now: now, log: log, turn: make(chan struct{}, 1)}
}

// verify checks the token's signature. Errors are [*jose.Error] for a bad token and [*Error] if no keys can be had.
func (k *keyCache) verify(ctx context.Context, t *jose.Token, rules jose.VerifyOptions) ([]byte, error) {
	snap, err := k.current(ctx)
	if err != nil {
		return nil, err
	}
	payload, err := t.Verify(snap.set, rules)
	if !jose.IsKeyMiss(err) {
		return payload, err
	}
	newer, fetchErr := k.newer(ctx, snap)
	if fetchErr != nil {
		return nil, fetchErr // the key may well exist: "could not find out" is not "bad"
	}
	if newer == nil {
		return nil, err
	}
	if payload, err = t.Verify(newer.set, rules); jose.IsKeyMiss(err) {
		// Other keys than before, and none of them the token's: a service that shows another set each time would be
		// asked for every bad token.
		k.quiet.Store(k.now().UnixNano())
	}
	return payload, err
}

// current returns keys that are fresh, or usable while the service cannot be reached.
func (k *keyCache) current(ctx context.Context) (*keySnapshot, error) {
	snap := k.cur.Load()
	if snap != nil {
		// Keys from the future, after the clock was set back, are not fresh: they could stay so for years.
		if age := k.now().Sub(snap.fetched); age >= 0 && age < keysFresh {
			return snap, nil
		}
	}
	usable := snap != nil && k.now().Sub(snap.fetched) < keysUsable
	failed := k.failed.Load()
	if usable {
		select { // while someone else fetches, the old keys will do
		case k.turn <- struct{}{}:
		default:
			return snap, nil
		}
	} else if err := k.wait(ctx); err != nil {
		return nil, err
	}
	defer func() { <-k.turn }()
	if now := k.cur.Load(); now != snap {
		return now, nil
	}
	if usable && k.coolingDown() {
		return snap, nil
	}
	if e := k.failure(); e != nil && !usable && k.failed.Load() != failed {
		// It failed while this call waited. If each tried again after the other, a service that hangs would let them
		// queue up for hours.
		return nil, e
	}
	fresh, err := k.fetch(ctx)
	switch {
	case err == nil:
		k.cur.Store(fresh)
		return fresh, nil
	case usable:
		k.quiet.Store(k.now().UnixNano())
		k.log.WarnContext(
			ctx,
			"signing keys could not be refreshed, the old ones stay in use",
			slog.String("step", err.Step),
		)
		return snap, nil
	default:
		return nil, err
	}
}

// newer returns a snapshot other than seen, or nil if there is none to be had now; in the pause after a failed fetch it
// is not known whether there is one, and the answer is that failure.
func (k *keyCache) newer(ctx context.Context, seen *keySnapshot) (*keySnapshot, error) {
	if k.cur.Load() == seen && k.coolingDown() {
		return nil, k.failure()
	}
	if err := k.wait(ctx); err != nil {
		return nil, err
	}
	defer func() { <-k.turn }()
	if now := k.cur.Load(); now != seen {
		return now, nil
	}
	if k.coolingDown() {
		return nil, k.failure()
	}
	fresh, err := k.fetch(ctx)
	if err != nil {
		// That a caller gave up says nothing about the service, and a refusal without a request costs it nothing: the
		// pause would only begin anew after the circuit's.
		if ctx.Err() == nil && !errors.Is(err, webcall.ErrCircuitOpen) {
			k.quiet.Store(k.now().UnixNano())
		}
		return nil, err
	}
	if !bringsNewKey(seen.set, fresh.set) {
		k.quiet.Store(k.now().UnixNano())
	}
	k.cur.Store(fresh)
	return fresh, nil
}

func (k *keyCache) wait(ctx context.Context) error {
	select {
	case k.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return transportError(ctx.Err())
	}
}

func (k *keyCache) coolingDown() bool {
	last := k.quiet.Load()
	if last == 0 {
		return false
	}
	passed := k.now().Sub(time.Unix(0, last))
	return passed >= 0 && passed < keysCooldown // a clock that was set back must not prolong the pause
}

// failure is what the last fetch failed with, nil if it did not.
func (k *keyCache) failure() error {
	if e := k.failed.Load(); e != nil {
		own := *e
		return &own
	}
	return nil
}

// fetch gets the key set and notes whether that worked; the caller has the turn.
func (k *keyCache) fetch(ctx context.Context) (*keySnapshot, *Error) {
	snap, err := k.get(ctx)
	if err == nil || ctx.Err() == nil { // that a caller gave up says nothing about the service
		k.failed.Store(err)
	}
	return snap, err
}

// get is one request. A set without a usable key counts as a failure: it would refuse every token.
func (k *keyCache) get(ctx context.Context) (*keySnapshot, *Error) {
	a, err := webcall.Get(ctx, k.client, webcall.Query{
		URL: k.url, Limit: limits.JWKS, Accept: "application/json, application/jwk-set+json",
	})
	if err != nil {
		e := transportError(err)
		return nil, &Error{Reason: e.Reason, Step: "signing keys: " + e.Step, Err: e.Err}
	}
	if a.Status != http.StatusOK {
		return nil, &Error{Reason: ReasonTransport, Step: "signing keys: status", Status: a.Status}
	}
	set, err := jose.ParseKeySet(a.Body)
	if err != nil || len(set.Keys) == 0 {
		return nil, &Error{Reason: ReasonTransport, Step: "signing keys: form"}
	}
	return &keySnapshot{set: set, fetched: k.now()}, nil
}

func bringsNewKey(old, fresh jose.KeySet) bool {
	for _, k := range fresh.Keys {
		known := false
		for _, o := range old.Keys {
			known = known || k.Equal(o)
		}
		if !known {
			return true
		}
	}
	return false
}
