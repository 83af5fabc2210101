package main

import (
	"slices"
	"testing"
	"time"
)

// inTurns measures op, then op and bare in turns, and reports the ratio of the medians: it hardly depends on what else
// the machine does. The libraries' own benchmarks in this repository measure in the same way.
func inTurns(b *testing.B, bare, op func()) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		op()
	}
	timed(b, func() time.Duration { return spent(bare) }, func() time.Duration { return spent(op) })
}

// timed reports the ratio of two operations that take their own times, because part of them does not count.
func timed(b *testing.B, bare, op func() time.Duration) {
	b.Helper()
	floor, whole := make([]time.Duration, b.N), make([]time.Duration, b.N)
	for i := range b.N {
		floor[i], whole[i] = bare(), op()
	}
	slices.Sort(floor)
	slices.Sort(whole)
	b.ReportMetric(float64(whole[b.N/2])/float64(floor[b.N/2]), "x-bare")
}

// spent is the time on a processor, so that a machine that does other work spoils no ratio.
func spent(f func()) time.Duration {
	start := processorTime()
	f()
	return processorTime() - start
}

// alone reports the time on a processor in the place of the time that passes.
func alone(b *testing.B, op func()) {
	b.Helper()
	b.ReportAllocs()
	start, n := processorTime(), 0
	for b.Loop() {
		op()
		n++
	}
	b.ReportMetric(float64(processorTime()-start)/float64(n), "ns/op")
}
