package evidence

import (
	"context"
	"errors"
	"math/bits"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// compactTree is a Merkle tree of which only the roots of its complete parts are kept, the largest first. It is all
// that appending needs.
type compactTree struct {
	size  int64
	parts []tlog.Hash
}

// add adds a leaf and returns the hashes that are complete with it, the leaf first.
func (t *compactTree) add(leaf tlog.Hash) (complete []Hash) {
	complete = append(complete, Hash(leaf))
	for n := t.size; n&1 == 1; n >>= 1 {
		leaf = tlog.NodeHash(t.parts[len(t.parts)-1], leaf)
		t.parts = t.parts[:len(t.parts)-1]
		complete = append(complete, Hash(leaf))
	}
	t.parts = append(t.parts, leaf)
	t.size++
	return complete
}

func (t *compactTree) root() Hash {
	if t.size == 0 {
		return emptyRoot
	}
	root := t.parts[len(t.parts)-1]
	for _, part := range slices.Backward(t.parts[:len(t.parts)-1]) {
		root = tlog.NodeHash(part, root)
	}
	return Hash(root)
}

func (t *compactTree) clone() *compactTree { return &compactTree{t.size, slices.Clone(t.parts)} }

// emptyRoot is the root of a tree without leaves: SHA-256 of nothing (RFC 6962, 2.1).
var emptyRoot = Hash{
	0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
	0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
}

// treeAt reads the tree over the first size entries: a hash for each bit of size.
func (l *Log) treeAt(ctx context.Context, size int64) (*compactTree, error) {
	t := &compactTree{size: size}
	var positions []int64
	var done int64
	for left := size; left > 0; {
		level := bits.Len64(uint64(left)) - 1 //nolint:gosec // positive
		positions = append(positions, tlog.StoredHashIndex(level, done>>level))
		done += 1 << level
		left -= 1 << level
	}
	if len(positions) == 0 {
		return t, nil
	}
	stored, err := l.store.Hashes(ctx, positions)
	if err != nil || len(stored) != len(positions) {
		return nil, broken("hashes", errors.Join(errHashes, err))
	}
	for _, h := range stored {
		t.parts = append(t.parts, h)
	}
	return t, nil
}

var errHashes = errors.New("evidence: the store lacks hashes")

// reader reads the store's hashes for package tlog.
func (l *Log) reader(ctx context.Context) tlog.HashReader {
	return tlog.HashReaderFunc(func(positions []int64) ([]tlog.Hash, error) {
		stored, err := l.store.Hashes(ctx, positions)
		if err != nil || len(stored) != len(positions) {
			return nil, errors.Join(errHashes, err)
		}
		hashes := make([]tlog.Hash, len(stored))
		for i, h := range stored {
			hashes[i] = h
		}
		return hashes, nil
	})
}

func (l *Log) root(ctx context.Context, size int64) (Hash, error) {
	t, err := l.treeAt(ctx, size)
	if err != nil {
		return Hash{}, err
	}
	return t.root(), nil
}
