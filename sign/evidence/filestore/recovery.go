package filestore

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// tornFile makes the file for a torn tail. What an earlier crash left at the same place stays.
func (s *Store) tornFile() (name string, f *os.File, err error) {
	first := "torn-" + strconv.FormatInt(s.end, 10)
	name = first
	for n := 2; ; n++ {
		//nolint:gosec // the operator's directory
		f, err = os.OpenFile(filepath.Join(s.dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) {
			return name, f, err
		}
		name = first + "-" + strconv.Itoa(n)
	}
}

// Recovered says what [Open] found after a crash. The zero value: nothing.
type Recovered struct {
	// Torn is the number of bytes behind the last whole batch of entries.log, of an append that was never acknowledged,
	// and TornFile the file they were moved to.
	Torn     int64
	TornFile string
	// Unfinished is the number of bytes of an append or a deletion that was cut off while it was written to the
	// journal. They were never acknowledged and are dropped, because keys may be among them.
	Unfinished int64
	// Redone is the number of appends and deletions that the journal had, and that were written to their files again.
	Redone int64
	// Reindexed is the number of entries whose derived data was made anew.
	Reindexed int64
}

// state is how far the derived files are good, and which segment is written to.
type state struct {
	Version int   `json:"version"`
	Size    int64 `json:"size"`
	End     int64 `json:"end"`
	Hashes  int64 `json:"hashes"`
	// OwnFiles: entries below it may have files of their own, as in version 1.
	OwnFiles int64    `json:"own_files,omitempty"`
	Segment  *segment `json:"segment,omitempty"`
	// Sum is the SHA-256 of the rest, from version 2 on: a state that is wrong must not be believed.
	Sum string `json:"sum,omitempty"`
}

// anew is the state of which nothing but the version is believed.
func (st state) anew() state { return state{Version: st.Version, OwnFiles: st.OwnFiles} }

func (st state) sum() (string, error) {
	st.Sum = ""
	b, err := json.Marshal(st)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), err
}

// sane reports whether the numbers can be true.
func (st state) sane() bool {
	g := st.Segment
	return st.Size >= 0 && st.End >= 0 && st.Hashes >= 0 && st.OwnFiles >= 0 && st.OwnFiles <= st.Size &&
		(g == nil || g.First >= 0 && g.Parts >= 0 && g.Keys >= 0)
}

// parseState reads the file; the zero value when anything about it is odd. A later version is told apart.
func parseState(b []byte) (state, error) {
	var st state
	if json.Unmarshal(b, &st) != nil {
		return state{}, nil //nolint:nilerr // everything is made anew
	}
	if st.Version > version {
		return state{}, fmt.Errorf("filestore: a directory of version %d: %w", st.Version, evidence.ErrLater)
	}
	sum, err := st.sum()
	if st.Version == version && sum != st.Sum || !st.sane() {
		return state{}, err
	}
	return st, err
}

func (s *Store) writeState() error {
	st := state{
		Version: version, Size: s.size, End: s.end, Hashes: s.hashCount, OwnFiles: s.ownFilesTo, Segment: s.segment,
	}
	if !s.taken {
		st.Version = 1
	}
	var err error
	if st.Sum, err = st.sum(); err != nil {
		return err
	}
	b, err := json.Marshal(st)
	if err != nil {
		return err
	}
	return writeDurably(s.dir, stateFile, append(b, '\n'))
}

// readState returns how far the derived files are good: not at all when anything about them is odd.
func (s *Store) readState() (state, error) {
	b, err := os.ReadFile(filepath.Join(s.dir, stateFile))
	if err != nil {
		return state{}, nil //nolint:nilerr // everything is made anew
	}
	st, err := parseState(b)
	if err != nil {
		return st, err
	}
	if length(s.entries) < st.End {
		return state{}, fmt.Errorf("%w: %s is shorter than it was", ErrDamaged, entriesFile)
	}
	table, err := os.Stat(filepath.Join(s.dir, signatureFile))
	if err != nil || table.Size() == 0 || length(s.hashes) < st.Hashes*hashSize || length(s.offsets) < st.Size*8 {
		return st.anew(), nil //nolint:nilerr // everything is made anew
	}
	return st, nil
}

// length is how long a file is, or less than nothing.
func length(f disk) int64 {
	info, err := f.Stat()
	if err != nil {
		return -1
	}
	return info.Size()
}

// replay writes to their files what the journal has, whether they have it or not.
func (s *Store) replay() error {
	n := length(s.journal.file)
	if n > maxJournal {
		return fmt.Errorf("%w: %s", ErrDamaged, journalFile)
	}
	b, err := io.ReadAll(io.NewSectionReader(s.journal.file, 0, max(n, 0)))
	if err != nil {
		return err
	}
	all, left, err := frames(b)
	if err != nil {
		return err
	}
	files := opened{}
	for _, edits := range all {
		for _, e := range edits {
			if err := s.redo(e, files); err != nil {
				return errors.Join(err, files.close())
			}
		}
	}
	s.recovered.Redone, s.recovered.Unfinished = int64(len(all)), left
	if len(all) == 0 {
		return nil
	}
	err = errors.Join(files.syncAndClose(), s.entries.Sync())
	for _, sub := range []string{"", heldDir, keysDir} {
		err = errors.Join(err, syncDir(filepath.Join(s.dir, sub)))
	}
	return err
}

// redo writes an edit to its file. It must leave no gap: then what the journal builds on is not there.
func (s *Store) redo(e edit, files opened) error {
	f, err := s.fileOf(e, files)
	if err != nil {
		return err
	}
	if e.at > length(f) {
		return fmt.Errorf("%w: %s is shorter than it was", ErrDamaged, filepath.Base(f.Name()))
	}
	_, err = f.WriteAt(e.content(), e.at)
	return err
}

// recover reads the batches behind the last synced state. The last batch may be torn: then it was never acknowledged.
func (s *Store) recover() error {
	info, err := s.entries.Stat()
	if err != nil {
		return err
	}
	r := newBatchReader(s.entries, s.end, info.Size())
	for {
		b, err := r.next()
		switch {
		case errors.Is(err, io.EOF):
			return s.finishRecovery()
		case errors.Is(err, errTorn):
			if r.validBatchBehind() {
				return fmt.Errorf("%w: behind entry %d", ErrDamaged, s.size)
			}
			if err := s.moveAside(info.Size()); err != nil {
				return err
			}
			return s.finishRecovery()
		case err != nil:
			return err
		}
		s.index(b)
		s.recovered.Reindexed += int64(len(b.entries))
		s.end = b.end
		if len(s.tail.ends) >= syncEvery {
			if err := s.sync(); err != nil {
				return err
			}
		}
	}
}

func (s *Store) finishRecovery() error {
	if s.recovered.Reindexed == 0 {
		return nil
	}
	return s.sync()
}

// moveAside keeps the torn bytes in a file of their own and cuts them off the log.
func (s *Store) moveAside(length int64) error {
	name, torn, err := s.tornFile()
	if err != nil {
		return err
	}
	_, err = io.Copy(torn, io.NewSectionReader(s.entries, s.end, length-s.end))
	if err := errors.Join(err, torn.Sync(), torn.Close()); err != nil {
		return err
	}
	if err := errors.Join(s.entries.Truncate(s.end), s.entries.Sync(), syncDir(s.dir)); err != nil {
		return err
	}
	s.recovered.Torn, s.recovered.TornFile = length-s.end, name
	return nil
}

// Recovered says what [Open] had to repair. Report it: a crash is worth knowing of, and so is a torn tail that none
// left.
func (s *Store) Recovered() Recovered { return s.recovered }
