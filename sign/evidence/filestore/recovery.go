package filestore

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// Recovered says what [Open] found after a crash. The zero value: nothing.
type Recovered struct {
	// Torn is the number of bytes of an append that was never acknowledged, and TornFile the file they were moved to.
	Torn     int64
	TornFile string
	// Reindexed is the number of entries whose derived data was made anew.
	Reindexed int64
}

// state is how far the derived files are good.
type state struct {
	Version int   `json:"version"`
	Size    int64 `json:"size"`
	End     int64 `json:"end"`
	Hashes  int64 `json:"hashes"`
}

// readState returns how far the derived files are good: not at all when anything about them is odd.
func (s *Store) readState() (state, error) {
	var st state
	b, err := os.ReadFile(filepath.Join(s.dir, stateFile))
	if err != nil || json.Unmarshal(b, &st) != nil {
		return state{}, nil //nolint:nilerr // everything is made anew
	}
	if st.Version > version {
		return state{}, fmt.Errorf(
			"filestore: the directory has version %d, this program knows %d",
			st.Version,
			version,
		)
	}
	length := func(f *os.File) int64 {
		info, err := f.Stat()
		if err != nil {
			return -1
		}
		return info.Size()
	}
	if length(s.entries) < st.End {
		return state{}, fmt.Errorf("%w: %s is shorter than it was", ErrDamaged, entriesFile)
	}
	table, err := os.Stat(filepath.Join(s.dir, signatureFile))
	if err != nil || table.Size() == 0 || length(s.hashes) < st.Hashes*hashSize || length(s.offsets) < st.Size*8 ||
		st.Size < 0 ||
		st.End < 0 {
		return state{}, nil //nolint:nilerr // everything is made anew
	}
	return st, nil
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
		if err := s.index(b.entries, b.ends); err != nil {
			return err
		}
		s.recovered.Reindexed += int64(len(b.entries))
		s.end = b.end
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
	name := "torn-" + strconv.FormatInt(s.end, 10)
	torn, err := os.OpenFile(filepath.Join(s.dir, name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // the operator's directory
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
