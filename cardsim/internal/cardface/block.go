package cardface

import "math/bits"

// block is a code-block: coefficient bit modelling (ISO/IEC 15444-1, annex D). All slices have a border of one
// coefficient on each side that is never significant.
type block struct {
	orientation   orientation
	width, height int
	stride        int
	magnitude     []uint32
	negative      []bool
	significant   []bool
	refined       []bool // had its first refinement
	visited       []bool // coded in the present bit-plane
	coder         *mqCoder
}

func newBlock(p *plane, band subband, x, y, width, height int) *block {
	stride := width + 2
	n := stride * (height + 2)
	b := &block{
		orientation: band.orientation, width: width, height: height, stride: stride,
		magnitude: make([]uint32, n), negative: make([]bool, n), significant: make([]bool, n), refined: make([]bool, n),
		visited: make([]bool, n), coder: newMQCoder(),
	}
	for row := range height {
		for column := range width {
			v := p.samples[(band.y+y+row)*p.width+band.x+x+column]
			i := b.index(column, row)
			if v < 0 {
				b.negative[i], v = true, -v
			}
			b.magnitude[i] = uint32(v)
		}
	}
	return b
}

func (b *block) index(x, y int) int { return (y+1)*b.stride + x + 1 }

// planes is the number of bit-planes from the highest one that is not zero.
func (b *block) planes() int {
	var all uint32
	for _, m := range b.magnitude {
		all |= m
	}
	return bits.Len32(all)
}

// encode returns the data and the number of coding passes: three for each bit-plane, but only the cleanup for the
// highest.
func (b *block) encode(planes int) (data []byte, passes int) {
	for plane := planes - 1; plane >= 0; plane-- {
		if plane < planes-1 {
			b.scan(plane, b.propagate)
			b.scan(plane, b.refine)
			passes += 2
		}
		b.cleanup(plane)
		passes++
		clear(b.visited)
	}
	return b.coder.flush(), passes
}

// stripe is the height of the stripes in which a code-block is scanned, column by column (D.1).
const stripe = 4

func (b *block) scan(plane int, code func(i, plane int)) {
	for top := 0; top < b.height; top += stripe {
		for x := range b.width {
			for y := top; y < min(top+stripe, b.height); y++ {
				code(b.index(x, y), plane)
			}
		}
	}
}

// propagate is the significance propagation pass (D.3.1): what is not significant and has a significant neighbour.
func (b *block) propagate(i, plane int) {
	if b.significant[i] {
		return
	}
	if context := b.zeroContext(i); context != 0 {
		b.coder.encode(context, b.bit(i, plane))
		b.visited[i] = true
		if b.bit(i, plane) == 1 {
			b.sign(i)
		}
	}
}

// refine is the magnitude refinement pass (D.3.3): what became significant in an earlier bit-plane.
func (b *block) refine(i, plane int) {
	if !b.significant[i] || b.visited[i] {
		return
	}
	context := 16
	if !b.refined[i] {
		context = 14
		if b.zeroContext(i) != 0 {
			context = 15
		}
	}
	b.coder.encode(context, b.bit(i, plane))
	b.refined[i] = true
}

// Contexts of the cleanup pass.
const (
	runContext     = 17
	uniformContext = 18
)

// cleanup is the cleanup pass (D.3.4): everything else, with one symbol for a column of four that has no significant
// neighbours and stays insignificant.
func (b *block) cleanup(plane int) {
	for top := 0; top < b.height; top += stripe {
		for x := range b.width {
			y := top
			if b.startsRun(x, top) {
				run := 0
				for run < stripe && b.bit(b.index(x, top+run), plane) == 0 {
					run++
				}
				if run == stripe {
					b.coder.encode(runContext, 0)
					continue
				}
				b.coder.encode(runContext, 1)
				b.coder.encode(uniformContext, byte(run>>1))
				b.coder.encode(uniformContext, byte(run&1))
				b.sign(b.index(x, top+run))
				y = top + run + 1
			}
			for ; y < min(top+stripe, b.height); y++ {
				i := b.index(x, y)
				if b.significant[i] || b.visited[i] {
					continue
				}
				b.coder.encode(b.zeroContext(i), b.bit(i, plane))
				if b.bit(i, plane) == 1 {
					b.sign(i)
				}
			}
		}
	}
}

func (b *block) startsRun(x, top int) bool {
	if top+stripe > b.height {
		return false
	}
	for y := top; y < top+stripe; y++ {
		i := b.index(x, y)
		if b.significant[i] || b.visited[i] || b.zeroContext(i) != 0 {
			return false
		}
	}
	return true
}

func (b *block) bit(i, plane int) byte { return byte(b.magnitude[i] >> plane & 1) }

// zeroContext is the context of a significance bit (D.3.1, table D.1); it is 0 exactly when no neighbour is
// significant.
func (b *block) zeroContext(i int) int {
	one := func(j int) int {
		if b.significant[j] {
			return 1
		}
		return 0
	}
	h := one(i-1) + one(i+1)
	v := one(i-b.stride) + one(i+b.stride)
	d := one(i-b.stride-1) + one(i-b.stride+1) + one(i+b.stride-1) + one(i+b.stride+1)
	if b.orientation == hh {
		return diagonalContext(h+v, d)
	}
	if b.orientation == hl {
		h, v = v, h
	}
	switch {
	case h == 2:
		return 8
	case h == 1 && v >= 1:
		return 7
	case h == 1 && d >= 1:
		return 6
	case h == 1:
		return 5
	case v == 2:
		return 4
	case v == 1:
		return 3
	default:
		return min(d, 2)
	}
}

// diagonalContext is the column of table D.1 for HH: h+v and d neighbours.
func diagonalContext(hv, d int) int {
	switch {
	case d >= 3:
		return 8
	case d == 2:
		return 6 + min(hv, 1)
	case d == 1:
		return 3 + min(hv, 2)
	default:
		return min(hv, 2)
	}
}

// sign codes the sign of a coefficient that becomes significant (D.3.2, tables D.2 and D.3).
func (b *block) sign(i int) {
	contribution := func(j int) int {
		switch {
		case !b.significant[j]:
			return 0
		case b.negative[j]:
			return -1
		default:
			return 1
		}
	}
	h := max(-1, min(1, contribution(i-1)+contribution(i+1)))
	v := max(-1, min(1, contribution(i-b.stride)+contribution(i+b.stride)))
	// Opposite contributions have the same context and the opposite bit.
	var flip byte
	if h < 0 || h == 0 && v < 0 {
		h, v, flip = -h, -v, 1
	}
	context := 9 + v // h = 0: 9 or 10
	if h == 1 {
		context = 12 + v
	}
	var bit byte
	if b.negative[i] {
		bit = 1
	}
	b.coder.encode(context, bit^flip)
	b.significant[i] = true
}
