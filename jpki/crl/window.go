package crl

import "github.com/kakunin-go/kakunin/internal/limits"

// A window is the part of a list that is in memory. The parser asks for octets; the window moves on.
type window struct {
	buf    []byte
	pos    int   // of the next octet in buf
	offset int64 // of that octet in the list
	// refill returns a longer buffer that begins with rest, or false at the end of the list. nil: buf is all.
	refill func(rest []byte) ([]byte, bool)
}

// want makes n octets available, if the list has so many, and returns all that are.
func (w *window) want(n int) []byte {
	for len(w.buf)-w.pos < n && w.refill != nil {
		next, ok := w.refill(w.buf[w.pos:])
		if !ok {
			w.refill = nil
			break
		}
		w.buf, w.pos = next, 0
	}
	return w.buf[w.pos:]
}

func (w *window) skip(n int) {
	w.pos += n
	w.offset += int64(n)
}

// maxHeader is the longest identifier and length that are accepted: four octets of length.
const maxHeader = 6

// header looks at the next identifier and length (ITU-T X.690, 8.1) without passing it. Tags are single octets, and
// lengths have the definite form in as few octets as possible (10.1).
func (w *window) header() (tag byte, size int, length int64, ok bool) {
	b := w.want(maxHeader)
	if len(b) < 2 || b[0]&0x1f == 0x1f {
		return 0, 0, 0, false
	}
	if b[1] < 0x80 {
		return b[0], 2, int64(b[1]), true
	}
	n := int(b[1] & 0x7f)
	if n == 0 || n > 4 || len(b) < 2+n || b[2] == 0 {
		return 0, 0, 0, false
	}
	for _, octet := range b[2 : 2+n] {
		length = length<<8 | int64(octet)
	}
	return b[0], 2 + n, length, length >= 0x80
}

// enter passes the identifier and length of a constructed element that ends at or before end, and returns where it
// ends.
func (w *window) enter(tag byte, end int64) (int64, bool) {
	got, size, length, ok := w.header()
	if !ok || got != tag || w.offset+int64(size)+length > end {
		return 0, false
	}
	w.skip(size)
	return w.offset + length, true
}

// element passes a whole element and returns its octets, which stay valid until the next call of want. large is true
// when it is longer than allowed.
func (w *window) element(end int64) (raw []byte, large, ok bool) {
	_, size, length, ok := w.header()
	if !ok || w.offset+int64(size)+length > end {
		return nil, false, false
	}
	if int64(size)+length > limits.CRLPart {
		return nil, true, false
	}
	n := size + int(length)
	b := w.want(n)
	if len(b) < n {
		return nil, false, false
	}
	w.skip(n)
	return b[:n:n], false, true
}

// peek returns the next tag, or 0 at or behind end.
func (w *window) peek(end int64) byte {
	if w.offset >= end {
		return 0
	}
	if b := w.want(1); len(b) > 0 {
		return b[0]
	}
	return 0
}
