package vpcd_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/vpcd"
)

// startSlots runs slots until the test ends.
func startSlots(t *testing.T, slots ...*vpcd.Slot) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- vpcd.RunSlots(ctx, slots...) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("RunSlots returned %v, want the context's error", err)
			}
		case <-time.After(guard):
			t.Error("RunSlots did not return after its context ended")
		}
	})
}

// named is a card that answers every command with its own number, so that a connection tells whose it is.
func named(n byte) *recorder {
	r := newRecorder()
	r.response = func([]byte) []byte { return []byte{n, 0x90, 0x00} }
	return r
}

func TestInsertAndRemoveWhileRunning(t *testing.T) {
	d := listen(t)
	slot := vpcd.NewSlot(config(d, nil))
	startSlots(t, slot)
	slot.Remove() // nothing to take out
	for n := range byte(3) {
		if slot.Occupied() {
			t.Error("an empty slot says that it is occupied")
		}
		card := named(n)
		slot.Insert(card)
		if !slot.Occupied() {
			t.Error("not occupied")
		}
		// Connections are accepted in the order in which they were made: one of an empty slot would be met here.
		p := d.accept()
		p.send(frame(1, 2, 3, 4))
		p.expect(frame(n, 0x90, 0x00))
		slot.Remove()
		p.expectClosed()
		card.expect(t, "off") // a card outside has no power
	}
}

func TestInsertReplacesTheCard(t *testing.T) {
	d, first, second := listen(t), newRecorder(), newRecorder()
	second.response = func([]byte) []byte { return []byte{0x90, 0x00} }
	slot := vpcd.NewSlot(config(d, first))
	startSlots(t, slot)
	p := d.accept()
	p.exchangeATR()
	slot.Insert(second)
	p.expectClosed()
	first.expect(t, "off")
	p = d.accept()
	p.send(frame(1, 2, 3, 4))
	p.expect(frame(0x90, 0x00))
}

// While one slot's driver misbehaves the others work.
func TestSlotsAreIndependent(t *testing.T) {
	one, two := listen(t), listen(t)
	a, b := newRecorder(), newRecorder()
	c := config(one, a)
	c.FrameTimeout = 20 * time.Millisecond
	slots := []*vpcd.Slot{vpcd.NewSlot(c), vpcd.NewSlot(config(two, b))}
	startSlots(t, slots...)
	p, q := one.accept(), two.accept()
	p.send([]byte{0x00, 0x05}) // a length without content
	q.exchangeATR()
	p.expectClosed()
	slots[0].Remove()
	q.exchangeATR()
	q.send(frame(1, 2))
	q.expect(frame(2, 1))
	if slots[0].Address() != one.Addr().String() {
		t.Error(slots[0].Address())
	}
}

func TestRunSlotsRefusesNone(t *testing.T) {
	var e *vpcd.Error
	if err := vpcd.RunSlots(t.Context()); !errors.As(err, &e) || e.Reason != vpcd.ReasonInvalidConfig {
		t.Errorf("%v", err)
	}
}
