//go:build pcsc

package pcsc

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/jpki/card"
)

// EventKind says what happened to a reader. The zero value is no event.
type EventKind int

// Kinds of events.
const (
	ReaderAdded EventKind = iota + 1
	ReaderRemoved
	CardInserted
	CardRemoved
)

// String returns a short English description.
func (k EventKind) String() string {
	switch k {
	case ReaderAdded:
		return "reader added"
	case ReaderRemoved:
		return "reader removed"
	case CardInserted:
		return "card inserted"
	case CardRemoved:
		return "card removed"
	default:
		return "no event"
	}
}

// Event is something that happened to a reader. Which card it is, and whether it is a My Number Card, it does not say.
type Event struct {
	Kind   EventKind
	Reader string
}

// Events tells what happens to the readers that the options choose, beginning with what is there already. It touches no
// card. A card is noticed at once, a reader within a quarter of a second. The sequence ends when the loop is left, or with
// an error, a *card.Error: [card.ReasonReaderUnavailable] if the PC/SC service is not running, [card.ReasonInterrupted] when ctx ends.
func Events(ctx context.Context, options ...Option) iter.Seq2[Event, error] {
	return events(ctx, establish, options)
}

func events(ctx context.Context, establish func() (system, error), options []Option) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		st := &state{cfg: configOf(options), establish: establish}
		o := newOwner()
		go o.run(st.close)
		defer func() {
			close(o.stop)
			<-o.done
		}()
		w := newWatch(st.cfg)
		seen := map[string]bool{} // the readers, and whether a card is there
		for {
			views, err := call(ctx, o, func() ([]view, error) {
				sys, err := st.service("watch readers")
				if err != nil {
					return nil, err
				}
				return w.look(sys)
			}, nil)
			if err != nil {
				yield(Event{}, err)
				return
			}
			for _, e := range difference(seen, views) {
				if !yield(e, nil) {
					return
				}
			}
			if len(views) == 0 {
				pause := time.NewTimer(slice)
				select {
				case <-pause.C:
				case <-ctx.Done():
					pause.Stop()
				}
			}
		}
	}
}

// difference brings seen up to date and returns what happened in between.
func difference(seen map[string]bool, views []view) []Event {
	var out []Event
	for _, reader := range slices.Sorted(maps.Keys(seen)) {
		if !slices.ContainsFunc(views, func(v view) bool { return v.reader == reader }) {
			if seen[reader] {
				out = append(out, Event{CardRemoved, reader})
			}
			out = append(out, Event{ReaderRemoved, reader})
			delete(seen, reader)
		}
	}
	for _, v := range views {
		had, known := seen[v.reader]
		if !known {
			out = append(out, Event{ReaderAdded, v.reader})
		}
		if had && (!v.card || v.changed) {
			out = append(out, Event{CardRemoved, v.reader})
			had = false
		}
		if v.card && !had {
			out = append(out, Event{CardInserted, v.reader})
		}
		seen[v.reader] = v.card
	}
	return out
}

var _ card.Waiter = (*Reader)(nil)
