package tests

import (
	"slices"
	"testing"
	"time"
)

// InTurns measures op, then bare and op in turns within one loop, and reports the ratio of their medians as the metric
// unit: whatever else the machine does meets both alike. The ratio of the fastest twentieths (unit-quiet) is what a
// machine without others shows.
func InTurns(b *testing.B, unit string, bare, op func()) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		op()
	}
	spentBare, spentOp := make([]time.Duration, b.N), make([]time.Duration, b.N)
	for i := range b.N {
		t0 := time.Now()
		bare()
		t1 := time.Now()
		op()
		spentBare[i], spentOp[i] = t1.Sub(t0), time.Since(t1)
	}
	slices.Sort(spentBare)
	slices.Sort(spentOp)
	b.ReportMetric(float64(spentOp[b.N/2])/float64(spentBare[b.N/2]), unit)
	b.ReportMetric(float64(spentOp[b.N/20])/float64(spentBare[b.N/20]), unit+"-quiet")
}
