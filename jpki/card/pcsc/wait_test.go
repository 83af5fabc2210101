//go:build pcsc

package pcsc

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ebfe/scard"

	"github.com/kakunin-go/kakunin/jpki/card"
)

func foreign() *fakeCard {
	return &fakeCard{selects: func() ([]byte, error) { return []byte{0x6A, 0x82}, nil }}
}

func TestWaitCardChooses(t *testing.T) {
	waking := 2
	hesitant := &fakeCard{selects: func() ([]byte, error) {
		if waking--; waking >= 0 {
			return []byte{0x6F, 0x00}, nil
		}
		return []byte{0x90, 0x00}, nil
	}}
	answers := func(answer ...byte) *fakeCard {
		return &fakeCard{selects: func() ([]byte, error) { return answer, nil }}
	}
	tests := []struct {
		name    string
		cards   map[string]*fakeCard
		options []Option
		want    string
	}{
		{"the only card", map[string]*fakeCard{"B": {}}, nil, "B"},
		{"the My Number Card", map[string]*fakeCard{"A": foreign(), "B": {}, "C": {}}, nil, "B"},
		{"one that answers with data", map[string]*fakeCard{"A": answers(0x6F, 0x00, 0x90, 0x00), "B": {}}, nil, "A"},
		{"one that announces data", map[string]*fakeCard{"A": answers(0x61, 0x10), "B": {}}, nil, "A"},
		{"not one that answers no status", map[string]*fakeCard{"A": answers(0x90), "B": {}}, nil, "B"},
		{"not one that refuses", map[string]*fakeCard{"A": answers(0x6F, 0x00), "B": {}}, nil, "B"},
		{"one that hesitates", map[string]*fakeCard{"A": hesitant, "B": {}}, nil, "A"},
		{"by name", map[string]*fakeCard{"A": {}, "B": {}, "C": {}}, []Option{Named("c")}, "C"},
		{
			"by predicate", map[string]*fakeCard{"A": {}, "B": {}, "C": {}},
			[]Option{Matching(func(reader string) bool { return reader > "A" }),
				Matching(func(reader string) bool { return reader < "C" })}, "B",
		},
		{"not a mute one", map[string]*fakeCard{"A": {flags: scard.StateMute}, "B": {}}, nil, "B"},
		{"not a busy one", map[string]*fakeCard{"A": {connectErr: scard.ErrSharingViolation}, "B": {}}, nil, "B"},
		{"not one that is taken away", map[string]*fakeCard{"A": {beginErrs: []error{scard.ErrRemovedCard}}, "B": {}},
			nil, "B"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t, tt.cards, "A", "B", "C")
			if r := openFake(t, f, tt.options...); r.Name() != tt.want {
				t.Errorf("reader %s, want %s", r.Name(), tt.want)
			}
		})
	}
}

// The question for the application happens in a transaction that is over when WaitCard returns, and a card without it
// is let go as it is.
func TestWaitCardAsksInATransaction(t *testing.T) {
	other, ours := foreign(), &fakeCard{}
	f := newFake(t, map[string]*fakeCard{"A": other, "B": ours}, "A", "B")
	r, err := open(t.Context(), f.establish)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close(t.Context()) }()
	if err := r.WaitCard(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	f.see(func() {
		for name, c := range f.cards {
			if c.begins != 1 || c.ends != 1 {
				t.Errorf("%s: begun %d, ended %d", name, c.begins, c.ends)
			}
		}
		if !slices.Equal(other.disconnects, []scard.Disposition{scard.LeaveCard}) || ours.disconnects != nil {
			t.Errorf("disconnected %v and %v", other.disconnects, ours.disconnects)
		}
	})
}

// What stands in the way is told when it changes. A card that was refused is not asked again until it is exchanged.
func TestWaitCardTellsWhatStandsInTheWay(t *testing.T) {
	other := foreign()
	f := newFake(t, map[string]*fakeCard{}, "A")
	looks := 0
	f.looked = func() {
		looks++
		switch looks {
		case 3:
			f.put("A", other)
		case 6:
			f.put("A", nil)
		case 8:
			f.put("A", &fakeCard{connectErr: scard.ErrSharingViolation})
		case 10:
			f.put("A", &fakeCard{})
		}
	}
	r, err := open(t.Context(), f.establish)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close(t.Context()) }()
	var told []string
	if err := r.WaitCard(t.Context(), func(reason card.Reason) { told = append(told, reason.String()) }); err != nil {
		t.Fatal(err)
	}
	want := "no card, not a My Number Card, no card, card in use by another program"
	if got := strings.Join(told, ", "); got != want {
		t.Errorf("told %s, want %s", got, want)
	}
	if other.connects != 1 || looks != 10 || r.Name() != "A" {
		t.Errorf("%d connections in %d looks, reader %s", other.connects, looks, r.Name())
	}
}

// A card that was exchanged between two looks shows in the counter of pcscd alone.
func TestWaitCardNoticesAnExchange(t *testing.T) {
	f := newFake(t, map[string]*fakeCard{"A": foreign()}, "A")
	looks := 0
	f.looked = func() {
		if looks++; looks == 2 {
			f.put("A", &fakeCard{flags: 0x00020000})
		}
	}
	if r := openFake(t, f); r.Name() != "A" || looks != 2 {
		t.Errorf("reader %s after %d looks", r.Name(), looks)
	}
}

func TestWaitCardEndsWithTheContext(t *testing.T) {
	tests := []struct {
		name string
		card *fakeCard
		want card.Reason
	}{
		{"no card", nil, card.ReasonCardAbsent},
		{"busy", &fakeCard{connectErr: scard.ErrSharingViolation}, card.ReasonCardBusy},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			f := newFake(t, map[string]*fakeCard{"A": tt.card}, "A")
			looks := 0
			f.looked = func() {
				if looks++; looks == 2 {
					cancel()
				}
			}
			r, err := open(ctx, f.establish)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = r.Close(t.Context()) }()
			err = r.WaitCard(ctx, nil)
			wantReason(t, err, tt.want)
			if !errors.Is(err, context.Canceled) {
				t.Error("the cause is lost")
			}
		})
	}
}

func TestOpenWithoutService(t *testing.T) {
	_, err := open(t.Context(), func() (system, error) { return nil, scard.ErrNoService })
	wantReason(t, err, card.ReasonReaderUnavailable)
	f := newFake(t, nil)
	f.listErr = scard.ErrCommError
	r, err := open(t.Context(), f.establish)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close(t.Context()) }()
	wantReason(t, r.WaitCard(t.Context(), nil), card.ReasonTransportFailed)
}

// Before a card was waited for there is none.
func TestNothingWorksWithoutACard(t *testing.T) {
	r, err := open(t.Context(), newFake(t, map[string]*fakeCard{"A": {}}, "A").establish)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close(t.Context()) }()
	_, err = r.Begin(t.Context())
	wantReason(t, err, card.ReasonCardAbsent)
	_, err = r.Transmit(t.Context(), []byte{0, 0, 0, 0})
	wantReason(t, err, card.ReasonCardAbsent)
	if err := r.PowerOff(t.Context()); err != nil || r.Name() != "" {
		t.Errorf("%v, reader %s", err, r.Name())
	}
}

func TestWaitCardWithoutReaderWaitsForOne(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := newFake(t, nil)
	lists := 0
	r, err := open(ctx, func() (system, error) { return listing{f, func() { lists++; cancel() }}, nil })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close(t.Context()) }()
	if err := r.WaitCard(ctx, nil); !errors.Is(err, context.Canceled) || lists == 0 {
		t.Errorf("got %v after %d looks", err, lists)
	}
}

// listing says when the readers are listed.
type listing struct {
	*fakeService
	listed func()
}

func (l listing) ListReaders() ([]string, error) {
	l.listed()
	return l.fakeService.ListReaders()
}

// The next card in the same Reader is another one: the first loses its power.
func TestWaitCardAgain(t *testing.T) {
	c := &fakeCard{}
	f := newFake(t, map[string]*fakeCard{"A": c}, "A")
	r := openFake(t, f)
	if _, err := r.Transmit(t.Context(), []byte{0, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	f.put("A", nil)
	f.put("B", &fakeCard{})
	f.see(func() { f.names = append(f.names, "B") })
	if err := r.WaitCard(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	f.see(func() {
		if !slices.Equal(c.disconnects, []scard.Disposition{scard.UnpowerCard}) || r.Name() != "B" {
			t.Errorf("disconnected %v, reader %s", c.disconnects, r.Name())
		}
	})
}

// card.Wait over this reader: cards that fail are waited for again.
func TestCardWait(t *testing.T) {
	tries := 0
	c := &fakeCard{}
	c.transmit = func([]byte) ([]byte, error) {
		if tries++; tries == 1 {
			return nil, scard.ErrRemovedCard // the card was not held still
		}
		return append([]byte("JPKIAPICCTOKEN2                 "), 0x90, 0x00), nil
	}
	f := newFake(t, map[string]*fakeCard{"A": c}, "A")
	r, err := open(t.Context(), f.establish)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close(t.Context()) }()
	got, err := card.Wait(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if got.Kind() != card.Plastic || tries != 2 {
		t.Errorf("a %v card after %d tries", got.Kind(), tries)
	}
	if err := got.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// Two goroutines that wait at the same time get the same card, over one connection.
func TestWaitCardTwiceAtOnce(t *testing.T) {
	c := &fakeCard{}
	f := newFake(t, map[string]*fakeCard{}, "A")
	both := make(chan struct{})
	looks := 0
	f.looked = func() {
		if looks++; looks == 4 { // both are waiting
			f.put("A", c)
			close(both)
		}
	}
	r, err := open(t.Context(), f.establish)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close(t.Context()) }()
	done := make(chan error)
	for range 2 {
		go func() { done <- r.WaitCard(t.Context(), nil) }()
	}
	<-both
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	f.see(func() {
		if open := c.connects - len(c.disconnects); open != 1 || r.Name() != "A" {
			t.Errorf("%d connections are open, reader %s", open, r.Name())
		}
	})
}
