package evidence

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"slices"
	"sync"
)

// memory is a Store without a disk.
type memory struct {
	mu         sync.RWMutex
	entries    []Entry
	hashes     []Hash
	signatures map[string]int64
	blobs      map[Hash][]byte
}

// NewMemory returns a store that is gone with the process, for tests and demonstrations.
func NewMemory() Store { return &memory{signatures: map[string]int64{}, blobs: map[Hash][]byte{}} }

func (m *memory) Size(context.Context) (int64, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return int64(len(m.entries)), nil
}

func (m *memory) Append(_ context.Context, size int64, entries []Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if size != int64(len(m.entries)) {
		return ErrMoved
	}
	for _, e := range entries {
		if _, known := m.signatures[e.Signature]; known && !e.Again {
			return ErrSigned
		}
	}
	for _, e := range entries {
		if _, known := m.signatures[e.Signature]; !known && e.Signature != "" {
			m.signatures[e.Signature] = int64(len(m.entries))
		}
		m.hashes = append(m.hashes, e.Hashes...)
		m.entries = append(m.entries, cloned(e))
	}
	return nil
}

// cloned leaves the hashes out: they are kept by their positions.
func cloned(e Entry) Entry {
	return Entry{
		Record: slices.Clone(e.Record), Held: slices.Clone(e.Held), Key: slices.Clone(e.Key), Signature: e.Signature,
	}
}

func (m *memory) Entries(_ context.Context, first int64, n int) ([]Entry, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	size := int64(len(m.entries))
	if first < 0 || first >= size {
		return nil, ErrAbsent
	}
	var entries []Entry
	for _, e := range m.entries[first:min(first+int64(max(n, 0)), size)] {
		entries = append(entries, cloned(e))
	}
	return entries, nil
}

func (m *memory) Hashes(_ context.Context, positions []int64) ([]Hash, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	hashes := make([]Hash, len(positions))
	for i, p := range positions {
		if p < 0 || p >= int64(len(m.hashes)) {
			return nil, ErrAbsent
		}
		hashes[i] = m.hashes[p]
	}
	return hashes, nil
}

func (m *memory) Signed(_ context.Context, signatures ...string) (map[string]int64, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	found := map[string]int64{}
	for _, s := range signatures {
		if index, ok := m.signatures[s]; ok {
			found[s] = index
		}
	}
	return found, nil
}

func (m *memory) HeldFrom(_ context.Context, first int64, n int) ([]int64, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var indexes []int64
	for i := max(first, 0); i < int64(len(m.entries)) && len(indexes) < n; i++ {
		if m.entries[i].Held != nil {
			indexes = append(indexes, i)
		}
	}
	return indexes, nil
}

func (m *memory) DeleteHeld(_ context.Context, indexes ...int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, i := range indexes {
		if i < 0 || i >= int64(len(m.entries)) {
			return ErrAbsent
		}
	}
	for _, i := range indexes {
		m.entries[i].Held, m.entries[i].Key = nil, nil
	}
	return nil
}

func (m *memory) PutBlob(_ context.Context, r io.Reader) (Hash, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return Hash{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	hash := sha256.Sum256(b)
	m.blobs[hash] = b
	return hash, nil
}

func (m *memory) Blob(_ context.Context, hash Hash) (io.ReadCloser, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	b, ok := m.blobs[hash]
	if !ok {
		return nil, ErrAbsent
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}
