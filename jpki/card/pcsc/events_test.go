//go:build pcsc

package pcsc

import (
	"context"
	"strings"
	"testing"

	"github.com/ebfe/scard"

	"github.com/kakunin-go/kakunin/jpki/card"
)

func TestEvents(t *testing.T) {
	f := newFake(t, map[string]*fakeCard{"B": {}}, "A", "B")
	looks := 0
	f.looked = func() {
		looks++
		switch looks {
		case 2:
			f.put("A", &fakeCard{})
		case 3:
			f.put("A", &fakeCard{flags: 0x00020000}) // exchanged between two looks
		case 4:
			f.put("B", &fakeCard{flags: scard.StateInuse}) // another program connects: nothing happens
		case 5:
			f.see(func() { f.names = []string{"A"} })
		case 7:
			f.put("A", nil)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var got []string
	for e, err := range events(ctx, f.establish, nil) {
		if err != nil {
			wantReason(t, err, card.ReasonInterrupted)
			break
		}
		got = append(got, e.Kind.String()+" "+e.Reader)
		if len(got) == 9 {
			cancel()
		}
	}
	want := "reader added A, reader added B, card inserted B, card inserted A, card removed A, card inserted A, " +
		"card removed B, reader removed B, card removed A"
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("got %s, want %s", text, want)
	}
	cancel()
	f.see(func() {
		if f.released != 1 {
			t.Errorf("released %d times", f.released)
		}
	})
}

// Leaving the loop releases the service; the options choose.
func TestEventsOfOneReader(t *testing.T) {
	f := newFake(t, map[string]*fakeCard{"A": {}, "B": {}}, "A", "B")
	for e, err := range events(t.Context(), f.establish, []Option{Named("B")}) {
		if err != nil || e != (Event{ReaderAdded, "B"}) {
			t.Errorf("got %v, %v", e, err)
		}
		break
	}
	f.see(func() {
		if f.released != 1 || f.cards["B"].connects != 0 {
			t.Errorf("released %d times, connected %d", f.released, f.cards["B"].connects)
		}
	})
}

func TestEventsWithoutService(t *testing.T) {
	n := 0
	for _, err := range events(t.Context(), func() (system, error) { return nil, scard.ErrNoService }, nil) {
		wantReason(t, err, card.ReasonReaderUnavailable)
		n++
	}
	if n != 1 {
		t.Errorf("%d errors", n)
	}
}

// With the service but no reader, the loop ends with its context.
func TestEventsWithoutReader(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := newFake(t, nil)
	for _, err := range events(ctx, func() (system, error) { return listing{f, cancel}, nil }, nil) {
		wantReason(t, err, card.ReasonInterrupted)
	}
}
