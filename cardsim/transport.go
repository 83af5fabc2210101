package cardsim

import (
	"context"
	"sync"

	"github.com/kakunin-go/kakunin/jpki/card"
)

// Transport returns a new in-process connection to the card for jpki/card. It implements card.Transport,
// card.Transactor and card.PowerCycler, and it is safe for concurrent use.
//
// Each connection stands for one program at the reader: while one has a transaction, commands and transactions of the
// others wait, or end with the error of their context. Transactions of the same connection nest.
func (c *Card) Transport() card.Transport { return &transport{card: c} }

var (
	_ card.Transactor  = (*transport)(nil)
	_ card.PowerCycler = (*transport)(nil)
)

type transport struct {
	card *Card

	mu    sync.Mutex
	depth int // commands and transactions under way on this connection; above 0 it holds the card
}

// Transmit implements card.Transport. The error is the context's.
func (t *transport) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if err := t.enter(ctx); err != nil {
		return nil, err
	}
	defer t.leave()
	return t.card.Transmit(command), nil
}

// PowerOff implements card.PowerCycler. The error is the context's.
func (t *transport) PowerOff(ctx context.Context) error {
	if err := t.enter(ctx); err != nil {
		return err
	}
	defer t.leave()
	t.card.PowerOff()
	return nil
}

// Begin implements card.Transactor: it waits until no other connection has a transaction. The error is the context's;
// end never fails and may be called again.
func (t *transport) Begin(ctx context.Context) (end func() error, err error) {
	if err := t.enter(ctx); err != nil {
		return nil, err
	}
	var once sync.Once
	return func() error {
		once.Do(t.leave)
		return nil
	}, nil
}

// enter waits for the card, or joins the transaction that this connection has: looking and counting are one step, so
// that the card is not given back in between.
func (t *transport) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if t.join() {
		return nil
	}
	select {
	case t.card.hold <- struct{}{}:
		t.mu.Lock()
		defer t.mu.Unlock()
		t.depth++
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// join enters the transaction that is open on this connection, if there is one.
func (t *transport) join() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.depth == 0 {
		return false
	}
	t.depth++
	return true
}

// leave undoes one enter, and gives the card back with the last.
func (t *transport) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.depth--
	if t.depth == 0 {
		<-t.card.hold
	}
}
