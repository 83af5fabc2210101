package signapi

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/sign"
)

// Fetch returns the result, and keeps it first. What is kept already is returned without a request. Of several
// instances one asks; the others get [ReasonClaimed] and, a moment later, what the first one kept. A transaction that
// was started without a Keeper is taken in.
//
// The result is kept as it came, before anybody reads it: an answer that cannot be read ([ReasonResponse]) is kept too,
// and [Keeper.Result] reads it when the wire profile is put right.
//
// When the answer came and the store failed, Fetch returns both: the result, and an [*Error] with [ReasonNotKept]. The
// service may give no other one, so whoever gets both keeps the result some other way, or verifies it at once. With
// every other error the result is nil. A context that ends before the request stops everything; a request that is under
// way is carried through, and its answer kept, because there may be no second one. Errors are [*Error].
func (k *Keeper) Fetch(ctx context.Context, tx *sign.Transaction, id *authn.Identity) (*Unverified, error) {
	bearer, err := k.client.bearerFor(tx, id)
	if err != nil {
		return nil, err
	}
	return k.fetch(ctx, tx, bearer)
}

func (k *Keeper) fetch(ctx context.Context, tx *sign.Transaction, bearer string) (*Unverified, error) {
	if bearer == "" {
		return nil, &Error{Reason: ReasonUserToken, Step: stepResult}
	}
	h, kept, err := k.claim(ctx, tx, bearer)
	if err != nil || kept != nil {
		return kept, err
	}
	return k.askAndKeep(ctx, h, bearer)
}

// askAndKeep asks for the result of a transaction that this call has claimed.
func (k *Keeper) askAndKeep(ctx context.Context, h *held, bearer string) (*Unverified, error) {
	// The person may go away; what comes is kept all the same. Half of the lease: nobody else asks while this request
	// is under way, even if clocks differ.
	lasting := context.WithoutCancel(ctx)
	asking, cancel := context.WithTimeout(lasting, k.lease/2)
	a, err := k.client.ask(asking, h.record.Transaction, bearer)
	cancel()
	if err == nil {
		if judged := k.client.judge(a, k.client.resultExchange()); judged != nil && !worthKeeping(a, judged) {
			err = judged
		}
	}
	if err != nil {
		return nil, k.release(lasting, h, err)
	}
	if err := k.keep(lasting, h, a); err != nil {
		res, unread := k.client.read(ctx, a, h.record.Transaction)
		if unread != nil { // nothing that anybody could use
			return nil, unread
		}
		return res, err
	}
	return k.client.read(ctx, a, h.record.Transaction)
}

// AskAgain asks for the result of a transaction that is [Kept.Interrupted], with the token that its instance had: if
// the request never came to the service, or the service gives a result more than once, the result is saved. Otherwise
// the transaction is over, and the error is [ReasonLost]; when the service cannot be asked just now, the error says so
// and the transaction stays as it was. Of several instances one asks. For any other transaction it is [Keeper.Result].
// The result is kept before it is returned, as with [Keeper.Fetch], whose errors are this one's, too.
func (k *Keeper) AskAgain(ctx context.Context, id string) (*Unverified, error) {
	e, r, err := k.get(ctx, id)
	if err != nil {
		return nil, err
	}
	now := k.client.now()
	switch {
	case e.State != StateFetching:
		return k.result(ctx, e, r)
	case now.Before(r.Claim.Until):
		return nil, k.claimed(r, now)
	case len(r.Token) == 0: // it did not fit
		return nil, &Error{Reason: ReasonLost, Step: stepKeep}
	}
	key, err := k.unwrap(ctx, r)
	if err != nil {
		return nil, err
	}
	token, err := key.aead.Open(nil, nil, r.Token, []byte(key.label+tokenLabel))
	if err != nil {
		return nil, &Error{Reason: ReasonTampered, Step: stepKeep, Detail: "token", Err: err}
	}
	h := &held{entry: e, record: r, key: key, again: true, kept: true}
	h.record.Claim, h.record.Since = k.newClaim(now), now
	if h.entry.Record, err = h.record.encode(); err != nil {
		return nil, err
	}
	err = k.store.Replace(ctx, h.entry)
	if errors.Is(err, ErrMoved) { // another instance is at it
		return nil, &Error{Reason: ReasonClaimed, Step: stepResult, RetryAfter: pollEvery}
	}
	if err != nil {
		return nil, storeError(err)
	}
	h.entry.Version++
	return k.askAndKeep(ctx, h, string(token))
}

// worthKeeping: a success whose contents nobody understands is the answer, under names that are not the wire
// profile's.
func worthKeeping(a reply, judged error) bool {
	e, ok := errors.AsType[*Error](judged)
	return ok && e.Reason == ReasonResponse && a.status >= 200 && a.status < 300 && len(a.body) > 0
}

// held is a claim of this call.
type held struct {
	entry  Entry // as it is stored
	record record
	key    *answerKey
	again  bool // somebody asked before, and is not heard of
	kept   bool // with the token that was kept: there is no other
}

// claim makes this call the one that asks, or returns what is kept. Everything that can fail is done here, before the
// service is asked: the key is wrapped, and a write has shown that the store takes one.
func (k *Keeper) claim(ctx context.Context, tx *sign.Transaction, bearer string) (*held, *Unverified, error) {
	var key *answerKey
	for range casTries {
		e, r, err := k.get(ctx, tx.ID)
		if errors.Is(err, ErrAbsent) {
			if err = k.takeIn(ctx, tx); err == nil {
				continue
			}
		}
		if err != nil {
			return nil, nil, err
		}
		if r.Transaction.Digest != tx.Digest || r.Transaction.Mode != tx.Mode {
			return nil, nil, &Error{Reason: ReasonRequest, Step: stepResult, Detail: "not the transaction that is kept"}
		}
		now := k.client.now()
		switch {
		case e.State == StateFetching && now.Before(r.Claim.Until):
			return nil, nil, k.claimed(r, now)
		case e.State >= StateFetched:
			res, err := k.result(ctx, e, r)
			return nil, res, err
		}
		if key == nil {
			if key, err = k.newKey(ctx, tx); err != nil {
				return nil, nil, err
			}
		}
		again := e.State == StateFetching
		r.Claim, r.Wrapped, r.Token, r.Since = k.newClaim(now), key.wrapped, key.sealToken(bearer), now
		e.State = StateFetching
		if e.Record, err = r.encode(); err != nil { // too long: rather without the token than not at all
			r.Token = nil
			if e.Record, err = r.encode(); err != nil {
				return nil, nil, err
			}
		}
		err = k.store.Replace(ctx, e)
		if err == nil {
			e.Version++
			return &held{entry: e, record: r, key: key, again: again}, nil, nil
		}
		if !errors.Is(err, ErrMoved) {
			return nil, nil, storeError(err)
		}
	}
	return nil, nil, storeError(ErrMoved)
}

// claimed is the error of whoever is not the one that asks.
func (k *Keeper) claimed(r record, now time.Time) error {
	return &Error{Reason: ReasonClaimed, Step: stepResult, RetryAfter: min(max(r.Claim.Until.Sub(now), 0), pollEvery)}
}

// takeIn keeps a transaction that was started without a Keeper.
func (k *Keeper) takeIn(ctx context.Context, tx *sign.Transaction) error {
	copied := *tx
	rec := record{Transaction: &copied, Since: k.client.now()}
	b, err := rec.encode()
	if err != nil {
		return err
	}
	err = k.store.Add(ctx, Entry{ID: tx.ID, State: StateHandedOver, Record: b})
	if errors.Is(err, ErrExists) {
		return nil
	}
	return storeErrorOrNil(err)
}

// How an answer is tried to be kept: so often, for so long each time, with pauses that begin small and grow. An
// instance that stood still for an hour has all its tries left.
const (
	keepTries    = 10
	keepTry      = 5 * time.Second
	firstPause   = 50 * time.Millisecond
	longestPause = 2 * time.Second
)

// keep writes the answer down. Whatever others made of the entry meanwhile, because this call was out of its time: an
// answer that is there wins over none, and the first answer over the second.
func (k *Keeper) keep(ctx context.Context, h *held, a reply) error {
	e, r := h.entry, h.record
	r.Claim, r.Token, r.Wrapped, r.Since = nil, nil, h.key.wrapped, k.client.now()
	e.State, e.Answer = StateFetched, h.key.seal(a)
	record, err := r.encode()
	if err != nil {
		return err
	}
	e.Record = record
	pause := firstPause
	for range keepTries {
		try, cancel := context.WithTimeout(ctx, keepTry)
		var done, again bool
		done, again, err = k.keepOnce(try, &e)
		cancel()
		switch {
		case done:
			return nil
		case again:
			continue
		}
		if !wait(ctx, pause) {
			break
		}
		pause = min(2*pause, longestPause)
	}
	k.client.logger.ErrorContext(ctx, "the result of a signature could not be kept")
	return &Error{Reason: ReasonNotKept, Step: stepKeep, Err: err}
}

// keepOnce writes the entry. again says that it may be written at once, as it is now.
func (k *Keeper) keepOnce(ctx context.Context, e *Entry) (done, again bool, err error) {
	err = k.store.Replace(ctx, *e)
	if err == nil {
		return true, false, nil
	}
	if errors.Is(err, ErrExists) { // the key is another transaction's by now
		e.Key = ""
		return false, true, err
	}
	// A write that failed may have happened.
	now, readErr := k.store.Get(ctx, e.ID)
	switch {
	case errors.Is(readErr, ErrAbsent): // purged: the lease is long over
		if err = k.store.Add(ctx, *e); errors.Is(err, ErrExists) {
			e.Key = ""
		}
		return err == nil, false, err
	case readErr != nil:
		return false, false, err
	case now.State == StateFetched || now.State == StateClosed:
		return true, false, nil
	case now.Version != e.Version:
		e.Version, e.Key = now.Version, now.Key
		return false, true, err
	default:
		return false, false, err
	}
}

// release gives the claim back, because of an error, and returns what the caller is told. That it fails is no loss: the
// claim runs out.
func (k *Keeper) release(ctx context.Context, h *held, because error) error {
	ctx, cancel := context.WithTimeout(ctx, keepTry)
	defer cancel()
	e, r, now := h.entry, h.record, k.client.now()
	why := ReasonUnknown
	if own, ok := errors.AsType[*Error](because); ok {
		why = own.Reason
	}
	if h.again && (why == ReasonConsumed || why == ReasonExpired) || h.kept && refused(why) {
		// It may have been given to the one who asked before, and no token is left to ask with.
		why, because = ReasonLost, &Error{Reason: ReasonLost, Step: stepResult, Err: because}
	}
	switch {
	case final(why):
		r, e.State = r.over(why, now), StateOver
	case h.kept || brokenOff(because): // it is interrupted, and can be asked for again at once
		r.Claim, r.Since = &claim{By: r.Claim.By, Until: now}, now
	default:
		r.Claim, r.Wrapped, r.Token, r.Since, e.State = nil, nil, nil, now, StateHandedOver
	}
	var err error
	if e.Record, err = r.encode(); err == nil {
		err = k.store.Replace(ctx, e)
	}
	if err != nil && !errors.Is(err, ErrMoved) {
		k.client.logger.WarnContext(ctx, "a signature transaction could not be released; its claim runs out",
			slog.Duration("lease", k.lease))
	}
	return because
}

// brokenOff says that an answer had begun: it may have been the only one, or there is another.
func brokenOff(err error) bool {
	own, ok := errors.AsType[*Error](err)
	return ok && own.Reason == ReasonTransport && own.Status == 0 && !own.unanswered
}

// refused says that the token is of no use.
func refused(r Reason) bool { return r == ReasonUserToken || r == ReasonScope || r == ReasonConflict }

// final are the answers after which no other one comes.
func final(r Reason) bool {
	switch r {
	case ReasonCancelled, ReasonExpired, ReasonConsumed, ReasonNotFound, ReasonLost:
		return true
	default:
		return false
	}
}

// Result returns the result that is kept, without asking the service. Errors are [*Error]: [ReasonNotFound] for a
// transaction that is not kept, [ReasonPending] for one whose answer is not there yet, [ReasonConsumed] for one that
// was closed, the reason of [Kept] for one that is over, [ReasonKeys] when the key cannot be had, [ReasonTampered] when
// what is stored is not what was kept.
func (k *Keeper) Result(ctx context.Context, id string) (*Unverified, error) {
	e, r, err := k.get(ctx, id)
	if err != nil {
		return nil, err
	}
	return k.result(ctx, e, r)
}

func (k *Keeper) result(ctx context.Context, e Entry, r record) (*Unverified, error) {
	switch e.State {
	case StateFetched:
		a, err := k.open(ctx, e, r)
		if err != nil {
			return nil, err
		}
		return k.client.read(ctx, a, r.Transaction)
	case StateClosed:
		return nil, &Error{Reason: ReasonConsumed, Step: stepKeep, Detail: "closed by the application"}
	case StateOver:
		return nil, &Error{Reason: reasonNamed(r.Reason), Step: stepKeep}
	default:
		return nil, &Error{Reason: ReasonPending, Step: stepKeep}
	}
}
