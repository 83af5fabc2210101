package filestore_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/kakunin-go/kakunin/internal/tests"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/filestore"
	"github.com/kakunin-go/kakunin/sign/evidence/storetest"
)

// TestPowerLoss: when the machine dies, any pages of files that were not synced are lost, and the end of the journal,
// which was being written. All that was acknowledged is there, with its parts; of the last append all or nothing.
func TestPowerLoss(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 8)) //nolint:gosec // pages to lose
	dir := t.TempDir()
	s, _ := open(t, dir)
	heldLog(t, s, 0, 7)
	shut(t, s)
	synced := copyDir(t, dir)
	s, _ = open(t, dir)
	l := storetest.Log(t, s)
	files := []string{"entries.log", "held/0.parts", "keys/0.keys"}
	var sizes, lengths []int64 // after each append: entries, and the journal up to where it must be
	var ends []map[string]int64
	for i := range 12 {
		heldLog(t, s, 100+i, 1)
		point := storetest.Point(t, s)
		sizes = append(sizes, point.Size)
		lengths = append(lengths, written(t, filepath.Join(dir, "journal")))
		end := map[string]int64{}
		for _, name := range files {
			end[name] = written(t, filepath.Join(dir, name))
		}
		ends = append(ends, end)
	}
	crashed := copyDir(t, dir)
	if err := l.Consistent(t.Context(), storetest.Point(t, s)); err != nil {
		t.Fatal(err)
	}
	shut(t, s)
	for range tests.Size(12, 60) {
		at := copyDir(t, crashed)
		last := random.IntN(len(sizes))
		cut := lengths[last]
		if last+1 < len(lengths) {
			cut += random.Int64N(lengths[last+1] - lengths[last])
		}
		if err := os.Truncate(filepath.Join(at, "journal"), cut); err != nil {
			t.Fatal(err)
		}
		for _, name := range files { // what is not in the journal yet is in no file at all
			path := filepath.Join(at, name)
			if info, err := os.Stat(path); err != nil || info.Size() > ends[last][name] {
				if err := errors.Join(err, os.Truncate(path, ends[last][name])); err != nil {
					t.Fatal(err)
				}
			}
			lose(t, random, filepath.Join(synced, name), path)
		}
		s, _ := open(t, at)
		n, err := s.Size(t.Context())
		// A record without a part may follow each third one in an append of its own.
		if err != nil || n < sizes[last] || last+1 < len(sizes) && n > sizes[last+1] {
			t.Fatalf("%d entries of %d, %v", n, sizes[last], err)
		}
		state, err := storetest.Log(t, s).Verify(t.Context(), evidence.Verification{})
		if err != nil || state.Deleted != 0 || state.Records != n {
			t.Fatalf("%+v, %v: %v", state, err, errors.Unwrap(err))
		}
		heldLog(t, s, 900, 2)
		if _, err := storetest.Log(t, s).Verify(t.Context(), evidence.Verification{}); err != nil {
			t.Fatal(err)
		}
		shut(t, s)
	}
}

// written is how much of a file is not the zeros at its end, in whole units of a frame.
func written(tb testing.TB, path string) int64 {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return int64(len(bytes.TrimRight(b, "\x00"))+63) / 64 * 64
}

// lose takes pages of a file that were written after it was synced: cut off, or zeros.
func lose(tb testing.TB, random *rand.Rand, synced, path string) {
	tb.Helper()
	before, err := os.ReadFile(synced)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		tb.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	b = b[:len(before)+random.IntN(len(b)-len(before)+1)]
	const page = 4096
	for from := len(before); from < len(b); from = (from/page + 1) * page {
		if random.IntN(2) == 0 {
			clear(b[from:min((from/page+1)*page, len(b))])
		}
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// TestJournalCutAnywhere: what of an append is in the journal is redone or, if it is not whole, dropped and counted.
func TestJournalCutAnywhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, _ := open(t, dir)
	heldLog(t, s, 1, 1)
	first := written(t, filepath.Join(dir, "journal"))
	heldLog(t, s, 2, 1)
	second := written(t, filepath.Join(dir, "journal"))
	crashed := copyDir(t, dir)
	shut(t, s)
	for _, derived := range []string{"entries.log", "held/0.parts", "keys/0.keys"} {
		if err := os.Truncate(filepath.Join(crashed, derived), 0); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := os.ReadFile(filepath.Join(crashed, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	lengths := []int64{first, second}
	for length := int64(0); length <= second-64; length += int64(tests.Size(7*131, 131)) {
		lengths = append(lengths, length)
	}
	for _, length := range lengths {
		at := copyDir(t, crashed)
		if err := os.WriteFile(filepath.Join(at, "journal"), whole[:length], 0o600); err != nil {
			t.Fatal(err)
		}
		s, _ := open(t, at)
		var want int64
		if length >= first {
			want = 1
		}
		if length == second {
			want = 2
		}
		r := s.Recovered()
		if n, err := s.Size(t.Context()); err != nil || n != want || r.Redone != want {
			t.Errorf("%d bytes: %d entries, %+v, %v", length, n, r, err)
		}
		begun := length - 128
		if want == 1 {
			begun = length - first
		}
		if begun >= 64 && want < 2 && r.Unfinished != begun {
			t.Errorf("%d bytes: %+v", length, r)
		}
		shut(t, s)
	}
}

// TestJournalIsDamaged: a whole frame behind a broken one was acknowledged, and so was the broken one: nothing is
// dropped silently. What the journal builds on must be there.
func TestJournalIsDamaged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, _ := open(t, dir)
	heldLog(t, s, 1, 1)
	shut(t, s)
	s, _ = open(t, dir)
	heldLog(t, s, 2, 1)
	second := written(t, filepath.Join(dir, "journal"))
	heldLog(t, s, 4, 1)
	crashed := copyDir(t, dir)
	shut(t, s)
	flip := func(at int64) func(b []byte) []byte {
		return func(b []byte) []byte { b[at] ^= 4; return b }
	}
	for name, c := range map[string]struct {
		file   string
		change func([]byte) []byte
	}{
		"its generation":            {"journal", flip(64 + 9)},
		"its head":                  {"journal", flip(64 + 3)},
		"the head of the first":     {"journal", flip(128 + 3)},
		"the number of the first":   {"journal", flip(128 + 20)},
		"the length of the first":   {"journal", flip(128 + 27)},
		"the bytes of the first":    {"journal", flip(128 + 64 + 100)},
		"the bytes of the last but": {"journal", flip(second - 70)},
		"entries before it":         {"entries.log", func([]byte) []byte { return nil }},
		"parts before it":           {"held/0.parts", func([]byte) []byte { return nil }},
		"keys before it":            {"keys/0.keys", func([]byte) []byte { return nil }},
	} {
		at := copyDir(t, crashed)
		path := filepath.Join(at, c.file)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, c.change(b), 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := filestore.Open(at); s != nil || !errors.Is(err, filestore.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The last frame alone may be torn.
	at := copyDir(t, crashed)
	end := written(t, filepath.Join(at, "journal"))
	changeFile(t, filepath.Join(at, "journal"), [2]int64{end - 200, 1}, func(b []byte) { b[0] ^= 1 })
	s, _ = open(t, at)
	if r := s.Recovered(); r.Redone != 1 || r.Unfinished <= end-second-64 || r.Unfinished > end-second {
		t.Errorf("%+v", r)
	}
	shut(t, s)
}
