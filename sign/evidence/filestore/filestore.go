// Package filestore keeps the entries of an evidence log in a directory of files; it is the store that most operators
// want. [Open] locks the directory, repairs what a crash left behind and says so; evidence.OpenLog takes the result.
// See the example of [Open].
//
// # Files
//
//   - entries.log: the entries, one JSON object a line, in batches. The first line of a batch tells its length and SHA-256.
//     This file alone is the truth: it is written and synced before an append is acknowledged.
//   - hashes, offsets, signatures: what is derived from it, for direct access: the hashes of the Merkle tree, where each entry
//     ends, and a hash table of signature values. They are synced now and then; state says up to where they are good, and
//     the rest is made anew when the directory is opened. Deleting all four loses nothing.
//   - held/N.json: the parts that can be deleted alone, one file for each entry that has one.
//   - torn-N: what a crash left of an append that was never acknowledged, moved aside by [Open].
//   - lock: one writer at a time.
//
// # Compatibility
//
// The directory stays readable by later versions; they write what this one reads, or another version number into state.
package filestore

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

const (
	entriesFile   = "entries.log"
	hashesFile    = "hashes"
	offsetsFile   = "offsets"
	signatureFile = "signatures"
	stateFile     = "state"
	lockFile      = "lock"
	heldDir       = "held"

	version  = 1
	hashSize = 32
	// syncEvery is after how many entries the derived files are synced: what a crash costs at most in reading again.
	syncEvery = 4096
)

// Errors of this package; package evidence wraps them.
var (
	// ErrLocked: another process has the directory open.
	ErrLocked = errors.New("filestore: another process has the directory open")
	// ErrDamaged: entries that were acknowledged cannot be read any more. Nothing is repaired: restore a copy.
	ErrDamaged = errors.New("filestore: acknowledged entries are damaged")
	// ErrBroken: an append failed and could not be undone. Open the directory again.
	ErrBroken = errors.New("filestore: a failed append could not be undone")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("filestore: closed")
)

// Store is a directory that is open. It implements evidence.Store and is safe for concurrent use.
type Store struct {
	dir  string
	lock io.Closer

	mu         sync.RWMutex
	entries    *os.File
	hashes     *os.File
	offsets    *os.File
	signatures *table
	size       int64 // entries
	end        int64 // of entries.log
	hashCount  int64
	unsynced   int64 // entries since the derived files were synced
	broken     error
	recovered  Recovered
}

var _ evidence.Store = (*Store)(nil)

// Open opens the directory, which it makes if there is none, and locks it until [Store.Close]. Directory and files are
// readable by their owner alone. It reads the entries since the derived files were last synced, at most a few thousand,
// and the rest of the log not at all.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(filepath.Join(dir, heldDir), 0o700); err != nil {
		return nil, err
	}
	lock, err := lockDir(filepath.Join(dir, lockFile))
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, lock: lock}
	if err := s.open(); err != nil {
		return nil, errors.Join(err, s.closeFiles(), lock.Close())
	}
	return s, nil
}

func (s *Store) open() (err error) {
	file := func(name string) (f *os.File) {
		if err == nil {
			f, err = os.OpenFile(filepath.Join(s.dir, name), os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator's directory
		}
		return f
	}
	s.entries, s.hashes, s.offsets = file(entriesFile), file(hashesFile), file(offsetsFile)
	if err != nil {
		return err
	}
	good, err := s.readState()
	if err != nil {
		return err
	}
	s.signatures, err = openTable(filepath.Join(s.dir, signatureFile), good.Size == 0)
	if errors.Is(err, errTable) {
		good = state{}
		_ = s.signatures.close() // it is made anew
		s.signatures, err = openTable(filepath.Join(s.dir, signatureFile), true)
	}
	if err != nil {
		return err
	}
	s.size, s.end, s.hashCount = good.Size, good.End, good.Hashes
	if err := errors.Join(s.hashes.Truncate(s.hashCount*hashSize), s.offsets.Truncate(s.size*8)); err != nil {
		return err
	}
	return s.recover()
}

// Close syncs what is derived, unlocks the directory and closes the files.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(s.broken, ErrClosed) {
		return nil
	}
	var err error
	if s.broken == nil && s.unsynced > 0 {
		err = s.sync()
	}
	s.broken = ErrClosed
	return errors.Join(err, s.closeFiles(), s.lock.Close())
}

func (s *Store) closeFiles() error {
	var errs []error
	for _, f := range []*os.File{s.entries, s.hashes, s.offsets} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	if s.signatures != nil {
		errs = append(errs, s.signatures.close())
	}
	return errors.Join(errs...)
}

// sync makes the derived files durable and then says so in state, which appears in one piece.
func (s *Store) sync() error {
	if err := errors.Join(s.hashes.Sync(), s.offsets.Sync(), s.signatures.sync()); err != nil {
		return err
	}
	b, err := json.Marshal(state{Version: version, Size: s.size, End: s.end, Hashes: s.hashCount})
	if err != nil {
		return err
	}
	if err := writeDurably(s.dir, stateFile, append(b, '\n')); err != nil {
		return err
	}
	s.unsynced = 0
	return nil
}

// writeDurably writes a file so that it appears in one piece.
func writeDurably(dir, name string, b []byte) error {
	path := filepath.Join(dir, name)
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // the operator's directory
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

// Size implements evidence.Store.
func (s *Store) Size(context.Context) (int64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.size, s.broken
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
	written, ends, err := encodeBatch(entries, s.end)
	if err != nil {
		return err
	}
	// The held parts first: an entry that is there has all its parts. Those of an append that fails are deleted.
	if err := s.writeHeld(entries); err != nil {
		return errors.Join(err, s.removeHeld(entries))
	}
	_, err = s.entries.WriteAt(written, s.end)
	if err == nil {
		err = s.entries.Sync()
	}
	if err == nil {
		err = s.index(entries, ends)
	}
	if err != nil {
		return s.undo(size, entries, err)
	}
	s.end += int64(len(written))
	if s.unsynced += int64(len(entries)); s.unsynced >= syncEvery {
		// The entries are durable; should this fail, the next Open reads a little more.
		if err := s.sync(); err != nil {
			s.unsynced = 0
		}
	}
	return nil
}

// undo cuts a failed append off again, so that a disk that was full once is no end of the log.
func (s *Store) undo(size int64, entries []evidence.Entry, cause error) error {
	err := errors.Join(s.entries.Truncate(s.end), s.entries.Sync())
	if err == nil {
		for _, e := range entries[:s.size-size] {
			s.hashCount -= int64(len(e.Hashes))
		}
		s.size = size
		err = s.removeHeld(entries)
	}
	if err != nil {
		s.broken = ErrBroken
	}
	return errors.Join(cause, err)
}

// index adds entries to the derived files. What is written behind their ends before a failure is written over later.
func (s *Store) index(entries []evidence.Entry, ends []int64) error {
	var hashes, offsets bytes.Buffer
	var added int64
	for i, e := range entries {
		for _, h := range e.Hashes {
			hashes.Write(h[:])
		}
		added += int64(len(e.Hashes))
		_ = binary.Write(&offsets, binary.BigEndian, ends[i]) // a bytes.Buffer takes everything
	}
	if _, err := s.hashes.WriteAt(hashes.Bytes(), s.hashCount*hashSize); err != nil {
		return err
	}
	if _, err := s.offsets.WriteAt(offsets.Bytes(), s.size*8); err != nil {
		return err
	}
	for i, e := range entries {
		if e.Signature == "" {
			continue
		}
		if err := s.signatures.add(e.Signature, s.size+int64(i)); err != nil {
			return err
		}
	}
	s.hashCount += added
	s.size += int64(len(entries))
	return nil
}

// Entry implements evidence.Store.
func (s *Store) Entry(_ context.Context, index int64) (evidence.Entry, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.broken != nil {
		return evidence.Entry{}, s.broken
	}
	e, err := s.entry(index)
	if err != nil {
		return e, err
	}
	held, err := os.ReadFile(s.heldFile(index))
	switch {
	case err == nil:
		e.Held = held
	case !errors.Is(err, os.ErrNotExist):
		return evidence.Entry{}, err
	}
	return e, nil
}

func (s *Store) entry(index int64) (evidence.Entry, error) {
	if index < 0 || index >= s.size {
		return evidence.Entry{}, evidence.ErrAbsent
	}
	// An entry begins where the one before ends, or behind the head of its batch: the line before the end is looked
	// for.
	bounds := make([]byte, 16)
	from := bounds[8:]
	if index > 0 {
		from = bounds
	}
	if _, err := s.offsets.ReadAt(from, max(index-1, 0)*8); err != nil {
		return evidence.Entry{}, err
	}
	start, end := int64(
		binary.BigEndian.Uint64(bounds),
	), int64(
		binary.BigEndian.Uint64(bounds[8:]),
	) //nolint:gosec // offsets of ours
	if start < 0 || end <= start || end-start > maxLine+maxHead {
		return evidence.Entry{}, fmt.Errorf("%w: entry %d", ErrDamaged, index)
	}
	b := make([]byte, end-start)
	if _, err := s.entries.ReadAt(b, start); err != nil {
		return evidence.Entry{}, err
	}
	b = bytes.TrimSuffix(b, []byte("\n"))
	if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
		b = b[i+1:]
	}
	e, err := decodeEntry(b)
	if err != nil {
		return evidence.Entry{}, fmt.Errorf("%w: entry %d", ErrDamaged, index)
	}
	return e, nil
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
		if _, err := s.hashes.ReadAt(hashes[i][:], p*hashSize); err != nil {
			return nil, err
		}
	}
	return hashes, nil
}

// Signed implements evidence.Store.
func (s *Store) Signed(_ context.Context, signature string) (int64, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.broken != nil {
		return 0, false, s.broken
	}
	var first int64 = -1
	err := s.signatures.candidates(signature, func(index int64) error {
		if index >= s.size || first >= 0 && index >= first {
			return nil // of an append that failed
		}
		e, err := s.entry(index)
		if err == nil && e.Signature == signature {
			first = index
		}
		return err
	})
	return max(first, 0), first >= 0 && err == nil, err
}
