package signapi

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
)

// Memory is a [Store] in memory: for tests, and for whoever has one instance and lets people sign again after a
// restart. It is safe for concurrent use.
type Memory struct {
	mu      sync.Mutex
	entries map[string]Entry
	keys    map[string]string // Key: ID
}

var _ Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{entries: map[string]Entry{}, keys: map[string]string{}}
}

// Add implements Store.
func (m *Memory) Add(ctx context.Context, e Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	_, known := m.entries[e.ID]
	if known || m.taken(e) {
		return ErrExists
	}
	e.Version = 1
	m.put(e)
	return nil
}

// taken reports whether another entry has the key.
func (m *Memory) taken(e Entry) bool {
	other, taken := m.keys[e.Key]
	return e.Key != "" && taken && other != e.ID
}

func (m *Memory) put(e Entry) {
	delete(m.keys, m.entries[e.ID].Key)
	if e.Key != "" {
		m.keys[e.Key] = e.ID
	}
	m.entries[e.ID] = copied(e)
}

func copied(e Entry) Entry {
	e.Record, e.Answer = bytes.Clone(e.Record), bytes.Clone(e.Answer)
	return e
}

// Get implements Store.
func (m *Memory) Get(ctx context.Context, id string) (Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.get(ctx, id)
}

func (m *Memory) get(ctx context.Context, id string) (Entry, error) {
	if err := ctx.Err(); err != nil {
		return Entry{}, err
	}
	e, ok := m.entries[id]
	if !ok {
		return Entry{}, ErrAbsent
	}
	return copied(e), nil
}

// Find implements Store.
func (m *Memory) Find(ctx context.Context, key string) (Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id, ok := m.keys[key]
	if !ok {
		return Entry{}, ErrAbsent
	}
	return m.get(ctx, id)
}

// Replace implements Store.
func (m *Memory) Replace(ctx context.Context, e Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if now, ok := m.entries[e.ID]; !ok || now.Version != e.Version {
		return ErrMoved
	}
	if m.taken(e) {
		return ErrExists
	}
	e.Version++
	m.put(e)
	return nil
}

// Delete implements Store.
func (m *Memory) Delete(ctx context.Context, e Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	now, ok := m.entries[e.ID]
	if !ok || now.Version != e.Version {
		return ErrMoved
	}
	delete(m.keys, now.Key)
	delete(m.entries, e.ID)
	return nil
}

// List implements Store.
func (m *Memory) List(ctx context.Context, l List) ([]Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var found []Entry
	for _, e := range m.entries {
		if e.ID > l.After && (len(l.States) == 0 || slices.Contains(l.States, e.State)) {
			e.Answer = nil
			found = append(found, copied(e))
		}
	}
	slices.SortFunc(found, func(a, b Entry) int { return strings.Compare(a.ID, b.ID) })
	return found[:min(len(found), max(l.Limit, 0))], nil
}
