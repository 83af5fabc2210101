package tests_test

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin/internal/tests"
)

// Nothing that a goroutine wrote is lost or torn, and reading does not disturb (run with -race).
func TestLogOfManyWriters(t *testing.T) {
	var log tests.Log
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				fmt.Fprintf(&log, "line of %d\n", i)
				_ = log.String()
			}
		})
	}
	wg.Wait()
	for i := range 8 {
		if n := strings.Count(log.String(), fmt.Sprintf("line of %d\n", i)); n != 50 {
			t.Errorf("%d lines of writer %d", n, i)
		}
	}
}

// The ratio is that of the two operations, whichever is the slower.
func TestInTurnsReportsTheRatio(t *testing.T) {
	turns := flag.Lookup("test.benchtime").Value
	usual := turns.String()
	t.Cleanup(func() { _ = turns.Set(usual) })
	if err := turns.Set("1000x"); err != nil {
		t.Fatal(err)
	}
	calls := map[string]int{}
	result := testing.Benchmark(func(b *testing.B) {
		clear(calls)
		tests.InTurns(b, "x-bare", func() { calls["bare"]++ }, func() { calls["op"]++ })
		if calls["bare"] != b.N || calls["op"] < 2*b.N {
			b.Errorf("%d of bare, %d of op in %d turns", calls["bare"], calls["op"], b.N)
		}
	})
	if result.N != 1000 {
		t.Errorf("%d turns", result.N)
	}
	for _, unit := range []string{"x-bare", "x-bare-quiet"} {
		if _, ok := result.Extra[unit]; !ok {
			t.Errorf("no %s among %v", unit, result.Extra)
		}
	}
}
