package cardface

import (
	"encoding/binary"
	"image"
)

// The choices of this encoder: one tile, one component of eight bits, one quality layer, the reversible 5/3 wavelet
// without quantisation, code-blocks of 64 × 64, and precincts that hold one code-block of each subband, so that every
// tag tree has a single node.
const (
	levels    = 5
	blockSize = 64
	guardBits = 2
	depth     = 8
)

// Markers (ISO/IEC 15444-1, table A.2).
const (
	markerSOC = 0xFF4F
	markerSIZ = 0xFF51
	markerCOD = 0xFF52
	markerQCD = 0xFF5C
	markerSOT = 0xFF90
	markerSOD = 0xFF93
	markerEOC = 0xFFD9
)

// orientation of a subband: which of the two directions is high-pass.
type orientation int

const (
	ll orientation = iota
	hl             // horizontally high-pass
	lh             // vertically high-pass
	hh
)

// gain is log2 of the nominal gain of a subband (E.1, table E.1).
func (o orientation) gain() int { return [...]int{ll: 0, hl: 1, lh: 1, hh: 2}[o] }

// exponent is ε of a subband without quantisation: R + gain (E.1.1, equation E-4 with Δ = 1).
func (o orientation) exponent() int { return depth + o.gain() }

// bitPlanes is M of a subband: G + ε − 1 (E.1, equation E-2).
func (o orientation) bitPlanes() int { return guardBits + o.exponent() - 1 }

// encodeCodestream encodes an image without loss.
func encodeCodestream(img *image.Gray) []byte {
	p := newPlane(img)
	for level := range levels {
		p.analyse(level)
	}
	var packets []byte
	for resolution := range levels + 1 {
		packets = append(packets, p.packets(resolution)...)
	}
	out := words(nil, markerSOC)
	out = append(out, sizeSegment(p.width, p.height)...)
	out = append(out, codingSegment()...)
	out = append(out, quantisationSegment()...)
	// The only tile-part: its length counts from the SOT marker on (A.4.2).
	const tilePartHeader = 14
	out = words(out, markerSOT, 10, 0)
	out = longs(out, tilePartHeader+len(packets))
	out = append(out, 0, 1)
	out = words(out, markerSOD)
	out = append(out, packets...)
	return words(out, markerEOC)
}

// sizeSegment is SIZ (A.5.1): the image is the tile and begins at the origin.
func sizeSegment(width, height int) []byte {
	out := words(nil, markerSIZ, 38+3, 0)
	out = longs(out, width, height, 0, 0, width, height, 0, 0)
	out = words(out, 1)
	return append(out, depth-1, 1, 1)
}

// codingSegment is COD (A.6.1).
func codingSegment() []byte {
	const (
		userPrecincts = 0x01
		layerFirst    = 0 // progression layer, resolution, component, position
		exponent64    = 4 // of a code-block's width or height, minus 2
		reversible    = 1
	)
	out := words(nil, markerCOD, 12+levels+1)
	out = append(out, userPrecincts, layerFirst, 0, 1, 0, levels, exponent64, exponent64, 0, reversible)
	// Exponents of the precincts' height and width; above the lowest resolution a precinct covers twice the size of its
	// code-blocks (B.7).
	out = append(out, 6<<4|6)
	for range levels {
		out = append(out, 7<<4|7)
	}
	return out
}

// quantisationSegment is QCD (A.6.4): no quantisation, the exponents from the lowest resolution up.
func quantisationSegment() []byte {
	out := words(nil, markerQCD, 4+3*levels)
	out = append(out, guardBits<<5)
	out = append(out, byte(ll.exponent()<<3))
	for range levels {
		out = append(out, byte(hl.exponent()<<3), byte(lh.exponent()<<3), byte(hh.exponent()<<3))
	}
	return out
}

func words(out []byte, values ...int) []byte {
	for _, v := range values {
		out = binary.BigEndian.AppendUint16(out, uint16(v))
	}
	return out
}

func longs(out []byte, values ...int) []byte {
	for _, v := range values {
		out = binary.BigEndian.AppendUint32(out, uint32(v))
	}
	return out
}
