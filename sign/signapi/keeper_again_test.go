package signapi

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/sign"
)

// vanish makes an instance claim a transaction and end: before the service hears of it, or after it has given.
func (w *world) vanish(tx *sign.Transaction, given bool) {
	w.t.Helper()
	if h, _, err := w.claim(w.t.Context(), tx, "user-token"); err != nil || h == nil {
		w.t.Fatal(err)
	}
	if given {
		if _, err := w.client.ask(w.t.Context(), tx, "user-token"); err != nil {
			w.t.Fatal(err)
		}
	}
}

// TestAskAgain: the request of an instance that is gone is made by another one, and the result is kept.
func TestAskAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var bearers []string
		w.svc.result = func(r *http.Request, _ int) (*http.Response, error) {
			bearers = append(bearers, r.Header.Get("Authorization"))
			return nil, nil //nolint:nilnil // goes on as usual
		}
		tx := w.begin()
		if _, err := w.AskAgain(t.Context(), tx.ID); reasonOf(err) != ReasonPending {
			t.Errorf("nobody has asked: %v", err)
		}
		w.vanish(tx, false)
		e, err := w.store.Get(t.Context(), tx.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"user-token", base64.StdEncoding.EncodeToString([]byte("user-token"))} {
			if bytes.Contains(e.Record, []byte(secret)) {
				t.Errorf("%q is in the store", secret)
			}
		}
		if _, err := w.AskAgain(t.Context(), tx.ID); reasonOf(err) != ReasonClaimed {
			t.Errorf("it may be at work: %v", err)
		}
		time.Sleep(w.lease)
		res, err := w.instance(nil).AskAgain(t.Context(), tx.ID)
		wantPlain(t, "saved", res, err)
		if len(bearers) != 1 || bearers[0] != "Bearer user-token" || w.state(tx) != StateFetched {
			t.Errorf("%q, %v", bearers, w.state(tx))
		}
		if e, err = w.store.Get(t.Context(), tx.ID); err != nil || bytes.Contains(e.Record, []byte(`"token"`)) {
			t.Errorf("the token is still there: %v", err)
		}
		res, err = w.AskAgain(t.Context(), tx.ID)
		wantPlain(t, "kept", res, err)
		if len(bearers) != 1 {
			t.Errorf("asked %d times", len(bearers))
		}
		if _, err := w.AskAgain(t.Context(), testID); reasonOf(err) != ReasonNotFound {
			t.Errorf("%v", err)
		}
	})
}

// TestAskAgainInVain: what the service has given and does not give again, or not for the token that was kept, is lost,
// and said to be.
func TestAskAgainInVain(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func() *http.Response{
		"given once":      nil,
		"410":             func() *http.Response { return respond(410, ``) },
		"401":             func() *http.Response { return respond(401, ``) },
		"403":             func() *http.Response { return respond(403, ``) },
		"another's token": func() *http.Response { return respond(409, `{"why":"e-conflict"}`) },
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			tx := w.begin()
			w.vanish(tx, answer == nil)
			time.Sleep(w.lease)
			if answer != nil {
				w.svc.result = func(*http.Request, int) (*http.Response, error) { return answer(), nil }
			}
			_, err := w.AskAgain(t.Context(), tx.ID)
			if reasonOf(err) != ReasonLost || kakunin.FamilyOf(err) != kakunin.User || errors.Unwrap(err) == nil {
				t.Errorf("%s: %v", name, err)
			}
			_, asked := w.svc.requests()
			if _, err := w.AskAgain(t.Context(), tx.ID); reasonOf(err) != ReasonLost || w.state(tx) != StateOver {
				t.Errorf("%s, again: %v, %v", name, err, w.state(tx))
			}
			if _, now := w.svc.requests(); now != asked {
				t.Errorf("%s: asked again", name)
			}
		})
	}
}

// TestAskAgainLater: a service that cannot be asked just now is asked later, with the same token.
func TestAskAgainLater(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer func() (*http.Response, error)
		want   Reason
	}{
		"busy":    {func() (*http.Response, error) { return respond(503, ``), nil }, ReasonBusy},
		"pending": {func() (*http.Response, error) { return respond(297, ``), nil }, ReasonPending},
		"away":    {func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF }, ReasonTransport},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			tx := w.begin()
			w.vanish(tx, false)
			time.Sleep(w.lease)
			w.svc.result = func(_ *http.Request, asked int) (*http.Response, error) {
				if asked == 1 {
					return c.answer()
				}
				return nil, nil //nolint:nilnil // goes on as usual
			}
			if _, err := w.AskAgain(t.Context(), tx.ID); reasonOf(err) != c.want {
				t.Errorf("%s: %v", name, err)
			}
			if all := w.unfinished(); len(all) != 1 || !all[0].Interrupted {
				t.Errorf("%s: %+v", name, all)
			}
			res, err := w.AskAgain(t.Context(), tx.ID)
			wantPlain(t, name, res, err)
		})
	}
}

// TestBrokenOff: an answer that broke off leaves a transaction that is interrupted, and asked for again.
func TestBrokenOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tx := w.begin()
	w.svc.result = func(_ *http.Request, asked int) (*http.Response, error) {
		if asked > 1 {
			return nil, nil //nolint:nilnil // goes on as usual
		}
		half := respond(298, "")
		half.Body = io.NopCloser(io.MultiReader(strings.NewReader(plainResult()[:100]), broken{}))
		return half, nil
	}
	if _, err := w.fetch(t.Context(), tx, "user-token"); reasonOf(err) != ReasonTransport {
		t.Errorf("%v", err)
	}
	if all := w.unfinished(); len(all) != 1 || !all[0].Interrupted {
		t.Errorf("%+v", all)
	}
	res, err := w.AskAgain(t.Context(), tx.ID)
	wantPlain(t, "the second answer", res, err)
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestOneInstanceAsksAgain: of several instances one asks, and the others are told.
func TestOneInstanceAsksAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		tx := w.begin()
		w.vanish(tx, false)
		time.Sleep(w.lease)
		var wg sync.WaitGroup
		var mu sync.Mutex
		results := map[Reason]int{}
		for range 5 {
			k := w.instance(nil)
			wg.Go(func() {
				_, err := k.AskAgain(t.Context(), tx.ID)
				mu.Lock()
				defer mu.Unlock()
				results[reasonOf(err)]++
			})
		}
		wg.Wait()
		if _, asked := w.svc.requests(); asked != 1 || results[ReasonUnknown]+results[ReasonClaimed] != 5 ||
			results[ReasonUnknown] == 0 {
			t.Errorf("asked %d times, %v", asked, results)
		}
	})
}

// TestTokenAltered: a token that somebody changed, or put in another's place, is sent to nobody.
func TestTokenAltered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		tx, other := w.begin(), w.begin()
		w.vanish(tx, false)
		w.vanish(other, false)
		time.Sleep(w.lease)
		get := func(id string) (Entry, record) {
			e, r, err := w.get(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			return e, r
		}
		_, foreign := get(other.ID)
		for name, c := range map[string]struct {
			change func(*record)
			want   []Reason
		}{
			"flipped":   {func(r *record) { r.Token[len(r.Token)-1] ^= 1 }, []Reason{ReasonTampered}},
			"short":     {func(r *record) { r.Token = r.Token[:5] }, []Reason{ReasonTampered}},
			"another's": {func(r *record) { r.Token = foreign.Token }, []Reason{ReasonTampered}},
			"another's, with its key": {func(r *record) { r.Token, r.Wrapped = foreign.Token, foreign.Wrapped },
				[]Reason{ReasonTampered, ReasonKeys}},
			"none": {func(r *record) { r.Token = nil }, []Reason{ReasonLost}},
		} {
			e, r := get(tx.ID)
			good := e
			c.change(&r)
			var err error
			if e.Record, err = r.encode(); err != nil {
				t.Fatal(err)
			}
			if err := w.store.Replace(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			_, err = w.AskAgain(t.Context(), tx.ID)
			if got := reasonOf(err); got != c.want[0] && got != c.want[len(c.want)-1] {
				t.Errorf("%s: %v", name, err)
			}
			good.Version++
			if err := w.store.Replace(t.Context(), good); err != nil {
				t.Fatal(err)
			}
		}
		if _, asked := w.svc.requests(); asked != 0 {
			t.Errorf("asked %d times", asked)
		}
		w.store.set(func(string, Entry) error { return errDiskFull }, nil)
		if _, err := w.AskAgain(t.Context(), tx.ID); reasonOf(err) != ReasonStore {
			t.Errorf("%v", err)
		}
		w.store.set(nil, nil)
		res, err := w.AskAgain(t.Context(), tx.ID)
		wantPlain(t, "the good one", res, err)
	})
}

// TestLongTokens: what does not fit into the record is left out, and the result is fetched all the same.
func TestLongTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.keys = &longKeys{w.keys}
	w.Keeper = w.instance(nil)
	for _, token := range []string{
		strings.Repeat("t", limits.KeptToken), strings.Repeat("t", limits.KeptToken+1),
	} {
		kept, err := w.Start(t.Context(), Request{
			Document: sign.Text(agreement), Mode: sign.ModeBareHash, Note: strings.Repeat("<", limits.SignNote),
			Reference: strings.Repeat("𠮷", limits.SignReference),
		})
		if err != nil {
			t.Fatal(err)
		}
		h, _, err := w.claim(t.Context(), kept.Transaction, token)
		if err != nil || h.record.Token != nil {
			t.Errorf("%v", err)
		}
	}
}

// longKeys wraps as long as a key service may.
type longKeys struct{ KeyWrapper }

func (l *longKeys) WrapKey(ctx context.Context, key []byte, label string) ([]byte, error) {
	b, err := l.KeyWrapper.WrapKey(ctx, key, label)
	return append(b, make([]byte, limits.WrappedKey-len(b))...), err
}
