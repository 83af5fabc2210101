//go:build pcsc

package pcsc

import (
	"context"
	"strings"
	"time"

	"github.com/ebfe/scard"

	"github.com/kakunin-go/kakunin/jpki/card"
)

// slice is how long one look at the readers may take, and so how fast a context is noticed.
const slice = 250 * time.Millisecond

// selectJPKI selects the JPKI application by its AID (ISO/IEC 7816-4, 11.2.2: P1 04; P2 0C, no answer data).
var selectJPKI = [...]byte{0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01}

// sight is what one look at the readers found.
type sight struct {
	connected string // the reader whose card is connected, "" if none
	noReader  bool
	reason    card.Reason // what stands in the way
}

// watch is what is known of the readers between two looks. It belongs to the owner's goroutine.
type watch struct {
	*state
	known map[string]scard.StateFlag
}

// wait looks at the readers in slices until the state is connected to a card.
func (r *Reader) wait(ctx context.Context) error {
	const op = "wait for a card"
	w := &watch{state: r.st, known: map[string]scard.StateFlag{}}
	last := sight{reason: card.Interrupted}
	for {
		seen, err := call(ctx, r.o, w.look, nil)
		if ctx.Err() != nil {
			return &card.Error{Op: op, Reason: last.reason, Err: context.Cause(ctx)}
		}
		if err != nil {
			return err
		}
		if seen.connected != "" {
			r.name = seen.connected
			return nil
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

// look waits up to a slice for a change and tries to connect to a card.
func (w *watch) look() (sight, error) {
	const op = "wait for a card"
	sys, err := w.service(op)
	if err != nil {
		return sight{}, err
	}
	names, err := listReaders(sys, w.cfg.Reader)
	if err != nil {
		return sight{}, err
	}
	if len(names) == 0 {
		return sight{noReader: true, reason: card.ReaderUnavailable}, nil
	}
	states := make([]scard.ReaderState, len(names))
	for i, name := range names {
		states[i] = scard.ReaderState{Reader: name, CurrentState: w.known[name]}
	}
	if err := sys.GetStatusChange(states, slice); err != nil && !is(err, scard.ErrTimeout) {
		if is(err, scard.ErrUnknownReader, scard.ErrReaderUnavailable) {
			w.known = map[string]scard.StateFlag{} // unplugged in this moment
			return sight{reason: card.ReaderUnavailable}, nil
		}
		return sight{}, readerError(op, err)
	}
	var withCard []string
	for _, st := range states {
		now := st.EventState &^ scard.StateChanged
		if now == 0 {
			now = st.CurrentState // nothing was reported before the time was over
		}
		w.known[st.Reader] = now
		if now&scard.StatePresent != 0 && now&scard.StateMute == 0 {
			withCard = append(withCard, st.Reader)
		}
	}
	return w.choose(withCard), nil
}

// choose connects to the first My Number Card, or to the last card of all, whatever it is: package card says then what is
// wrong with it.
func (w *watch) choose(readers []string) sight {
	reason := card.CardAbsent
	for i, name := range readers {
		if err := w.connect("connect", name); err != nil {
			reason, w.lost = card.ReasonOf(err), false
			continue
		}
		if i == len(readers)-1 || w.hasJPKI() {
			return sight{connected: name}
		}
		w.disconnect()
	}
	return sight{reason: reason}
}

// hasJPKI asks the connected card for the JPKI application.
func (w *watch) hasJPKI() bool {
	for range 2 { // the first command after power-up may be answered with 6F00
		answer, err := w.card.Transmit(selectJPKI[:])
		if err != nil || len(answer) != 2 {
			return false
		}
		if answer[0] != 0x6F {
			return answer[0] == 0x90 && answer[1] == 0x00
		}
	}
	return false
}

// listReaders returns the readers whose name contains the text.
func listReaders(sys system, text string) ([]string, error) {
	all, err := sys.ListReaders()
	if is(err, scard.ErrNoReadersAvailable) {
		return nil, nil
	}
	if err != nil {
		return nil, readerError("list readers", err)
	}
	var fit []string
	for _, name := range all {
		if strings.Contains(strings.ToLower(name), strings.ToLower(text)) {
			fit = append(fit, name)
		}
	}
	return fit, nil
}
