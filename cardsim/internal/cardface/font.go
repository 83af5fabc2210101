package cardface

import (
	"bytes"
	"compress/flate"
	_ "embed" // the font
	"encoding/binary"
	"errors"
	"io"
	"sort"
)

// fontFile is made by font/makefont.py, which describes the format: pages of up to 256 glyphs, each compressed alone,
// so that a text needs only its own pages and nothing has to be kept.
//
//go:embed font/kanji.bin
var fontFile string

// geta is drawn for a character that the font does not have.
const geta = '〓'

// glyph is one character: its rows from top to bottom, width bits each, the leftmost pixel first.
type glyph struct {
	width int
	rows  []byte
}

// stride is the bytes of a row.
func (g glyph) stride() int { return (g.width + 7) / 8 }

// black reports whether a pixel is set.
func (g glyph) black(x, y int) bool {
	return g.rows[y*g.stride()+x/8]&(0x80>>(x%8)) != 0
}

var errFont = errors.New("cardface: damaged font")

// glyphs returns the glyphs of a text; characters that the font does not have are geta marks.
func glyphs(text []rune) ([]glyph, error) {
	pages := map[rune]map[rune]glyph{}
	page := func(r rune) (map[rune]glyph, error) {
		first := r &^ 0xFF
		if p, ok := pages[first]; ok {
			return p, nil
		}
		p, err := readPage(first)
		pages[first] = p
		return p, err
	}
	out := make([]glyph, 0, len(text))
	for _, r := range text {
		p, err := page(r)
		if err != nil {
			return nil, err
		}
		g, ok := p[r]
		if !ok {
			if p, err = page(geta); err != nil {
				return nil, err
			}
			g = p[geta]
		}
		out = append(out, g)
	}
	return out, nil
}

// readPage returns the glyphs of the page that begins with a code point; nil if there is none.
func readPage(first rune) (map[rune]glyph, error) {
	pages := int(binary.BigEndian.Uint16([]byte(fontFile[:2])))
	entry := func(i int) (code rune, offset int) {
		b := []byte(fontFile[2+8*i : 2+8*i+8])
		return rune(binary.BigEndian.Uint32(b)), int(binary.BigEndian.Uint32(b[4:]))
	}
	i := sort.Search(pages, func(i int) bool { code, _ := entry(i); return code >= first })
	if i == pages {
		return nil, nil
	}
	code, start := entry(i)
	if code != first {
		return nil, nil
	}
	end := len(fontFile)
	if i+1 < pages {
		_, end = entry(i + 1)
	}
	// A page is part of the program: its size needs no limit.
	data, err := io.ReadAll(flate.NewReader(bytes.NewReader([]byte(fontFile[start:end]))))
	if err != nil {
		return nil, errors.Join(errFont, err)
	}
	out := map[rune]glyph{}
	for len(data) > 0 {
		if len(data) < 2 {
			return nil, errFont
		}
		g := glyph{width: int(data[1])}
		size := lineHeight * g.stride()
		if len(data) < 2+size {
			return nil, errFont
		}
		g.rows = data[2 : 2+size]
		out[first|rune(data[0])] = g
		data = data[2+size:]
	}
	return out, nil
}
