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
	depth int // transactions open on this connection
}

// Transmit implements card.Transport. The error is the context's.
func (t *transport) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	leave, err := t.enter(ctx)
	if err != nil {
		return nil, err
	}
	if leave {
		defer t.card.release()
	}
	return t.card.Transmit(command), nil
}

// PowerOff implements card.PowerCycler. The error is the context's.
func (t *transport) PowerOff(ctx context.Context) error {
	leave, err := t.enter(ctx)
	if err != nil {
		return err
	}
	if leave {
		defer t.card.release()
	}
	t.card.PowerOff()
	return nil
}

// Begin implements card.Transactor: it waits until no other connection has a transaction. The error is the context's;
// end never fails and may be called again.
func (t *transport) Begin(ctx context.Context) (end func() error, err error) {
	if _, err := t.enter(ctx); err != nil {
		return nil, err
	}
	t.mu.Lock()
	t.depth++
	t.mu.Unlock()
	var once sync.Once
	return func() error {
		once.Do(t.leave)
		return nil
	}, nil
}

// enter waits for the card. acquired reports whether it was taken now and must be released; it is false inside a
// transaction of this connection.
func (t *transport) enter(ctx context.Context) (acquired bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	t.mu.Lock()
	inside := t.depth > 0
	t.mu.Unlock()
	if inside {
		return false, nil
	}
	select {
	case t.card.hold <- struct{}{}:
		return true, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// leave ends one transaction and gives the card back with the last.
func (t *transport) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.depth--
	if t.depth == 0 {
		t.card.release()
	}
}

func (c *Card) release() { <-c.hold }
