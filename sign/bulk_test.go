package sign_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/sign"
)

// jobs are n signatures; every tenth is over another document. taken counts those that were asked for.
func jobs(o *sign.Opened, n int, taken *atomic.Int64) iter.Seq[sign.Job] {
	return func(yield func(sign.Job) bool) {
		for i := range n {
			taken.Add(1)
			text := document
			if i%10 == 9 {
				text += "x"
			}
			if !yield(sign.Job{Opened: o, Expect: sign.Expect{Document: strings.NewReader(text),
				Mode: sign.ModeDigestInfo}}) {
				return
			}
		}
	}
}

// TestVerifyAll: each job has its own outcome, under its own number, whatever the number of workers.
func TestVerifyAll(t *testing.T) {
	t.Parallel()
	w := shared()
	v := w.verifier(t)
	o := w.opened(t, sign.ModeDigestInfo)
	for _, workers := range []int{0, 1, 3, 100} {
		var taken atomic.Int64
		outcomes := map[int]sign.Outcome{}
		if err := v.VerifyAll(t.Context(), jobs(o, 50, &taken),
			sign.Bulk{Workers: workers, Done: func(o sign.Outcome) { outcomes[o.Index] = o }}); err != nil {
			t.Fatal(err)
		}
		if len(outcomes) != 50 || taken.Load() != 50 {
			t.Errorf("%d workers: %d outcomes of %d jobs", workers, len(outcomes), taken.Load())
		}
		for i, out := range outcomes {
			if bad := i%10 == 9; bad != (reasonOf(out.Err) == sign.ReasonSignature) || (out.Report == nil) != bad {
				t.Errorf("%d workers, job %d: %v", workers, i, out.Err)
			}
		}
	}
	if err := v.VerifyAll(t.Context(), func(func(sign.Job) bool) {},
		sign.Bulk{Workers: 2, Done: func(sign.Outcome) { t.Error("an outcome of nothing") }}); err != nil {
		t.Error(err)
	}
}

// TestVerifyAllIsGivenUp: no job is taken after the context ended, and a sequence without an end takes no memory.
func TestVerifyAllIsGivenUp(t *testing.T) {
	t.Parallel()
	w := shared()
	v := w.verifier(t)
	ctx, cancel := context.WithCancel(t.Context())
	var taken atomic.Int64
	ended := 0
	err := v.VerifyAll(ctx, jobs(w.opened(t, sign.ModeDigestInfo), 1<<30, &taken),
		sign.Bulk{Workers: 2, Done: func(sign.Outcome) {
			if ended++; ended == 20 {
				cancel()
			}
		}})

	if reasonOf(err) != sign.ReasonInterrupted || !errors.Is(err, context.Canceled) ||
		kakunin.FamilyOf(err) != kakunin.Unavailable {
		t.Errorf("%v", err)
	}
	if n := taken.Load(); ended < 20 || n > int64(ended)+3 {
		t.Errorf("%d jobs taken, %d ended", n, ended)
	}
}

// TestLongDocument: a document is a stream, whatever its length.
func TestLongDocument(t *testing.T) { //nolint:paralleltest // it measures the memory of the process
	const size = 64 << 20
	w := shared()
	v := w.verifier(t)
	o := w.opened(t, sign.ModeDigestInfo)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := v.Verify(t.Context(), o, sign.Expect{Document: io.LimitReader(zeros{}, size), Mode: sign.ModeDigestInfo})
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; reasonOf(err) != sign.ReasonSignature || n > size/16 {
		t.Errorf("%d bytes allocated for a document of %d: %v", n, size, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// BenchmarkVerifyAll measures whole verifications with one worker and with one for each processor, in turns of short
// rounds within one loop: what else the machine does meets both alike, and a round that is disturbed is one of many.
// The ratio of the medians (x-faster) says by how much more processors are faster; that of the fastest twentieths
// (x-faster-quiet) is one of few rounds.
//
// One worker has the other processors for the garbage collector, which runs every few milliseconds in a program of a
// few megabytes and makes all workers together slower by a tenth. A verifier holds the lists of its authorities: the
// benchmark holds as much memory as those of some million entries take.
func BenchmarkVerifyAll(b *testing.B) {
	w := newWorld(b)
	v := w.verifier(b)
	o := w.opened(b, sign.ModeDigestInfo)
	run := func(workers int) time.Duration {
		var taken atomic.Int64
		begun := time.Now()
		if err := v.VerifyAll(b.Context(), jobs(o, 200, &taken),
			sign.Bulk{Workers: workers, Done: func(sign.Outcome) {}}); err != nil {
			b.Fatal(err)
		}
		return time.Since(begun)
	}
	lists := make([]byte, 64<<20)
	defer runtime.KeepAlive(lists)
	run(0) // the list's signature is checked at its first use
	b.ReportAllocs()
	var one, all []time.Duration
	for b.Loop() {
		if len(one)%2 == 0 { // neither is always the one that comes after the other
			one, all = append(one, run(1)), append(all, run(0))
		} else {
			all, one = append(all, run(0)), append(one, run(1))
		}
	}
	slices.Sort(one)
	slices.Sort(all)
	b.ReportMetric(float64(one[len(one)/2])/float64(all[len(all)/2]), "x-faster")
	b.ReportMetric(float64(one[len(one)/20])/float64(all[len(all)/20]), "x-faster-quiet")
}

// Verifying what came in during the night.
func ExampleVerifier_VerifyAll() {
	w := shared()
	v := w.verifier(fatal{})
	var taken atomic.Int64
	held, failed := 0, 0
	err := v.VerifyAll(context.Background(), jobs(w.opened(fatal{}, sign.ModeDigestInfo), 20, &taken),
		sign.Bulk{Workers: 0, Done: func(o sign.Outcome) {
			if o.Err != nil {
				failed++
				return
			}
			held++
		}})

	fmt.Println(held, "held,", failed, "did not:", err)
	// Output: 18 held, 2 did not: <nil>
}
