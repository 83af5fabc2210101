package signapi

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/sign"
)

// TestKeptFromStartToEnd goes through every state, and through a restart in each.
func TestKeptFromStartToEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		kept, err := w.Start(t.Context(), Request{
			Document: sign.Text(agreement), Mode: sign.ModeDigestInfo, Reference: "契約 7", Note: "terms 3",
		})
		if err != nil || kept.State != StateStarted || kept.Transaction.Mode != sign.ModeDigestInfo {
			t.Fatalf("%+v, %v", kept, err)
		}
		id := kept.Transaction.ID
		restart := func(want State) {
			t.Helper()
			w.Keeper = w.instance(nil)
			all := w.unfinished()
			if len(all) != 1 || all[0].State != want || all[0].Transaction.ID != id || all[0].Reference != "契約 7" ||
				all[0].Note != "terms 3" || all[0].Interrupted || all[0].Since.IsZero() ||
				all[0].Transaction.Digest != kept.Transaction.Digest || !all[0].Transaction.Expires.Equal(
				kept.Transaction.Expires) {
				t.Errorf("want %v: %+v", want, all)
			}
		}
		restart(StateStarted)
		tx, err := w.HandOver(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		restart(StateHandedOver)
		if _, err := w.Result(t.Context(), id); reasonOf(err) != ReasonPending {
			t.Errorf("no result yet: %v", err)
		}
		if err := w.Close(t.Context(), id); reasonOf(err) != ReasonRequest {
			t.Errorf("closed without an answer: %v", err)
		}
		res, err := w.fetch(t.Context(), tx, "user-token")
		wantPlain(t, "fetch", res, err)
		restart(StateFetched)
		for range 2 { // what is kept needs no request
			res, err = w.fetch(t.Context(), tx, "user-token")
			wantPlain(t, "fetch again", res, err)
			res, err = w.Result(t.Context(), id)
			wantPlain(t, "result", res, err)
		}
		if _, asked := w.svc.requests(); asked != 1 {
			t.Errorf("asked %d times", asked)
		}
		if _, err := w.HandOver(t.Context(), id); reasonOf(err) != ReasonConsumed {
			t.Errorf("handed over once more: %v", err)
		}
		for range 2 {
			if err := w.Close(t.Context(), id); err != nil {
				t.Error(err)
			}
		}
		if all := w.unfinished(); len(all) != 0 {
			t.Errorf("%+v", all)
		}
		e, err := w.store.Get(t.Context(), id)
		if err != nil || e.State != StateClosed || e.Answer != nil || bytes.Contains(e.Record, []byte("wrapped")) {
			t.Errorf("%+v, %v", e, err)
		}
		for _, err := range []error{errOf(w.Result(t.Context(), id)), errOf(w.fetch(t.Context(), tx, "user-token"))} {
			if reasonOf(err) != ReasonConsumed {
				t.Errorf("after closing: %v", err)
			}
		}
		time.Sleep(time.Hour)
		if p, err := w.Purge(t.Context(), time.Now().Add(-2*time.Hour)); err != nil || p != (Purged{}) {
			t.Errorf("too early: %+v, %v", p, err)
		}
		if p, err := w.Purge(t.Context(), time.Now()); err != nil || p != (Purged{Deleted: 1}) {
			t.Errorf("%+v, %v", p, err)
		}
		if _, err := w.Result(t.Context(), id); reasonOf(err) != ReasonNotFound {
			t.Errorf("purged: %v", err)
		}
	})
}

// TestKeepFails: whatever happens to the store, before, while and after the answer comes, the answer is either kept, or
// returned with ReasonNotKept, or the service was not asked.
func TestKeepFails(t *testing.T) {
	t.Parallel()
	keeping := func(e Entry) bool { return e.State == StateFetched }
	for name, c := range map[string]struct {
		before, after func(n int, e Entry) error // n counts the calls
		want          Reason
		kept          bool
		asked         int
	}{
		"full before": {before: func(int, Entry) error { return errDiskFull }, want: ReasonStore},
		"full when the answer comes": {before: func(_ int, e Entry) error {
			if keeping(e) {
				return errDiskFull
			}
			return nil
		}, want: ReasonNotKept, asked: 1},
		"away for a moment": {before: func(n int, e Entry) error {
			if keeping(e) && n < 5 {
				return errDiskFull
			}
			return nil
		}, kept: true, asked: 1},
		"acknowledgement lost": {after: func(_ int, e Entry) error {
			if keeping(e) {
				return errDiskFull
			}
			return nil
		}, kept: true, asked: 1},
		"acknowledgement of the claim lost": {after: func(n int, _ Entry) error {
			if n == 1 {
				return errDiskFull
			}
			return nil
		}, want: ReasonStore},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				tx := w.begin()
				counted := func(f func(int, Entry) error) func(string, Entry) error {
					n := 0
					if f == nil {
						return nil
					}
					return func(_ string, e Entry) error { n++; return f(n, e) }
				}
				w.store.set(counted(c.before), counted(c.after))
				res, err := w.fetch(t.Context(), tx, "user-token")
				w.store.set(nil, nil)
				if reasonOf(err) != c.want {
					t.Errorf("%v: %v", err, errors.Unwrap(err))
				}
				if c.want != ReasonUnknown &&
					(!errors.Is(err, errDiskFull) || kakunin.FamilyOf(err) != kakunin.Unavailable) {
					t.Errorf("the cause is lost: %v", err)
				}
				switch {
				case c.kept || c.want == ReasonNotKept:
					if res == nil || res.Opened == nil || string(res.Opened.RevealCertificate()) != plainSecret {
						t.Errorf("the answer is lost: %v", res)
					}
				case res != nil:
					t.Error("a result out of nothing")
				}
				if _, asked := w.svc.requests(); asked != c.asked {
					t.Errorf("asked %d times", asked)
				}
				if c.kept {
					w.Keeper = w.instance(nil)
					res, err := w.Result(t.Context(), tx.ID)
					wantPlain(t, "after a restart", res, err)
				}
				if !c.kept && c.asked == 0 { // nothing is lost: the service still has it
					time.Sleep(w.lease)
					res, err := w.fetch(t.Context(), tx, "user-token")
					wantPlain(t, "later", res, err)
				}
			})
		})
	}
}

// TestWhoeverAskedKeeps: an instance that was held up for longer than its lease, while another one took the claim and
// got "consumed", keeps its answer all the same; and if the whole entry is gone, too.
func TestWhoeverAskedKeeps(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]func(t *testing.T, w *world, tx *sign.Transaction){
		"another asked": func(t *testing.T, w *world, tx *sign.Transaction) {
			t.Helper()
			if _, err := w.instance(nil).fetch(t.Context(), tx, "user-token"); reasonOf(err) != ReasonLost {
				t.Errorf("the other one: %v", err)
			}
			if w.state(tx) != StateOver {
				t.Errorf("%v", w.state(tx))
			}
		},
		"another asked with the same token": func(t *testing.T, w *world, tx *sign.Transaction) {
			t.Helper()
			if _, err := w.instance(nil).AskAgain(t.Context(), tx.ID); reasonOf(err) != ReasonLost {
				t.Errorf("the other one: %v", err)
			}
		},
		"another asked, and it was purged": func(t *testing.T, w *world, tx *sign.Transaction) {
			t.Helper()
			_, _ = w.instance(nil).fetch(t.Context(), tx, "user-token")
			time.Sleep(time.Second)
			if p, err := w.Purge(t.Context(), time.Now()); p.Deleted != 1 || err != nil {
				t.Errorf("%+v, %v", p, err)
			}
		},
		"nobody did anything": func(*testing.T, *world, *sign.Transaction) {},
		"a purge ended it": func(t *testing.T, w *world, tx *sign.Transaction) {
			t.Helper()
			time.Sleep(time.Hour)
			if p, err := w.Purge(t.Context(), time.Now().Add(-24*time.Hour)); p != (Purged{Lost: 1}) || err != nil {
				t.Errorf("%+v, %v", p, err)
			}
			if _, err := w.Result(t.Context(), tx.ID); reasonOf(err) != ReasonLost {
				t.Errorf("%v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				tx := w.begin()
				first := true
				w.store.set(func(_ string, e Entry) error {
					if e.State == StateFetched && first { // the answer is there, and this instance stands still
						first = false
						time.Sleep(3 * w.lease)
						meanwhile(t, w, tx)
					}
					return nil
				}, nil)
				res, err := w.fetch(t.Context(), tx, "user-token")
				wantPlain(t, "the one that was held up", res, err)
				res, err = w.Result(t.Context(), tx.ID)
				wantPlain(t, "kept", res, err)
			})
		})
	}
}

// TestOneInstanceAsks: of many at once one asks, and all get what it got.
func TestOneInstanceAsks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		tx := w.begin()
		w.svc.result = func(*http.Request, int) (*http.Response, error) {
			time.Sleep(3 * time.Second) // a slow service
			return nil, nil             //nolint:nilnil // goes on as usual
		}
		var wg sync.WaitGroup
		for range 8 {
			k := w.instance(nil)
			wg.Go(func() {
				res, err := k.client.poll(t.Context(), tx, func() (*Unverified, error) {
					return k.fetch(t.Context(), tx, "user-token")
				})
				wantPlain(t, "each", res, err)
			})
		}
		time.Sleep(time.Second)
		_, err := w.fetch(t.Context(), tx, "user-token")
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Reason != ReasonClaimed || e.RetryAfter <= 0 || e.RetryAfter > pollEvery ||
			kakunin.FamilyOf(err) != kakunin.Unavailable {
			t.Errorf("%v", err)
		}
		if _, err := w.HandOver(t.Context(), tx.ID); reasonOf(err) != ReasonClaimed {
			t.Errorf("handed over meanwhile: %v", err)
		}
		wg.Wait()
		if _, asked := w.svc.requests(); asked != 1 {
			t.Errorf("asked %d times", asked)
		}
	})
}

// TestCallerGoesAway: a request that is under way is carried through, and its answer is kept.
func TestCallerGoesAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		tx := w.begin()
		ctx, cancel := context.WithCancel(t.Context())
		w.svc.result = func(*http.Request, int) (*http.Response, error) {
			cancel()
			return nil, nil //nolint:nilnil // goes on as usual
		}
		res, err := w.fetch(ctx, tx, "user-token")
		wantPlain(t, "fetch", res, err)
		if w.state(tx) != StateFetched {
			t.Error(w.state(tx))
		}
		other := w.begin()
		if _, err := w.fetch(ctx, other, "user-token"); reasonOf(err) != ReasonStore {
			t.Errorf("begun after the end: %v", err)
		}
		if _, asked := w.svc.requests(); asked != 1 {
			t.Errorf("asked %d times", asked)
		}
	})
}

// TestInterrupted: an instance that ends in the middle leaves a claim that is named, in this run and after a restart.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		tx := w.begin()
		h, _, err := w.claim(t.Context(), tx, "user-token") // and no more is heard of it
		if err != nil || h == nil {
			t.Fatal(err)
		}
		if all := w.unfinished(); len(all) != 1 || all[0].Interrupted || all[0].State != StateFetching {
			t.Errorf("%+v", all)
		}
		time.Sleep(w.lease)
		if all := w.unfinished(); len(all) != 1 || !all[0].Interrupted {
			t.Errorf("%+v", all)
		}
		if _, err := w.HandOver(t.Context(), tx.ID); reasonOf(err) != ReasonLost {
			t.Errorf("handed over: %v", err)
		}
		// Whoever has a token may ask: the service may not have given it.
		res, err := w.fetch(t.Context(), tx, "user-token")
		wantPlain(t, "asked again", res, err)
		// Without a token it is lost when the transaction is over.
		tx = w.begin()
		if _, _, err := w.claim(t.Context(), tx, "user-token"); err != nil {
			t.Fatal(err)
		}
		unsigned, err := w.Start(t.Context(), Request{Document: sign.Text("x"), Mode: sign.ModeBareHash})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		before := time.Now().Add(-24 * time.Hour)
		if p, err := w.Purge(t.Context(), before); err != nil || p != (Purged{Lost: 1, Expired: 1}) {
			t.Errorf("%+v, %v", p, err)
		}
		_, err = w.Result(t.Context(), tx.ID)
		if reasonOf(err) != ReasonLost || kakunin.FamilyOf(err) != kakunin.User {
			t.Errorf("%v", err)
		}
		if _, err := w.HandOver(t.Context(), unsigned.Transaction.ID); reasonOf(err) != ReasonExpired {
			t.Errorf("%v", err)
		}
		// What waits for the application is never purged, and counted.
		if p, err := w.Purge(t.Context(), time.Now()); err != nil || p.Waiting != 1 {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

// TestFinalAnswers: what ends a transaction is remembered, what does not leaves it as it was.
func TestFinalAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		body   string
		want   Reason
		state  State
	}{
		{409, ``, ReasonCancelled, StateOver},
		{410, ``, ReasonExpired, StateOver},
		{410, `{"why":"e-consumed"}`, ReasonConsumed, StateOver},
		{404, ``, ReasonNotFound, StateOver},
		{297, ``, ReasonPending, StateHandedOver},
		{401, ``, ReasonUserToken, StateHandedOver},
		{403, ``, ReasonScope, StateHandedOver},
		{409, `{"why":"e-conflict"}`, ReasonConflict, StateHandedOver},
		{503, ``, ReasonBusy, StateHandedOver},
		{500, `{}`, ReasonTransport, StateHandedOver},
		{302, ``, ReasonResponse, StateHandedOver},
		{298, ``, ReasonResponse, StateHandedOver},
	} {
		w := newWorld(t)
		tx := w.begin()
		w.svc.result = func(*http.Request, int) (*http.Response, error) { return respond(c.status, c.body), nil }
		res, err := w.fetch(t.Context(), tx, "user-token")
		if res != nil || reasonOf(err) != c.want || c.body != "" && w.state(tx) != c.state {
			t.Errorf("%d %s: %v, %v", c.status, c.body, err, w.state(tx))
		}
		if c.state != StateOver {
			continue
		}
		for _, err := range []error{
			errOf(w.fetch(t.Context(), tx, "user-token")), errOf(w.Result(t.Context(), tx.ID)),
		} {
			if reasonOf(err) != c.want {
				t.Errorf("%d %s, again: %v", c.status, c.body, err)
			}
		}
		if _, asked := w.svc.requests(); asked != 1 {
			t.Errorf("%d %s: asked %d times", c.status, c.body, asked)
		}
	}
}

func TestKeeperConfiguration(t *testing.T) {
	t.Parallel()
	_, err := NewKeeper(KeeperConfig{Lease: time.Second})
	if want := "signapi: configuration: client: Client is missing; Store is missing; Keys is missing; " +
		"Lease must be at least 10 seconds"; err == nil || err.Error() != want {
		t.Error(err)
	}
}
