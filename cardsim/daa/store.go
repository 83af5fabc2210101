package daa

import (
	"sync"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// store is a bounded map whose entries expire. It is safe for concurrent use. A full store refuses new entries instead
// of forgetting old ones.
type store[V any] struct {
	now func() time.Time

	mu    sync.Mutex
	m     map[string]entry[V]
	sweep int // size at which expired entries are looked for again
}

type entry[V any] struct {
	value   V
	expires time.Time
}

const firstSweep = 64

func newStore[V any](now func() time.Time) *store[V] {
	return &store[V]{now: now, m: make(map[string]entry[V]), sweep: firstSweep}
}

// add reports false when the key exists or the store is full.
func (s *store[V]) add(key string, v V, expires time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if len(s.m) >= s.sweep {
		for k, e := range s.m {
			if !now.Before(e.expires) {
				delete(s.m, k)
			}
		}
		s.sweep = max(firstSweep, 2*len(s.m))
	}
	if e, ok := s.m[key]; ok && now.Before(e.expires) {
		return false
	}
	if len(s.m) >= limits.SimulatorEntries {
		s.sweep = min(s.sweep, limits.SimulatorEntries)
		return false
	}
	s.m[key] = entry[V]{v, expires}
	return true
}

func (s *store[V]) get(key string) (v V, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.m[key]
	if !ok {
		return v, false
	}
	if !s.now().Before(e.expires) {
		delete(s.m, key)
		return v, false
	}
	return e.value, true
}

func (s *store[V]) remove(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.m, key)
}

// values lists the entries that have not expired.
func (s *store[V]) values() []V {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	list := make([]V, 0, len(s.m))
	for _, e := range s.m {
		if now.Before(e.expires) {
			list = append(list, e.value)
		}
	}
	return list
}

func (s *store[V]) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.m)
}
