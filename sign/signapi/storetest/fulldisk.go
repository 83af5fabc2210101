package storetest

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/kakunin-go/kakunin/sign/signapi"
)

// FullDisk fills the disk of a store up and empties it again; fill does both, by whatever way. While it is full, a
// write is refused or it is kept, what was acknowledged is there, and an entry whose write was refused is as it was
// before or as it was to be; afterwards the store goes on.
func FullDisk(t *testing.T, h Harness, fill func(full bool)) {
	t.Helper()
	s, closeStore := h.open(t)
	f := fullDisk{store: s, acknowledged: map[int]signapi.Entry{}, unclear: map[int]signapi.Entry{}}
	for range 3 {
		must(t, f.add(t))
	}
	fill(true)
	const attempts = 20_000
	var refused error
	for i := 0; refused == nil && i < attempts; i++ {
		if refused = f.add(t); refused == nil {
			refused = f.answer(t)
		}
	}
	for _, none := range []error{nil, signapi.ErrExists, signapi.ErrMoved, signapi.ErrAbsent} {
		if errors.Is(refused, none) {
			t.Fatalf("a full disk is answered by %v", refused)
		}
	}
	if err := f.answer(t); err == nil {
		t.Log("a smaller write found room")
	}
	f.check(t)
	fill(false)
	for range 3 {
		must(t, f.add(t))
		must(t, f.answer(t))
	}
	f.check(t)
	closeStore()
	f.store = h.opened(t)
	f.check(t)
	t.Logf("%d entries were acknowledged, %d others or later forms refused", len(f.acknowledged), len(f.unclear))
}

// fullDisk is what was written.
type fullDisk struct {
	store        signapi.Store
	next, last   int                   // numbers: the next entry's, and the last one that was acknowledged
	acknowledged map[int]signapi.Entry // as they were acknowledged last
	unclear      map[int]signapi.Entry // as a write that was refused would have made them
}

// add adds the next entry, which waits for its answer.
func (f *fullDisk) add(t *testing.T) error {
	t.Helper()
	number := f.next
	f.next++
	e := entry(number)
	e.State, e.Answer = signapi.StateFetching, nil
	if err := f.store.Add(t.Context(), e); err != nil {
		f.unclear[number] = e
		return err
	}
	f.last, f.acknowledged[number] = number, e
	return nil
}

// noise is bytes that no database can shrink.
func noise(seed byte) []byte {
	b := make([]byte, 20_000)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b) // never fails
	return b
}

// answer gives the last entry an answer, or another one.
func (f *fullDisk) answer(t *testing.T) error {
	t.Helper()
	e := f.acknowledged[f.last]
	if now, err := f.store.Get(t.Context(), e.ID); err == nil {
		e = now // a write that was refused may have happened
	}
	given := e
	given.State, given.Answer = signapi.StateFetched, noise(byte(e.Version))
	e = given
	e.Version++
	if err := f.store.Replace(t.Context(), given); err != nil {
		f.unclear[f.last] = e
		return err
	}
	delete(f.unclear, f.last)
	f.acknowledged[f.last] = e
	return nil
}

// check looks at everything that was written.
func (f *fullDisk) check(t *testing.T) {
	t.Helper()
	for number := range f.next {
		want, known := f.acknowledged[number]
		other, open := f.unclear[number]
		got, err := f.store.Get(t.Context(), entry(number).ID)
		switch {
		case err == nil && (known && same(got, want) || open && same(got, other)):
		case !known && errors.Is(err, signapi.ErrAbsent):
		default:
			t.Errorf("entry %d: %+v, %v, want %+v", number, got, err, want)
		}
	}
}
