package middleware

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestUsedStates(t *testing.T) {
	start := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	u := newUsedStates()
	u.limit = 3
	if u.contains("a", start) || !u.add("a", start, start.Add(time.Minute)) || u.add("a", start, start.Add(time.Minute)) {
		t.Fatal("a state must be new exactly once")
	}
	if !u.contains("a", start.Add(59*time.Second)) {
		t.Error("forgotten before it expired")
	}
	if u.contains("a", start.Add(time.Minute)) {
		t.Error("remembered after it expired")
	}
	for i := range 5 {
		u.add(fmt.Sprint(i), start, start.Add(time.Minute))
	}
	if len(u.seen) != 3 || len(u.queue) != 3 || u.contains("1", start) || !u.contains("2", start) {
		t.Errorf("%d states kept, want the 3 newest", len(u.seen))
	}
}

func TestUsedStatesAreAtomic(t *testing.T) {
	u := newUsedStates()
	now := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if u.add("same", now, now.Add(time.Minute)) {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 16 concurrent callbacks were the first", won.Load())
	}
}
