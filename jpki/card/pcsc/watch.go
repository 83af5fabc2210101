//go:build pcsc

package pcsc

import (
	"time"

	"github.com/ebfe/scard"
)

// slice is how long one look at the readers may take, and so how fast a context and a new reader are noticed. A card is
// noticed at once.
const slice = 250 * time.Millisecond

// presence is the part of a reader's state that tells cards apart. The upper half counts insertions and removals, so that
// a card that was exchanged between two looks is noticed; the rest also changes when a program connects.
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
