package operations_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/operations"
)

const replace = "trust.replace"

var (
	now    = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	asker  = operations.Actor{ID: "staff-1", Role: "engineer"}
	second = operations.Actor{ID: "staff-2", Role: "officer"}
	third  = operations.Actor{ID: "staff-3", Role: "officer"}
)

// world is a log and journals over it.
type world struct {
	t   *testing.T
	log *evidence.Log
	now atomic.Pointer[time.Time]
}

func newWorld(t *testing.T, store evidence.Store) *world {
	t.Helper()
	w := &world{t: t}
	w.now.Store(&now)
	log, err := evidence.OpenLog(evidence.LogConfig{Store: store, Now: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	w.log = log
	return w
}

func (w *world) clock() time.Time { return *w.now.Load() }

func (w *world) journal(approvals int) *operations.Journal {
	w.t.Helper()
	j, err := operations.New(operations.Config{Log: w.log, Now: w.clock, Duties: map[string]operations.Duty{
		replace:      {Roles: []string{"engineer"}, Approvers: []string{"officer"}, Approvals: approvals},
		"list.load":  {Roles: []string{"program"}},
		"never.used": {Roles: []string{"nobody"}},
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

// steps are what the log says, in short.
func (w *world) steps() (all []string) {
	w.t.Helper()
	if err := w.journal(1).Entries(w.t.Context(), 0, func(e operations.Entry) error {
		all = append(all, fmt.Sprintf("%d %s %s", e.Request, e.Step, e.By.ID))
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return all
}

func is(t *testing.T, what string, err error, reason operations.Reason) {
	t.Helper()
	if !errors.Is(err, &operations.Error{Reason: reason}) || kakunin.FamilyOf(err) == kakunin.Unclassified {
		t.Errorf("%s: %v", what, err)
	}
}

// TestFourEyes: who asks does not approve, who approves does not carry out, nothing happens before, and everything is
// in the log in its order.
func TestFourEyes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, evidence.NewMemory())
	j := w.journal(2)
	request, err := j.Ask(t.Context(), operations.Operation{By: asker, Action: replace, Target: "sha256:ab"})
	if err != nil {
		t.Fatal(err)
	}
	turn := func(by operations.Actor) operations.Turn { return operations.Turn{By: by, Request: request} }
	ran := 0
	run := func(by operations.Actor) error {
		return j.Run(t.Context(), turn(by), func(context.Context) error { ran++; return nil })
	}
	is(t, "without approval", run(asker), operations.ReasonNotApproved)
	is(t, "approved by the asker", j.Approve(t.Context(), turn(asker)), operations.ReasonDenied)
	twoHats := operations.Actor{ID: asker.ID, Role: "officer"}
	is(t, "approved by the asker in another role", j.Approve(t.Context(), turn(twoHats)), operations.ReasonSamePerson)
	if err := j.Approve(t.Context(), turn(second)); err != nil {
		t.Fatal(err)
	}
	is(t, "approved twice by one", j.Approve(t.Context(), turn(second)), operations.ReasonSamePerson)
	is(t, "one approval of two", run(asker), operations.ReasonNotApproved)
	if err := j.Approve(t.Context(), turn(third)); err != nil {
		t.Fatal(err)
	}
	is(t, "carried out by a stranger", run(operations.Actor{ID: "x", Role: "guest"}), operations.ReasonDenied)
	is(t, "carried out by an approver", run(operations.Actor{ID: second.ID, Role: "engineer"}),
		operations.ReasonSamePerson)
	if ran != 0 {
		t.Fatal("it was done before it was approved")
	}
	if err := run(asker); err != nil || ran != 1 {
		t.Errorf("%v, done %d times", err, ran)
	}
	is(t, "once more", run(asker), operations.ReasonOver)
	is(t, "approved afterwards", j.Approve(t.Context(), turn(third)), operations.ReasonOver)
	want := []string{
		"0 asked staff-1", "0 denied staff-1", "0 denied staff-1", "0 denied staff-1", "0 approved staff-2",
		"0 denied staff-2", "0 denied staff-1", "0 approved staff-3", "0 denied x", "0 denied staff-2",
		"0 begun staff-1", "0 done staff-1",
	}
	if got := w.steps(); !slices.Equal(got, want) {
		t.Errorf("the log says\n%s", strings.Join(got, "\n"))
	}
	if ran != 1 {
		t.Errorf("done %d times", ran)
	}
}

// TestDo: without approval, and how it ended, also when it panics. What cannot be written down is not done.
func TestDo(t *testing.T) {
	t.Parallel()
	store := &breaking{Store: evidence.NewMemory()}
	w := newWorld(t, store)
	j := w.journal(1)
	load := operations.Operation{By: operations.Actor{ID: "crl-loader", Role: "program"}, Action: "list.load"}
	nothing := func(context.Context) error { return nil }
	if err := j.Do(t.Context(), load, nothing); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("disk full")
	if err := j.Do(t.Context(), load, func(context.Context) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is gone")
			}
		}()
		_ = j.Do(t.Context(), load, func(context.Context) error { panic("x") })
	}()
	other := load
	other.By.Role = "guest"
	is(t, "another role", j.Do(t.Context(), other, nothing), operations.ReasonDenied)
	is(t, "needs approval", j.Do(t.Context(), operations.Operation{By: asker, Action: replace}, nothing),
		operations.ReasonNotApproved)
	got := strings.Join(w.steps(), ", ")
	if got != "0 asked crl-loader, 0 begun crl-loader, 0 done crl-loader, 3 asked crl-loader, 3 begun crl-loader, "+
		"3 failed crl-loader, 6 asked crl-loader, 6 begun crl-loader, 6 failed crl-loader, 9 denied crl-loader, "+
		"10 asked staff-1, 10 denied staff-1" {
		t.Errorf("the log says %s", got)
	}
	store.broken.Store(true)
	done := false
	err := j.Do(t.Context(), load, func(context.Context) error { done = true; return nil })
	is(t, "the log cannot be written", err, operations.ReasonLog)
	if done {
		t.Error("something was done that is not in the log")
	}
}

// breaking is a store that fails when it is told to.
type breaking struct {
	evidence.Store
	broken atomic.Bool
}

func (b *breaking) Append(ctx context.Context, size int64, entries []evidence.Entry) error {
	if b.broken.Load() {
		return errors.New("gone")
	}
	return b.Store.Append(ctx, size, entries)
}

// TestRefused: what is not known, too old, or no text for a log that nobody can delete from.
func TestRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, evidence.NewMemory())
	j := w.journal(1)
	for name, o := range map[string]operations.Operation{
		"unknown action":       {By: asker, Action: "x"},
		"no actor":             {By: operations.Actor{Role: "engineer"}, Action: replace},
		"a name":               {By: operations.Actor{ID: "確認花子", Role: "engineer"}, Action: replace},
		"an individual number": {By: asker, Action: replace, Target: "701234000010"},
		"control characters":   {By: asker, Action: replace, Target: "a\x00b"},
	} {
		_, err := j.Ask(t.Context(), o)
		is(t, name, err, operations.ReasonRequest)
	}
	fingerprint := strings.Repeat("701234000010", 4)
	request, err := j.Ask(t.Context(), operations.Operation{By: asker, Action: replace,
		Target: "sha256:" + fingerprint})
	if err != nil {
		t.Fatal(err) // a fingerprint may hold any digits
	}
	is(t, "no such request", j.Approve(t.Context(), operations.Turn{By: second, Request: request + 1}),
		operations.ReasonRequest)
	is(t, "nobody", j.Approve(t.Context(), operations.Turn{Request: request}), operations.ReasonRequest)
	later := now.Add(25 * time.Hour)
	w.now.Store(&later)
	is(t, "too old", j.Approve(t.Context(), operations.Turn{By: second, Request: request}), operations.ReasonOver)
	is(t, "before the log", j.Entries(t.Context(), -1, nil), operations.ReasonRequest)
	_, err = operations.New(operations.Config{Duties: map[string]operations.Duty{"a b": {Approvals: 2}}})
	is(t, "duties", err, operations.ReasonConfiguration)
	for _, part := range []string{"Log is missing", "an action must be", "needs Roles", "Approvals needs Approvers"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not named in %v", part, err)
		}
	}
}

// TestInstancesCarryOutOnce: of several that begin at once, one goes on.
func TestInstancesCarryOutOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, evidence.NewMemory())
	request, err := w.journal(1).Ask(t.Context(), operations.Operation{By: asker, Action: replace})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.journal(1).Approve(t.Context(), operations.Turn{By: second, Request: request}); err != nil {
		t.Fatal(err)
	}
	var ran atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		j := w.journal(1)
		wg.Go(func() {
			err := j.Run(t.Context(), operations.Turn{By: asker, Request: request},
				func(context.Context) error { ran.Add(1); return nil })
			if err != nil && !errors.Is(err, &operations.Error{Reason: operations.ReasonOver}) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if ran.Load() != 1 {
		t.Errorf("carried out %d times", ran.Load())
	}
}

// TestAlteredUnnoticed: an entry that was changed, and a log that was cut off, do not hold against a checkpoint.
func TestAlteredUnnoticed(t *testing.T) {
	t.Parallel()
	store := &forging{Store: evidence.NewMemory()}
	w := newWorld(t, store)
	load := operations.Operation{By: operations.Actor{ID: "crl-loader", Role: "program"}, Action: "list.load"}
	if err := w.journal(1).Do(t.Context(), load, func(context.Context) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := w.log.Verify(t.Context(), evidence.Verification{}); err != nil {
		t.Fatal(err)
	}
	store.forge.Store(true)
	if _, err := w.log.Verify(t.Context(), evidence.Verification{}); err == nil {
		t.Error("another actor was not noticed")
	}
	if err := w.journal(1).Entries(t.Context(), 0, func(operations.Entry) error { return nil }); err == nil {
		t.Error("an altered entry was read")
	}
}

// forging is a store in which somebody has put another actor.
type forging struct {
	evidence.Store
	forge atomic.Bool
}

func (f *forging) Entries(ctx context.Context, first int64, n int) ([]evidence.Entry, error) {
	list, err := f.Store.Entries(ctx, first, n)
	if f.forge.Load() {
		list = slices.Clone(list)
		for i := range list {
			list[i].Record = []byte(strings.Replace(string(list[i].Record), "crl-loader", "staff-9999", 1))
		}
	}
	return list, err
}
