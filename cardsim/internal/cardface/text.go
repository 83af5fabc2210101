package cardface

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"strings"
)

// Sizes in pixels, as published dumps of a test card have them: images of one line. What a real card does with a longer
// text is not published; here it goes on in more lines below.
const (
	nameWidth    = 216
	addressWidth = 288
	lineHeight   = 12
)

// textImage breaks a text wherever a line is full, as Japanese is written.
func textImage(text string, lineWidth int) ([]byte, error) {
	rest, err := glyphs(drawn(text))
	if err != nil {
		return nil, err
	}
	lines := [][]glyph{nil}
	x := 0
	for _, g := range rest {
		if x+g.width > lineWidth {
			lines, x = append(lines, nil), 0
		}
		lines[len(lines)-1] = append(lines[len(lines)-1], g)
		x += g.width
	}
	img := newBitmap(lineWidth, lineHeight*len(lines))
	for i, line := range lines {
		img.draw(line, i*lineHeight)
	}
	return img.png()
}

// drawn leaves out what is not drawn by itself: variation selectors and control characters.
func drawn(text string) []rune {
	return []rune(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F || r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF {
			return -1
		}
		return r
	}, text))
}

// digitImage writes n digits of 6 × 12 pixels; what is no digit is left out.
func digitImage(digits string, n int) ([]byte, error) {
	const digitWidth = 6
	line := make([]rune, 0, n)
	for _, r := range digits {
		if len(line) < n && r >= '0' && r <= '9' {
			line = append(line, r)
		}
	}
	small, err := glyphs(line)
	if err != nil {
		return nil, err
	}
	img := newBitmap(digitWidth*n, lineHeight)
	img.draw(small, 0)
	return img.png()
}

// bitmap is an image of one bit a pixel: 1 is white.
type bitmap struct {
	width  int
	stride int // bytes of a row
	rows   []byte
}

func newBitmap(width, height int) bitmap {
	b := bitmap{width: width, stride: (width + 7) / 8}
	b.rows = bytes.Repeat([]byte{0xFF}, b.stride*height)
	return b
}

// draw puts a line of glyphs at a height.
func (b bitmap) draw(line []glyph, top int) {
	left := 0
	for _, g := range line {
		for y := range lineHeight {
			for x := range g.width {
				if g.black(x, y) {
					b.rows[(top+y)*b.stride+(left+x)/8] &^= 0x80 >> ((left + x) % 8)
				}
			}
		}
		left += g.width
	}
}

// png encodes the image as the cards have it: greyscale of one bit, without a palette (PNG specification, 11.2.1,
// colour type 0). The encoder of the standard library has no such form.
func (b bitmap) png() ([]byte, error) {
	height := len(b.rows) / b.stride
	var data bytes.Buffer
	z, err := zlib.NewWriterLevel(&data, zlib.BestCompression)
	if err != nil {
		return nil, err
	}
	for y := range height {
		// Each row begins with its filter type; 0 is none.
		if _, err := z.Write(append([]byte{0}, b.rows[y*b.stride:(y+1)*b.stride]...)); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	header := binary.BigEndian.AppendUint32(nil, uint32(b.width))  //nolint:gosec // a few hundred
	header = binary.BigEndian.AppendUint32(header, uint32(height)) //nolint:gosec // bounded by the text
	header = append(header, 1, 0, 0, 0, 0)                         // bits, colour type, and the methods
	out := []byte("\x89PNG\r\n\x1a\n")
	for _, chunk := range []struct {
		kind string
		data []byte
	}{{"IHDR", header}, {"IDAT", data.Bytes()}, {"IEND", nil}} {
		out = binary.BigEndian.AppendUint32(out, uint32(len(chunk.data))) //nolint:gosec // as above
		body := append([]byte(chunk.kind), chunk.data...)
		out = binary.BigEndian.AppendUint32(append(out, body...), crc32.ChecksumIEEE(body))
	}
	return out, nil
}
