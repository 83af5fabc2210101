package sign_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

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
			if !yield(sign.Job{Opened: o, Expect: sign.Expect{Document: strings.NewReader(text), Mode: sign.ModeDigestInfo}}) {
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
		if err := v.VerifyAll(t.Context(), jobs(o, 50, &taken), workers, func(o sign.Outcome) { outcomes[o.Index] = o }); err != nil {
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
	if err := v.VerifyAll(t.Context(), func(func(sign.Job) bool) {}, 2, func(sign.Outcome) { t.Error("an outcome of nothing") }); err != nil {
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
	err := v.VerifyAll(ctx, jobs(w.opened(t, sign.ModeDigestInfo), 1<<30, &taken), 2, func(sign.Outcome) {
		if ended++; ended == 20 {
			cancel()
		}
	})
	if reasonOf(err) != sign.ReasonInterrupted || !errors.Is(err, context.Canceled) || kakunin.FamilyOf(err) != kakunin.Unavailable {
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

// BenchmarkVerifyAll measures whole verifications per operation with one worker and with one for each processor.
func BenchmarkVerifyAll(b *testing.B) {
	w := newWorld(b)
	v := w.verifier(b)
	o := w.opened(b, sign.ModeDigestInfo)
	for _, workers := range []int{1, 0} {
		b.Run(fmt.Sprintf("workers-%d", workers), func(b *testing.B) {
			for b.Loop() {
				var taken atomic.Int64
				if err := v.VerifyAll(b.Context(), jobs(o, 2000, &taken), workers, func(sign.Outcome) {}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Verifying what came in during the night.
func ExampleVerifier_VerifyAll() {
	w := shared()
	v := w.verifier(fatal{})
	var taken atomic.Int64
	held, failed := 0, 0
	err := v.VerifyAll(context.Background(), jobs(w.opened(fatal{}, sign.ModeDigestInfo), 20, &taken), 0, func(o sign.Outcome) {
		if o.Err != nil {
			failed++
			return
		}
		held++
	})
	fmt.Println(held, "held,", failed, "did not:", err)
	// Output: 18 held, 2 did not: <nil>
}
