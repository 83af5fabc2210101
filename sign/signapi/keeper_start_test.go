package signapi

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kakunin-go/kakunin/sign"
)

// TestStartAgain: with a key, a repeated Start is the same transaction, also of two at once, until that is of no use.
func TestStartAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		start := func(text, key string) (Kept, error) {
			return w.Start(t.Context(), Request{Document: sign.Text(text), Mode: sign.ModeBareHash, Key: key})
		}
		first, err := start(agreement, "form 1")
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				again, err := start(agreement, "form 1")
				if err != nil || again.Transaction.ID != first.Transaction.ID {
					t.Errorf("%v, %v", again.Transaction, err)
				}
			})
		}
		wg.Wait()
		if started, _ := w.svc.requests(); started != 1 {
			t.Errorf("started %d", started)
		}
		if _, err := start("another text", "form 1"); reasonOf(err) != ReasonRequest {
			t.Errorf("another document: %v", err)
		}
		// Two instances that find nothing both ask, and one transaction comes out.
		ids := make([]string, 4)
		for i := range ids {
			wg.Go(func() {
				kept, err := start(agreement, "form 2")
				if err != nil {
					t.Error(err)
					return
				}
				ids[i] = kept.Transaction.ID
			})
		}
		wg.Wait()
		for _, id := range ids {
			if id != ids[0] || id == first.Transaction.ID {
				t.Errorf("%v", ids)
			}
		}
		// Signed: the answer is kept under the key, until it is closed.
		tx := first.Transaction
		if _, err := w.fetch(t.Context(), tx, "user-token"); err != nil {
			t.Fatal(err)
		}
		if again, err := start(agreement, "form 1"); err != nil || again.State != StateFetched ||
			again.Transaction.ID != tx.ID {
			t.Errorf("%+v, %v", again, err)
		}
		if err := w.Close(t.Context(), tx.ID); err != nil {
			t.Fatal(err)
		}
		second, err := start(agreement, "form 1")
		if err != nil || second.Transaction.ID == tx.ID {
			t.Errorf("%+v, %v", second, err)
		}
		// Expired: another one.
		time.Sleep(time.Hour)
		third, err := start(agreement, "form 1")
		if err != nil || third.Transaction.ID == second.Transaction.ID || w.state(second.Transaction) != StateOver {
			t.Errorf("%+v, %v", third, err)
		}
		// Interrupted, and the service still gives the result: the same one.
		if _, _, err := w.claim(t.Context(), third.Transaction, "user-token"); err != nil {
			t.Fatal(err)
		}
		if again, err := start(agreement, "form 1"); err != nil || again.Transaction.ID != third.Transaction.ID {
			t.Errorf("while it is asked for: %+v, %v", again, err)
		}
		time.Sleep(w.lease)
		saved, err := start(agreement, "form 1")
		if err != nil || saved.Transaction.ID != third.Transaction.ID || saved.State != StateFetched {
			t.Errorf("%+v, %v", saved, err)
		}
		if err := w.Close(t.Context(), third.Transaction.ID); err != nil {
			t.Error(err)
		}
		// Interrupted, and the service does not: another one.
		fourth, err := start(agreement, "form 1")
		if err != nil || fourth.Transaction.ID == third.Transaction.ID {
			t.Errorf("%+v, %v", fourth, err)
		}
		w.vanish(fourth.Transaction, true)
		time.Sleep(w.lease)
		fifth, err := start(agreement, "form 1")
		if err != nil || fifth.Transaction.ID == fourth.Transaction.ID {
			t.Errorf("%+v, %v", fifth, err)
		}
		if _, err := w.Result(t.Context(), fourth.Transaction.ID); reasonOf(err) != ReasonLost {
			t.Errorf("%v", err)
		}
	})
}

func TestStartFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := func() Request { return Request{Document: sign.Text("x"), Mode: sign.ModeBareHash} }
	for name, change := range map[string]func(*Request){
		"long reference":    func(r *Request) { r.Reference = strings.Repeat("字", 129) },
		"control character": func(r *Request) { r.Reference = "a\nb" },
		"not UTF-8":         func(r *Request) { r.Key = "\xff" },
		"long key":          func(r *Request) { r.Key = strings.Repeat("k", 129) },
		"long note":         func(r *Request) { r.Note = strings.Repeat("n", 1025) },
		"no mode":           func(r *Request) { r.Mode = sign.ModeUnknown },
		"no document":       func(r *Request) { r.Document = sign.Document{} },
	} {
		r := good()
		change(&r)
		if _, err := w.Start(t.Context(), r); reasonOf(err) != ReasonRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
	if started, _ := w.svc.requests(); started != 0 {
		t.Errorf("started %d", started)
	}
	longest := good()
	longest.Reference, longest.Key = strings.Repeat("𠮷", 128), strings.Repeat("𠮷", 128)
	longest.Note = strings.Repeat("<", 1024)
	if _, err := w.Start(t.Context(), longest); err != nil {
		t.Errorf("the longest: %v", err)
	}
	w.store.set(func(string, Entry) error { return errDiskFull }, nil)
	kept, err := w.Start(t.Context(), good())
	if reasonOf(err) != ReasonStore || !errors.Is(err, errDiskFull) || kept.Transaction != nil {
		t.Errorf("%+v, %v", kept, err)
	}
	w.store.set(nil, nil)
	w.svc.mu.Lock()
	w.svc.started = 0 // a service that gives an id twice
	w.svc.mu.Unlock()
	if _, err := w.Start(t.Context(), good()); reasonOf(err) != ReasonResponse {
		t.Errorf("%v", err)
	}
}

// A key that another instance took a moment ago, for a transaction that is over by now, is free: nobody is told that
// the service gave an id twice.
func TestStartWhereTheOtherIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		taken := false
		w.store.set(func(op string, e Entry) error {
			if op != "add" || taken {
				return nil
			}
			taken = true
			other := record{Transaction: &sign.Transaction{ID: testID, Mode: sign.ModeBareHash}}
			r, err := decodeRecord(e)
			if err != nil {
				return err
			}
			other.Transaction.Digest = r.Transaction.Digest
			other = other.over(ReasonCancelled, w.client.now())
			b, err := other.encode()
			if err != nil {
				return err
			}
			return w.store.Store.Add(t.Context(), Entry{ID: testID, Key: e.Key, State: StateOver, Record: b})
		}, nil)
		kept, err := w.Start(t.Context(), Request{
			Document: sign.Text(agreement), Mode: sign.ModeBareHash, Key: "form 1",
		})
		if err != nil || kept.Transaction.ID == testID || kept.State != StateStarted || !taken {
			t.Fatalf("%+v, %v", kept, err)
		}
		if e, err := w.store.Find(t.Context(), "form 1"); err != nil || e.ID != kept.Transaction.ID {
			t.Errorf("%s, %v", e.ID, err)
		}
	})
}
