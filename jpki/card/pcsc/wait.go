//go:build pcsc

package pcsc

import (
	"context"
	"time"

	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// selectJPKI selects the JPKI application by its AID (ISO/IEC 7816-4, 11.2.2: P1 04; P2 0C, no answer data).
var selectJPKI = [...]byte{0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01}

// finder looks for a My Number Card. It belongs to the owner's goroutine.
type finder struct {
	*state
	watch watch
	// refused are readers with a card that has no JPKI application.
	refused map[string]bool
}

// sight is what one look at the readers found.
type sight struct {
	connected string // the reader whose card is connected, "" if none
	noReader  bool
	reason    card.Reason // what stands in the way
}

// WaitCard implements [card.Waiter]: it waits until one of the readers has a card with the JPKI application, and
// connects to it. A card that was connected before is given up first, without power. progress may be nil.
//
// The error is a *card.Error: [card.ReasonReaderUnavailable] at once if the PC/SC service is gone, and when ctx ends
// the reason that stood in the way last, with the error of ctx as its cause.
func (r *Reader) WaitCard(ctx context.Context, progress func(card.Reason)) error {
	const op = "wait for a card"
	f := &finder{state: r.st, watch: newWatch(r.st.cfg), refused: map[string]bool{}}
	if err := r.PowerOff(ctx); err != nil && reasonOf(err) == card.ReasonClosed {
		return err
	}
	last := sight{reason: card.ReasonInterrupted}
	for {
		seen, err := call(ctx, r.o, f.find, nil)
		if ctx.Err() != nil {
			return &card.Error{Step: op, Reason: last.reason, Err: context.Cause(ctx)}
		}
		if err != nil {
			return err
		}
		if seen.connected != "" {
			r.name.Store(&seen.connected)
			return nil
		}
		if seen.reason != last.reason && progress != nil {
			progress(seen.reason)
		}
		last = seen
		if seen.noReader {
			// There is nothing that GetStatusChange could wait for.
			pause := time.NewTimer(slice)
			select {
			case <-pause.C:
			case <-ctx.Done():
				pause.Stop()
			}
		}
	}
}

// find takes one look and connects to the first My Number Card.
func (f *finder) find() (sight, error) {
	if f.card != nil {
		return sight{connected: f.name}, nil // by another goroutine, in the meantime
	}
	sys, err := f.service("wait for a card")
	if err != nil {
		return sight{}, err
	}
	views, err := f.watch.look(sys)
	if err != nil {
		return sight{}, err
	}
	if len(views) == 0 {
		return sight{noReader: true, reason: card.ReasonReaderUnavailable}, nil
	}
	reason := card.ReasonCardAbsent
	for _, v := range views {
		if v.changed {
			delete(f.refused, v.reader)
		}
		if !v.card {
			continue
		}
		if f.refused[v.reader] {
			reason = card.ReasonNotMyNumberCard
			continue
		}
		if err := f.tryReader(v.reader); err != nil {
			reason, f.lost = reasonOf(err), false
			f.refused[v.reader] = reason == card.ReasonNotMyNumberCard
			continue
		}
		return sight{connected: v.reader}, nil
	}
	return sight{reason: reason}, nil
}

// tryReader connects to the card in a reader and asks it for the JPKI application. A transaction keeps that out of what
// another program does with the card at the time.
func (f *finder) tryReader(reader string) error {
	const op = "connect"
	if err := f.connect(op, reader); err != nil {
		return err
	}
	number, err := f.begin()
	if err != nil {
		f.disconnect()
		return err
	}
	err = f.selectJPKI(op)
	if endErr := f.end(number); err == nil {
		err = endErr
	}
	if err != nil {
		f.disconnect()
	}
	return err
}

func (f *finder) selectJPKI(op string) error {
	for range 3 { // the first command after power-up, or the first two, may be answered with 6F00
		answer, err := f.transmit(selectJPKI[:])
		if err != nil {
			return err
		}
		r, err := apdu.ParseResponse(answer)
		if err != nil {
			break
		}
		// Some answer with data that nobody asked for, or announce them.
		if _, more := r.Status.Available(); r.Status == apdu.OK || more {
			return nil
		}
		if r.Status.SW1() != 0x6F {
			break
		}
	}
	return &card.Error{Step: op, Reason: card.ReasonNotMyNumberCard}
}
