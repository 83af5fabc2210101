// Package storetest tells whether a signapi.Store keeps what it promises. [Run] is called in a test of the store with a
// function that makes a fresh one; [Child] and [Kill] make a program that is killed while it writes.
//
// # Examples
//
// There is an example of [Run].
//
// # Compatibility
//
// The suite may become stricter: what it finds was always promised.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin/sign/signapi"
)

// Harness is a fresh store under test.
type Harness struct {
	// Open opens the store; closeStore is called before it is opened again, unless Shared.
	Open func() (store signapi.Store, closeStore func(), err error)
	// Shared: several may be open at once, as instances of one application are.
	Shared bool
	// Forgets: the store is in memory, and empty when it is opened again.
	Forgets bool
}

func (h Harness) open(t *testing.T) (signapi.Store, func()) {
	t.Helper()
	s, closeStore, err := h.Open()
	if err != nil {
		t.Fatal(err)
	}
	return s, closeStore
}

func (h Harness) opened(t *testing.T) signapi.Store {
	t.Helper()
	s, closeStore := h.open(t)
	t.Cleanup(closeStore)
	return s
}

// Run runs every test of the suite against fresh stores.
func Run(t *testing.T, fresh func(tb testing.TB) Harness) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, h Harness){
		"Empty": empty, "Add": add, "Replace": replace, "Delete": deleted, "Keys": keys, "List": list,
		"Bytes": anyBytes, "Copies": copies,
		"Race": race, "KeyRace": keyRace, "Cancelled": cancelled, "Reopened": reopened,
	} {
		t.Run(name, func(t *testing.T) { test(t, fresh(t)) })
	}
}

// entry is a whole entry; number makes it one of its own.
func entry(number int) signapi.Entry {
	return signapi.Entry{
		ID: fmt.Sprintf("%08x-0000-0000-0000-000000000000", number), Key: fmt.Sprintf("契約 %d", number), Version: 1,
		State: signapi.StateFetched, Record: fmt.Appendf(nil, `{"number":%d}`, number),
		Answer: bytes.Repeat([]byte{byte(number), 0, 0xff}, 100),
	}
}

func same(a, b signapi.Entry) bool {
	return a.ID == b.ID && a.Key == b.Key && a.Version == b.Version && a.State == b.State &&
		bytes.Equal(a.Record, b.Record) && bytes.Equal(a.Answer, b.Answer)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// wantEntry checks what is stored under the id of e, and under its key.
func wantEntry(t *testing.T, s signapi.Store, e signapi.Entry) {
	t.Helper()
	got, err := s.Get(t.Context(), e.ID)
	if err != nil || !same(got, e) {
		t.Errorf("get: %+v, %v, want %+v", got, err, e)
	}
	if e.Key == "" {
		return
	}
	if got, err = s.Find(t.Context(), e.Key); err != nil || !same(got, e) {
		t.Errorf("find: %+v, %v, want %+v", got, err, e)
	}
}

func empty(t *testing.T, h Harness) {
	s := h.opened(t)
	_, err := s.Get(t.Context(), "")
	wantError(t, "get nothing", err, signapi.ErrAbsent)
	_, err = s.Get(t.Context(), entry(1).ID)
	wantError(t, "get", err, signapi.ErrAbsent)
	_, err = s.Find(t.Context(), entry(1).Key)
	wantError(t, "find", err, signapi.ErrAbsent)
	wantError(t, "replace", s.Replace(t.Context(), entry(1)), signapi.ErrMoved)
	wantError(t, "delete", s.Delete(t.Context(), entry(1)), signapi.ErrMoved)
	_, err = s.Get(t.Context(), entry(1).ID)
	wantError(t, "get after a replace of nothing", err, signapi.ErrAbsent)
	if all, err := s.List(t.Context(), signapi.List{Limit: 10}); len(all) != 0 || err != nil {
		t.Errorf("list: %v, %v", all, err)
	}
}

func add(t *testing.T, h Harness) {
	s := h.opened(t)
	e := entry(1)
	given := e
	given.Version = 77 // does not count
	must(t, s.Add(t.Context(), given))
	wantEntry(t, s, e)
	twice := entry(2)
	twice.ID = e.ID
	wantError(t, "the same id", s.Add(t.Context(), twice), signapi.ErrExists)
	wantEntry(t, s, e)
	_, err := s.Find(t.Context(), twice.Key)
	wantError(t, "the key of a refused one", err, signapi.ErrAbsent)
}

func replace(t *testing.T, h Harness) {
	s := h.opened(t)
	e := entry(1)
	must(t, s.Add(t.Context(), e))
	must(t, s.Add(t.Context(), entry(2)))
	later := e
	later.State, later.Record, later.Answer, later.Key = signapi.StateClosed, []byte("{}"), nil, ""
	for _, version := range []int64{0, 2, -1} {
		wrong := later
		wrong.Version = version
		wantError(t, fmt.Sprintf("version %d", version), s.Replace(t.Context(), wrong), signapi.ErrMoved)
	}
	wantEntry(t, s, e)
	must(t, s.Replace(t.Context(), later))
	wantError(t, "the same once more", s.Replace(t.Context(), later), signapi.ErrMoved)
	later.Version = 2
	wantEntry(t, s, later)
	_, err := s.Find(t.Context(), e.Key)
	wantError(t, "a key that was given up", err, signapi.ErrAbsent)
	wantEntry(t, s, entry(2))
	must(t, s.Replace(t.Context(), later))
	later.Version = 3
	wantEntry(t, s, later)
}

func deleted(t *testing.T, h Harness) {
	s := h.opened(t)
	for i := range 3 {
		must(t, s.Add(t.Context(), entry(i)))
	}
	wrong := entry(1)
	wrong.Version = 2
	wantError(t, "another version", s.Delete(t.Context(), wrong), signapi.ErrMoved)
	wantEntry(t, s, entry(1))
	must(t, s.Delete(t.Context(), entry(1)))
	wantError(t, "twice", s.Delete(t.Context(), entry(1)), signapi.ErrMoved)
	_, err := s.Get(t.Context(), entry(1).ID)
	wantError(t, "get", err, signapi.ErrAbsent)
	_, err = s.Find(t.Context(), entry(1).Key)
	wantError(t, "find", err, signapi.ErrAbsent)
	wantEntry(t, s, entry(0))
	wantEntry(t, s, entry(2))
	must(t, s.Add(t.Context(), entry(1))) // id and key are free again
	wantEntry(t, s, entry(1))
}

func keys(t *testing.T, h Harness) {
	s := h.opened(t)
	must(t, s.Add(t.Context(), entry(1)))
	other := entry(2)
	other.Key = entry(1).Key
	wantError(t, "add with a key that is taken", s.Add(t.Context(), other), signapi.ErrExists)
	_, err := s.Get(t.Context(), other.ID)
	wantError(t, "which was refused", err, signapi.ErrAbsent)
	must(t, s.Add(t.Context(), entry(2)))
	wantError(t, "replace with a key that is taken", s.Replace(t.Context(), other), signapi.ErrExists)
	wantEntry(t, s, entry(1))
	wantEntry(t, s, entry(2))
	for i := 3; i < 6; i++ { // no key is no key, and not the same one
		none := entry(i)
		none.Key = ""
		must(t, s.Add(t.Context(), none))
		wantEntry(t, s, none)
	}
	// A key that another gave up is free, byte by byte: upper and lower case differ, and nothing is trimmed.
	free := entry(1)
	free.Key = ""
	must(t, s.Replace(t.Context(), free))
	must(t, s.Replace(t.Context(), other))
	other.Version = 2
	wantEntry(t, s, other)
	for i, key := range []string{"a", "A", "a ", " a", "ａ", "a%", "a_"} {
		e := entry(10 + i)
		e.Key = key
		must(t, s.Add(t.Context(), e))
		wantEntry(t, s, e)
	}
}

func list(t *testing.T, h Harness) {
	s := h.opened(t)
	const n = 12
	for i := n - 1; i >= 0; i-- {
		e := entry(i)
		e.State = signapi.State(1 + i%int(signapi.StateOver))
		must(t, s.Add(t.Context(), e))
	}
	ids := func(l signapi.List) string {
		t.Helper()
		var found []string
		entries, err := s.List(t.Context(), l)
		must(t, err)
		for _, e := range entries {
			want := entry(int(e.Record[10]-'0') + len(e.Record)/13*10) // {"number":7} or {"number":11}
			if len(e.Record) == 13 {
				want = entry(10 + int(e.Record[11]-'0'))
			}
			want.Answer, want.State = nil, e.State
			if !same(e, want) {
				t.Errorf("listed %+v", e)
			}
			found = append(found, strings.TrimLeft(e.ID[:8], "0"))
		}
		return strings.Join(found, " ")
	}
	for _, c := range []struct {
		list signapi.List
		want string
	}{
		{signapi.List{Limit: 100}, " 1 2 3 4 5 6 7 8 9 a b"},
		{signapi.List{Limit: 3}, " 1 2"},
		{signapi.List{}, ""},
		{signapi.List{Limit: -1}, ""},
		{signapi.List{After: entry(9).ID, Limit: 100}, "a b"},
		{signapi.List{After: entry(9).ID + "0", Limit: 1}, "a"},
		{signapi.List{After: entry(11).ID, Limit: 100}, ""},
		{signapi.List{States: []signapi.State{signapi.StateHandedOver}, Limit: 100}, "1 7"},
		{signapi.List{States: []signapi.State{signapi.StateOver, signapi.StateStarted, signapi.StateOver}, Limit: 3},
			" 5 6"},
		{signapi.List{States: []signapi.State{signapi.StateOver}, After: entry(5).ID, Limit: 3}, "b"},
	} {
		if got := ids(c.list); got != c.want {
			t.Errorf("%+v: %q, want %q", c.list, got, c.want)
		}
	}
}

// anyBytes: whatever is in an entry, it comes back byte by byte, the largest too.
func anyBytes(t *testing.T, h Harness) {
	s := h.opened(t)
	var every [256]byte
	for i := range every {
		every[i] = byte(i)
	}
	for i, e := range []signapi.Entry{
		{ID: "!~./%_'\"\\", Record: every[:], Answer: every[:]},
		{ID: strings.Repeat("x", 255), Key: strings.Repeat("𠮷", 128), Record: make([]byte, 16<<10),
			Answer: bytes.Repeat(every[:], 2080)},
		{ID: "A", Key: "'; DROP TABLE x; --", Record: []byte{}},
		{ID: "a", Key: "\xff\xfe", Record: []byte("\x00")}, // also what is not UTF-8
	} {
		e.State, e.Version = signapi.StateStarted, 1
		if err := s.Add(t.Context(), e); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		wantEntry(t, s, e)
	}
}

// copies: what was given and what was returned belongs to the caller.
func copies(t *testing.T, h Harness) {
	s := h.opened(t)
	given := entry(1)
	must(t, s.Add(t.Context(), given))
	clear(given.Record)
	clear(given.Answer)
	wantEntry(t, s, entry(1))
	got, err := s.Get(t.Context(), given.ID)
	must(t, err)
	clear(got.Record)
	clear(got.Answer)
	wantEntry(t, s, entry(1))
	all, err := s.List(t.Context(), signapi.List{Limit: 1})
	must(t, err)
	clear(all[0].Record)
	wantEntry(t, s, entry(1))
}

// instances opens two stores where that is possible.
func (h Harness) instances(t *testing.T) []signapi.Store {
	t.Helper()
	all := []signapi.Store{h.opened(t)}
	if h.Shared {
		all = append(all, h.opened(t))
	}
	return all
}

// race: of all who replace one version, one succeeds.
func race(t *testing.T, h Harness) {
	stores := h.instances(t)
	must(t, stores[0].Add(t.Context(), entry(1)))
	const rounds, writers = 10, 8
	for round := int64(1); round <= rounds; round++ {
		won := make([]error, writers)
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				e := entry(1)
				e.Version, e.Record = round, fmt.Appendf(nil, "writer %d", i)
				won[i] = stores[i%len(stores)].Replace(t.Context(), e)
			})
		}
		wg.Wait()
		winner := -1
		for i, err := range won {
			switch {
			case err == nil && winner < 0:
				winner = i
			case err == nil:
				t.Fatalf("round %d: two succeeded", round)
			default:
				wantError(t, "the others", err, signapi.ErrMoved)
			}
		}
		got, err := stores[len(stores)-1].Get(t.Context(), entry(1).ID)
		if winner < 0 || err != nil || got.Version != round+1 ||
			string(got.Record) != fmt.Sprintf("writer %d", winner) {
			t.Fatalf("round %d: %d succeeded, %+v, %v", round, winner, got, err)
		}
	}
}

// keyRace: of all who add entries with one key, one succeeds.
func keyRace(t *testing.T, h Harness) {
	stores := h.instances(t)
	const writers = 8
	added := make([]error, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			e := entry(i)
			e.Key = "one"
			added[i] = stores[i%len(stores)].Add(t.Context(), e)
		})
	}
	wg.Wait()
	n := 0
	for i, err := range added {
		if err == nil {
			n++
			e := entry(i)
			e.Key = "one"
			wantEntry(t, stores[0], e)
			continue
		}
		wantError(t, "the others", err, signapi.ErrExists)
	}
	if n != 1 {
		t.Errorf("%d were added", n)
	}
}

// cancelled: a context that is over stops everything, and changes nothing.
func cancelled(t *testing.T, h Harness) {
	s := h.opened(t)
	must(t, s.Add(t.Context(), entry(1)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	later := entry(1)
	later.State = signapi.StateClosed
	_, get := s.Get(ctx, later.ID)
	_, find := s.Find(ctx, later.Key)
	_, listed := s.List(ctx, signapi.List{Limit: 1})
	for i, err := range []error{s.Add(ctx, entry(2)), s.Replace(ctx, later), s.Delete(ctx, later), get, find, listed} {
		if err == nil || errors.Is(err, signapi.ErrAbsent) || errors.Is(err, signapi.ErrMoved) ||
			errors.Is(err, signapi.ErrExists) {
			t.Errorf("%d: %v", i, err)
		}
	}
	wantEntry(t, s, entry(1))
	_, err := s.Get(t.Context(), entry(2).ID)
	wantError(t, "what was not added", err, signapi.ErrAbsent)
}

// reopened: what was acknowledged is there when the store is opened again.
func reopened(t *testing.T, h Harness) {
	if h.Forgets {
		t.Skip("a store in memory forgets")
	}
	s, closeStore := h.open(t)
	for i := range 5 {
		must(t, s.Add(t.Context(), entry(i)))
	}
	changed := entry(3)
	changed.State, changed.Answer = signapi.StateClosed, nil
	must(t, s.Replace(t.Context(), changed))
	must(t, s.Delete(t.Context(), entry(4)))
	closeStore()
	s = h.opened(t)
	changed.Version = 2
	for _, e := range []signapi.Entry{entry(0), entry(1), entry(2), changed} {
		wantEntry(t, s, e)
	}
	_, err := s.Get(t.Context(), entry(4).ID)
	wantError(t, "what was deleted", err, signapi.ErrAbsent)
}
