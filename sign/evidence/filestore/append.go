package filestore

import (
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// tail is what is derived from the newest entries and not in the derived files yet. Between two syncs an append writes
// to none of them: that would be a system call for each.
type tail struct {
	hashes     []byte // of the entries below
	ends       []int64
	signatures map[uint64][]int64 // by the key of the table
}

// scratch is what appends are put together in: one at a time.
type scratch struct{ lines, parts, keys []byte }

// trim lets what a large append needed go.
func (c *scratch) trim() {
	for _, b := range []*[]byte{&c.lines, &c.parts, &c.keys} {
		if cap(*b) > journalSize {
			*b = nil
		}
	}
}

// Append implements evidence.Store.
func (s *Store) Append(ctx context.Context, size int64, entries []evidence.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.broken != nil:
		return s.broken
	case size != s.size:
		return evidence.ErrMoved
	case ctx.Err() != nil:
		return ctx.Err()
	}
	if err := s.refuseSigned(entries); err != nil {
		return err
	}
	defer s.scratch.trim()
	places, edits, err := s.placeHeld(entries)
	if err != nil {
		return err
	}
	written, ends, err := encodeBatch(batch{entries: entries, places: places}, s.end, &s.scratch.lines)
	if err != nil {
		return err
	}
	edits = append(edits, edit{file: inEntries, at: s.end, bytes: written})
	if err := s.record(edits); err != nil {
		return s.failing(err)
	}
	if err := s.apply(edits); err != nil {
		return s.undo(err)
	}
	s.index(batch{entries: entries, places: places, ends: ends})
	s.end += int64(len(written))
	// The entries are durable. Should one of these fail, the first stops the store, and the second is tried again
	// later, or the next Open reads a little more.
	if s.journal.at >= journalSize && s.checkpoint() != nil {
		return nil //nolint:nilerr // it was appended
	}
	if len(s.tail.ends) >= syncEvery && len(s.tail.ends)-s.failed >= syncEvery {
		if s.failed = 0; s.sync() != nil {
			s.failed = len(s.tail.ends)
		}
	}
	return nil
}

// record makes edits durable in the journal. If there is no room for them, there may be at its start.
func (s *Store) record(edits []edit) error {
	err := s.journal.write(edits)
	if err == nil || errors.Is(err, ErrBroken) || s.journal.at == framesFrom {
		return err
	}
	if failed := s.checkpoint(); failed != nil {
		return errors.Join(err, failed)
	}
	return s.journal.write(edits)
}

// failing stops the store if nobody knows what the disk has.
func (s *Store) failing(err error) error {
	if errors.Is(err, ErrBroken) {
		s.broken = ErrBroken
	}
	return err
}

// undo cuts a failed append off again, so that a disk that was full once is no end of the log: in the journal first,
// which would do it again.
func (s *Store) undo(cause error) error {
	err := s.journal.cut(s.journal.last)
	if err == nil {
		err = s.entries.Truncate(s.end)
	}
	if g := s.segment; err == nil && g != nil {
		err = errors.Join(g.parts.Truncate(g.Parts), g.keys.Truncate(g.Keys))
	}
	if err != nil {
		s.broken = ErrBroken
	}
	return errors.Join(cause, err)
}

// apply writes edits that are durable in the journal to their files. Those of older segments are synced at once, the
// others by checkpoint.
func (s *Store) apply(edits []edit) error {
	older := opened{}
	for _, e := range edits {
		f, err := s.fileOf(e, older)
		if err == nil {
			_, err = f.WriteAt(e.content(), e.at)
		}
		if err != nil {
			return errors.Join(err, older.close())
		}
	}
	return older.syncAndClose()
}

// fileOf is the file of an edit, opened if it is none of those that are open all the time.
func (s *Store) fileOf(e edit, older opened) (disk, error) {
	g := s.segment
	switch {
	case e.file == inEntries:
		return s.entries, nil
	case g != nil && g.parts != nil && g.First == e.segment && e.file == inParts:
		return g.parts, nil
	case g != nil && g.keys != nil && g.First == e.segment:
		return g.keys, nil
	case e.file == inParts:
		return older.open(s.partsPath(e.segment))
	default:
		return older.open(s.keysPath(e.segment))
	}
}

// opened are files by their paths.
type opened map[string]disk

func (o opened) open(path string) (f disk, err error) {
	if f = o[path]; f == nil {
		if f, err = openDisk(path); err == nil {
			o[path] = f
		}
	}
	return f, err
}

func (o opened) close() error {
	var errs []error
	for _, f := range o {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

func (o opened) syncAndClose() error {
	err := syncAll(slices.Collect(maps.Values(o)))
	return errors.Join(err, o.close())
}

// checkpoint syncs the files of the truth and begins the journal anew. If that fails nobody knows what they have, and
// the journal stays: the next Open writes it to them again.
func (s *Store) checkpoint() error {
	if s.journal.at == framesFrom {
		return nil
	}
	files := []disk{s.entries}
	if s.segment != nil {
		files = append(files, s.segment.parts, s.segment.keys)
	}
	err := syncAll(files)
	if err == nil {
		err = s.journal.reset()
	}
	if err != nil {
		s.broken = ErrBroken
		return errors.Join(ErrBroken, err)
	}
	return nil
}

// syncAll syncs files at once: a file system makes some durable in the time of one if it is asked for them together.
func syncAll(files []disk) error {
	errs := make([]error, len(files))
	var wg sync.WaitGroup
	for i, f := range files {
		wg.Go(func() { errs[i] = dataSync(f) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// sync writes the tail to the derived files, makes them durable and then says so in state, which appears in one piece.
func (s *Store) sync() error {
	if err := s.checkpoint(); err != nil {
		return err
	}
	first, firstHash := s.size-int64(len(s.tail.ends)), s.hashCount-int64(len(s.tail.hashes)/hashSize)
	if _, err := s.hashes.WriteAt(s.tail.hashes, firstHash*hashSize); err != nil {
		return err
	}
	ends := make([]byte, 0, len(s.tail.ends)*8)
	for _, end := range s.tail.ends {
		ends = binary.BigEndian.AppendUint64(ends, uint64(end)) //nolint:gosec // not negative
	}
	if _, err := s.offsets.WriteAt(ends, first*8); err != nil {
		return err
	}
	for key, indexes := range s.tail.signatures {
		for _, i := range indexes {
			if err := s.signatures.add(key, i); err != nil {
				return err
			}
		}
	}
	if err := errors.Join(s.hashes.Sync(), s.offsets.Sync(), s.signatures.sync()); err != nil {
		return err
	}
	if err := s.writeState(); err != nil {
		return err
	}
	s.tail = tail{}
	return nil
}

// writeDurably writes a file so that it appears in one piece.
func writeDurably(dir, name string, b []byte) error {
	path := filepath.Join(dir, name)
	//nolint:gosec // the operator's directory
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return syncDir(dir)
}

// index adds entries to the tail, and what they added to the segment.
func (s *Store) index(b batch) {
	for i, e := range b.entries {
		for _, h := range e.Hashes {
			s.tail.hashes = append(s.tail.hashes, h[:]...)
		}
		s.hashCount += int64(len(e.Hashes))
		if key, err := keyOf(e.Signature); err == nil {
			if s.tail.signatures == nil {
				s.tail.signatures = map[uint64][]int64{}
			}
			s.tail.signatures[key] = append(s.tail.signatures[key], s.size+int64(i))
		}
		if p := b.places[i]; p != nil {
			if s.segment == nil || s.segment.First != p.Segment { // when it is read
				s.segment = &segment{First: p.Segment}
			}
			s.segment.Parts, s.segment.Keys = p.Part[0]+p.Part[1], p.Key[0]+p.Key[1]
		}
	}
	s.tail.ends = append(s.tail.ends, b.ends...)
	s.size += int64(len(b.entries))
}
