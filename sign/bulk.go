package sign

import (
	"context"
	"iter"
	"runtime"
	"sync"
)

// Job is one verification of [Verifier.VerifyAll].
type Job struct {
	Opened *Opened
	Expect Expect
}

// Outcome is the end of one job: a report or an error, as [Verifier.Verify] returns them.
type Outcome struct {
	// Index is the job's place in the sequence, from 0.
	Index  int
	Report *Report
	Err    error
}

// VerifyAll verifies many signatures with as many processors as there are, or with the given number of workers if it is
// positive. It takes a job only when a worker is free, so that a sequence of any length needs memory for a few, and
// documents are read as streams. done is called for each outcome, one call at a time, in the order in which they end;
// jobs is read by one goroutine. When ctx ends no further job is taken, and VerifyAll returns its error after those
// under way; otherwise nil, whatever the outcomes.
func (v *Verifier) VerifyAll(ctx context.Context, jobs iter.Seq[Job], workers int, done func(Outcome)) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	type numbered struct {
		index int
		job   Job
	}
	queue := make(chan numbered)
	var (
		wg    sync.WaitGroup
		calls sync.Mutex
	)
	for range workers {
		wg.Go(func() {
			for n := range queue {
				r, err := v.Verify(ctx, n.job.Opened, n.job.Expect)
				calls.Lock()
				done(Outcome{n.index, r, err})
				calls.Unlock()
			}
		})
	}
	index := 0
feed:
	for job := range jobs {
		select {
		case queue <- numbered{index, job}:
			index++
		case <-ctx.Done():
			break feed
		}
		if ctx.Err() != nil {
			break
		}
	}
	close(queue)
	wg.Wait()
	if ctx.Err() != nil {
		return &Error{Reason: ReasonInterrupted, Step: "verify all", Err: ctx.Err()}
	}
	return nil
}
