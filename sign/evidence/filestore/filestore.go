// Package filestore keeps the entries of an evidence log in a directory of files; it is the store that most operators
// want. [Open] locks the directory, repairs what a crash left behind and says so; evidence.OpenLog takes the result.
// See the example of [Open].
//
// # Files
//
//   - entries.log: the entries, one JSON object a line, in batches. The first line of a batch tells its length and
//     SHA-256. An entry with a held part says where that is. With the journal it is the truth.
//   - held/N.parts and keys/N.keys: the parts that can be deleted alone, encrypted or in clear, and a record for each
//     with its key, which is encrypted itself. N is the first entry that has its part there; after 64 MiB the next pair
//     is begun. A deletion overwrites key and part with zeros where they are; a pair of which nothing is left goes.
//   - journal: what was appended or deleted and is not synced in the files above yet, 4 MiB at most in ordinary use. An
//     append is acknowledged when it is written and synced here, once for all files. It has keys too: a deletion
//     overwrites it, and [Store.Close] empties it.
//   - hashes, offsets, signatures: what is derived from entries.log, for direct access: the hashes of the Merkle tree,
//     where each entry ends, and a hash table of signature values. They are synced now and then; state says up to where
//     they are good, and the rest is made anew when the directory is opened. Deleting all four loses nothing.
//   - blobs: files that were archived, named by their SHA-256.
//   - torn-N: what stood behind the last whole batch of entries.log, moved aside by [Open].
//   - lock: one writer at a time.
//
// In directories of version 1, which are read, purged and appended to, each part and each key is a file of its own:
// held/N.sealed and keys/N.key, or held/N.json in clear.
//
// # Examples
//
// There is an example of [Open].
//
// # Compatibility
//
// The directory stays readable by later versions; they write what this one reads, or another version number into state.
// This version writes version 2.
package filestore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
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

	version  = 2
	hashSize = 32
	// syncEvery is after how many entries the derived files are synced: what a crash costs at most in reading again.
	syncEvery = 4096
)

// Errors of this package; package evidence wraps them.
var (
	// ErrLocked: another process has the directory open.
	ErrLocked = errors.New("filestore: another process has the directory open")
	// ErrDamaged: entries that were acknowledged cannot be read any more. Nothing is repaired: restore a copy.
	ErrDamaged = fmt.Errorf("filestore: %w", evidence.ErrDamaged)
	// ErrBroken: the disk failed, and what was begun could not be undone. Open the directory again.
	ErrBroken = errors.New("filestore: the disk failed, and nobody knows what it has")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("filestore: closed")
)

// Store is a directory that is open. It implements evidence.Store and is safe for concurrent use.
type Store struct {
	dir  string
	lock io.Closer

	mu         sync.RWMutex
	journal    *journal
	entries    disk
	hashes     disk
	offsets    disk
	signatures *table
	segment    *segment // that is written to; nil before the first held part
	rollAt     int64    // how long its parts get
	size       int64    // entries
	end        int64    // of entries.log
	hashCount  int64
	tail       tail
	scratch    scratch
	ownFilesTo int64 // entries below it may have files of their own
	taken      bool  // it is of this version, or was taken over
	failed     int   // entries in the tail when it could not be synced the last time
	broken     error
	recovered  Recovered
}

var _ evidence.Store = (*Store)(nil)

// Open opens the directory, which it makes if there is none, and locks it until [Store.Close]. Directory and files are
// readable by their owner alone. It reads the journal and the entries since the derived files were last synced, at most
// a few thousand, and the rest of the log not at all.
func Open(dir string) (*Store, error) {
	for _, part := range []string{heldDir, keysDir, blobsDir} {
		if err := makeDir(filepath.Join(dir, part)); err != nil {
			return nil, err
		}
	}
	lock, err := lockDir(filepath.Join(dir, lockFile))
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, lock: lock, rollAt: segmentSize, journal: &journal{}}
	if err := s.open(); err != nil {
		return nil, errors.Join(err, s.closeFiles(), lock.Close())
	}
	return s, nil
}

// makeDir is os.MkdirAll with durable names: what is acknowledged must not be gone with the directory it is in.
func makeDir(path string) error {
	err := os.Mkdir(path, 0o700)
	if errors.Is(err, fs.ErrNotExist) && filepath.Dir(path) != path {
		if err = makeDir(filepath.Dir(path)); err == nil {
			err = os.Mkdir(path, 0o700)
		}
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return os.MkdirAll(path, 0o700) // which says so if it is no directory
	case err != nil:
		return err
	}
	if err = syncDir(filepath.Dir(path)); errors.Is(err, fs.ErrPermission) { // it may be written to and not read
		return nil
	}
	return err
}

func (s *Store) open() (err error) {
	file := func(name string) (f disk) {
		if err == nil {
			f, err = openDisk(filepath.Join(s.dir, name))
		}
		return f
	}
	s.entries, s.hashes, s.offsets = file(entriesFile), file(hashesFile), file(offsetsFile)
	s.journal.file = file(journalFile)
	if err != nil {
		return err
	}
	if err := syncDir(s.dir); err != nil { // a name that was not there before is durable before anything in it
		return err
	}
	good, err := s.readState()
	if err != nil {
		return err
	}
	if err := s.replay(); err != nil {
		return err
	}
	if s.journal, err = openJournal(s.journal.file); err != nil {
		return err
	}
	s.signatures, err = openTable(filepath.Join(s.dir, signatureFile), good.Size == 0)
	if errors.Is(err, errTable) {
		good = good.anew()
		_ = s.signatures.close() // it is made anew
		s.signatures, err = openTable(filepath.Join(s.dir, signatureFile), true)
	}
	if err != nil {
		return err
	}
	s.size, s.end, s.hashCount, s.ownFilesTo = good.Size, good.End, good.Hashes, good.OwnFiles
	s.segment, s.taken = good.Segment, good.Version == version
	if err := errors.Join(s.hashes.Truncate(s.hashCount*hashSize), s.offsets.Truncate(s.size*8)); err != nil {
		return err
	}
	if err := errors.Join(s.recover(), s.removeUnfinishedBlobs()); err != nil {
		return err
	}
	if err := s.resumeSegment(); err != nil || s.taken {
		return err
	}
	if err := s.takeOver(); err != nil {
		return err
	}
	return s.sync()
}

// Close syncs what is derived, unlocks the directory and closes the files.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(s.broken, ErrClosed) {
		return nil
	}
	var err error
	if s.broken == nil {
		if len(s.tail.ends) > 0 {
			err = s.sync()
		}
		if err = errors.Join(err, s.checkpoint()); s.broken == nil && s.journal.at == framesFrom {
			err = errors.Join(err, s.journal.file.Truncate(0))
		}
	}
	s.broken = ErrClosed
	return errors.Join(err, s.closeFiles(), s.lock.Close())
}

func (s *Store) closeFiles() error {
	var errs []error
	for _, f := range []disk{s.entries, s.hashes, s.offsets, s.journal.file} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	if s.signatures != nil {
		errs = append(errs, s.signatures.close())
	}
	return errors.Join(append(errs, s.segment.close())...)
}
