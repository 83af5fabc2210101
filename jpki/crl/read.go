package crl

import (
	"bytes"
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/sigalg"
)

// Parse reads a DER list that is in memory. The input is not kept. Errors are [*Error].
func Parse(list []byte, o Options) (*Unverified, error) {
	p, err := newParser(o)
	if err != nil {
		return nil, err
	}
	if int64(len(list)) > o.maxSize() {
		return nil, tooLarge("size")
	}
	p.buf = list
	if err := p.parse(); err != nil {
		return nil, err
	}
	h := p.algorithm.New()
	_, _ = h.Write(list[p.signedFrom:p.signedTo]) // a hash never fails
	return p.result(sha256.Sum256(list), h.Sum(nil)), nil
}

func newParser(o Options) (*parser, error) {
	b, err := newIndexBuilder()
	return &parser{options: o, index: b}, err
}

func (p *parser) result(sum [sha256.Size]byte, digest []byte) *Unverified {
	b := p.body // a copy, so that the parser with its buffers is not kept
	b.signature = bytes.Clone(b.signature)
	return &Unverified{
		body: &b, frame: p.frame, options: p.options, sha256: sum, digest: digest, size: p.offset, builder: p.index,
		turn: make(chan struct{}, 1),
	}
}

// ReadFile reads a DER list from a file. Errors are [*Error]; the cause of [ReasonIO] is that of the file system.
func ReadFile(ctx context.Context, name string, o Options) (*Unverified, error) {
	f, err := os.Open(name) //nolint:gosec // the operator's own
	if err != nil {
		return nil, ioError("open", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	if info, err := f.Stat(); err == nil && o.Size == 0 {
		o.Size = info.Size()
	}
	return Read(ctx, f, o)
}

// Read reads a DER list up to the end of r, in one pass and in memory that does not depend on the size of the list
// beyond its entries. Parsing, the hash of the signed part and the hash of the list run beside each other; all of them
// have ended when Read returns. The context is looked at between two reads: to interrupt a read that blocks, close its
// source.
//
// Errors are [*Error]: [ReasonMalformed], [ReasonLimit], [ReasonAlgorithm], or [ReasonIO] with the error of r or of the
// context as its cause.
func Read(ctx context.Context, r io.Reader, o Options) (*Unverified, error) {
	p, err := newParser(o)
	if err != nil {
		return nil, err
	}
	return (&pump{ctx: ctx, source: r, options: o}).run(p)
}

const (
	blockSize = 256 << 10
	// blockRoom is before the octets of a block, for those of the block before it that are not parsed yet.
	blockRoom = limits.CRLPart
	maxBlocks = 12
)

// block is a piece of the list on its way to three readers.
type block struct {
	buf    []byte
	length int
	offset int64
	users  atomic.Int32
}

func (b *block) octets() []byte { return b.buf[blockRoom : blockRoom+b.length] }

// pump reads blocks and hands each to the parser and to two hashes.
type pump struct {
	ctx     context.Context //nolint:containedctx // lives as long as one call of Read
	source  io.Reader
	options Options

	free   chan *block
	made   int
	stop   chan struct{} // closed when the parser has failed
	signed chan signedPart
}

type signedPart struct {
	from, to int64
	hash     *sigalg.Algorithm
}

func (m *pump) run(p *parser) (*Unverified, error) {
	m.free, m.stop, m.signed = make(chan *block, maxBlocks), make(chan struct{}), make(chan signedPart, 1)
	toParser, toSigned, toWhole := make(
		chan *block,
		maxBlocks,
	), make(
		chan *block,
		maxBlocks,
	), make(
		chan *block,
		maxBlocks,
	)
	var group sync.WaitGroup
	var parseErr error
	group.Go(func() {
		parseErr = m.parse(p, toParser)
		if parseErr != nil {
			close(m.stop)
		}
	})
	var digest []byte
	group.Go(func() { digest = m.hashSigned(toSigned) })
	whole := sha256.New()
	group.Go(func() {
		for b := range toWhole {
			_, _ = whole.Write(b.octets()) // a hash never fails
			m.release(b)
		}
	})
	readErr := m.read(toParser, toSigned, toWhole)
	close(toParser)
	close(toSigned)
	close(toWhole)
	group.Wait()
	switch {
	case readErr != nil:
		return nil, readErr
	case parseErr != nil:
		return nil, parseErr
	}
	return p.result([sha256.Size]byte(whole.Sum(nil)), digest), nil
}

// read fills blocks until the end of the source, an error, or a failure of the parser.
func (m *pump) read(to ...chan<- *block) error {
	var offset int64
	for {
		if err := m.ctx.Err(); err != nil {
			return ioError("context", err)
		}
		b, ok := m.block()
		if !ok {
			return nil
		}
		n, err := io.ReadFull(m.source, b.buf[blockRoom:])
		b.length, b.offset = n, offset
		offset += int64(n)
		if n > 0 {
			b.users.Store(int32(len(to))) //nolint:gosec // three
			for _, c := range to {
				c <- b
			}
			if m.options.Progress != nil && offset%(4*blockSize) == 0 {
				m.options.Progress(Progress{Done: offset, Total: m.options.Size})
			}
		}
		switch {
		//nolint:errorlint // io.ReadFull returns these two as they are
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			if m.options.Progress != nil {
				m.options.Progress(Progress{Done: offset, Total: m.options.Size})
			}
			return nil
		case err != nil:
			return ioError("read", err)
		case offset > m.options.maxSize():
			return tooLarge("size")
		}
	}
}

// block returns a free block, or false when the parser has failed.
func (m *pump) block() (*block, bool) {
	select {
	case <-m.stop:
		return nil, false
	case b := <-m.free:
		return b, true
	default:
	}
	if m.made < maxBlocks {
		m.made++
		size := int64(blockSize)
		if m.made == 1 && m.options.Size > 0 && m.options.Size < size {
			size = m.options.Size + 1 // a short list, read at once
		}
		return &block{buf: make([]byte, blockRoom+size)}, true
	}
	select {
	case <-m.stop:
		return nil, false
	case b := <-m.free:
		return b, true
	}
}

func (m *pump) release(b *block) {
	if b.users.Add(-1) == 0 {
		m.free <- b
	}
}

// parse runs the parser over the blocks.
func (m *pump) parse(p *parser, blocks <-chan *block) error {
	var current *block
	p.refill = func(rest []byte) ([]byte, bool) {
		next, ok := <-blocks
		if !ok {
			return nil, false
		}
		start := blockRoom - len(rest) // rest is shorter than what was asked for, which is at most limits.CRLPart
		copy(next.buf[start:], rest)
		if current != nil {
			m.release(current)
		}
		current = next
		return next.buf[start : blockRoom+next.length], true
	}
	p.onSigned = func(from, to int64, a *sigalg.Algorithm) { m.signed <- signedPart{from, to, a} }
	err := p.parse()
	close(m.signed)
	if current != nil {
		m.release(current)
	}
	for b := range blocks {
		m.release(b)
	}
	return err
}

// hashSigned hashes the signed part, once the parser has said where it is.
func (m *pump) hashSigned(blocks <-chan *block) []byte {
	part, ok := <-m.signed
	var h hash.Hash
	if ok {
		h = part.hash.New()
	}
	for b := range blocks {
		if ok {
			from, to := max(part.from-b.offset, 0), min(part.to-b.offset, int64(b.length))
			if from < to {
				_, _ = h.Write(b.octets()[from:to]) // a hash never fails
			}
		}
		m.release(b)
	}
	if !ok {
		return nil
	}
	return h.Sum(nil)
}
