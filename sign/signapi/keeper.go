package signapi

import (
	"context"
	"crypto/rand"
	"errors"
	"iter"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/internal/fault"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/sign"
)

// KeeperConfig configures a [Keeper].
type KeeperConfig struct {
	// Client speaks to the service; required.
	Client *Client
	// Store keeps transactions and answers; required. All instances have the same.
	Store Store
	// Keys encrypt the answers; required, because a plain result holds a certificate with a person's attributes, and
	// which kind of result comes is known when it is too late.
	Keys KeyWrapper
	// Lease is how long an instance that asks for a result keeps the others from asking; default 30 seconds, at least
	// 10. A request is given up at half of it, so the clocks of two instances may differ by the other half. When it is
	// over, [Keeper.AskAgain] may ask with the token of an instance that is gone, which has to be valid still.
	Lease time.Duration
}

// Keeper is a [Client] that loses no result: it keeps what the service answers before it returns it. It is safe for
// concurrent use, and several instances may share a store.
type Keeper struct {
	client *Client
	store  Store
	keys   KeyWrapper
	lease  time.Duration
}

const (
	defaultLease  = 30 * time.Second
	shortestLease = 10 * time.Second
)

// NewKeeper validates the configuration. Its error is an [*Error] with [ReasonConfiguration] whose Detail lists every
// mistake by the name of its field.
func NewKeeper(c KeeperConfig) (*Keeper, error) {
	k := &Keeper{client: c.Client, store: c.Store, keys: c.Keys, lease: c.Lease}
	if k.lease == 0 {
		k.lease = defaultLease
	}
	var list fault.Mistakes
	list.Add(c.Client == nil, "Client is missing")
	list.Add(c.Store == nil, "Store is missing")
	list.Add(c.Keys == nil, "Keys is missing")
	list.Add(k.lease < shortestLease, "Lease must be at least 10 seconds")
	if err := misconfigured(list); err != nil {
		return nil, err
	}
	return k, nil
}

// Request is what is to be signed.
type Request struct {
	Document sign.Document
	Mode     sign.Mode // required
	// Reference is by which the application finds its document again: at most 128 characters, no control characters, no
	// personal data.
	Reference string
	// Note is the application's too, at most 1 KiB, no personal data.
	Note string
	// Key makes a repeated Start harmless: while a transaction of the same key can still be signed, or its answer is
	// kept, Start returns that one and sends nothing. A number of the contract, or the id of the form that was sent;
	// the same rules as for Reference. Empty means that every Start is a transaction of its own.
	Key string
}

func (r Request) check() error {
	switch {
	case !plainText(r.Reference, limits.SignReference):
		return &Error{Reason: ReasonRequest, Step: stepStart, Detail: "Reference"}
	case !plainText(r.Key, limits.SignReference):
		return &Error{Reason: ReasonRequest, Step: stepStart, Detail: "Key"}
	case len(r.Note) > limits.SignNote || !utf8.ValidString(r.Note):
		return &Error{Reason: ReasonRequest, Step: stepStart, Detail: "Note"}
	}
	return nil
}

func plainText(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most &&
		!strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// Start hashes the document, registers the transaction and keeps it. The request to the service is sent at most once.
// When it fails after bytes went out, or the instance ends before the transaction is kept, the service may know a
// transaction that nobody else knows: it is never signed and expires there, and another Start makes another. The error
// of a store that failed is [ReasonStore]. Errors are [*Error].
func (k *Keeper) Start(ctx context.Context, r Request) (Kept, error) {
	if err := r.check(); err != nil {
		return Kept{}, err
	}
	tx, err := prepare(ctx, r.Document, r.Mode)
	if err != nil {
		return Kept{}, err
	}
	if r.Key != "" {
		if kept, err := k.begun(ctx, r.Key, tx); err != nil || kept.Transaction != nil {
			return kept, err
		}
	}
	if err := k.client.register(ctx, tx); err != nil {
		return Kept{}, err
	}
	rec := record{Transaction: tx, Reference: r.Reference, Note: r.Note, Since: k.client.now()}
	e := Entry{ID: tx.ID, Key: r.Key, State: StateStarted}
	if e.Record, err = rec.encode(); err != nil {
		return Kept{}, err
	}
	err = k.store.Add(ctx, e)
	for try := 0; try < casTries && errors.Is(err, ErrExists) && r.Key != ""; try++ {
		// Another instance was quicker: there is one transaction for both.
		if kept, err := k.begun(ctx, r.Key, tx); err != nil || kept.Transaction != nil {
			return kept, err
		}
		err = k.store.Add(ctx, e) // that one is over already, and the key is free
	}
	if errors.Is(err, ErrExists) {
		return Kept{}, &Error{Reason: ReasonResponse, Step: stepStart, Detail: "transaction id is known", Err: err}
	}
	if err != nil {
		return Kept{}, storeError(err)
	}
	return rec.kept(StateStarted, k.client.now()), nil
}

// begun returns the transaction that has the key, if it is of use: a zero Kept means that another may be started.
func (k *Keeper) begun(ctx context.Context, key string, tx *sign.Transaction) (Kept, error) {
	asked := false
	for range casTries {
		e, err := k.store.Find(ctx, key)
		if errors.Is(err, ErrAbsent) {
			return Kept{}, nil
		}
		if err != nil {
			return Kept{}, storeError(err)
		}
		r, err := decodeRecord(e)
		if err != nil {
			return Kept{}, err
		}
		now := k.client.now()
		switch {
		case r.Transaction.Digest != tx.Digest || r.Transaction.Mode != tx.Mode:
			return Kept{}, &Error{Reason: ReasonRequest, Step: stepStart, Detail: "Key is another document's"}
		case e.State == StateFetched, e.State == StateFetching && now.Before(r.Claim.Until),
			(e.State == StateStarted || e.State == StateHandedOver) && now.Before(r.Transaction.Expires):
			return r.kept(e.State, now), nil
		case e.State == StateFetching && !asked:
			asked = true
			_, _ = k.AskAgain(ctx, e.ID) // what came of it stands in the entry
			continue
		}
		// It is of no use any more: the key is free for the next one.
		e.Key = ""
		if e.State != StateClosed && e.State != StateOver {
			reason := ReasonExpired
			if e.State == StateFetching {
				reason = ReasonLost
			}
			e.State, r = StateOver, r.over(reason, now)
			if e.Record, err = r.encode(); err != nil {
				return Kept{}, err
			}
		}
		if err := k.store.Replace(ctx, e); !errors.Is(err, ErrMoved) {
			return Kept{}, storeErrorOrNil(err)
		}
	}
	return Kept{}, storeError(ErrMoved)
}

// casTries is how often a write is tried anew because another instance wrote meanwhile.
const casTries = 20

// HandOver notes that the person is sent to the service, and returns the transaction for authn.Request.Sign. It refuses
// one that cannot be signed any more. Handing over again is allowed: a person may begin again in another tab.
// Errors are [*Error].
func (k *Keeper) HandOver(ctx context.Context, id string) (*sign.Transaction, error) {
	for range casTries {
		e, r, err := k.get(ctx, id)
		if err != nil {
			return nil, err
		}
		now := k.client.now()
		switch {
		case e.State == StateOver:
			return nil, &Error{Reason: reasonNamed(r.Reason), Step: stepHandOver}
		case e.State == StateFetched, e.State == StateClosed:
			return nil, &Error{Reason: ReasonConsumed, Step: stepHandOver}
		case e.State == StateFetching && now.Before(r.Claim.Until):
			return nil, k.claimed(r, now)
		case e.State == StateFetching: // it was signed, and the instance that asked for the result is gone
			return nil, &Error{Reason: ReasonLost, Step: stepHandOver}
		case !now.Before(r.Transaction.Expires):
			return nil, &Error{Reason: ReasonExpired, Step: stepHandOver}
		case e.State == StateHandedOver:
			return r.Transaction, nil
		}
		e.State, r.Since = StateHandedOver, now
		if e.Record, err = r.encode(); err != nil {
			return nil, err
		}
		err = k.store.Replace(ctx, e)
		if err == nil {
			return r.Transaction, nil
		}
		if !errors.Is(err, ErrMoved) {
			return nil, storeError(err)
		}
	}
	return nil, storeError(ErrMoved)
}

// get reads an entry with its record.
func (k *Keeper) get(ctx context.Context, id string) (Entry, record, error) {
	e, err := k.store.Get(ctx, id)
	if errors.Is(err, ErrAbsent) {
		return Entry{}, record{}, &Error{Reason: ReasonNotFound, Step: stepKeep, Detail: "not kept", Err: err}
	}
	if err != nil {
		return Entry{}, record{}, storeError(err)
	}
	r, err := decodeRecord(e)
	return e, r, err
}

// over is the record of a transaction without an answer.
func (r record) over(reason Reason, now time.Time) record {
	r.Claim, r.Wrapped, r.Token, r.Reason, r.Since = nil, nil, nil, reason.String(), now
	return r
}

// Close says that the application is done: it has verified the answer, or will not. The answer and its key are deleted;
// what is left says that there was one, until [Keeper.Purge]. Closing again does nothing. Errors are [*Error].
func (k *Keeper) Close(ctx context.Context, id string) error {
	for range casTries {
		e, r, err := k.get(ctx, id)
		switch {
		case err != nil:
			return err
		case e.State == StateClosed:
			return nil
		case e.State != StateFetched:
			return &Error{Reason: ReasonRequest, Step: stepKeep, Detail: "there is no answer to be done with"}
		}
		e.State, e.Answer = StateClosed, nil
		r.Claim, r.Wrapped, r.Token, r.Since = nil, nil, nil, k.client.now()
		if e.Record, err = r.encode(); err != nil {
			return err
		}
		if err := k.store.Replace(ctx, e); !errors.Is(err, ErrMoved) {
			return storeErrorOrNil(err)
		}
	}
	return storeError(ErrMoved)
}

// Unfinished goes through the transactions that somebody still has to do with, in no particular order: after a restart,
// or from time to time. StateFetched: take the answer with [Keeper.Result], verify it, and Close. Interrupted: try
// [Keeper.AskAgain], and if the result is lost tell the person to sign again. The others may yet come back from the
// service. It ends with the first error, an [*Error];
// a record that cannot be read is such an error and does not end it.
func (k *Keeper) Unfinished(ctx context.Context) iter.Seq2[Kept, error] {
	return func(yield func(Kept, error) bool) {
		for e, err := range k.all(ctx, StateStarted, StateHandedOver, StateFetching, StateFetched) {
			if err != nil {
				yield(Kept{}, err)
				return
			}
			r, err := decodeRecord(e)
			if err != nil {
				if !yield(Kept{}, err) {
					return
				}
				continue
			}
			if !yield(r.kept(e.State, k.client.now()), nil) {
				return
			}
		}
	}
}

// all pages through the entries of some states.
func (k *Keeper) all(ctx context.Context, states ...State) iter.Seq2[Entry, error] {
	const page = 200
	return func(yield func(Entry, error) bool) {
		for after := ""; ; {
			entries, err := k.store.List(ctx, List{States: states, After: after, Limit: page})
			if err != nil {
				yield(Entry{}, storeError(err))
				return
			}
			for _, e := range entries {
				if !yield(e, nil) {
					return
				}
				after = e.ID
			}
			if len(entries) < page {
				return
			}
		}
	}
}

// Purged says what [Keeper.Purge] did.
type Purged struct {
	Deleted int // entries that were closed or over
	Expired int // transactions that nobody signed in time; they are over now
	Lost    int // transactions whose instance ended while it was asking; they are over now
	Waiting int // answers kept since before the time that nobody has closed; they stay
}

// Purge ends what has run out and deletes what was closed or over before the given time. An answer is never deleted:
// that is Close. Run it from time to time, in one instance or in all. The error, an [*Error], is the first one; what
// was done until then stays done.
func (k *Keeper) Purge(ctx context.Context, before time.Time) (Purged, error) {
	var p Purged
	for e, err := range k.all(ctx) {
		if err != nil {
			return p, err
		}
		r, err := decodeRecord(e)
		if err != nil {
			continue // Unfinished names it; a state that nobody can read is not a reason to delete it
		}
		now := k.client.now()
		var count *int
		switch {
		case (e.State == StateClosed || e.State == StateOver) && r.Since.Before(before):
			err, count = k.store.Delete(ctx, e), &p.Deleted
		case e.State == StateFetched && r.Since.Before(before):
			p.Waiting++
		case (e.State == StateStarted || e.State == StateHandedOver) && now.After(r.Transaction.Expires.Add(k.lease)):
			err, count = k.end(ctx, e, r.over(ReasonExpired, now)), &p.Expired
		case e.State == StateFetching && now.After(r.Claim.Until.Add(k.lease)) && now.After(r.Transaction.Expires):
			err, count = k.end(ctx, e, r.over(ReasonLost, now)), &p.Lost
		}
		switch {
		case errors.Is(err, ErrMoved): // somebody has to do with it
		case err != nil:
			return p, storeError(err)
		case count != nil:
			*count++
		}
	}
	if p != (Purged{}) {
		k.client.logger.InfoContext(ctx, "signature transactions purged", slog.Int("deleted", p.Deleted),
			slog.Int("expired", p.Expired), slog.Int("lost", p.Lost), slog.Int("waiting", p.Waiting))
	}
	return p, nil
}

// end makes an entry one that is over.
func (k *Keeper) end(ctx context.Context, e Entry, r record) error {
	b, err := r.encode()
	if err != nil {
		return err
	}
	e.State, e.Record, e.Answer = StateOver, b, nil
	return k.store.Replace(ctx, e)
}

func storeError(err error) error {
	if own, ok := errors.AsType[*Error](err); ok {
		return own
	}
	return &Error{Reason: ReasonStore, Step: stepKeep, Err: err}
}

func storeErrorOrNil(err error) error {
	if err == nil {
		return nil
	}
	return storeError(err)
}

// newClaim is a claim that nobody else has.
func (k *Keeper) newClaim(now time.Time) *claim {
	return &claim{By: rand.Text(), Until: now.Add(k.lease)}
}
