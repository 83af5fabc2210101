package filestore

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func journalOf(changes ...[]edit) []byte {
	b := appendFrame(nil, frame{generation: 6, sequence: firstSequence}, nil)
	b = append(b, appendFrame(nil, frame{generation: 7, sequence: firstSequence}, nil)...)
	for i, edits := range changes {
		b = append(b, appendFrame(nil, frame{generation: 7, sequence: firstSequence + 1 + uint64(i)}, edits)...)
	}
	return b
}

var someEdits = []edit{
	{file: inParts, segment: 3, at: 5, bytes: []byte("part")}, {file: inKeys, segment: 3, at: 9, zeros: 70},
	{file: inEntries, at: 1 << 40, bytes: bytes.Repeat([]byte("entry"), 40)},
}

// TestFrames: what is written is read, up to a frame of another generation or of another place.
func TestFrames(t *testing.T) {
	t.Parallel()
	other := appendFrame(nil, frame{generation: 6, sequence: firstSequence + 3}, someEdits)
	later := appendFrame(nil, frame{generation: 8, sequence: firstSequence + 1}, someEdits)
	early := appendFrame(nil, frame{generation: 7, sequence: firstSequence + 2}, someEdits)
	for name, c := range map[string]struct {
		b     []byte
		whole int
		left  int64
	}{
		"nothing":             {nil, 0, 0},
		"a head":              {journalOf(), 0, 0},
		"part of a head":      {journalOf()[:60], 0, 0},
		"one of two heads":    {append(make([]byte, 64), journalOf(someEdits)[64:]...), 1, 0},
		"two":                 {journalOf(someEdits, someEdits[:1]), 2, 0},
		"space":               {append(journalOf(someEdits), make([]byte, 999)...), 1, 0},
		"old ones behind":     {append(journalOf(someEdits), other...), 1, 0},
		"old ones behind two": {append(journalOf(someEdits, nil), other...), 2, 0},
		"torn":                {journalOf(someEdits, someEdits)[:128+384+100], 1, 100},
	} {
		all, left, err := frames(c.b)
		if err != nil || len(all) != c.whole || left != c.left {
			t.Errorf("%s: %d frames, %d left, %v", name, len(all), left, err)
		}
		if c.whole > 0 && !reflect.DeepEqual(all[0], someEdits) {
			t.Errorf("%s: %+v", name, all[0])
		}
	}
	for name, b := range map[string][]byte{
		"a number twice":    append(journalOf(someEdits, someEdits), early...),
		"no head":           append(make([]byte, 128), other...),
		"a later head gone": append(journalOf(), later...),
	} {
		if _, _, err := frames(b); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A sum that fits over edits that are none.
	for name, change := range map[string]func(b []byte){
		"file":     func(b []byte) { b[0] = inKeys + 1 },
		"kind":     func(b []byte) { b[1] = editZeros + 1 },
		"zeros":    func(b []byte) { b[2] = 1 },
		"segment":  func(b []byte) { b[8] = 0xff },
		"length":   func(b []byte) { b[24+6] = 9 },
		"too long": func(b []byte) { b[24+3] = 9 },
	} {
		b := journalOf(someEdits)
		change(b[framesFrom+frameHead:])
		n := framesFrom + frameHead + 3*editHead + 4 + 200
		sum := sumOfFrame(b[framesFrom:n])
		copy(b[framesFrom+32:], sum[:])
		if _, _, err := frames(b); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := parseEdits(make([]byte, editHead-1)); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}

// FuzzEdits: what is read as edits would be written as it stands there.
func FuzzEdits(f *testing.F) {
	f.Add(appendFrame(nil, frame{}, someEdits)[frameHead : frameHead+3*editHead+204])
	f.Fuzz(func(t *testing.T, b []byte) {
		edits, err := parseEdits(b)
		if err != nil {
			return
		}
		if again := appendFrame(nil, frame{}, edits)[frameHead:]; !bytes.Equal(again[:len(b)], b) {
			t.Fatalf("%x as %x", b, again)
		}
	})
}

// FuzzFrames: whatever a journal holds, what is read of it would be written as it stands there.
func FuzzFrames(f *testing.F) {
	whole := journalOf(someEdits, nil, someEdits[1:])
	f.Add(whole)
	f.Add(whole[:len(whole)-70])
	f.Add(slices.Concat(journalOf(someEdits), make([]byte, 300), whole))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, left, err := frames(b)
		if left < 0 || left > int64(len(b)) {
			t.Fatalf("%d of %d bytes are left", left, len(b))
		}
		if err != nil || len(all) == 0 {
			return
		}
		generation, _ := generationOf(b)
		again := b[:framesFrom:framesFrom]
		for i, edits := range all {
			for _, e := range edits {
				if e.at < 0 || e.segment < 0 || e.len() < 0 || e.len() > maxParts {
					t.Fatalf("%+v", e)
				}
			}
			next := frame{generation: generation, sequence: firstSequence + 1 + uint64(i)}
			again = append(again, appendFrame(nil, next, edits)...)
		}
		// What fills a frame up is in no sum.
		rest, _, err := frames(again)
		if err != nil || !reflect.DeepEqual(rest, all) {
			t.Fatalf("%v: others than were read", err)
		}
	})
}

// FuzzKeyRecord: what is read as a record is one that could have been written.
func FuzzKeyRecord(f *testing.F) {
	f.Add(keyRecord{flag: flagSealed, key: 3, index: 9, part: [2]int64{4, 5}}.appendTo(nil, []byte("key")))
	f.Add(keyRecord{flag: flagPlain}.appendTo(nil, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, ok := parseKeyRecord(b)
		if !ok {
			return
		}
		if again := r.appendTo(nil, b[keyHead:]); !bytes.Equal(again, b) {
			t.Fatalf("%x as %x", b, again)
		}
		p := place{Part: r.part, Key: [2]int64{0, keyHead + r.key}}
		if !p.valid() || !r.is(r.index, p) {
			t.Fatalf("%+v", r)
		}
	})
}

// FuzzState: a state is believed when it is one that could have been written.
func FuzzState(f *testing.F) {
	st := state{Version: version, Size: 3, End: 100, Hashes: 4, Segment: &segment{First: 1, Parts: 5, Keys: 6}}
	st.Sum, _ = st.sum()
	f.Add(`{"version":2,"size":3,"end":100,"hashes":4,"segment":{"first":1,"parts":5,"keys":6},"sum":"` + st.Sum + `"}`)
	f.Add(`{"version":1,"size":1,"end":1,"hashes":1}`)
	f.Add(`{"version":3}`)
	f.Fuzz(func(t *testing.T, text string) {
		st, err := parseState([]byte(text))
		if err != nil {
			if st.Version > version || !strings.Contains(err.Error(), "version") {
				t.Fatalf("%+v, %v", st, err)
			}
			return
		}
		if !st.sane() || st.Version > version {
			t.Fatalf("%+v", st)
		}
		if sum, err := st.sum(); st.Version == version && (err != nil || sum != st.Sum) {
			t.Fatalf("%+v, %v", st, err)
		}
	})
}

// TestJournalGrowsAndShrinks: a frame that is longer than the journal should be makes it longer until the next begins.
func TestJournalGrowsAndShrinks(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), journalFile))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	j, err := openJournal(f)
	if err != nil {
		t.Fatal(err)
	}
	large := edit{file: inEntries, bytes: bytes.Repeat([]byte{1}, 2*journalSize)}
	if err := errors.Join(j.write(someEdits), j.write([]edit{large})); err != nil {
		t.Fatal(err)
	}
	if n := length(f); n < 2*journalSize {
		t.Errorf("%d bytes", n)
	}
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	if all, _, err := frames(b); err != nil || len(all) != 2 || !bytes.Equal(all[1][0].bytes, large.bytes) {
		t.Errorf("%d frames, %v", len(all), err)
	}
	if err := j.reset(); err != nil {
		t.Fatal(err)
	}
	if n := length(f); n != journalSize {
		t.Errorf("%d bytes", n)
	}
	if err := j.wipe(); err != nil {
		t.Fatal(err)
	}
	b, err = os.ReadFile(f.Name())
	if err != nil || !zeroed(b[framesFrom:]) {
		t.Errorf("not wiped, %v", err)
	}
	if err := j.write(someEdits); err != nil {
		t.Fatal(err)
	}
	if n := length(f); n != journalSize {
		t.Errorf("it was made longer where there was room: %d", n)
	}
}
