package filestore

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

const (
	// maxLine is the longest line of an entry: a record with its hashes.
	maxLine = limits.Evidence + 64<<10
	// maxHead is the longest first line of a batch.
	maxHead = 256
	// maxBatch bounds what is read into memory at once.
	maxBatch = 64 << 20
)

// head is the first line of a batch.
type head struct {
	Batch  int    `json:"batch"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// line is an entry on its line.
type line struct {
	Record    json.RawMessage `json:"record"`
	Hashes    []string        `json:"hashes"`
	Signature string          `json:"signature,omitempty"`
}

var errTooLarge = errors.New("filestore: the entry or batch is too large")

// encodeBatch returns the bytes of a batch that is written at an offset, and where each of its entries ends.
func encodeBatch(entries []evidence.Entry, offset int64) (written []byte, ends []int64, err error) {
	var body bytes.Buffer
	for _, e := range entries {
		l := line{Record: e.Record, Signature: e.Signature}
		for _, h := range e.Hashes {
			l.Hashes = append(l.Hashes, hex.EncodeToString(h[:]))
		}
		before := body.Len()
		encoder := json.NewEncoder(&body)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(l); err != nil {
			return nil, nil, err
		}
		if body.Len()-before > maxLine || body.Len() > maxBatch {
			return nil, nil, errTooLarge
		}
		ends = append(ends, int64(body.Len()))
	}
	sum := sha256.Sum256(body.Bytes())
	first, err := json.Marshal(head{Batch: len(entries), Bytes: int64(body.Len()), SHA256: hex.EncodeToString(sum[:])})
	if err != nil {
		return nil, nil, err
	}
	written = append(append(first, '\n'), body.Bytes()...)
	for i := range ends {
		ends[i] += offset + int64(len(first)) + 1
	}
	return written, ends, nil
}

func decodeEntry(b []byte) (evidence.Entry, error) {
	var l line
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return evidence.Entry{}, err
	}
	if len(l.Record) == 0 {
		return evidence.Entry{}, io.ErrUnexpectedEOF
	}
	e := evidence.Entry{Record: l.Record, Signature: l.Signature}
	for _, text := range l.Hashes {
		var h evidence.Hash
		if n, err := hex.Decode(h[:], []byte(text)); err != nil || n != len(h) || len(text) != 2*len(h) {
			return evidence.Entry{}, errTorn
		}
		e.Hashes = append(e.Hashes, h)
	}
	return e, nil
}

// batch is one append as it was read.
type batch struct {
	entries []evidence.Entry
	ends    []int64
	end     int64
}

// errTorn: the bytes at the reader's place are no whole batch.
var errTorn = errors.New("filestore: torn batch")

// batchReader reads batches from an offset on.
type batchReader struct {
	file        io.ReaderAt
	offset, end int64
}

func newBatchReader(f io.ReaderAt, from, to int64) *batchReader { return &batchReader{f, from, to} }

// next returns the next batch, io.EOF behind the last, or errTorn.
func (r *batchReader) next() (batch, error) {
	if r.offset >= r.end {
		return batch{}, io.EOF
	}
	b, ok, err := r.at(r.offset)
	if err != nil {
		return batch{}, err
	}
	if !ok {
		return batch{}, errTorn
	}
	r.offset = b.end
	return b, nil
}

// at reads the batch that begins at an offset; ok is false if there is none.
func (r *batchReader) at(offset int64) (b batch, ok bool, err error) {
	first := make([]byte, min(maxHead, r.end-offset))
	if _, err := r.file.ReadAt(first, offset); err != nil {
		return batch{}, false, err
	}
	i := bytes.IndexByte(first, '\n')
	if i < 0 {
		return batch{}, false, nil
	}
	var h head
	d := json.NewDecoder(bytes.NewReader(first[:i]))
	d.DisallowUnknownFields()
	if d.Decode(&h) != nil || h.Bytes <= 0 || h.Bytes > maxBatch || h.Batch <= 0 || offset+int64(i)+1+h.Bytes > r.end {
		return batch{}, false, nil
	}
	body := make([]byte, h.Bytes)
	if _, err := r.file.ReadAt(body, offset+int64(i)+1); err != nil {
		return batch{}, false, err
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != h.SHA256 {
		return batch{}, false, nil
	}
	b.end = offset + int64(i) + 1
	for l := range bytes.Lines(body) {
		e, err := decodeEntry(l)
		if err != nil {
			return batch{}, false, nil //nolint:nilerr // not a batch
		}
		b.end += int64(len(l))
		b.entries, b.ends = append(b.entries, e), append(b.ends, b.end)
	}
	return b, len(b.entries) == h.Batch, nil
}

// validBatchBehind reports whether a whole batch follows somewhere behind the torn place. A batch is written only after
// the one before was synced, so the torn one was acknowledged then: it is damage and no crash.
func (r *batchReader) validBatchBehind() bool {
	lines := bufio.NewReaderSize(io.NewSectionReader(r.file, r.offset, r.end-r.offset), 64<<10)
	offset := r.offset
	for {
		skipped, err := lines.ReadSlice('\n')
		offset += int64(len(skipped))
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return false
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if start, err := lines.Peek(len(`{"batch":`)); err != nil || string(start) != `{"batch":` {
			continue
		}
		if _, ok, err := r.at(offset); err == nil && ok {
			return true
		}
	}
}
