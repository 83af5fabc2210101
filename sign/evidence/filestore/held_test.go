package filestore_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/filestore"
	"github.com/kakunin-go/kakunin/sign/evidence/storetest"
)

// heldLog appends records with held parts, some of them in batches.
func heldLog(tb testing.TB, s evidence.Store, first, n int) *evidence.Log {
	tb.Helper()
	l := storetest.Log(tb, s)
	for i := first; i < first+n; i++ {
		if _, err := l.Append(tb.Context(), storetest.Report(i, i), evidence.WithCertificate()); err != nil {
			tb.Fatal(err)
		}
		if i%3 == 0 {
			if _, err := l.AppendRecords(tb.Context(), storetest.Record(tb, i)); err != nil {
				tb.Fatal(err)
			}
		}
	}
	return l
}

// secrets are the parts and wrapped keys of all entries that have them.
func secrets(tb testing.TB, s evidence.Store) map[int64][][]byte {
	tb.Helper()
	n, err := s.Size(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	entries, err := s.Entries(tb.Context(), 0, int(n))
	if err != nil {
		tb.Fatal(err)
	}
	all := map[int64][][]byte{}
	for i, e := range entries {
		if e.Held != nil {
			all[int64(i)] = [][]byte{e.Held, e.Key}
		}
	}
	return all
}

// inFiles names the files of a directory that have any of these bytes.
func inFiles(tb testing.TB, dir string, wanted [][]byte) (names []string) {
	tb.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, w := range wanted {
			for _, form := range [][]byte{w, []byte(hex.EncodeToString(w))} {
				if len(w) > 0 && bytes.Contains(b, form) {
					names = append(names, d.Name())
				}
			}
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return names
}

// TestDeletedIsGone: after a deletion neither the key nor the part is in any file of the store, nor in what a crash
// leaves; all others are, and the log still verifies.
func TestDeletedIsGone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, _ := open(t, dir)
	l := heldLog(t, s, 0, 12)
	before := secrets(t, s)
	gone := []int64{0, 4, 8}
	for _, i := range gone {
		if names := inFiles(t, dir, before[i]); len(names) < 2 {
			t.Fatalf("entry %d: only in %v", i, names)
		}
		if err := l.DeleteHeld(t.Context(), i, "withdrawn"); err != nil {
			t.Fatal(err)
		}
	}
	crashed := copyDir(t, dir)
	shut(t, s)
	for _, at := range []string{dir, crashed} {
		s, _ := open(t, at)
		l := storetest.Log(t, s)
		for i, secret := range before {
			names := inFiles(t, at, secret)
			if deleted := i == 0 || i == 4 || i == 8; deleted != (len(names) == 0) {
				t.Errorf("entry %d: in %v", i, names)
			}
		}
		state, err := l.Verify(t.Context(), evidence.Verification{})
		if err != nil || state.Deleted != 3 || state.Held != 9 || state.Sealed != 0 {
			t.Errorf("%+v, %v", state, err)
		}
		left, err := s.HeldFrom(t.Context(), 0, 100)
		if err != nil || len(left) != 9 {
			t.Errorf("%v, %v", left, err)
		}
		shut(t, s)
	}
}

// TestDeletionIsAllOrNothing: whatever of a deletion has reached its files when the machine dies, the journal does the
// rest; what of it has not reached the journal was never acknowledged.
func TestDeletionIsAllOrNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, _ := open(t, dir)
	heldLog(t, s, 0, 6)
	shut(t, s)
	s, _ = open(t, dir) // the parts are in their files
	before, undone := secrets(t, s), copyDir(t, dir)
	if err := s.DeleteHeld(t.Context(), 2, 4); err != nil {
		t.Fatal(err)
	}
	done := copyDir(t, dir)
	shut(t, s)
	journal, err := os.ReadFile(filepath.Join(done, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	// The journal was reset when the deletion was done; its frame is still there, of the generation before.
	frame := journal[128:]
	for name, c := range map[string]struct {
		frame []byte
		left  int
	}{
		"whole": {frame, 4},
		"torn":  {frame[:100], 6},
		"none":  {nil, 6},
	} {
		at := copyDir(t, undone)
		head, err := os.ReadFile(filepath.Join(at, "journal"))
		if err != nil || len(head) != 128 {
			t.Fatalf("%d, %v", len(head), err)
		}
		if err := os.WriteFile(filepath.Join(at, "journal"), append(rehead(frame), c.frame...), 0o600); err != nil {
			t.Fatal(err)
		}
		s, _ := open(t, at)
		r := s.Recovered()
		if (r.Redone == 1) != (name == "whole") || (r.Unfinished > 0) != (name == "torn") {
			t.Errorf("%s: %+v", name, r)
		}
		left, err := s.HeldFrom(t.Context(), 0, 100)
		if err != nil || len(left) != c.left {
			t.Errorf("%s: %v, %v", name, left, err)
		}
		for _, i := range []int64{2, 4} {
			if names := inFiles(t, at, before[i]); (len(names) == 0) != (name == "whole") {
				t.Errorf("%s: entry %d in %v", name, i, names)
			}
		}
		shut(t, s)
	}
}

// TestPlainParts: a part in clear has no key, and goes like the others.
func TestPlainParts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, _ := open(t, dir)
	part := []byte(`{"certificate":"AQIDBAUGBwgJCgsMDQ4PEA=="}`)
	err := s.Append(t.Context(), 0, []evidence.Entry{{Record: []byte("{}"), Held: part}, {Record: []byte("{}")}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := entryAt(t, s, 0); err != nil || !bytes.Equal(got.Held, part) || got.Key != nil {
		t.Errorf("%s, %v", got.Held, err)
	}
	if got, err := entryAt(t, s, 1); err != nil || got.Held != nil {
		t.Errorf("%s, %v", got.Held, err)
	}
	for range 2 {
		if err := s.DeleteHeld(t.Context(), 0, 1); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := entryAt(t, s, 0); err != nil || got.Held != nil {
		t.Errorf("after deletion: %s, %v", got.Held, err)
	}
	if names := inFiles(t, dir, [][]byte{part}); len(names) > 0 {
		t.Errorf("after deletion: in %v", names)
	}
	if err := s.DeleteHeld(t.Context(), 9); !errors.Is(err, evidence.ErrAbsent) {
		t.Errorf("of no entry: %v", err)
	}
	shut(t, s)
}

// TestPartsAreNobodyElses: a part that a line does not name as the record of its key does is not that entry's, nothing
// of it is deleted for it, and the log misses it by name.
func TestPartsAreNobodyElses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(head []byte){
		"another entry's":  func(b []byte) { b[15] ^= 1 },
		"another place":    func(b []byte) { b[23] ^= 1 },
		"another length":   func(b []byte) { b[27] ^= 1 },
		"another key":      func(b []byte) { b[7] ^= 1 },
		"no record":        func(b []byte) { b[0] = 'X' },
		"no zero":          func(b []byte) { b[1] = 1 },
		"longer than ever": func(b []byte) { b[24] = 0xff },
		"an entry of none": func(b []byte) { b[8] = 0xff },
	} {
		dir := t.TempDir()
		s, _ := open(t, dir)
		heldLog(t, s, 0, 4)
		shut(t, s)
		p := placeOf(t, dir, 2)
		p.keys(t, change)
		s, _ = open(t, dir)
		if got, err := entryAt(t, s, 2); err != nil || got.Held != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.DeleteHeld(t.Context(), 2); !errors.Is(err, evidence.ErrDamaged) {
			t.Errorf("%s: deleted: %v", name, err)
		}
		var e *evidence.Error
		_, err := storetest.Log(t, s).Verify(t.Context(), evidence.Verification{})
		if !errors.As(err, &e) || e.Reason != evidence.ReasonAbsent || e.Record != 3 {
			t.Errorf("%s: %v", name, err)
		}
		shut(t, s)
	}
}

// TestUnreadableKeysStopAPurge: behind a record that cannot be read others are not found. A purge that left them out
// would say that it had deleted what is over.
func TestUnreadableKeysStopAPurge(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, _ := open(t, dir)
	heldLog(t, s, 0, 4)
	shut(t, s)
	path := filepath.Join(dir, "keys", "0.keys")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"no record":   append([]byte{0}, whole[1:]...),
		"in its head": whole[:len(whole)-80],
		"in its key":  whole[:len(whole)-5],
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		s, _ := open(t, dir)
		_, err := s.HeldFrom(t.Context(), 0, 100)
		if !errors.Is(err, evidence.ErrDamaged) || !strings.Contains(fmt.Sprint(err), "0.keys") {
			t.Errorf("%s: %v", name, err)
		}
		shut(t, s)
	}
}

// TestOlderCopyOfKeys: keys that were deleted come back with an older copy of their file; the parts do not, and the
// log says so.
func TestOlderCopyOfKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, _ := open(t, dir)
	heldLog(t, s, 0, 6)
	shut(t, s)
	older := copyDir(t, dir)
	s, _ = open(t, dir)
	l := storetest.Log(t, s)
	if err := l.DeleteHeld(t.Context(), 2, "withdrawn"); err != nil {
		t.Fatal(err)
	}
	heldLog(t, s, 20, 3)
	shut(t, s)
	for name, c := range map[string]struct {
		files  []string
		reason evidence.Reason
		record int
	}{
		"keys":  {[]string{"keys/0.keys"}, evidence.ReasonHash, 3},
		"parts": {[]string{"held/0.parts"}, evidence.ReasonAbsent, 10},
		"both":  {[]string{"keys/0.keys", "held/0.parts"}, evidence.ReasonAbsent, 10},
	} {
		at := copyDir(t, dir)
		for _, file := range c.files {
			b, err := os.ReadFile(filepath.Join(older, filepath.FromSlash(file)))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(at, filepath.FromSlash(file)), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s, _ := open(t, at)
		var e *evidence.Error
		_, err := storetest.Log(t, s).Verify(t.Context(), evidence.Verification{})
		if !errors.As(err, &e) || e.Reason != c.reason || e.Record != c.record {
			t.Errorf("%s: %v", name, err)
		}
		shut(t, s)
	}
}

// rehead is the start of a journal for the generation of another frame.
func rehead(frame []byte) []byte {
	head := make([]byte, 64)
	copy(head, frame[:16])
	head[23] = 1
	both := make([]byte, 128)
	copy(both[frame[15]%2*64:], filestore.SealFrame(head))
	return both
}
