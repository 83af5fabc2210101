package filestore_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/filestore"
	"github.com/kakunin-go/kakunin/sign/evidence/storetest"
)

// largeEnv gives the number of entries of the largest log that is measured; default a million.
const largeEnv = "KAKUNIN_EVIDENCE_ENTRIES"

func sizes(b *testing.B) []int64 {
	b.Helper()
	largest := int64(1_000_000)
	if s := os.Getenv(largeEnv); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		largest = n
	}
	return []int64{largest / 1000, largest / 100, largest / 10, largest}
}

// large makes a log of so many small entries through the store itself, in batches.
func large(b *testing.B, n int64) string {
	b.Helper()
	dir := filepath.Join(b.TempDir(), "log")
	s, err := filestore.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	var tree []tlog.Hash // roots of the complete parts
	const batch = 4000
	var number [8]byte
	for size := int64(0); size < n; {
		var entries []evidence.Entry
		for i := size; i < min(size+batch, n); i++ {
			binary.BigEndian.PutUint64(number[:], uint64(i))
			leaf := tlog.RecordHash(number[:])
			e := evidence.Entry{Record: []byte("{}"), Hashes: []evidence.Hash{evidence.Hash(leaf)}}
			if i%16 == 0 {
				sum := sha256.Sum256(number[:])
				e.Signature = fmt.Sprintf("%x", sum)
			}
			for odd := i; odd&1 == 1; odd >>= 1 {
				leaf = tlog.NodeHash(tree[len(tree)-1], leaf)
				tree = tree[:len(tree)-1]
				e.Hashes = append(e.Hashes, evidence.Hash(leaf))
			}
			tree = append(tree, leaf)
			entries = append(entries, e)
		}
		if err := s.Append(b.Context(), size, entries); err != nil {
			b.Fatal(err)
		}
		size += int64(len(entries))
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	return dir
}

// BenchmarkAppend appends to logs that have so many entries already, beside lines that are written to a plain file and
// synced.
func BenchmarkAppend(b *testing.B) {
	for _, n := range sizes(b) {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, err := filestore.Open(large(b, n))
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			plain, err := os.Create(filepath.Join(b.TempDir(), "plain"))
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = plain.Close() }()
			storetest.Append(b, s, storetest.Plain{N: 1, Insert: func(entries []evidence.Entry) {
				if _, err := plain.Write(storetest.Lines(entries)); err != nil {
					b.Fatal(err)
				}
				if err := plain.Sync(); err != nil {
					b.Fatal(err)
				}
			}})
		})
	}
}

// BenchmarkProve makes proofs of inclusion in logs of which the largest has a thousand times the entries of the least.
func BenchmarkProve(b *testing.B) {
	for _, n := range sizes(b) {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, err := filestore.Open(large(b, n))
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			l, err := evidence.OpenLog(evidence.LogConfig{Store: s})
			if err != nil {
				b.Fatal(err)
			}
			root, err := tlog.TreeHash(n, tlog.HashReaderFunc(func(positions []int64) ([]tlog.Hash, error) {
				stored, err := s.Hashes(b.Context(), positions)
				hashes := make([]tlog.Hash, len(stored))
				for i, h := range stored {
					hashes[i] = tlog.Hash(h)
				}
				return hashes, err
			}))
			if err != nil {
				b.Fatal(err)
			}
			c := evidence.Checkpoint{Size: n, Root: evidence.Hash(root)}
			var i int64
			for b.Loop() {
				i = (i + 7_654_321) % n
				if _, err := l.Prove(b.Context(), i, c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOpen opens a log that was closed.
func BenchmarkOpen(b *testing.B) {
	for _, n := range sizes(b) {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := large(b, n)
			for b.Loop() {
				s, err := filestore.Open(dir)
				if err != nil {
					b.Fatal(err)
				}
				if size, err := s.Size(b.Context()); err != nil || size != n {
					b.Fatalf("%d of %d, %v", size, n, err)
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
