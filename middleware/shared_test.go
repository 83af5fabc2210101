package middleware

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

func TestMemoryKeepsForItsTime(t *testing.T) {
	start := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	now := start
	m := newMemory(func() time.Time { return now })
	use := func(key string) bool { first, _ := m.Use(t.Context(), key, time.Minute); return first }
	used := func(key string) bool { was, _ := m.Used(t.Context(), key); return was }
	take := func(key string) string { v, _ := m.Take(t.Context(), key); return string(v) }
	if used("a") || !use("a") || use("a") {
		t.Fatal("a key must be new exactly once")
	}
	_ = m.Put(t.Context(), "v", []byte("value"), time.Minute)
	if now = start.Add(59 * time.Second); !used("a") || take("v") != "value" || take("v") != "" {
		t.Error("forgotten before its time, or taken twice")
	}
	_ = m.Put(t.Context(), "v", []byte("value"), time.Second)
	if now = start.Add(time.Minute); used("a") || take("v") != "" {
		t.Error("remembered after its time")
	}
	for i := range limits.WaitingResults + 1 {
		_ = m.Put(t.Context(), fmt.Sprint(i), []byte("x"), time.Minute)
	}
	if len(m.values) != limits.WaitingResults || take("0") != "" || take("1") != "x" {
		t.Errorf("%d values kept", len(m.values))
	}
}

func TestMemoryIsAtomic(t *testing.T) {
	m := newMemory(time.Now)
	count := func(once func() bool) int32 {
		var n atomic.Int32
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				if once() {
					n.Add(1)
				}
			})
		}
		wg.Wait()
		return n.Load()
	}
	if n := count(func() bool { first, _ := m.Use(t.Context(), "same", time.Minute); return first }); n != 1 {
		t.Errorf("%d of 16 concurrent callbacks were the first", n)
	}
	_ = m.Put(t.Context(), "same", []byte("x"), time.Minute)
	if n := count(func() bool { v, _ := m.Take(t.Context(), "same"); return v != nil }); n != 1 {
		t.Errorf("%d of 16 took the result", n)
	}
}
