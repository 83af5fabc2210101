package filestore

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
)

// table is a hash table in a file, from signature values to entries: slots of 16 bytes, the first 8 of the SHA-256 and
// the index of the entry plus one, found by linear probing. It only points: whoever asks reads the entry and compares.
// So a crash may leave it too full or, behind the last sync, too empty, but never wrong.
type table struct {
	path  string
	file  *os.File
	slots int64
	used  int64
}

const (
	slotSize   = 16
	firstSlots = 1 << 10
	headerSize = 16 // slots, used
)

var errTable = errors.New("filestore: signature table")

// openTable opens the table, or makes an empty one.
func openTable(path string, anew bool) (*table, error) {
	flags := os.O_RDWR | os.O_CREATE
	if anew {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(path, flags, 0o600) //nolint:gosec // a file of the store
	if err != nil {
		return nil, err
	}
	t := &table{path: path, file: f}
	if anew {
		t.slots = firstSlots
		return t, errors.Join(t.format(), nil)
	}
	var header [headerSize]byte
	if _, err := f.ReadAt(header[:], 0); err != nil {
		return t, errors.Join(errTable, err)
	}
	t.slots, t.used = int64(
		binary.BigEndian.Uint64(header[:]),
	), int64(
		binary.BigEndian.Uint64(header[8:]),
	) //nolint:gosec // checked
	info, err := f.Stat()
	if err != nil || t.slots < firstSlots || t.slots&(t.slots-1) != 0 || t.used < 0 ||
		info.Size() != headerSize+t.slots*slotSize {
		return t, errors.Join(errTable, err)
	}
	return t, nil
}

// format makes the file as long as an empty table is.
func (t *table) format() error {
	if err := errors.Join(t.file.Truncate(0), t.file.Truncate(headerSize+t.slots*slotSize)); err != nil {
		return err
	}
	return t.writeHeader()
}

func (t *table) writeHeader() error {
	var header [headerSize]byte
	binary.BigEndian.PutUint64(header[:], uint64(t.slots)) //nolint:gosec // not negative
	binary.BigEndian.PutUint64(header[8:], uint64(t.used)) //nolint:gosec // not negative
	_, err := t.file.WriteAt(header[:], 0)
	return err
}

// keyOf is the key of a signature value, given as its SHA-256 in hexadecimal; 0 is no key.
func keyOf(signature string) (uint64, error) {
	b, err := hex.DecodeString(signature)
	if err != nil || len(b) < 8 {
		return 0, errTable
	}
	return max(binary.BigEndian.Uint64(b), 1), nil
}

// add points from the key of a signature value to an entry; adding the same twice is once.
func (t *table) add(key uint64, index int64) error {
	if t.used*2 >= t.slots {
		if err := t.grow(); err != nil {
			return err
		}
	}
	added, err := insert(t.file, t.slots, key, index)
	if err != nil || !added {
		return err
	}
	t.used++
	return t.writeHeader()
}

func insert(f *os.File, slots int64, key uint64, index int64) (added bool, err error) {
	err = probe(f, slots, key, func(slot, at int64, empty bool) (bool, error) {
		if at == index && !empty {
			return false, nil
		}
		if !empty {
			return true, nil
		}
		var b [slotSize]byte
		binary.BigEndian.PutUint64(b[:], key)
		binary.BigEndian.PutUint64(b[8:], uint64(index)+1) //nolint:gosec // not negative
		added = true
		_, err := f.WriteAt(b[:], headerSize+slot*slotSize)
		return false, err
	})
	return added, err
}

// probe calls each for the slots with the key in their order, and at last for the empty slot behind them, until it
// returns false.
func probe(f *os.File, slots int64, key uint64, each func(slot, index int64, empty bool) (bool, error)) error {
	var b [slotSize]byte
	for i := range slots {
		slot := (int64(key&uint64(slots-1)) + i) & (slots - 1) //nolint:gosec // below slots
		if _, err := f.ReadAt(b[:], headerSize+slot*slotSize); err != nil {
			return err
		}
		found := binary.BigEndian.Uint64(b[:])
		if found != 0 && found != key {
			continue
		}
		index := int64(binary.BigEndian.Uint64(b[8:])) - 1 //nolint:gosec // compared with what exists
		more, err := each(slot, index, found == 0)
		if err != nil || !more || found == 0 {
			return err
		}
	}
	return errTable
}

// candidates calls each for the entries that may have the signature value of a key.
func (t *table) candidates(key uint64, each func(index int64) error) error {
	return probe(t.file, t.slots, key, func(_, index int64, empty bool) (bool, error) {
		if empty || index < 0 {
			return !empty, nil
		}
		return true, each(index)
	})
}

// grow writes a table of twice the size beside this one and takes its place.
func (t *table) grow() error {
	next, err := os.OpenFile(
		t.path+".new",
		os.O_RDWR|os.O_CREATE|os.O_TRUNC,
		0o600,
	) //nolint:gosec // a file of the store
	if err != nil {
		return err
	}
	bigger := &table{path: t.path, file: next, slots: t.slots * 2, used: t.used}
	if err := bigger.fill(t); err != nil {
		return errors.Join(err, next.Close())
	}
	if err := os.Rename(t.path+".new", t.path); err != nil {
		return errors.Join(err, next.Close())
	}
	old := t.file
	*t = *bigger
	return old.Close()
}

func (t *table) fill(from *table) error {
	if err := t.format(); err != nil {
		return err
	}
	// In memory and written once: slot by slot would be two system calls for each entry.
	slots := make([]byte, t.slots*slotSize)
	const chunk = 4096 * slotSize
	b := make([]byte, chunk)
	for offset := int64(0); offset < from.slots*slotSize; offset += chunk {
		part := b[:min(chunk, from.slots*slotSize-offset)]
		if _, err := from.file.ReadAt(part, headerSize+offset); err != nil {
			return err
		}
		for i := 0; i < len(part); i += slotSize {
			key := binary.BigEndian.Uint64(part[i:])
			if key == 0 {
				continue
			}
			slot := int64(key & uint64(t.slots-1)) //nolint:gosec // below slots
			for binary.BigEndian.Uint64(slots[slot*slotSize:]) != 0 {
				slot = (slot + 1) & (t.slots - 1)
			}
			copy(slots[slot*slotSize:], part[i:i+slotSize])
		}
	}
	if _, err := t.file.WriteAt(slots, headerSize); err != nil {
		return err
	}
	return t.file.Sync()
}

func (t *table) sync() error  { return t.file.Sync() }
func (t *table) close() error { return t.file.Close() }
