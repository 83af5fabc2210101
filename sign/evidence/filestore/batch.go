package filestore

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

const (
	// maxLine is the longest line of an entry: a record with its hashes.
	maxLine = limits.Evidence + 64<<10
	// maxHead is the longest first line of a batch.
	maxHead = 256
	// maxEntries is how many entries a batch has at most.
	maxEntries = 4096
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
	Held      *place          `json:"held,omitempty"`
}

// decoded is an entry as its line has it, without the held part.
type decoded struct {
	evidence.Entry
	held *place
}

var errEntry = errors.New("filestore: a record is JSON on one line, a signature is named in hexadecimal")

func hexText(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil
}

var errTooLarge = errors.New("filestore: the entry or batch is too large")

// encodeBatch returns the bytes of a batch that is written at an offset, and where each of its entries ends. The bytes
// are in the scratch until it is used again.
func encodeBatch(b batch, offset int64, scratch *[]byte) (written []byte, ends []int64, err error) {
	if len(b.entries) > maxEntries {
		return nil, nil, errTooLarge
	}
	// The head, which has length and sum, goes before the body, at last.
	body := (*scratch)[:0]
	body = append(body, make([]byte, maxHead)...)
	ends = make([]int64, len(b.entries))
	for i, e := range b.entries {
		before := len(body)
		if n := len(e.Record); n < 2 || e.Record[0] != '{' || e.Record[n-1] != '}' ||
			bytes.IndexByte(e.Record, '\n') >= 0 || !hexText(e.Signature) {
			return nil, nil, errEntry
		}
		body = appendLine(body, e, b.places[i])
		if len(body)-before > maxLine || len(body) > maxBatch {
			return nil, nil, errTooLarge
		}
		ends[i] = int64(len(body) - maxHead)
	}
	*scratch = body
	sum := sha256.Sum256(body[maxHead:])
	first, err := json.Marshal(head{Batch: len(b.entries), Bytes: int64(len(body) - maxHead),
		SHA256: hex.EncodeToString(sum[:])})
	if err != nil {
		return nil, nil, err
	}
	first = append(first, '\n')
	written = body[maxHead-len(first):]
	copy(written, first)
	for i := range ends {
		ends[i] += offset + int64(len(first))
	}
	return written, ends, nil
}

// appendLine appends an entry as encoding/json would write the type line, in a fraction of the time.
func appendLine(b []byte, e evidence.Entry, p *place) []byte {
	b = append(b, `{"record":`...)
	b = append(b, e.Record...)
	b = append(b, `,"hashes":[`...)
	for i, h := range e.Hashes {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = hex.AppendEncode(b, h[:])
		b = append(b, '"')
	}
	b = append(b, ']')
	if e.Signature != "" {
		b = append(append(append(b, `,"signature":"`...), e.Signature...), '"')
	}
	if p != nil {
		b = fmt.Appendf(b, `,"held":{"segment":%d,"part":[%d,%d],"key":[%d,%d]}`,
			p.Segment, p.Part[0], p.Part[1], p.Key[0], p.Key[1])
	}
	return append(b, "}\n"...)
}

func decodeEntry(b []byte) (decoded, error) {
	var l line
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return decoded{}, err
	}
	if len(l.Record) == 0 || l.Held != nil && !l.Held.valid() {
		return decoded{}, io.ErrUnexpectedEOF
	}
	e := evidence.Entry{Record: l.Record, Signature: l.Signature}
	for _, text := range l.Hashes {
		var h evidence.Hash
		if n, err := hex.Decode(h[:], []byte(text)); err != nil || n != len(h) || len(text) != 2*len(h) {
			return decoded{}, errTorn
		}
		e.Hashes = append(e.Hashes, h)
	}
	return decoded{e, l.Held}, nil
}

// batch is one append, as it is written or was read.
type batch struct {
	entries []evidence.Entry
	places  []*place // of their held parts; nil for those that have none in a segment
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
		d, err := decodeEntry(l)
		if err != nil { // the sum fits: no crash did that
			return batch{}, false, fmt.Errorf("%w: a batch whose sum fits", ErrDamaged)
		}
		b.end += int64(len(l))
		b.entries, b.places, b.ends = append(b.entries, d.Entry), append(b.places, d.held), append(b.ends, b.end)
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
