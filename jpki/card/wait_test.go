package card_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// slot is a reader in which a card is put when the test says so.
type slot struct {
	card.Transport
	inserted chan struct{} // closed when the card is there
	asked    chan struct{} // receives when WaitCard begins; nil if nobody wants to know
	err      error         // instead of a card

	mu     sync.Mutex
	fails  int // so many commands fail: the card is not held still
	off    int
	reason card.Reason // told while there is no card
}

func newSlot(t *testing.T, kind cardsim.Kind) *slot {
	t.Helper()
	return &slot{Transport: newSim(t, kind).Transport(), inserted: make(chan struct{}), reason: card.ReasonCardAbsent}
}

func (s *slot) WaitCard(ctx context.Context, progress func(card.Reason)) error {
	if s.asked != nil {
		s.asked <- struct{}{}
	}
	select {
	case <-s.inserted:
		return s.err
	default:
		progress(s.reason)
	}
	select {
	case <-s.inserted:
		return s.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *slot) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	s.mu.Lock()
	fail := s.fails > 0
	s.fails--
	s.mu.Unlock()
	if fail {
		return nil, errBroken
	}
	return s.Transport.Transmit(ctx, command)
}

func (s *slot) PowerOff(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.off++
	return nil
}

func TestWaitForTheFirstOfSeveralReaders(t *testing.T) {
	empty, phone := newSlot(t, cardsim.Plastic), newSlot(t, cardsim.Android)
	empty.asked, phone.asked = make(chan struct{}), make(chan struct{})
	type result struct {
		c   *card.Card
		err error
	}
	done := make(chan result)
	go func() {
		c, err := card.Wait(t.Context(), empty, phone)
		done <- result{c, err}
	}()
	<-empty.asked
	<-phone.asked
	close(phone.inserted)
	r := <-done
	if r.err != nil {
		t.Fatal(r.err)
	}
	if r.c.Kind() != card.AndroidPhone {
		t.Errorf("kind %v", r.c.Kind())
	}
	if err := r.c.Close(t.Context()); err != nil || phone.off != 1 || empty.off != 0 {
		t.Errorf("%v; power off %d and %d times", err, phone.off, empty.off)
	}
}

// Two cards in the same moment: one is given back.
func TestWaitClosesTheSecondCard(t *testing.T) {
	a, b := newSlot(t, cardsim.Plastic), newSlot(t, cardsim.Plastic)
	close(a.inserted)
	close(b.inserted)
	c, err := card.Wait(t.Context(), a, b)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The loser was closed, or had not been opened when the winner was found.
	if a.off+b.off < 1 || a.off > 1 || b.off > 1 {
		t.Errorf("power off %d and %d times", a.off, b.off)
	}
}

// A card that is taken away while it is being opened is waited for again, and the person is told.
func TestWaitAgainForACardThatMoved(t *testing.T) {
	s := newSlot(t, cardsim.Plastic)
	s.fails = 1
	close(s.inserted)
	var told []card.Reason
	c, err := card.Config{Progress: func(r card.Reason) { told = append(told, r) }}.Wait(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close(t.Context())
	if !slices.Equal(told, []card.Reason{card.ReasonTransportFailed}) || s.off != 2 {
		t.Errorf("told %v; power off %d times", told, s.off)
	}
}

func TestWaitEndsWithTheContext(t *testing.T) {
	for _, reason := range []card.Reason{card.ReasonCardAbsent, card.ReasonReaderUnavailable,
		card.ReasonNotMyNumberCard} {
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("closing time")
		s := newSlot(t, cardsim.Plastic)
		s.reason = reason
		_, err := card.Config{Progress: func(r card.Reason) {
			if r != reason {
				t.Errorf("told %v", r)
			}
			cancel(why)
		}}.Wait(ctx, s)
		wantReason(t, err, reason)
		if !errors.Is(err, why) {
			t.Error("the cause is lost")
		}
	}
}

func TestWaitGivesUp(t *testing.T) {
	_, err := card.Wait(t.Context())
	wantReason(t, err, card.ReasonReaderUnavailable)
	gone := newSlot(t, cardsim.Plastic)
	gone.err = &card.Error{Step: "wait", Reason: card.ReasonReaderUnavailable}
	close(gone.inserted)
	_, err = card.Wait(t.Context(), gone, gone)
	wantReason(t, err, card.ReasonReaderUnavailable)
	// What is no Waiter must have its card now.
	_, err = card.Wait(t.Context(), failing{&card.Error{Step: "transmit", Reason: card.ReasonCardAbsent}})
	wantReason(t, err, card.ReasonCardAbsent)
	c, err := card.Wait(t.Context(), newSim(t, cardsim.Plastic).Transport())
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close(t.Context())
}
