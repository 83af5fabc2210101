package daa

import (
	"sync"
	"time"
)

// store is a bounded map whose entries expire. It is safe for concurrent use.
type store[V any] struct {
	now  func() time.Time
	most int
	full full

	mu    sync.Mutex
	m     map[string]*entry[V]
	ends  entry[V]  // before the oldest entry and behind the newest, in a ring; it is none itself
	swept time.Time // when a full store was last gone through
}

// full says what a full store does with a new entry.
type full int

const (
	// refuses: a new entry costs nobody who is there already his place. For what anybody can make without a key.
	refuses full = iota
	// forgets the oldest entry: a service that many log in at for hours stays as large as it was after the first ones.
	forgets
)

// entry is one value, in the order in which they came.
type entry[V any] struct {
	key          string
	value        V
	expires      time.Time
	older, newer *entry[V]
}

// sweepPause is how often a full store is gone through for entries that expired before older ones: not at the pace of
// those who fill it.
const sweepPause = time.Second

func newStore[V any](now func() time.Time, most int, f full) *store[V] {
	s := &store[V]{now: now, most: most, full: f, m: make(map[string]*entry[V])}
	s.ends.older, s.ends.newer = &s.ends, &s.ends
	return s
}

// add reports false when the key exists or the store is full and refuses.
func (s *store[V]) add(key string, v V, expires time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for len(s.m) > 0 && !now.Before(s.oldest().expires) {
		s.drop(s.oldest())
	}
	if e, ok := s.m[key]; ok {
		if now.Before(e.expires) {
			return false
		}
		s.drop(e)
	}
	if len(s.m) >= s.most && s.full == forgets {
		s.drop(s.oldest())
	}
	if len(s.m) >= s.most && now.Sub(s.swept).Abs() >= sweepPause {
		s.swept = now
		for _, e := range s.m {
			if !now.Before(e.expires) {
				s.drop(e)
			}
		}
	}
	if len(s.m) >= s.most {
		return false
	}
	e := &entry[V]{key: key, value: v, expires: expires, older: s.ends.older, newer: &s.ends}
	e.older.newer, s.ends.older = e, e
	s.m[key] = e
	return true
}

// oldest is the entry that came first of those that are there. The caller holds mu, and there is one.
func (s *store[V]) oldest() *entry[V] { return s.ends.newer }

// drop forgets an entry that is there. The caller holds mu.
func (s *store[V]) drop(e *entry[V]) {
	e.older.newer, e.newer.older = e.newer, e.older
	delete(s.m, e.key)
}

func (s *store[V]) get(key string) (v V, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.m[key]
	if !ok {
		return v, false
	}
	if !s.now().Before(e.expires) {
		s.drop(e)
		return v, false
	}
	return e.value, true
}

func (s *store[V]) remove(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.m[key]; ok {
		s.drop(e)
	}
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

func (s *store[V]) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.m)
}

func (s *store[V]) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.m)
	s.ends.older, s.ends.newer = &s.ends, &s.ends
}
