package filestore

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// smallSegments is a store that begins a segment for each append, with six parts in three.
func smallSegments(t *testing.T) (string, *Store) {
	t.Helper()
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	s.rollAt = 1
	k := &known{deleted: map[int64]bool{}}
	for range 3 {
		if err := k.append(s, 3); err != nil {
			t.Fatal(err)
		}
	}
	return dir, s
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	for _, sub := range []string{heldDir, keysDir} {
		entries, err := os.ReadDir(filepath.Join(dir, sub))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			all = append(all, e.Name())
		}
	}
	return all
}

// TestSegmentsGo: a segment goes when its last part is deleted, unless it is written to; nobody else's part goes with
// it.
func TestSegmentsGo(t *testing.T) {
	t.Parallel()
	dir, s := smallSegments(t)
	if all := names(t, dir); len(all) != 6 {
		t.Fatal(all)
	}
	if held, err := s.HeldFrom(t.Context(), 4, 2); err != nil || !slices.Equal(held, []int64{4, 6}) {
		t.Errorf("%v, %v", held, err)
	}
	for _, c := range []struct {
		delete []int64
		files  string
	}{
		{[]int64{3}, "0.parts 3.parts 6.parts 0.keys 3.keys 6.keys"},
		{[]int64{0, 1, 4}, "6.parts 6.keys"},
		{[]int64{6, 7}, "6.parts 6.keys"},
		{[]int64{0, 4, 6}, "6.parts 6.keys"},
	} {
		if err := s.DeleteHeld(t.Context(), c.delete...); err != nil {
			t.Fatal(err)
		}
		if all := strings.Join(names(t, dir), " "); all != c.files {
			t.Errorf("%v: %s", c.delete, all)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if held, err := s.HeldFrom(t.Context(), 0, 9); err != nil || len(held) > 0 {
		t.Errorf("%v, %v", held, err)
	}
	if entries, err := s.Entries(t.Context(), 0, 9); err != nil || len(entries) != 9 {
		t.Errorf("%d, %v", len(entries), err)
	}
	if err := s.Append(t.Context(), 9, []evidence.Entry{numberedEntry(9)}); err != nil {
		t.Fatal(err)
	}
	if held, err := s.HeldFrom(t.Context(), 0, 9); err != nil || !slices.Equal(held, []int64{9}) {
		t.Errorf("%v, %v", held, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestSegmentWithWhatCannotBeReadStays: somebody's part may be behind it.
func TestSegmentWithWhatCannotBeReadStays(t *testing.T) {
	t.Parallel()
	dir, s := smallSegments(t)
	path := s.keysPath(0)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, _ := parseKeyRecord(b)
	b[keyHead+r.key] = 'X' // the second record
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteHeld(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if all := names(t, dir); len(all) != 6 {
		t.Error(all)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestTooLarge: what no reader would take is not written, and the log goes on.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	record := []byte("{}")
	for name, entries := range map[string][]evidence.Entry{
		"entries": make([]evidence.Entry, maxEntries+1),
		"a line":  {{Record: slices.Concat([]byte("{"), bytes.Repeat([]byte(" "), maxLine), []byte("}"))}},
		"a part":  {{Record: record, Held: make([]byte, maxPart+1)}},
		"a key":   {{Record: record, Held: record, Key: make([]byte, maxPart+1)}},
	} {
		if err := s.Append(t.Context(), 0, entries); !errors.Is(err, errTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, e := range map[string]evidence.Entry{
		"no record":             {},
		"two lines":             {Record: []byte("{\n}")},
		"no name of signatures": {Record: record, Signature: "x"},
	} {
		if err := s.Append(t.Context(), 0, []evidence.Entry{e}); !errors.Is(err, errEntry) {
			t.Errorf("%s: %v", name, err)
		}
	}
	large := evidence.Entry{Record: record, Held: make([]byte, 2*journalSize)}
	if err := s.Append(t.Context(), 0, []evidence.Entry{large}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Entries(t.Context(), 0, 1)
	if err != nil || !bytes.Equal(got[0].Held, large.Held) || s.scratch.parts != nil || s.journal.scratch != nil {
		t.Errorf("%v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestThingsInTheWay: what cannot be opened is an error, and the lock is given back with it.
func TestThingsInTheWay(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		entriesFile, journalFile, hashesFile, offsetsFile, signatureFile, heldDir + "/0.parts", keysDir + "/0.keys",
		heldDir, keysDir, blobsDir, lockFile, stateFile + ".new",
	} {
		dir, s := smallSegments(t)
		s.rollAt = segmentSize
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(dir, stateFile)); err != nil { // everything is read and written again
			t.Fatal(err)
		}
		name = strings.Replace(name, "/0.", "/6.", 1) // the one that is written to
		path, aside := filepath.Join(dir, name), filepath.Join(dir, "aside")
		if err := os.Rename(path, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		var err error
		if name == heldDir || name == keysDir || name == blobsDir {
			err = os.WriteFile(path, nil, 0o600)
		} else {
			err = os.MkdirAll(filepath.Join(path, "x"), 0o700)
		}
		if err != nil {
			t.Fatal(err)
		}
		if s, err := Open(dir); s != nil || err == nil {
			t.Errorf("%s: opened", name)
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(aside, path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if s, err = Open(dir); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if held, err := s.HeldFrom(t.Context(), 0, 9); err != nil || len(held) != 6 {
			t.Errorf("%s: %v, %v", name, held, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestUnreadable: that something cannot be read is no sign that it is gone.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path string
		call func(t *testing.T, s *Store) error
	}{
		"a segment's parts": {heldDir + "/0.parts", func(t *testing.T, s *Store) error {
			_, err := s.Entries(t.Context(), 0, 9)
			return err
		}},
		"a segment's keys": {keysDir + "/0.keys", func(t *testing.T, s *Store) error {
			_, err := s.Entries(t.Context(), 0, 9)
			return err
		}},
		"keys that are listed": {keysDir + "/0.keys", func(t *testing.T, s *Store) error {
			_, err := s.HeldFrom(t.Context(), 0, 9)
			return err
		}},
		"keys that are deleted": {keysDir + "/0.keys", func(t *testing.T, s *Store) error {
			return s.DeleteHeld(t.Context(), 0)
		}},
		"all keys": {keysDir, func(t *testing.T, s *Store) error {
			_, err := s.HeldFrom(t.Context(), 0, 9)
			return err
		}},
		"a file of its own": {keysDir + "/2.key", func(t *testing.T, s *Store) error {
			s.ownFilesTo = 9
			_, err := s.Entries(t.Context(), 2, 1)
			return err
		}},
		"a file of its own that is deleted": {keysDir + "/2.key", func(t *testing.T, s *Store) error {
			s.ownFilesTo = 9
			return s.DeleteHeld(t.Context(), 2)
		}},
		"all files of their own": {heldDir, func(t *testing.T, s *Store) error {
			s.ownFilesTo = 9
			_, err := s.HeldFrom(t.Context(), 0, 9)
			return err
		}},
	} {
		dir, s := smallSegments(t)
		path := filepath.Join(dir, c.path)
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		var err error
		if filepath.Ext(path) == "" {
			err = os.WriteFile(path, nil, 0o600)
		} else {
			err = os.MkdirAll(filepath.Join(path, "x"), 0o700)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := c.call(t, s); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
		_ = s.Close()
	}
}
