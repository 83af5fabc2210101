package crl

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// An index file is: the magic, a fixed header in little-endian order, the frame of the list (so that its header is
// parsed again by the same code and its signature checked again), the directories, the pages of both tables, the
// entries that are not plain, and at the end the SHA-256 of all that. Pages begin at multiples of their size. A reader
// refuses every other version, because making the index again costs seconds.
const (
	fileMagic   = "kakuncrl"
	fileVersion = 2
	maxFrame    = 8*limits.CRLPart + limits.CRLIssuerNames
)

// fileHeader follows the magic. All counts are of elements of their section, in this order.
type fileHeader struct {
	Version, Odd   uint32
	Seed           [24]byte
	ListSHA256     [sha256.Size]byte
	KeySHA256      [sha256.Size]byte
	ListSize       uint64
	Frame          uint64 // octets
	MainBits       uint32
	OddBits        uint32
	MainRecords    uint64
	OddRecords     uint64
	MainPages      uint64
	OddPages       uint64
	Raw            uint64 // octets
	MainPartitions uint64
	OddPartitions  uint64
}

// WriteFile writes the index file so that a reader sees the old file or the new one, whatever happens: to a temporary
// file in the same directory, flushed to the disk and renamed. Errors are [*Error] with [ReasonIO].
//
// Whoever can write the directory can make a list say anything: protect it like the trust anchors.
func (l *List) WriteFile(name string) (err error) {
	directory := filepath.Dir(name)
	f, err := os.CreateTemp(directory, filepath.Base(name)+".*.tmp")
	if err != nil {
		return ioError("write", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()           // the first error is the one to report
			_ = os.Remove(f.Name()) // as above
		}
	}()
	sum := sha256.New()
	w := &sectionWriter{w: bufio.NewWriterSize(io.MultiWriter(f, sum), 1<<20)}
	l.write(w)
	runtime.KeepAlive(l)
	if w.err == nil {
		w.err = w.w.Flush()
	}
	if w.err == nil {
		_, w.err = f.Write(sum.Sum(nil))
	}
	if w.err == nil {
		w.err = f.Sync()
	}
	if w.err == nil {
		w.err = f.Close()
	}
	if w.err == nil {
		w.err = os.Rename(f.Name(), name)
	}
	if w.err != nil {
		return ioError("write", w.err)
	}
	if d, err := os.Open(directory); err == nil { //nolint:gosec // the operator's own
		_ = d.Sync()  // not every file system can; the file itself is on the disk
		_ = d.Close() // it was only read
	}
	return nil
}

type sectionWriter struct {
	w   *bufio.Writer
	at  int
	err error
}

func (w *sectionWriter) bytes(b []byte) {
	if w.err == nil {
		_, w.err = w.w.Write(b)
		w.at += len(b)
	}
}

func (w *sectionWriter) align() {
	if rest := w.at % pageSize; rest > 0 {
		w.bytes(make([]byte, pageSize-rest))
	}
}

func (l *List) write(w *sectionWriter) {
	ix := l.index
	frame := l.encodeFrame()
	h := fileHeader{
		Version:    fileVersion,
		Seed:       ix.seed,
		ListSHA256: l.sha256,
		KeySHA256:  l.keyHash,
		ListSize:   uint64(l.size), //nolint:gosec // a size
		Frame: uint64(
			len(frame),
		),
		MainBits:       uint32(ix.main.bits),
		OddBits:        uint32(ix.odd.bits), //nolint:gosec // at most 16
		MainRecords:    uint64(ix.main.count),
		OddRecords:     uint64(ix.odd.count), //nolint:gosec // counts
		MainPages:      ix.main.pageCount(),
		OddPages:       ix.odd.pageCount(),
		MainPartitions: uint64(len(ix.main.partitions)),
		OddPartitions:  uint64(len(ix.odd.partitions)),
	}
	for i, piece := range ix.raw {
		h.Raw = uint64(i*rawPiece + len(piece)) //nolint:gosec // a size
	}
	w.bytes([]byte(fileMagic))
	var header bytes.Buffer
	_ = binary.Write(&header, binary.LittleEndian, &h) // fixed-size fields into memory
	w.bytes(header.Bytes())
	w.bytes(frame)
	for _, t := range [...]*table{ix.main, ix.odd} {
		page := uint32(0)
		for _, p := range t.partitions {
			var b [8]byte
			binary.LittleEndian.PutUint32(b[:], page)
			binary.LittleEndian.PutUint32(b[4:], p.records)
			w.bytes(b[:])
			page += uint32(t.pagesFor(p.records)) //nolint:gosec // a number of a page
		}
	}
	for _, t := range [...]*table{ix.main, ix.odd} {
		w.align()
		for _, p := range t.partitions {
			for i := range uint32(t.pagesFor(p.records)) { //nolint:gosec // as above
				w.bytes(t.page(t.number(p.firstPage + i)))
			}
		}
	}
	w.align()
	for i, piece := range ix.raw {
		w.bytes(piece)
		if i < len(ix.raw)-1 {
			w.bytes(make([]byte, rawPiece-len(piece)))
		}
	}
}

// encodeFrame writes the frame, the digest and the certificate issuers, each with its length before it.
func (l *List) encodeFrame() []byte {
	var out []byte
	for _, part := range append([][]byte{l.frame.head, l.frame.tail, l.frame.outer, l.frame.signature, l.digest},
		l.index.issuers...) {
		out = binary.LittleEndian.AppendUint32(out, uint32(len(part))) //nolint:gosec // at most limits.CRLPart
		out = append(out, part...)
	}
	return out
}

// OpenIndex opens an index file that [List.WriteFile] wrote for a list that was verified with the key. The file is
// mapped into memory where the operating system allows it, and read otherwise; it must not be written to afterwards,
// only replaced: a look-up in a mapped file that was cut short ends the process. The checksum of the whole file and the
// signature over the list's digest are checked. The mapping ends when the List is not used any more.
//
// Errors are [*Error]: [ReasonIndex] for a file that is damaged, of another version or for another key (make it again
// from the list), [ReasonSignature], or [ReasonIO].
func OpenIndex(ctx context.Context, name string, key crypto.PublicKey) (*List, error) {
	if err := ctx.Err(); err != nil {
		return nil, ioError("context", err)
	}
	keyHash, err := hashKey(key)
	if err != nil {
		return nil, err
	}
	data, unmap, err := openFile(name)
	if err != nil {
		return nil, ioError("open", err)
	}
	l, err := readIndex(data, keyHash)
	if err == nil && l.body.algorithm.VerifyDigest(key, l.digest, l.body.signature) != nil {
		err = &Error{Reason: ReasonSignature, Step: "crl.signature", Clause: "RFC 5280, 6.3.3 (g)"}
	}
	if err != nil {
		unmap()
		return nil, err
	}
	runtime.AddCleanup(l, func(unmap func()) { unmap() }, unmap)
	return l, nil
}

func badIndex(step string) *Error { return &Error{Reason: ReasonIndex, Step: "index." + step} }

// readIndex checks and takes apart an index file. Only the tables and the entries that are not plain stay where they
// are.
func readIndex(data []byte, key [sha256.Size]byte) (*List, error) {
	var h fileHeader
	size := len(fileMagic) + binary.Size(&h)
	if len(data) < size+sha256.Size || string(data[:len(fileMagic)]) != fileMagic {
		return nil, badIndex("form")
	}
	if _, err := binary.Decode(data[len(fileMagic):], binary.LittleEndian, &h); err != nil || h.Version != fileVersion {
		return nil, badIndex("version")
	}
	if h.KeySHA256 != key {
		return nil, badIndex("key")
	}
	covered := data[:len(data)-sha256.Size]
	if sha256.Sum256(covered) != [sha256.Size]byte(data[len(covered):]) {
		return nil, badIndex("checksum")
	}
	r := sectionReader{rest: covered[size:], at: size}
	l := &List{
		sha256:  h.ListSHA256,
		size:    int64(h.ListSize),
		keyHash: h.KeySHA256,
		body:    &body{},
	} //nolint:gosec // shown only
	ix := &index{seed: h.Seed, main: &table{}, odd: &table{}}
	l.index = ix
	if h.Frame > maxFrame || !l.decodeFrame(bytes.Clone(r.take(h.Frame))) {
		return nil, badIndex("frame")
	}
	if !r.directory(ix.main, &ix.seed, h.MainBits, h.MainPartitions, h.MainRecords) ||
		!r.directory(ix.odd, &ix.seed, h.OddBits, h.OddPartitions, h.OddRecords) {
		return nil, badIndex("directory")
	}
	if !r.pages(ix.main, h.MainPages) || !r.pages(ix.odd, h.OddPages) {
		return nil, badIndex("pages")
	}
	r.align()
	for raw := r.take(h.Raw); len(raw) > 0; {
		n := min(len(raw), rawPiece)
		ix.raw = append(ix.raw, raw[:n:n])
		raw = raw[n:]
	}
	if r.bad || len(r.rest) != 0 {
		return nil, badIndex("form")
	}
	return l, nil
}

func (l *List) decodeFrame(b []byte) bool {
	var parts [][]byte
	for len(b) >= 4 {
		n := int64(binary.LittleEndian.Uint32(b))
		if n > int64(len(b)-4) {
			return false
		}
		parts = append(parts, b[4:4+n:4+n])
		b = b[4+n:]
	}
	if len(b) != 0 || len(parts) < 5 {
		return false
	}
	l.frame = frame{head: parts[0], tail: parts[1], outer: parts[2], signature: parts[3]}
	if len(l.frame.tail) == 0 {
		l.frame.tail = nil
	}
	l.digest = parts[4]
	if len(parts) > 5 {
		l.index.issuers = parts[5:]
	}
	return l.body.parseHead(l.frame.head) == nil && l.body.parseTail(&l.frame) == nil &&
		len(l.body.UnknownCritical) == 0
}

// sectionReader takes an index file apart; after a section that is not there it is bad.
type sectionReader struct {
	rest []byte
	at   int
	bad  bool
}

func (r *sectionReader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.rest)) {
		r.bad = true
		return nil
	}
	out := r.rest[:n:n]
	r.rest, r.at = r.rest[n:], r.at+int(n) //nolint:gosec // at most len(rest)
	return out
}

func (r *sectionReader) align() {
	if rest := r.at % pageSize; rest > 0 {
		r.take(uint64(pageSize - rest)) //nolint:gosec // positive
	}
}

// directory reads the partitions of a table. Their pages follow each other without gaps.
func (r *sectionReader) directory(t *table, s *[24]byte, bits uint32, partitions, records uint64) bool {
	if partitions == 0 {
		return records == 0
	}
	if bits > maxPartitionBits || partitions != 1<<bits {
		return false
	}
	b := r.take(8 * partitions)
	if b == nil {
		return false
	}
	t.seed, t.layout, t.partitions = seedFrom(s), newLayout(int(bits)), make([]partition, partitions)
	var page, total uint64
	for i := range t.partitions {
		p := partition{binary.LittleEndian.Uint32(b[8*i:]), binary.LittleEndian.Uint32(b[8*i+4:])}
		if uint64(p.firstPage) != page {
			return false
		}
		page += t.pagesFor(p.records)
		total += uint64(p.records)
		t.partitions[i] = p
	}
	t.count = int(total) //nolint:gosec // its pages are checked to be there
	return total == records
}

// pages takes the pages of a table.
func (r *sectionReader) pages(t *table, pages uint64) bool {
	r.align()
	var want uint64
	if n := len(t.partitions); n > 0 {
		last := t.partitions[n-1]
		want = uint64(last.firstPage) + t.pagesFor(last.records)
	}
	if pages != want || pages > 1<<32 {
		return false
	}
	for b := r.take(pages * pageSize); len(b) > 0; {
		n := min(len(b), arenaSize)
		t.arenas = append(t.arenas, b[:n:n])
		b = b[n:]
	}
	if r.bad {
		return false
	}
	t.slots = make([]uint16, len(t.partitions)<<slotBits)
	for i := range t.partitions {
		t.setSlots(i)
	}
	return true
}
