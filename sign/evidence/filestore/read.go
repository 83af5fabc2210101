package filestore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// Size implements evidence.Store.
func (s *Store) Size(context.Context) (int64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.size, s.broken
}

// bound returns where an entry ends.
func (s *Store) bound(index int64) (int64, error) {
	if i := index - (s.size - int64(len(s.tail.ends))); i >= 0 {
		return s.tail.ends[i], nil
	}
	var b [8]byte
	_, err := s.offsets.ReadAt(b[:], index*8)
	return int64(binary.BigEndian.Uint64(b[:])), err //nolint:gosec // checked by whoever asks
}

// candidates calls each for the entries that may have the signature value.
func (s *Store) candidates(signature string, each func(index int64) error) error {
	key, err := keyOf(signature)
	if err != nil {
		return nil //nolint:nilerr // nothing has such a signature
	}
	for _, i := range s.tail.signatures[key] {
		if err := each(i); err != nil {
			return err
		}
	}
	return s.signatures.candidates(key, each)
}

// Entries implements evidence.Store.
func (s *Store) Entries(_ context.Context, first int64, n int) (_ []evidence.Entry, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.broken != nil {
		return nil, s.broken
	}
	if first < 0 || first >= s.size {
		return nil, evidence.ErrAbsent
	}
	entries := make([]evidence.Entry, 0, min(int64(max(n, 0)), s.size-first))
	parts := s.newPartReader()
	defer func() { err = errors.Join(err, parts.close()) }()
	for i := range int64(cap(entries)) {
		l, err := s.line(first + i)
		switch {
		case err != nil:
		case l.held != nil:
			err = parts.read(&l.Entry, first+i, *l.held)
		case first+i < s.ownFilesTo:
			err = s.readOwnFiles(&l.Entry, first+i)
		}
		if err != nil {
			return nil, err
		}
		entries = append(entries, l.Entry)
	}
	return entries, nil
}

// entry reads an entry without its held part.
func (s *Store) entry(index int64) (evidence.Entry, error) {
	l, err := s.line(index)
	return l.Entry, err
}

// line reads what entries.log has of an entry.
func (s *Store) line(index int64) (decoded, error) {
	if index < 0 || index >= s.size {
		return decoded{}, evidence.ErrAbsent
	}
	// An entry begins where the one before ends, or behind the head of its batch: the line before the end is looked
	// for.
	var start int64
	if index > 0 {
		var err error
		if start, err = s.bound(index - 1); err != nil {
			return decoded{}, err
		}
	}
	end, err := s.bound(index)
	if err != nil {
		return decoded{}, err
	}
	if start < 0 || end <= start || end-start > maxLine+maxHead {
		return decoded{}, fmt.Errorf("%w: entry %d", ErrDamaged, index)
	}
	b := make([]byte, end-start)
	if _, err := s.entries.ReadAt(b, start); err != nil {
		return decoded{}, err
	}
	b = bytes.TrimSuffix(b, []byte("\n"))
	if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
		b = b[i+1:]
	}
	l, err := decodeEntry(b)
	if err != nil {
		return decoded{}, fmt.Errorf("%w: entry %d", ErrDamaged, index)
	}
	return l, nil
}

// Hashes implements evidence.Store.
func (s *Store) Hashes(_ context.Context, positions []int64) ([]evidence.Hash, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.broken != nil {
		return nil, s.broken
	}
	hashes := make([]evidence.Hash, len(positions))
	for i, p := range positions {
		if p < 0 || p >= s.hashCount {
			return nil, evidence.ErrAbsent
		}
		if from := (p-s.hashCount)*hashSize + int64(len(s.tail.hashes)); from >= 0 {
			copy(hashes[i][:], s.tail.hashes[from:])
			continue
		}
		if _, err := s.hashes.ReadAt(hashes[i][:], p*hashSize); err != nil {
			return nil, err
		}
	}
	return hashes, nil
}

// Signed implements evidence.Store.
func (s *Store) Signed(_ context.Context, signatures ...string) (map[string]int64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.broken != nil {
		return nil, s.broken
	}
	found := map[string]int64{}
	for _, signature := range signatures {
		index, known, err := s.firstSigned(signature)
		if err != nil {
			return nil, err
		}
		if known {
			found[signature] = index
		}
	}
	return found, nil
}

// firstSigned is the first entry with a signature value.
func (s *Store) firstSigned(signature string) (first int64, known bool, err error) {
	err = s.candidates(signature, func(index int64) error {
		if index >= s.size || known && index >= first {
			return nil // of an append that failed
		}
		e, err := s.entry(index)
		if err == nil && e.Signature == signature {
			first, known = index, true
		}
		return err
	})
	return first, known, err
}

// refuseSigned looks up the signature values of entries that are not said to have them again.
func (s *Store) refuseSigned(entries []evidence.Entry) error {
	for _, e := range entries {
		if e.Again || e.Signature == "" {
			continue
		}
		_, known, err := s.firstSigned(e.Signature)
		if err != nil {
			return err
		}
		if known {
			return evidence.ErrSigned
		}
	}
	return nil
}

// Check implements evidence.Checker: every signature value is found by the table, or somebody could hand it in again.
func (s *Store) Check(ctx context.Context) error {
	for i := int64(0); ; i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		more, err := s.checkSignature(i)
		if err != nil || !more {
			return err
		}
	}
}

func (s *Store) checkSignature(index int64) (more bool, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.broken != nil || index >= s.size {
		return false, s.broken
	}
	e, err := s.entry(index)
	if err != nil || e.Signature == "" {
		return true, err
	}
	found := false
	err = s.candidates(e.Signature, func(i int64) error {
		found = found || i == index
		return nil
	})
	if err != nil || !found {
		return false, fmt.Errorf("%w: %s does not find entry %d", ErrDamaged, signatureFile, index)
	}
	return true, nil
}
