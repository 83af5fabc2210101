//go:build pcsc

package pcsc

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/ebfe/scard"

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

var eventNames = [...]string{
	ReaderAdded: "reader added", ReaderRemoved: "reader removed", CardInserted: "card inserted",
	CardRemoved: "card removed",
}

// String returns a short English description.
func (k EventKind) String() string {
	if k < 0 || int(k) >= len(eventNames) || eventNames[k] == "" {
		return "no event"
	}
	return eventNames[k]
}

// Event is something that happened to a reader. Which card it is, and whether it is a My Number Card, it does not say.
type Event struct {
	Kind   EventKind
	Reader string
}

// Events tells what happens to the readers that the options choose, beginning with what is there already. It touches no
// card. A card is noticed at once, a reader within a quarter of a second. The sequence ends when the loop is left, or
// with an error, a *card.Error: [card.ReasonReaderUnavailable] if the PC/SC service is not running,
// [card.ReasonInterrupted] when ctx ends.
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

// slice is how long one look at the readers may take, and so how fast a context and a new reader are noticed. A card is
// noticed at once.
const slice = 250 * time.Millisecond

// presence is the part of a reader's state that tells cards apart. The upper half counts insertions and removals, so
// that a card that was exchanged between two looks is noticed; the rest also changes when a program connects.
const presence = scard.StatePresent | scard.StateEmpty | scard.StateMute | 0xFFFF0000

// watch is what is known of the readers between two looks. It belongs to the owner's goroutine.
type watch struct {
	cfg   config
	known map[string]scard.StateFlag
}

// view is a reader at one look.
type view struct {
	reader string
	// card says that a card is there which answers; changed that something was inserted or removed since the last look.
	card, changed bool
}

func newWatch(cfg config) watch { return watch{cfg: cfg, known: map[string]scard.StateFlag{}} }

// look waits up to a slice for a change and returns the readers that fit.
func (w *watch) look(sys system) ([]view, error) {
	const op = "watch readers"
	names, err := listReaders(sys, w.cfg)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		clear(w.known)
		return nil, nil
	}
	states := make([]scard.ReaderState, len(names))
	for i, name := range names {
		states[i] = scard.ReaderState{Reader: name, CurrentState: w.known[name]}
	}
	if err := sys.GetStatusChange(states, slice); err != nil && !is(err, scard.ErrTimeout) {
		if is(err, scard.ErrUnknownReader, scard.ErrReaderUnavailable) {
			clear(w.known) // unplugged in this moment
			return nil, nil
		}
		return nil, readerError(op, err)
	}
	now := make(map[string]scard.StateFlag, len(names))
	views := make([]view, 0, len(names))
	for _, st := range states {
		flags := st.EventState &^ scard.StateChanged
		if flags == 0 {
			flags = st.CurrentState // nothing was reported before the time was over
		}
		before := w.known[st.Reader]
		now[st.Reader] = flags
		views = append(views, view{
			reader:  st.Reader,
			card:    flags&scard.StatePresent != 0 && flags&scard.StateMute == 0,
			changed: before&presence != flags&presence,
		})
	}
	w.known = now
	return views, nil
}

// listReaders returns the readers that may be used. No reader at all is no error.
func listReaders(sys system, cfg config) ([]string, error) {
	all, err := sys.ListReaders()
	if is(err, scard.ErrNoReadersAvailable) {
		return nil, nil
	}
	if err != nil {
		return nil, readerError("list readers", err)
	}
	var fit []string
	for _, name := range all {
		if cfg.accepts(name) {
			fit = append(fit, name)
		}
	}
	return fit, nil
}
