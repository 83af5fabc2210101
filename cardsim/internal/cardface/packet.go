package cardface

import "math/bits"

// packets returns the packets of a resolution, one for each precinct from left to right and top to bottom (ISO/IEC
// 15444-1, B.12.1.1).
func (p *plane) packets(resolution int) []byte {
	width, height := halved(p.width, levels-resolution), halved(p.height, levels-resolution)
	size := blockSize
	if resolution > 0 {
		size = 2 * blockSize
	}
	var out []byte
	for py := range (height + size - 1) / size {
		for px := range (width + size - 1) / size {
			out = append(out, p.packet(resolution, px, py)...)
		}
	}
	return out
}

// packet encodes one precinct: the header, then the data of its code-blocks (B.9, B.10).
func (p *plane) packet(resolution, px, py int) []byte {
	var header headerBits
	var body []byte
	header.put(1, 1) // not an empty packet
	for _, band := range p.subbands(resolution) {
		x, y := px*blockSize, py*blockSize
		width, height := min(blockSize, band.width-x), min(blockSize, band.height-y)
		if width <= 0 || height <= 0 {
			continue // this precinct has no code-block here
		}
		b := newBlock(p, band, x, y, width, height)
		planes := b.planes()
		if planes == 0 {
			header.put(0, 1) // not included
			continue
		}
		data, passes := b.encode(planes)
		header.put(1, 1) // included from the first layer on
		// Missing bit-planes: the value of a tag tree with one node (B.10.2).
		for range band.orientation.bitPlanes() - planes {
			header.put(0, 1)
		}
		header.put(1, 1)
		header.passes(passes)
		header.length(len(data), passes)
		body = append(body, data...)
	}
	return append(header.bytes(), body...)
}

// headerBits collects the bits of a packet header. After a byte FF the next one begins with a bit 0 (B.10.1).
type headerBits struct {
	out     []byte
	current byte
	free    int // bits that current has room for; 0 before the first
}

// put appends the n low bits of a value, the highest first.
func (h *headerBits) put(value, n int) {
	for i := n - 1; i >= 0; i-- {
		if h.free == 0 {
			h.start()
		}
		h.free--
		h.current |= byte(value>>i&1) << h.free
		if h.free == 0 {
			h.out = append(h.out, h.current)
		}
	}
}

func (h *headerBits) start() {
	h.current, h.free = 0, 8
	if n := len(h.out); n > 0 && h.out[n-1] == 0xFF {
		h.free = 7
	}
}

// bytes ends the header at a byte, and not with FF.
func (h *headerBits) bytes() []byte {
	if h.free > 0 {
		h.out = append(h.out, h.current)
		h.free = 0
	}
	if n := len(h.out); n > 0 && h.out[n-1] == 0xFF {
		h.out = append(h.out, 0)
	}
	return h.out
}

// passes encodes the number of coding passes (B.10.6, table B.4).
func (h *headerBits) passes(n int) {
	switch {
	case n == 1:
		h.put(0, 1)
	case n == 2:
		h.put(0b10, 2)
	case n <= 5:
		h.put(0b11, 2)
		h.put(n-3, 2)
	case n <= 36:
		h.put(0b1111, 4)
		h.put(n-6, 5)
	default:
		h.put(0b111111111, 9)
		h.put(n-37, 7)
	}
}

// length encodes the length of a code-block's data in Lblock + floor(log2 passes) bits, with Lblock raised from 3 as
// far as it needs (B.10.7.1).
func (h *headerBits) length(n, passes int) {
	width := 3 + bits.Len(uint(passes)) - 1
	for ; bits.Len(uint(n)) > width; width++ {
		h.put(1, 1)
	}
	h.put(0, 1)
	h.put(n, width)
}
