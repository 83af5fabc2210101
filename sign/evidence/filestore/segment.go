package filestore

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// Parts that can be deleted are in segments: held/N.parts has the parts one behind the other, keys/N.keys a record for
// each with its key, in two directories so that they can be copied apart; N is the first entry that has one there. An
// entry's line in entries.log says where its part is. What is deleted is overwritten with zeros, and the files of a
// segment go when nothing in them is left.
//
//	record: flag 1 · zero 3 · length of the key 4 · entry 8 · place in the parts 8 · length of the part 4 · the key
const (
	heldDir = "held"
	keysDir = "keys"

	partsSuffix = ".parts"
	keysSuffix  = ".keys"

	keyHead = 28
	// segmentSize is how long the parts of a segment get before another is begun.
	segmentSize = 64 << 20
	// maxPart and maxParts bound a part or key, and those of one append.
	maxPart  = 64 << 20
	maxParts = 256 << 20
)

// The flags of a key's record.
const (
	flagSealed  = 'S' // encrypted, with its key
	flagPlain   = 'P' // in clear
	flagDeleted = 'D'
)

// place says where an entry's part and its key's record are.
type place struct {
	Segment int64 `json:"segment"`
	// Part is offset and length of the part, Key those of the record with its key.
	Part [2]int64 `json:"part"`
	Key  [2]int64 `json:"key"`
}

// valid bounds what is read from a line.
func (p place) valid() bool {
	return p.Segment >= 0 && p.Part[0] >= 0 && p.Part[1] >= 0 && p.Part[1] <= maxPart &&
		p.Key[0] >= 0 && p.Key[1] >= keyHead && p.Key[1] <= keyHead+maxPart
}

// keyRecord is a record of a keys file without the key itself.
type keyRecord struct {
	flag  byte
	key   int64 // length
	index int64
	part  [2]int64
}

// appendTo appends the record with its key.
func (r keyRecord) appendTo(b, key []byte) []byte {
	b = append(b, r.flag, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(r.key))     //nolint:gosec // bounded by maxPart
	b = binary.BigEndian.AppendUint64(b, uint64(r.index))   //nolint:gosec // not negative
	b = binary.BigEndian.AppendUint64(b, uint64(r.part[0])) //nolint:gosec // not negative
	b = binary.BigEndian.AppendUint32(b, uint32(r.part[1])) //nolint:gosec // bounded by maxPart
	return append(b, key...)
}

// parseKeyRecord reads the head of a record; ok is false if it is none.
func parseKeyRecord(b []byte) (r keyRecord, ok bool) {
	if len(b) < keyHead || !zeroed(b[1:4]) {
		return r, false
	}
	r.flag, r.key = b[0], int64(binary.BigEndian.Uint32(b[4:]))
	index, part := binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:])
	if index > 1<<62 || part > 1<<62 {
		return r, false
	}
	r.index = int64(index)                                                 //nolint:gosec // checked
	r.part = [2]int64{int64(part), int64(binary.BigEndian.Uint32(b[24:]))} //nolint:gosec // checked
	known := r.flag == flagSealed || r.flag == flagPlain || r.flag == flagDeleted
	return r, known && r.key <= maxPart && r.part[1] <= maxPart
}

// is reports whether the record is the one that an entry's line names.
func (r keyRecord) is(index int64, p place) bool {
	return r.index == index && r.part == p.Part && keyHead+r.key == p.Key[1]
}

// segment is the one that is written to.
type segment struct {
	First       int64 `json:"first"` // the entry that it is named by
	Parts       int64 `json:"parts"` // lengths of its files
	Keys        int64 `json:"keys"`
	parts, keys disk
}

func (s *Store) partsPath(first int64) string {
	return filepath.Join(s.dir, heldDir, strconv.FormatInt(first, 10)+partsSuffix)
}

func (s *Store) keysPath(first int64) string {
	return filepath.Join(s.dir, keysDir, strconv.FormatInt(first, 10)+keysSuffix)
}

// close closes the files; a segment that never was has none.
func (g *segment) close() error {
	if g == nil {
		return nil
	}
	var errs []error
	for _, f := range []disk{g.parts, g.keys} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// openSegment opens the segment that is written to, and cuts off what is not its own.
func (s *Store) openSegment(g segment) (*segment, error) {
	next := &g
	for _, f := range []struct {
		to   *disk
		path string
		end  int64
	}{{&next.parts, s.partsPath(g.First), g.Parts}, {&next.keys, s.keysPath(g.First), g.Keys}} {
		var err error
		if *f.to, err = openDisk(f.path); err != nil {
			return nil, errors.Join(err, next.close())
		}
		info, err := (*f.to).Stat()
		if err == nil && info.Size() > f.end {
			err = (*f.to).Truncate(f.end)
		}
		if err != nil {
			return nil, errors.Join(err, next.close())
		}
	}
	return next, nil
}

// resumeSegment opens the segment that was written to last. One that a failed append began has no entry, and goes.
func (s *Store) resumeSegment() (err error) {
	if s.segment == nil || s.segment.First != s.size {
		for _, path := range []string{s.keysPath(s.size), s.partsPath(s.size)} {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	if s.segment != nil {
		s.segment, err = s.openSegment(*s.segment)
	}
	return err
}

// roll begins a segment if there is none that has room.
func (s *Store) roll() error {
	if s.segment != nil && s.segment.Parts < s.rollAt {
		return nil
	}
	if err := s.checkpoint(); err != nil {
		return err
	}
	next, err := s.openSegment(segment{First: s.size})
	if err != nil {
		return err
	}
	// The names are durable before the journal is reset the next time.
	err = errors.Join(syncDir(filepath.Join(s.dir, heldDir)), syncDir(filepath.Join(s.dir, keysDir)))
	if err != nil {
		return errors.Join(err, next.close())
	}
	old := s.segment
	s.segment = next
	return old.close()
}

// placeHeld says where the parts of entries go, and what is written there.
func (s *Store) placeHeld(entries []evidence.Entry) (places []*place, edits []edit, err error) {
	places = make([]*place, len(entries))
	var parts, keys []byte // in the scratch until it is used again
	held := false
	for i, e := range entries {
		if e.Held == nil {
			continue
		}
		if !held {
			if err := s.roll(); err != nil {
				return nil, nil, err
			}
			parts, keys = s.scratch.parts[:0], s.scratch.keys[:0]
			held = true
		}
		if len(e.Held) > maxPart || len(e.Key) > maxPart || len(parts)+len(keys)+len(e.Held)+len(e.Key) > maxParts {
			return nil, nil, errTooLarge
		}
		r := keyRecord{flag: flagSealed, key: int64(len(e.Key)), index: s.size + int64(i)}
		if e.Key == nil {
			r.flag = flagPlain
		}
		r.part = [2]int64{s.segment.Parts + int64(len(parts)), int64(len(e.Held))}
		at := s.segment.Keys + int64(len(keys))
		keys = r.appendTo(keys, e.Key)
		parts = append(parts, e.Held...)
		places[i] = &place{Segment: s.segment.First, Part: r.part, Key: [2]int64{at, keyHead + r.key}}
	}
	if held {
		s.scratch.parts, s.scratch.keys = parts, keys
		edits = []edit{
			{file: inParts, segment: s.segment.First, at: s.segment.Parts, bytes: parts},
			{file: inKeys, segment: s.segment.First, at: s.segment.Keys, bytes: keys},
		}
	}
	return places, edits, nil
}

// partReader reads parts, one segment at a time: neighbours are in the same.
type partReader struct {
	s           *Store
	first       int64
	parts, keys disk // nil if they are gone
}

func (s *Store) newPartReader() *partReader { return &partReader{s: s, first: -1} }

func (r *partReader) close() error {
	err := (&segment{parts: r.parts, keys: r.keys}).close()
	r.first, r.parts, r.keys = -1, nil, nil
	return err
}

// open opens a segment for reading.
func (r *partReader) open(first int64) error {
	if r.first == first {
		return nil
	}
	if err := r.close(); err != nil {
		return err
	}
	for to, path := range map[*disk]string{&r.parts: r.s.partsPath(first), &r.keys: r.s.keysPath(first)} {
		f, err := os.Open(path) //nolint:gosec // a file of the store
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err == nil {
			*to = f
		}
	}
	r.first = first
	return nil
}

// read adds the part and its key to an entry. What is deleted is not there; what is not as the line says is not this
// entry's: Log.Verify misses it then.
func (r *partReader) read(e *evidence.Entry, index int64, p place) error {
	if err := r.open(p.Segment); err != nil {
		return err
	}
	if r.parts == nil || r.keys == nil {
		return nil
	}
	record := make([]byte, p.Key[1])
	if _, err := r.keys.ReadAt(record, p.Key[0]); err != nil {
		return atEnd(err)
	}
	head, ok := parseKeyRecord(record)
	if !ok || !head.is(index, p) || head.flag == flagDeleted {
		return nil
	}
	part := make([]byte, p.Part[1])
	if _, err := r.parts.ReadAt(part, p.Part[0]); err != nil {
		return atEnd(err)
	}
	e.Held = part
	if head.flag == flagSealed {
		e.Key = record[keyHead:]
	}
	return nil
}

// atEnd makes an end of a file that is too near no error.
func atEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// segments are the first entries of all segments, in their order.
func (s *Store) segments() ([]int64, error) {
	if s.segment == nil {
		return nil, nil
	}
	dir, err := os.Open(filepath.Join(s.dir, keysDir))
	if err != nil {
		return nil, err
	}
	names, err := dir.Readdirnames(-1)
	if err := errors.Join(err, dir.Close()); err != nil {
		return nil, err
	}
	var all []int64
	for _, name := range names {
		if first, ok := numbered(name, keysSuffix); ok && first <= s.segment.First {
			all = append(all, first)
		}
	}
	slices.Sort(all)
	return all, nil
}
