package revocation

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

// What lies exactly on a boundary, found by internal/mutate.

// A delta list that is missing changes nothing in a complete list of its own number.
func TestMissingDeltaOfTheSameNumber(t *testing.T) {
	d := newDamagedStore(t)
	d.directory = t.TempDir()
	store, err := d.open(false)
	if err != nil {
		t.Fatal(err)
	}
	complete, delta := d.List(5), d.delta(7, 5)
	d.add(store, complete.Sign(d.Key))
	d.lists = [][]byte{delta.Sign(d.Key)}
	d.add(store, d.lists[0])
	d.rewrite(d.file(0), func([]byte) []byte { return nil })
	if store, err = d.open(true); err != nil {
		t.Fatal(err)
	}
	d.want(store, Unknown)
	d.add(store, d.next(7))
	d.want(store, Good)
}

// The answer of several lists is bounded by the oldest one and by the first to end.
func TestAnswerOfSeveralListsIsBounded(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	compromise, rest := []byte{0x83, 2, 5, 0x60}, []byte{0x83, 3, 7, 0x1f, 0x80}
	some := func(reasons []byte, from, to time.Time) []byte {
		s := a.List(1)
		s.ThisUpdate, s.NextUpdate = utcTime(from), utcTime(to)
		s.Extensions[2] = idp("Kiyose-shi", userOnly, reasons)
		return s.Sign(a.Key)
	}
	early, late := now.Add(-3*time.Hour), now.Add(-2*time.Hour)
	soon, far := now.Add(2*time.Hour), now.Add(3*time.Hour)
	for _, lists := range [][][]byte{
		{some(compromise, early, far), some(rest, late, soon)}, {some(compromise, late, soon), some(rest, early, far)},
	} {
		answer := a.answer(t, a.trusting(t, lists...), c, now, Good)
		if !answer.ThisUpdate.Equal(early) || !answer.NextUpdate.Equal(soon) {
			t.Errorf("%v to %v", answer.ThisUpdate, answer.NextUpdate)
		}
	}
}

// A responder that does not know the certificate is told from one whose answer is about another time.
func TestOCSPUnknownIsToldFromAnotherTime(t *testing.T) {
	w := newOCSPWorld(t)
	for step, c := range map[string]struct {
		status []byte
		at     time.Time
	}{"ocsp.cert-status": {statusUnknown, now}, "ocsp.covering": {statusGood, now.Add(-time.Hour)}} {
		s := w.direct()
		s.singles = [][]byte{single(w.id.der(), c.status, now.Add(-5*time.Minute), now.Add(10*time.Minute))}
		if _, err := w.verify(s.sign(), c.at); !errors.Is(err, &Error{Reason: ReasonStatusUnknown, Step: step}) {
			t.Errorf("%v, want %s", err, step)
		}
	}
}

// Lists of two scopes that wait for their authority are no series of each other, whatever their numbers and times are.
func TestWaitingListsOfTwoScopes(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	own, other := a.List(1, revoked(c, now.Add(-day), reasonExt(4))), a.List(9)
	own.ThisUpdate = utcTime(now.Add(-time.Hour))
	other.Extensions[2] = idp("Hino-shi", userOnly)
	store := new(Store)
	for _, l := range [][]byte{other.Sign(a.Key), own.Sign(a.Key)} {
		if err := store.Add(t.Context(), bytes.NewReader(l)); err != nil {
			t.Fatal(err)
		}
	}
	a.answer(t, store, c, now, Revoked)
	if store.Len() != 2 {
		t.Errorf("%d lists", store.Len())
	}
}
