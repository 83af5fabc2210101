package once

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func start() time.Time { return time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC) }

func TestFirst(t *testing.T) {
	now := start()
	m := New(3, Forget)
	if m.Used("a", now) || !m.First("a", now, now.Add(time.Minute)) || m.First("a", now, now.Add(time.Hour)) {
		t.Fatal("a name must be new exactly once")
	}
	if !m.Used("a", now.Add(time.Minute-1)) || m.Used("b", now) {
		t.Error("not what was seen")
	}
	if m.Used("a", now.Add(time.Minute)) || !m.First("a", now.Add(time.Minute), now.Add(2*time.Minute)) {
		t.Error("remembered after it expired")
	}
}

// The order of expiry need not be that of arrival, and a clock that is set back forgets nothing.
func TestExpiry(t *testing.T) {
	now := start()
	m := New(10, Refuse)
	for i, minutes := range []time.Duration{5, 1, 3, 2, 4} {
		if !m.First(fmt.Sprint(i), now, now.Add(minutes*time.Minute)) {
			t.Fatal(i)
		}
	}
	m.Used("", now.Add(-time.Hour))
	for left := 5; left > 0; left-- {
		if m.Len() != left {
			t.Errorf("%d left, want %d", m.Len(), left)
		}
		now = now.Add(time.Minute)
		m.Used("", now)
	}
	if m.Len() != 0 {
		t.Errorf("%d left", m.Len())
	}
}

func TestFull(t *testing.T) {
	now := start()
	for _, full := range []Full{Forget, Refuse} {
		m := New(3, full)
		for i := range 3 {
			m.First(fmt.Sprint(i), now, now.Add(time.Duration(i+1)*time.Minute))
		}
		taken := m.First("3", now, now.Add(time.Minute))
		if taken != (full == Forget) || m.Used("0", now) != (full == Refuse) || !m.Used("1", now) ||
			!m.Used("2", now) || m.Len() != 3 {
			t.Errorf("%v: taken %v, %d remembered", full, taken, m.Len())
		}
		if m.First("2", now, now.Add(time.Hour)) {
			t.Errorf("%v: a full memory forgot what it was asked about", full)
		}
	}
}

func TestOnlyOneIsFirst(t *testing.T) {
	m := New(3, Forget)
	now := start()
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if m.First("same", now, now.Add(time.Minute)) {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 16 were the first", won.Load())
	}
}
