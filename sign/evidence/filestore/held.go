package filestore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// HeldFrom implements evidence.Store. It reads the records of the keys from the segment of first on.
func (s *Store) HeldFrom(ctx context.Context, first int64, n int) ([]int64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.broken != nil {
		return nil, s.broken
	}
	n = max(n, 0)
	var indexes []int64
	if first < s.ownFilesTo {
		var err error
		if indexes, err = s.ownFilesFrom(heldDir, first); err != nil {
			return nil, err
		}
		indexes = slices.DeleteFunc(indexes, func(i int64) bool { return i >= s.ownFilesTo })
	}
	segments, err := s.segments()
	if err != nil {
		return nil, err
	}
	for i, g := range segments {
		if len(indexes) >= n {
			break
		}
		if i+1 < len(segments) && segments[i+1] <= first { // its entries are all before
			continue
		}
		err := s.eachKey(g, func(r keyRecord) error {
			if r.flag != flagDeleted && r.index >= first && r.index < s.size {
				indexes = append(indexes, r.index)
			}
			if len(indexes) >= n {
				return io.EOF
			}
			return ctx.Err()
		})
		if err != nil {
			return nil, err
		}
	}
	return indexes[:min(n, len(indexes))], nil
}

// eachKey calls each for the records of a segment, until it returns io.EOF. An unreadable record is ErrDamaged: those
// behind it would not be found, and not be deleted when their time is over.
func (s *Store) eachKey(first int64, each func(keyRecord) error) error {
	f, err := os.Open(s.keysPath(first))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	b := bufio.NewReaderSize(f, 64<<10)
	for err == nil {
		err = nextKey(b, each)
	}
	if errors.Is(err, errRecord) {
		err = fmt.Errorf("%w: %s", ErrDamaged, filepath.Base(f.Name()))
	}
	return errors.Join(atEnd(err), f.Close())
}

var errRecord = errors.New("filestore: no record of a key")

// nextKey reads one record; io.EOF is the end of the file.
func nextKey(b *bufio.Reader, each func(keyRecord) error) error {
	var head [keyHead]byte
	_, err := io.ReadFull(b, head[:])
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errRecord
	}
	if err != nil {
		return err
	}
	r, ok := parseKeyRecord(head[:])
	if !ok {
		return errRecord
	}
	if _, err := b.Discard(int(r.key)); errors.Is(err, io.EOF) {
		return errRecord
	} else if err != nil {
		return err
	}
	return each(r)
}

// DeleteHeld implements evidence.Store: parts and keys are overwritten with zeros where they are, and in the journal.
// A crash leaves all of them or none: the journal has the deletion first.
func (s *Store) DeleteHeld(_ context.Context, indexes ...int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	for _, i := range indexes {
		if i < 0 || i >= s.size {
			return evidence.ErrAbsent
		}
	}
	var edits []edit
	var own []int64
	touched := map[int64]bool{}
	for _, i := range indexes {
		p, err := s.placeOf(i)
		switch {
		case err != nil:
			return err
		case p == nil:
			if i < s.ownFilesTo {
				own = append(own, i)
			}
			continue
		}
		erase, err := s.erase(i, *p)
		if err != nil {
			return err
		}
		if len(erase) > 0 {
			touched[p.Segment] = true
		}
		edits = append(edits, erase...)
	}
	if err := s.removeOwnFiles(own); err != nil || len(edits) == 0 {
		return err
	}
	return s.eraseAll(edits, touched)
}

// placeOf says where an entry's part is; nil if it never had one in a segment.
func (s *Store) placeOf(index int64) (*place, error) {
	l, err := s.line(index)
	return l.held, err
}

// erase is what deletes a part; nothing if it is gone. A record that is neither this entry's nor gone is damage: what
// it stands over could not be deleted, and that must not look like a deletion.
func (s *Store) erase(index int64, p place) ([]edit, error) {
	f, err := os.Open(s.keysPath(p.Segment))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	head := make([]byte, keyHead)
	_, err = f.ReadAt(head, p.Key[0])
	if err := errors.Join(atEnd(err), f.Close()); err != nil {
		return nil, err
	}
	r, ok := parseKeyRecord(head)
	if !ok || !r.is(index, p) {
		return nil, fmt.Errorf("%w: the held part of entry %d", ErrDamaged, index)
	}
	if r.flag == flagDeleted {
		return nil, nil
	}
	r.flag = flagDeleted
	return []edit{
		{file: inKeys, segment: p.Segment, at: p.Key[0], bytes: r.appendTo(nil, nil)},
		{file: inKeys, segment: p.Segment, at: p.Key[0] + keyHead, zeros: r.key},
		{file: inParts, segment: p.Segment, at: p.Part[0], zeros: p.Part[1]},
	}, nil
}

// eraseAll makes deletions durable, and removes segments of which nothing is left.
func (s *Store) eraseAll(edits []edit, touched map[int64]bool) error {
	if err := s.checkpoint(); err != nil {
		return err
	}
	if err := s.journal.wipe(); err != nil { // the keys are in it
		return err
	}
	if err := s.journal.write(edits); err != nil {
		return s.failing(err)
	}
	if err := s.apply(edits); err != nil {
		// The journal has it: it is done when the directory is opened again.
		return s.failing(errors.Join(ErrBroken, err))
	}
	if err := s.checkpoint(); err != nil {
		return err
	}
	for first := range touched {
		if err := s.removeIfEmpty(first); err != nil {
			return err
		}
	}
	return nil
}

// removeIfEmpty removes the files of a segment that is not written to any more, if all its parts are deleted.
func (s *Store) removeIfEmpty(first int64) error {
	if first == s.segment.First {
		return nil
	}
	left := false
	err := s.eachKey(first, func(r keyRecord) error {
		left = left || r.flag != flagDeleted
		return nil
	})
	if left || errors.Is(err, ErrDamaged) { // what cannot be read may be somebody's
		return nil
	}
	if err != nil {
		return err
	}
	for _, path := range []string{s.keysPath(first), s.partsPath(first)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := syncDir(filepath.Dir(path)); err != nil {
			return err
		}
	}
	return nil
}
