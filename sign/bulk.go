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

// Bulk says how many signatures are verified at once.
type Bulk struct {
	// Workers is how many run at a time; 0 or less: as many as there are processors.
	Workers int
	// Done is called for each outcome, one call at a time, in the order in which they end; required.
	Done func(Outcome)
}

// VerifyAll verifies many signatures. It takes a job only when a worker is free, so that a sequence of any length needs
// memory for a few, and documents are read as streams; jobs is read by one goroutine. When ctx ends no further job is
// taken, and VerifyAll returns its error after those under way; otherwise nil, whatever the outcomes.
//
// The workers share nothing but the sequence and the calls of Done. What keeps two processors from being twice as fast
// is the garbage collector, in programs that hold little else: there GOGC=400 gives the tenth back that it takes.
func (v *Verifier) VerifyAll(ctx context.Context, jobs iter.Seq[Job], b Bulk) error {
	workers := b.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var (
		wg    sync.WaitGroup
		calls sync.Mutex
		taken taker
	)
	next, stop := iter.Pull(jobs)
	defer stop()
	taken.next = next
	for range workers {
		wg.Go(func() {
			for {
				index, job, ok := taken.take(ctx)
				if !ok {
					return
				}
				r, err := v.Verify(ctx, job.Opened, job.Expect)
				calls.Lock()
				b.Done(Outcome{index, r, err})
				calls.Unlock()
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return &Error{Reason: ReasonInterrupted, Step: "verify all", Err: ctx.Err()}
	}
	return nil
}

// taker hands out the jobs of a sequence one after another, to whoever is free: nobody waits for a goroutine between.
type taker struct {
	mu    sync.Mutex
	next  func() (Job, bool)
	index int
}

func (t *taker) take(ctx context.Context) (index int, job Job, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if ctx.Err() != nil {
		return 0, Job{}, false
	}
	if job, ok = t.next(); !ok {
		return 0, Job{}, false
	}
	t.index++
	return t.index - 1, job, true
}
