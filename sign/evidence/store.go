package evidence

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// Hash is a SHA-256 value of the Merkle tree.
type Hash = [32]byte

// Entry is one record as a [Store] keeps it.
type Entry struct {
	// Record is the JSON of the record without its held part, on one line without a newline.
	Record []byte
	// Held is the JSON of the part that can be deleted alone; nil when there is none. It is personal data.
	Held []byte
	// Signature is the SHA-256 of the signature value in hexadecimal, by which [Store.Signed] finds the entry; empty
	// when the record has none.
	Signature string
	// Hashes are those that the entry adds to the tree, in the order in which they are stored; [Store.Entry] need not
	// return them. [Log.Verify] compares those that it returns.
	Hashes []Hash
}

// ErrMoved is what [Store.Append] returns when the store has another size than the caller thinks: somebody else
// appended.
var ErrMoved = errors.New("evidence: another writer appended")

// ErrAbsent is what [Store.Entry] returns for an entry that does not exist.
var ErrAbsent = errors.New("evidence: no such entry")

// Store keeps entries in order; [Log] does everything else. Package sign/evidence/filestore keeps them in files,
// [NewMemory] in memory; a database needs three tables: entries, hashes by position, held parts by entry.
// Implementations are safe for concurrent use.
type Store interface {
	// Size is the number of entries.
	Size(ctx context.Context) (int64, error)
	// Append adds entries behind the first size ones, all or none of them. When it returns nil they are durable. It
	// returns [ErrMoved] when there are more or fewer entries.
	Append(ctx context.Context, size int64, entries []Entry) error
	// Entry returns the entry at an index, counted from 0, or [ErrAbsent].
	Entry(ctx context.Context, index int64) (Entry, error)
	// Hashes returns the hashes at these positions of all hashes that were appended, in their order.
	Hashes(ctx context.Context, positions []int64) ([]Hash, error)
	// Signed returns the index of the first entry with this Signature.
	Signed(ctx context.Context, signature string) (index int64, found bool, err error)
	// DeleteHeld deletes the held part of an entry, for good; deleting what is not there is no error.
	DeleteHeld(ctx context.Context, index int64) error
}

// memory is a Store without a disk.
type memory struct {
	mu         sync.RWMutex
	entries    []Entry
	hashes     []Hash
	signatures map[string]int64
}

// NewMemory returns a store that is gone with the process, for tests and demonstrations.
func NewMemory() Store { return &memory{signatures: map[string]int64{}} }

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
		if _, known := m.signatures[e.Signature]; !known && e.Signature != "" {
			m.signatures[e.Signature] = int64(len(m.entries))
		}
		m.hashes = append(m.hashes, e.Hashes...)
		m.entries = append(
			m.entries,
			Entry{Record: slices.Clone(e.Record), Held: slices.Clone(e.Held), Signature: e.Signature},
		)
	}
	return nil
}

func (m *memory) Entry(_ context.Context, index int64) (Entry, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if index < 0 || index >= int64(len(m.entries)) {
		return Entry{}, ErrAbsent
	}
	e := m.entries[index]
	return Entry{Record: slices.Clone(e.Record), Held: slices.Clone(e.Held), Signature: e.Signature}, nil
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

func (m *memory) Signed(_ context.Context, signature string) (int64, bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	index, found := m.signatures[signature]
	return index, found, nil
}

func (m *memory) DeleteHeld(_ context.Context, index int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if index < 0 || index >= int64(len(m.entries)) {
		return ErrAbsent
	}
	m.entries[index].Held = nil
	return nil
}
