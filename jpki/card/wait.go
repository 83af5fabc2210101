package card

import (
	"context"
	"time"
)

// Waiter is optionally implemented by a transport that can wait for a card, such as a reader.
type Waiter interface {
	// WaitCard returns when there is a card that looks like a My Number Card, which Transmit then reaches. It tells
	// progress what stands in the way whenever that changes: [ReasonReaderUnavailable], [ReasonCardAbsent], [ReasonCardBusy] or
	// [ReasonNotMyNumberCard]. When ctx ends it returns an error; an *[Error] keeps its reason.
	WaitCard(ctx context.Context, progress func(Reason)) error
}

// retryPause lies between two attempts with a card that could not be read, because it was not held still.
const retryPause = 250 * time.Millisecond

// Wait waits until one of the readers has a My Number Card and opens it with the zero [Options]; see [Options.Wait].
func Wait(ctx context.Context, readers ...Transport) (*Card, error) {
	return Options{}.Wait(ctx, readers...)
}

// Wait waits until one of the readers has a My Number Card and opens it; the first wins, the others are let go. A
// transport that is no [Waiter] must have its card now. A card that is taken away while it is being opened is waited for
// again. Options.Progress hears what stands in the way.
//
// When ctx ends the error is that of ctx in an *[Error] with the reason that stood in the way last, [ReasonCardAbsent] for example.
// When no reader can be waited for any more it is the error of the last. Nothing runs on after Wait returns.
func (o Options) Wait(ctx context.Context, readers ...Transport) (*Card, error) {
	const op = "wait for a card"
	if len(readers) == 0 {
		return nil, &Error{Op: op, Reason: ReasonReaderUnavailable}
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
			c, err := o.waitOne(waiting, r, func(reason Reason) {
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
			if o.Progress != nil && won == nil {
				o.Progress(last)
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
	case ctx.Err() != nil && ReasonOf(failure) == ReasonInterrupted:
		return nil, &Error{Op: op, Reason: last, Err: context.Cause(ctx)}
	default:
		return nil, failure
	}
}

// waitOne waits for a card in one reader and opens it.
func (o Options) waitOne(ctx context.Context, t Transport, progress func(Reason)) (*Card, error) {
	const op = "wait for a card"
	reader, ok := t.(Waiter)
	if !ok {
		return Open(ctx, t, o)
	}
	for {
		if err := reader.WaitCard(ctx, progress); err != nil {
			return nil, transportError(ctx, op, err)
		}
		c, err := Open(ctx, t, o)
		reason := ReasonOf(err)
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
			return nil, &Error{Op: op, Reason: ReasonInterrupted, Err: context.Cause(ctx)}
		}
	}
}
