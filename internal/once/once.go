// Package once remembers what may be used a single time: states of logins, identifiers of assertions, results.
//
// Make a [Memory] with [New] and ask [Memory.First], which answers true once for each name. What a memory holds does
// not outlive the process; a store that several processes share is the application's.
package once

import (
	"container/heap"
	"crypto/sha256"
	"sync"
	"time"
)

// Full says what a full memory does with one more name.
type Full int

const (
	// Forget drops the name that expires first. A flood of names costs the oldest one its protection, and shuts nobody
	// out: for names that are guarded elsewhere too.
	Forget Full = iota
	// Refuse takes no new name until one expires: where a forgotten name would open a replay.
	Refuse
)

// Memory holds names until they expire. It keeps a hash of each and nothing of the name. It is safe for concurrent use.
type Memory struct {
	limit int
	full  Full

	mu    sync.Mutex
	seen  map[key]struct{}
	queue queue
}

// key is half a SHA-256: nobody finds two names with the same 128 bits for whom that would pay.
type key [16]byte

// New makes a memory for at most limit names.
func New(limit int, full Full) *Memory {
	return &Memory{limit: limit, full: full, seen: make(map[key]struct{})}
}

// First reports whether the name is seen for the first time, and remembers it until expires: of concurrent callers
// exactly one gets true. A full memory that refuses answers false.
func (m *Memory) First(name string, now, expires time.Time) bool {
	k := keyOf(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire(now)
	if _, again := m.seen[k]; again {
		return false
	}
	if len(m.queue) >= m.limit {
		if m.full == Refuse {
			return false
		}
		m.drop()
	}
	m.seen[k] = struct{}{}
	heap.Push(&m.queue, entry{k, expires})
	return true
}

// Used reports whether the name was seen and is still remembered.
func (m *Memory) Used(name string, now time.Time) bool {
	k := keyOf(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire(now)
	_, used := m.seen[k]
	return used
}

// Clear forgets every name.
func (m *Memory) Clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.seen)
	m.queue = nil
}

// Len is the number of names remembered.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.seen)
}

func keyOf(name string) key {
	sum := sha256.Sum256([]byte(name))
	return key(sum[:len(key{})])
}

// expire drops every name whose time has come.
func (m *Memory) expire(now time.Time) {
	for len(m.queue) > 0 && !now.Before(m.queue[0].expires) {
		m.drop()
	}
	if len(m.queue) == 0 {
		m.queue = nil // gives the array back after a flood
	}
}

func (m *Memory) drop() {
	delete(m.seen, m.queue[0].key)
	heap.Pop(&m.queue)
}

type entry struct {
	key     key
	expires time.Time
}

// queue is a heap with the entry that expires first on top.
type queue []entry

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].expires.Before(q[j].expires) }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *queue) Push(x any) { *q = append(*q, x.(entry)) }

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	*q = (*q)[:last]
	return e
}
