//go:build pcsc

package pcsc

import (
	"context"

	"github.com/kakunin-go/kakunin/jpki/card"
)

// owner is the one goroutine that touches PC/SC handles, because a handle must not be used by two threads at once:
// pcsc-lite 1.9.9 has a race between SCardCancel and the call that it cancels, so nothing here is ever cancelled from
// outside.
type owner struct {
	jobs chan func()
	stop chan struct{} // closed by Close
	done chan struct{} // closed when the goroutine has ended
}

// queue is how many jobs may wait. Only ends of transactions are left behind unfinished, and there is one at a time.
const queue = 4

func newOwner() *owner {
	return &owner{jobs: make(chan func(), queue), stop: make(chan struct{}), done: make(chan struct{})}
}

// run serves jobs until stop; last runs at the end.
func (o *owner) run(last func()) {
	defer close(o.done)
	defer last()
	for {
		select {
		case <-o.stop:
			return
		case job := <-o.jobs:
			job()
		}
	}
}

// outcome is what a job brings back.
type outcome[T any] struct {
	value T
	err   error
}

// call runs f on the owner's goroutine and waits for it. If ctx ends first, call returns its error, and f's value,
// should there be one later, goes to undo.
func call[T any](ctx context.Context, o *owner, f func() (T, error), undo func(T)) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, interrupted(err)
	}
	result, gone := make(chan outcome[T]), make(chan struct{})
	job := func() {
		select {
		case <-gone:
			return // nobody waits any more, and nothing has been done
		default:
		}
		v, err := f()
		select {
		case result <- outcome[T]{v, err}:
		case <-gone:
			if err == nil && undo != nil {
				undo(v)
			}
		}
	}
	defer close(gone)
	select {
	case o.jobs <- job:
	case <-ctx.Done():
		return none, interrupted(ctx.Err())
	case <-o.stop:
		return none, closed()
	}
	select {
	case r := <-result:
		return r.value, r.err
	case <-ctx.Done():
		return none, interrupted(ctx.Err())
	case <-o.done:
		return none, closed()
	}
}

func interrupted(err error) error {
	return &card.Error{Step: "reader", Reason: card.ReasonInterrupted, Err: err}
}

func closed() error { return &card.Error{Step: "reader", Reason: card.ReasonClosed} }
