package filestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin/internal/tests"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

// errDisk is what a disk says that fails.
var errDisk = errors.New("the disk fails")

// faults counts what is asked of the disks of a store, and fails.
type faults struct {
	mu   sync.Mutex // files are synced at once
	at   int        // the operation that fails
	on   bool       // and all after it
	done int
	hits int
}

func (f *faults) fails() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done++
	if f.at > 0 && (f.done == f.at || f.on && f.done > f.at) {
		f.hits++
		return true
	}
	return false
}

// faultyDisk fails before it does anything, but for writes, of which it does a half.
type faultyDisk struct {
	disk
	faults *faults
}

func (d faultyDisk) WriteAt(b []byte, at int64) (int, error) {
	if d.faults.fails() {
		n, _ := d.disk.WriteAt(b[:len(b)/2], at)
		return n, errDisk
	}
	return d.disk.WriteAt(b, at)
}

func (d faultyDisk) Truncate(n int64) error {
	if d.faults.fails() {
		return errDisk
	}
	return d.disk.Truncate(n)
}

func (d faultyDisk) Sync() error {
	if d.faults.fails() {
		return errDisk
	}
	return d.disk.Sync()
}

// spoil puts faults between a store and its files.
func spoil(s *Store, f *faults) {
	for _, d := range []*disk{&s.entries, &s.hashes, &s.offsets, &s.journal.file} {
		*d = faultyDisk{*d, f}
	}
	if s.segment != nil {
		s.segment.parts, s.segment.keys = faultyDisk{s.segment.parts, f}, faultyDisk{s.segment.keys, f}
	}
}

// numberedEntry is an entry with a part of its own, every third without.
func numberedEntry(i int) evidence.Entry {
	e := evidence.Entry{Record: fmt.Appendf(nil, `{"number":%d}`, i), Hashes: []evidence.Hash{{byte(i)}}}
	if i%3 != 2 {
		e.Held, e.Key = fmt.Appendf(nil, "the part of %d", i), fmt.Appendf(nil, "the key of %d", i)
	}
	return e
}

// known is what a store has said.
type known struct {
	size    int64          // that is acknowledged
	most    int64          // with what was refused, which may be there or not
	deleted map[int64]bool // true: acknowledged, false: refused
}

func (k *known) append(s *Store, n int) error {
	var batch []evidence.Entry
	for i := range n {
		batch = append(batch, numberedEntry(int(k.size)+i))
	}
	err := s.Append(context.Background(), k.size, batch)
	k.most = max(k.most, k.size+int64(n))
	if err == nil {
		k.size += int64(n)
		k.most = k.size
	}
	return err
}

func (k *known) delete(s *Store, index int64) error {
	err := s.DeleteHeld(context.Background(), index)
	k.deleted[index] = err == nil
	return err
}

// check compares a store with what it has said.
func (k *known) check(t *testing.T, s *Store) {
	t.Helper()
	n, err := s.Size(t.Context())
	if err != nil || n < k.size || n > k.most {
		t.Fatalf("%d entries, %d were acknowledged, %v", n, k.size, err)
	}
	entries, err := s.Entries(t.Context(), 0, int(n))
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for i, e := range entries {
		want := numberedEntry(i)
		if !bytes.Equal(e.Record, want.Record) {
			t.Errorf("entry %d: %s", i, e.Record)
		}
		acknowledged, asked := k.deleted[int64(i)]
		switch {
		case e.Held == nil && e.Key == nil && (asked || want.Held == nil):
		case acknowledged || !bytes.Equal(e.Held, want.Held) || !bytes.Equal(e.Key, want.Key):
			t.Errorf("entry %d: %q, %q", i, e.Held, e.Key)
		}
		if e.Held != nil {
			held++
		}
	}
	if indexes, err := s.HeldFrom(t.Context(), 0, len(entries)); err != nil || len(indexes) != held {
		t.Errorf("%v of %d, %v", indexes, held, err)
	}
}

// work does some of everything, and says how many calls were refused.
func (k *known) work(s *Store) (refused int) {
	for _, err := range []error{
		k.append(s, 1), k.append(s, 3), k.delete(s, 0), k.append(s, 2), k.delete(s, 7), k.append(s, 1),
	} {
		if err != nil {
			refused++
		}
	}
	return refused
}

// TestDiskFails: whichever operation of the disk fails, alone or with all after it, what is acknowledged is there, what
// is refused is there whole or not at all, and the next start works.
func TestDiskFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		on     bool
		rollAt int64
	}{{"once", false, segmentSize}, {"from then on", true, segmentSize}, {"small segments", false, 1}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for at := 1; ; at += tests.Size(8, 1) {
				if !failsAt(t, &faults{at: at, on: c.on}, c.rollAt) {
					t.Logf("%d operations or less", at-1)
					return
				}
			}
		})
	}
}

// failsAt reports whether there is such an operation.
func failsAt(t *testing.T, f *faults, rollAt int64) bool {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	k := &known{deleted: map[int64]bool{}}
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	s.rollAt = rollAt
	if err := k.append(s, 6); err != nil { // two of them in the files, four in the journal
		t.Fatal(err)
	}
	spoil(s, f)
	k.work(s)
	_ = s.Close() // what it says is of the disk
	again, err := Open(dir)
	if err != nil {
		t.Fatalf("operation %d: the next start: %v", f.at, err)
	}
	k.check(t, again)
	if refused := k.work(again); refused > 0 {
		// Sizes are the caller's: after a refusal it may have to look again.
		k.size, err = again.Size(t.Context())
		if err != nil || k.work(again) > 0 {
			t.Errorf("operation %d: it does not go on: %v", f.at, err)
		}
	}
	k.check(t, again)
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	return f.hits > 0
}
