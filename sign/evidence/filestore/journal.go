package filestore

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// The journal has every change of the files of the truth before they have it: one write and one sync make an append
// durable, however many files it is for. It is written over from the start when those files have been synced, in space
// that it has already: such a sync is cheaper than that of a file that grows.
//
// A frame is one change, all or nothing: a head of frameHead bytes, then edits, filled up with zeros to a multiple of
// frameAlign. Two empty frames at the start name generations; the later one, of which each second is in the same place,
// is that of the frames behind, and those of another one are of before. Numbers are big-endian.
//
//	frame: magic 8 · generation 8 · sequence 8 · length of the edits 8 · SHA-256 of these and the edits 32
//	edit:  file 1 · kind 1 · zero 6 · segment 8 · offset 8 · length 8 · the bytes, unless they are zeros
const (
	journalFile = "journal"

	frameMagic = "kknjrnl1"
	frameHead  = 64
	frameAlign = 64
	editHead   = 32
	// firstSequence is the number of an empty frame at the start.
	firstSequence uint64 = 1
	framesFrom           = 2 * frameHead

	// journalSize is how long the journal gets before the files of the truth are synced.
	journalSize = 4 << 20
	// journalStep is what it is made longer by; a frame that is longer than a quarter makes room for itself alone.
	journalStep = 256 << 10
	// maxJournal bounds what is read into memory: batches are bounded by maxBatch, their parts by maxParts.
	maxJournal = 1 << 30
)

// The files of the truth.
const (
	inEntries byte = iota
	inParts
	inKeys
)

// The kinds of edits.
const (
	editBytes byte = iota
	editZeros
)

// edit is bytes, or so many zeros, at a place of a file.
type edit struct {
	file    byte
	segment int64 // of inParts and inKeys
	at      int64
	bytes   []byte
	zeros   int64 // if bytes is nil
}

func (e edit) len() int64 {
	if e.bytes == nil {
		return e.zeros
	}
	return int64(len(e.bytes))
}

// content is what is written; zeros are as long as parts are at most.
func (e edit) content() []byte {
	if e.bytes == nil {
		return make([]byte, e.zeros)
	}
	return e.bytes
}

// journal is the open file.
type journal struct {
	file       disk
	at         int64 // where the next frame goes
	last       int64 // where the last one begins
	prepared   int64 // how much of the file has been written and synced
	used       int64 // behind it is nothing but zeros
	generation uint64
	sequence   uint64
	scratch    []byte
}

// openJournal makes the journal empty: nothing of it is needed any more.
func openJournal(f disk) (*journal, error) {
	j := &journal{file: f}
	if err := f.Truncate(0); err != nil {
		return j, err
	}
	return j, j.reset()
}

// appendFrame appends the bytes of a frame to nothing.
func appendFrame(frame []byte, f frame, edits []edit) []byte {
	n := 0
	for _, e := range edits {
		n += editHead + len(e.bytes)
	}
	frame = append(frame, frameMagic...)
	for _, v := range []uint64{f.generation, f.sequence, uint64(n), 0, 0, 0, 0} { //nolint:gosec // not negative
		frame = binary.BigEndian.AppendUint64(frame, v)
	}
	for _, e := range edits {
		kind := editBytes
		if e.bytes == nil {
			kind = editZeros
		}
		frame = append(frame, e.file, kind, 0, 0, 0, 0, 0, 0)
		for _, v := range []int64{e.segment, e.at, e.len()} {
			frame = binary.BigEndian.AppendUint64(frame, uint64(v)) //nolint:gosec // not negative
		}
		frame = append(frame, e.bytes...)
	}
	sum := sumOfFrame(frame)
	copy(frame[32:], sum[:])
	return append(frame, make([]byte, roundUp(int64(len(frame)), frameAlign)-int64(len(frame)))...)
}

// sumOfFrame is over everything but the sum.
func sumOfFrame(frame []byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	_, _ = h.Write(frame[:32]) // a hash takes everything
	_, _ = h.Write(frame[frameHead:])
	h.Sum(sum[:0])
	return sum
}

func roundUp(n, to int64) int64 { return (n + to - 1) / to * to }

// write makes a frame durable. After an error it is not there, or the error is ErrBroken.
func (j *journal) write(edits []edit) error {
	frame := appendFrame(j.scratch[:0], frame{generation: j.generation, sequence: j.sequence}, edits)
	if j.scratch = frame; cap(frame) > journalSize {
		j.scratch = nil
	}
	end := j.at + int64(len(frame))
	padded := frame
	if end > j.prepared && len(frame) <= journalStep/4 {
		padded = slices.Concat(frame, make([]byte, roundUp(end, journalStep)-end))
	}
	_, err := j.file.WriteAt(padded, j.at)
	if err != nil && len(padded) > len(frame) { // there may be room for the frame alone
		padded = frame
		_, err = j.file.WriteAt(frame, j.at)
	}
	if err == nil {
		err = dataSync(j.file)
	}
	if err != nil {
		return errors.Join(err, j.cut(j.at))
	}
	j.prepared, j.used = max(j.prepared, j.at+int64(len(padded))), max(j.used, end)
	j.last, j.at = j.at, end
	j.sequence++
	return nil
}

// cut removes the last frame, which begins there.
func (j *journal) cut(at int64) error {
	if err := errors.Join(j.file.Truncate(at), j.file.Sync()); err != nil {
		return errors.Join(ErrBroken, err)
	}
	if j.at > at {
		j.sequence--
	}
	j.at, j.prepared, j.used = at, min(j.prepared, at), min(j.used, at)
	return nil
}

// reset begins a new generation: every frame is one of before, and what it changed is durable.
func (j *journal) reset() error {
	if j.prepared > journalSize+journalStep { // after a frame that was longer than the journal should be
		if err := j.file.Truncate(journalSize); err != nil {
			return err
		}
		j.prepared, j.used = journalSize, min(j.used, journalSize)
	}
	// Where the one before the last stands: should this be cut off, the last is still good, and so are its frames.
	generation := j.generation + 1
	head := appendFrame(nil, frame{generation: generation, sequence: firstSequence}, nil)
	if _, err := j.file.WriteAt(head, headPlace(generation)); err != nil {
		return err
	}
	if err := dataSync(j.file); err != nil {
		return err
	}
	j.generation, j.sequence, j.at = generation, firstSequence+1, framesFrom
	return nil
}

func headPlace(generation uint64) int64 { return int64(generation%2) * frameHead } //nolint:gosec // 0 or 1

// wipe resets the journal and overwrites all that was ever in it: keys that are deleted are in the old frames too.
func (j *journal) wipe() error {
	if err := j.reset(); err != nil {
		return err
	}
	if j.used <= framesFrom {
		return nil
	}
	if _, err := j.file.WriteAt(make([]byte, j.used-framesFrom), framesFrom); err != nil {
		return err
	}
	if err := dataSync(j.file); err != nil {
		return err
	}
	j.used = framesFrom
	return nil
}

// frames reads the frames of a journal in their order. left is the number of bytes of one behind them that is not
// whole: its change was never acknowledged. An error that wraps ErrDamaged says that a whole frame follows a broken
// one, which was acknowledged therefore.
func frames(b []byte) (all [][]edit, left int64, err error) {
	generation, ok := generationOf(b)
	at := int64(framesFrom)
	for next := firstSequence + 1; ok; next++ {
		f, whole := frameAt(b, at)
		if !whole || f.generation != generation || f.sequence != next {
			break
		}
		edits, err := parseEdits(f.body)
		if err != nil { // the sum fits: no crash did that
			return nil, 0, err
		}
		all = append(all, edits)
		at = min(at+roundUp(frameHead+int64(len(f.body)), frameAlign), int64(len(b)))
	}
	for next := at; next < int64(len(b)); next += frameAlign {
		if f, whole := frameAt(b, next); whole && (!ok || f.generation >= generation) {
			return nil, 0, fmt.Errorf("%w: %s, frame %d", ErrDamaged, journalFile, len(all))
		}
	}
	if !ok || at+frameHead > int64(len(b)) {
		return all, max(int64(len(b))-at, 0), nil
	}
	torn := b[at:]
	if string(torn[:8]) == frameMagic && binary.BigEndian.Uint64(torn[8:]) == generation {
		left = int64(len(torn))
		if n := binary.BigEndian.Uint64(torn[24:]); n < uint64(left-frameHead) {
			left = frameHead + int64(n) //nolint:gosec // less than there is
		}
	}
	return all, left, nil
}

// generationOf is the later of the two that stand at the start.
func generationOf(b []byte) (generation uint64, ok bool) {
	for _, at := range []int64{0, frameHead} {
		f, whole := frameAt(b, at)
		if whole && len(f.body) == 0 && f.sequence == firstSequence && headPlace(f.generation) == at {
			generation, ok = max(generation, f.generation), true
		}
	}
	return generation, ok
}

func zeroed(b []byte) bool { return len(bytes.TrimLeft(b, "\x00")) == 0 }

type frame struct {
	generation, sequence uint64
	body                 []byte
}

// frameAt reads the frame that begins at an offset; ok is false if there is no whole one.
func frameAt(b []byte, at int64) (f frame, ok bool) {
	if at < 0 || at+frameHead > int64(len(b)) || string(b[at:at+8]) != frameMagic {
		return f, false
	}
	b = b[at:]
	n := binary.BigEndian.Uint64(b[24:])
	if n > uint64(len(b)-frameHead) {
		return f, false
	}
	b = b[:frameHead+int(n)] //nolint:gosec // not more than there is
	if sum := sumOfFrame(b); !bytes.Equal(sum[:], b[32:frameHead]) {
		return f, false
	}
	return frame{binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:]), b[frameHead:]}, true
}

var errEdit = fmt.Errorf("%w: %s, an edit", ErrDamaged, journalFile)

// parseEdits reads the edits of a frame.
func parseEdits(b []byte) (edits []edit, err error) {
	for len(b) > 0 {
		if len(b) < editHead || b[0] > inKeys || b[1] > editZeros || !zeroed(b[2:8]) {
			return nil, errEdit
		}
		var numbers [3]int64
		for i := range numbers {
			v := binary.BigEndian.Uint64(b[8+8*i:])
			if v > 1<<62 {
				return nil, errEdit
			}
			numbers[i] = int64(v) //nolint:gosec // checked
		}
		e := edit{file: b[0], segment: numbers[0], at: numbers[1]}
		kind := b[1]
		b = b[editHead:]
		switch n := numbers[2]; {
		case n > maxParts:
			return nil, errEdit
		case kind == editZeros:
			e.zeros = n
		case n > int64(len(b)):
			return nil, errEdit
		default:
			e.bytes, b = b[:n:n], b[n:]
		}
		edits = append(edits, e)
	}
	return edits, nil
}
