//go:build pcsc

package pcsc

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kakunin-go/kakunin/jpki/card"
)

// endTimeout is how long the end of a transaction may be waited for; it takes place in any case.
const endTimeout = 5 * time.Second

// Reader is a connection to the readers of the machine, and to the card in one of them once it was waited for. It
// implements [card.Transport], [card.Waiter], [card.Transactor], [card.PowerCycler] and [card.LengthMemory]. It is safe
// for concurrent use; one goroutine, which ends with [Reader.Close], makes all calls.
type Reader struct {
	o         *owner
	name      atomic.Pointer[string]
	short     sync.Map // names of readers that carry no extended lengths
	closeOnce sync.Once
	st        *state
}

var (
	_ card.LengthMemory = (*Reader)(nil)
	_ card.Transport    = (*Reader)(nil)
	_ card.Transactor   = (*Reader)(nil)
	_ card.PowerCycler  = (*Reader)(nil)
)

// state belongs to the owner's goroutine.
type state struct {
	establish func() (system, error)
	cfg       config
	sys       system // nil if the service was lost
	name      string
	card      handle // nil if not connected
	// lost says that the card was taken away: the next one may be another person's, so it is connected only by WaitCard
	// or after a PowerOff, which is how the Close of a card.Card ends.
	lost bool
	// used says that commands were sent since power was last removed.
	used bool
	// transaction numbers the open transaction; 0 outside one. count is the last number.
	transaction, count uint64
	// broken is the number of the transaction that another program's reset took away while commands were sent; 0 if
	// none. Its owner has been told by the error of a command and may go on with the next one.
	broken uint64
}

// Readers lists the readers of the machine that the options choose, with or without a card. No reader at all is no
// error. The error is a *card.Error, with reason [card.ReasonReaderUnavailable] if no PC/SC service runs.
func Readers(ctx context.Context, options ...Option) ([]string, error) {
	o := newOwner()
	go o.run(func() {})
	defer close(o.stop)
	return call(ctx, o, func() ([]string, error) {
		sys, err := establish()
		if err != nil {
			return nil, readerError("list readers", err)
		}
		defer func() { _ = sys.Release() }()
		return listReaders(sys, configOf(options))
	}, nil)
}

// Open connects to the PC/SC service. It does not wait for a card: [card.Wait] does. Without options every reader will
// do, and the card is shared. The error is a *card.Error, with reason [card.ReasonReaderUnavailable] if no PC/SC
// service runs.
func Open(ctx context.Context, options ...Option) (*Reader, error) {
	return open(ctx, establish, options...)
}

func open(ctx context.Context, establish func() (system, error), options ...Option) (*Reader, error) {
	r := &Reader{o: newOwner(), st: &state{cfg: configOf(options), establish: establish}}
	go r.o.run(r.st.close)
	_, err := call(ctx, r.o, func() (system, error) { return r.st.service("open") }, nil)
	if err != nil {
		r.closeOnce.Do(func() { close(r.o.stop) })
		return nil, err
	}
	return r, nil
}

// Name returns the name of the reader whose card was found last, "" before that.
func (r *Reader) Name() string {
	if name := r.name.Load(); name != nil {
		return *name
	}
	return ""
}

// RememberShort implements [card.LengthMemory] for the reader whose card was found last.
func (r *Reader) RememberShort() { r.short.Store(r.Name(), true) }

// ShortOnly implements [card.LengthMemory].
func (r *Reader) ShortOnly() bool {
	_, short := r.short.Load(r.Name())
	return short
}

// Transmit implements [card.Transport]. The error is a *card.Error.
func (r *Reader) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	// The caller overwrites a PIN when Transmit returns, which may be before the reader has sent it.
	own := append([]byte(nil), command...)
	return call(ctx, r.o, func() ([]byte, error) {
		defer clear(own)
		return r.st.transmit(own)
	}, nil)
}

// Begin implements [card.Transactor]. It waits while another program has a transaction. The error is a *card.Error.
func (r *Reader) Begin(ctx context.Context) (end func() error, err error) {
	number, err := call(ctx, r.o, r.st.begin, func(n uint64) { _ = r.st.end(n) })
	if err != nil {
		return nil, err
	}
	return func() error {
		return r.leave(func() error { return r.st.end(number) })
	}, nil
}

// leave queues f and waits for it, but not for ever: f runs in any case.
func (r *Reader) leave(f func() error) error {
	result := make(chan error, 1)
	timer := time.NewTimer(endTimeout)
	defer timer.Stop()
	select {
	case r.o.jobs <- func() { result <- f() }:
	case <-r.o.stop:
		return nil // closing ends every transaction
	case <-timer.C:
		return interrupted(context.DeadlineExceeded)
	}
	select {
	case err := <-result:
		return err
	case <-r.o.done:
		return nil
	case <-timer.C:
		return interrupted(context.DeadlineExceeded)
	}
}

// PowerOff implements [card.PowerCycler]: it disconnects with SCARD_UNPOWER_CARD, because a reset leaves the PIN
// verified. Afterwards the Reader connects anew when a transaction begins, also to another card. The error is a
// *card.Error.
func (r *Reader) PowerOff(ctx context.Context) error {
	_, err := call(ctx, r.o, func() (struct{}, error) { return struct{}{}, r.st.powerOff() }, nil)
	return err
}

// Close removes power, disconnects and ends the goroutine. It waits until that is done or ctx ends; the work goes on in
// the second case. Later calls of other methods fail with reason [card.ReasonClosed]; a second Close only waits.
func (r *Reader) Close(ctx context.Context) error {
	r.closeOnce.Do(func() { close(r.o.stop) })
	select {
	case <-r.o.done:
		return nil
	default:
	}
	select {
	case <-r.o.done:
		return nil
	case <-ctx.Done():
		return interrupted(ctx.Err())
	}
}

// Option says which readers may be used and how.
type Option func(*config)

type config struct {
	fits      []func(reader string) bool
	exclusive bool
}

// Named limits the choice to readers whose name contains the text; upper and lower case are the same.
func Named(text string) Option {
	text = strings.ToLower(text)
	return Matching(func(reader string) bool { return strings.Contains(strings.ToLower(reader), text) })
}

// Matching limits the choice to readers for whose name fits returns true. Several limits must all hold. fits is called
// by another goroutine, one call at a time.
func Matching(fits func(reader string) bool) Option {
	return func(c *config) { c.fits = append(c.fits, fits) }
}

// Exclusive connects so that no other program can use the card until the Reader is closed or the card powered off. A
// card that another program uses is then busy. The default is to share it, with transactions.
func Exclusive() Option {
	return func(c *config) { c.exclusive = true }
}

func configOf(options []Option) config {
	var c config
	for _, o := range options {
		o(&c)
	}
	return c
}

// accepts reports whether the reader may be used.
func (c config) accepts(reader string) bool {
	for _, fits := range c.fits {
		if !fits(reader) {
			return false
		}
	}
	return true
}
