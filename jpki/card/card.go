package card

import (
	"context"
	"time"
)

// closeTimeout is how long Close may take after its context has ended: power must go also when a request was cancelled.
const closeTimeout = 5 * time.Second

// Config tunes a client. The zero value is fit for use.
type Config struct {
	// Roots makes every method that reads signed data check the issuer's signature and that the chip holds the key
	// which the issuer certified. Without it the data are what the card says.
	Roots *Roots
	// SecureMessaging makes the answers to the text PIN (attributes, individual number) travel encrypted between card
	// and client. The PIN itself cannot be hidden: the card wants it first.
	SecureMessaging bool
	// Progress is told by [Config.Wait] what stands in the way of a card, whenever that changes. It is called by the
	// goroutine that waits. Default none.
	Progress func(Reason)
}

// Card is a client for one card; safe for concurrent use (commands are serialised).
type Card struct {
	s   *session
	cfg Config
}

// Open selects the JPKI application and reads the token label. Detection is by AID, never by ATR. A card without the
// application is an *[Error] with reason [ReasonNotMyNumberCard].
func Open(ctx context.Context, t Transport, cfg Config) (*Card, error) {
	s := newSession(t)
	c := &Card{s: s, cfg: cfg}
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

// Release makes the card forget what was verified and ends the transaction, so that other programs may use the card. It
// selects the issuer security domain, because a card keeps a PIN verified when the application that is current is
// selected again; a card that refuses to leave the application is an error, and stays held. The Card stays usable.
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

// Close makes the card forget as [Card.Release] does, and removes power where the transport is a [PowerCycler]. An
// iPhone is told that the session is over. It works also when ctx has ended or ends meanwhile, and takes at most five
// seconds after that. Every later call of another method fails with reason [ReasonClosed]; a second Close does nothing.
// The transport stays open.
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
	return c.s.shutDown(ctx)
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

// Waiter is optionally implemented by a transport that can wait for a card, such as a reader.
type Waiter interface {
	// WaitCard returns when there is a card that looks like a My Number Card, which Transmit then reaches. It tells
	// progress what stands in the way whenever that changes: [ReasonReaderUnavailable], [ReasonCardAbsent],
	// [ReasonCardBusy] or [ReasonNotMyNumberCard]. When ctx ends it returns an error; an *[Error] keeps its reason.
	WaitCard(ctx context.Context, progress func(Reason)) error
}

// retryPause lies between two attempts with a card that could not be read, because it was not held still.
const retryPause = 250 * time.Millisecond

// Wait waits until one of the readers has a My Number Card and opens it with the zero [Config]; see [Config.Wait].
func Wait(ctx context.Context, readers ...Transport) (*Card, error) {
	return Config{}.Wait(ctx, readers...)
}

// Wait waits until one of the readers has a My Number Card and opens it; the first wins, the others are let go. A
// transport that is no [Waiter] must have its card now. A card that is taken away while it is being opened is waited
// for again. Config.Progress hears what stands in the way.
//
// When ctx ends the error is that of ctx in an *[Error] with the reason that stood in the way last, [ReasonCardAbsent]
// for example. When no reader can be waited for any more it is the error of the last. Nothing runs on after Wait
// returns.
func (cfg Config) Wait(ctx context.Context, readers ...Transport) (*Card, error) {
	const op = "wait for a card"
	if len(readers) == 0 {
		return nil, &Error{Step: op, Reason: ReasonReaderUnavailable}
	}
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	type outcome struct {
		card *Card
		err  error
	}
	outcomes := make(chan outcome)
	progress := make(chan Reason)
	for _, r := range readers {
		go func() {
			c, err := cfg.waitOne(waiting, r, func(reason Reason) {
				select {
				case progress <- reason:
				case <-waiting.Done():
				}
			})
			outcomes <- outcome{c, err}
		}()
	}
	var won *Card
	var failure error
	last := ReasonInterrupted
	for left := len(readers); left > 0; {
		select {
		case last = <-progress:
			if cfg.Progress != nil && won == nil {
				cfg.Progress(last)
			}
		case r := <-outcomes:
			left--
			switch {
			case r.err != nil:
				failure = r.err
			case won != nil:
				_ = r.card.Close(ctx) // a second card, in the same moment
			default:
				won = r.card
				stop()
			}
		}
	}
	switch {
	case won != nil:
		return won, nil
	case ctx.Err() != nil && reasonOf(failure) == ReasonInterrupted:
		return nil, &Error{Step: op, Reason: last, Err: context.Cause(ctx)}
	default:
		return nil, failure
	}
}

// waitOne waits for a card in one reader and opens it.
func (cfg Config) waitOne(ctx context.Context, t Transport, progress func(Reason)) (*Card, error) {
	const op = "wait for a card"
	reader, ok := t.(Waiter)
	if !ok {
		return Open(ctx, t, cfg)
	}
	for {
		if err := reader.WaitCard(ctx, progress); err != nil {
			return nil, transportError(ctx, op, err)
		}
		c, err := Open(ctx, t, cfg)
		reason := reasonOf(err)
		switch reason {
		case ReasonTransportFailed, ReasonCardAbsent, ReasonCardBusy, ReasonMalformed, ReasonNotMyNumberCard:
			progress(reason)
		default:
			return c, err
		}
		if power, ok := t.(PowerCycler); ok {
			_ = power.PowerOff(ctx) // gives up the card; the next one is another
		}
		pause := time.NewTimer(retryPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return nil, &Error{Step: op, Reason: ReasonInterrupted, Err: context.Cause(ctx)}
		}
	}
}
