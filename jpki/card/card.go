package card

import (
	"context"
	"time"
)

// closeTimeout is how long Close may take after its context has ended: power must go also when a request was cancelled.
const closeTimeout = 5 * time.Second

// Options tune a client. The zero value is fit for use.
type Options struct {
	// AllowLastTry lets a VERIFY spend the last remaining try; the default refuses with a PINError.
	AllowLastTry bool
	// Roots makes every method that reads signed data check the issuer's signature and that the chip holds the key which
	// the issuer certified. Without it the data are what the card says.
	Roots *Roots
	// SecureMessaging makes the answers to the text PIN (attributes, individual number) travel encrypted between card and
	// client. The PIN itself cannot be hidden: the card wants it first.
	SecureMessaging bool
	// Progress is told by [Options.Wait] what stands in the way of a card, whenever that changes. It is called by the
	// goroutine that waits. Default none.
	Progress func(Reason)
}

// Card is a client for one card; safe for concurrent use (commands are serialised).
type Card struct {
	s    *session
	opts Options
}

// Open selects the JPKI application and reads the token label. Detection is by AID, never by ATR. A card without the
// application is an *[Error] with reason [ReasonNotMyNumberCard].
func Open(ctx context.Context, t Transport, opts Options) (*Card, error) {
	s := newSession(t)
	c := &Card{s: s, opts: opts}
	err := s.do(ctx, "open", jpkiApp, 0, func(ctx context.Context) error {
		kind, err := s.readTokenKind(ctx)
		s.kind = kind
		return err
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Kind returns the kind of token.
func (c *Card) Kind() TokenKind { return c.s.kind }

// AllowLastTry returns a view of the same card that may spend the last try of a PIN, for use after the person was warned
// and agreed. The receiver goes on refusing.
func (c *Card) AllowLastTry() *Card {
	view := &Card{s: c.s, opts: c.opts}
	view.opts.AllowLastTry = true
	return view
}

// Release makes the card forget what was verified, by selecting the application anew, and ends the transaction, so that
// other programs may use the card. The Card stays usable. Only [Card.Close] with a transport that is a [PowerCycler] is
// certain to clear the card.
func (c *Card) Release(ctx context.Context) error {
	if err := c.s.lock(ctx); err != nil {
		return err
	}
	defer c.s.unlock()
	if c.s.closed {
		return nil
	}
	return c.s.release(ctx)
}

// Close removes power where the transport can, so that no verified PIN stays behind, and otherwise does what
// [Card.Release] does. An iPhone is told that the session is over. It works also when ctx has ended or ends meanwhile, and
// takes at most five seconds after that. Every later call of another method fails with reason [ReasonClosed]; a second Close does
// nothing. The transport stays open.
func (c *Card) Close(ctx context.Context) error {
	ctx, done := outlast(ctx, closeTimeout)
	defer done()
	if err := c.s.lock(ctx); err != nil {
		return err
	}
	defer c.s.unlock()
	if c.s.closed {
		return nil
	}
	c.s.closed = true
	c.s.announceEnd(ctx)
	return c.s.powerOff(ctx)
}

// outlast returns a context that ends some time after another one has; done ends it at once.
func outlast(ctx context.Context, by time.Duration) (longer context.Context, done func()) {
	longer, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(by)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel(context.DeadlineExceeded)
		case <-longer.Done():
		}
	})
	return longer, func() {
		stop()
		cancel(nil)
	}
}
