package cardface

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"strings"
)

// Sizes in pixels. Those of the name and the address are choices of this package: none is published.
const (
	textWidth  = 512
	lineHeight = 16
	// minLines makes the images of short texts equally high.
	minLines = 2
)

// nameImage writes a name in letters twice as large when it fits into one line so.
func nameImage(text string) ([]byte, error) {
	line, err := glyphs(drawn(text))
	if err != nil {
		return nil, err
	}
	if width(line) <= textWidth/2 {
		img := newBitmap(textWidth, 2*lineHeight)
		draw(img, line, 0, 2)
		return encodePNG(img)
	}
	return paragraph(line)
}

func addressImage(text string) ([]byte, error) {
	line, err := glyphs(drawn(text))
	if err != nil {
		return nil, err
	}
	return paragraph(line)
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

func width(line []glyph) int {
	n := 0
	for _, g := range line {
		n += g.width
	}
	return n
}

// paragraph breaks a text wherever a line is full, as Japanese is written.
func paragraph(text []glyph) ([]byte, error) {
	var lines [][]glyph
	for len(text) > 0 {
		n, x := 0, 0
		for n < len(text) && x+text[n].width <= textWidth {
			x += text[n].width
			n++
		}
		lines, text = append(lines, text[:n]), text[n:]
	}
	img := newBitmap(textWidth, lineHeight*max(minLines, len(lines)))
	for i, line := range lines {
		draw(img, line, i*lineHeight, 1)
	}
	return encodePNG(img)
}

// digitImage writes n digits of 6 × 12 pixels; what is no digit is a blank.
func digitImage(digits string, n int) ([]byte, error) {
	const digitWidth, digitHeight = 6, 12
	img := newBitmap(digitWidth*n, digitHeight)
	line := make([]rune, 0, n)
	for _, r := range digits {
		if len(line) < n && r >= '0' && r <= '9' {
			line = append(line, smallDigits+r)
		}
	}
	small, err := glyphs(line)
	if err != nil {
		return nil, err
	}
	draw(img, small, 0, 1)
	return encodePNG(img)
}

// draw puts a line of glyphs at a height, each pixel as a square of the scale.
func draw(img *image.Paletted, line []glyph, top, scale int) {
	left := 0
	for _, g := range line {
		if g.width == 0 {
			continue
		}
		height := len(g.rows) / g.stride()
		for y := range height * scale {
			for x := range g.width * scale {
				if g.black(x/scale, y/scale) {
					img.SetColorIndex(left+x, top+y, 1)
				}
			}
		}
		left += g.width * scale
	}
}

// newBitmap is a white image with two colours, which takes one bit a pixel in a PNG.
func newBitmap(width, height int) *image.Paletted {
	return image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.White, color.Black})
}

func encodePNG(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, img)
	return b.Bytes(), err
}
