package cardface

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/png"
	"strings"
	"testing"
)

func decode(t *testing.T, data []byte, err error) *image.Gray {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	// IHDR: bit depth 1, colour type 0, neither compression, filter nor interlace method but 0 (PNG specification,
	// 11.2.1).
	if want := []byte{1, 0, 0, 0, 0}; !bytes.Equal(data[24:29], want) || bytes.Contains(data, []byte("PLTE")) {
		t.Errorf("header %x", data[24:29])
	}
	p, ok := img.(*image.Gray)
	if !ok {
		t.Fatalf("%T", img)
	}
	return p
}

// ink is the number of black pixels; all others must be white.
func ink(t *testing.T, img *image.Gray) int {
	t.Helper()
	n := 0
	for _, p := range img.Pix {
		switch p {
		case 0:
			n++
		case 255:
		default:
			t.Fatalf("a pixel of shade %d", p)
		}
	}
	return n
}

func TestNumberImages(t *testing.T) {
	data, err := NumberImage("701234000010")
	if got := decode(t, data, err).Rect.Size(); got != image.Pt(72, 12) {
		t.Errorf("number: %v", got)
	}
	code, err := SecurityCodeImage("2285")
	img := decode(t, code, err)
	if got := img.Rect.Size(); got != image.Pt(24, 12) {
		t.Errorf("security code: %v", got)
	}
	two := func(n int) []byte {
		var out []byte
		for y := range 12 {
			out = append(out, img.Pix[y*img.Stride+6*n:y*img.Stride+6*n+6]...)
		}
		return out
	}
	if !bytes.Equal(two(0), two(1)) || bytes.Equal(two(1), two(2)) {
		t.Error("2285 does not begin with the same digit twice")
	}
	for _, odd := range []string{"", "12345678901234", "確認"} {
		data, err := NumberImage(odd)
		if got := decode(t, data, err).Rect.Size(); got != image.Pt(72, 12) {
			t.Errorf("%q: %v", odd, got)
		}
	}
}

// The font has all of JIS X 0208 and JIS X 0212, and what it does not have shows as a geta mark.
func TestFontCoverage(t *testing.T) {
	for _, r := range "確認花子高橋東京都亜腕弌熙一三十０９ＡＺａｚぁんァンー々〆〇－（）［］　" + "濵桒槗鷗嶌" + "\u9AD9\uFA11\U00020BB7\u5FB7\u7028" +
		"AZaz09-." {
		page, err := readPage(r &^ 0xFF)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := page[r]; !ok {
			t.Errorf("no glyph for %c %U", r, r)
		}
	}
	marks, err := glyphs([]rune("〓\U0010DE92閒"))
	if err != nil {
		t.Fatal(err)
	}
	if len(marks) != 3 || !bytes.Equal(marks[0].rows, marks[1].rows) || !bytes.Equal(marks[0].rows, marks[2].rows) {
		t.Error("what has no glyph must show as a geta mark")
	}
}

// Every page of the font can be read, and has glyphs of the promised sizes.
func TestFontIsWhole(t *testing.T) {
	pages := int(binary.BigEndian.Uint16([]byte(fontFile[:2])))
	total := 0
	for i := range pages {
		first := rune(binary.BigEndian.Uint32([]byte(fontFile[2+8*i:])))
		page, err := readPage(first)
		if err != nil || len(page) == 0 {
			t.Fatalf("page %U: %d glyphs, %v", first, len(page), err)
		}
		for r, g := range page {
			if len(g.rows) != 12*g.stride() || g.width != 6 && g.width != 12 {
				t.Errorf("%U: %d bytes, width %d", r, len(g.rows), g.width)
			}
		}
		total += len(page)
	}
	if total < 14000 {
		t.Errorf("%d glyphs", total)
	}
}

func TestTextImages(t *testing.T) {
	data, err := NameImage("確認　花子")
	short := decode(t, data, err)
	if n := ink(t, short); short.Rect.Size() != image.Pt(216, 12) || n < 50 || n > 216*12/4 {
		t.Errorf("name: %v", short.Rect)
	}
	for n, lines := range map[int]int{0: 1, 17: 1, 18: 1, 19: 2, 36: 2, 37: 3} {
		data, err := NameImage(strings.Repeat("長", n))
		if got := decode(t, data, err).Rect.Size(); got != image.Pt(216, lines*12) {
			t.Errorf("%d characters: %v", n, got)
		}
	}
	data, err = NameImage(strings.Repeat("長", 40)) // 18 in a line
	if got := decode(t, data, err).Rect.Size(); got != image.Pt(216, 3*12) {
		t.Errorf("long name: %v", got)
	}
	data, err = AddressImage(strings.Repeat("長い住所", 50)) // 200 characters, 24 in a line
	if got := decode(t, data, err).Rect.Size(); got != image.Pt(288, 9*12) {
		t.Errorf("long address: %v", got)
	}
	// A variation selector is not drawn, and not a geta mark either.
	plain, err := NameImage("葛城")
	decode(t, plain, err)
	varied, err := NameImage("葛\U000E0100城")
	decode(t, varied, err)
	if !bytes.Equal(plain, varied) {
		t.Error("the variation selector is drawn")
	}
	for _, odd := range []string{"", "\xff\xfe", "\n\t", strings.Repeat("一", 5000)} {
		data, err := AddressImage(odd)
		decode(t, data, err)
	}
}

func TestPortrait(t *testing.T) {
	sizes := map[int]bool{}
	var first []byte
	for _, seed := range []string{"hanako", "taro", "minor", ""} {
		data, err := Portrait(seed)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(data, []byte("\x00\x00\x00\x0CjP  \r\n\x87\n\x00\x00\x00\x14ftypjp2 ")) {
			t.Errorf("%q begins %x", seed, data[:24])
		}
		// The whole of the card's face has about 6 to 9 KB.
		if len(data) < 1000 || len(data) > 7000 {
			t.Errorf("%q: %d bytes", seed, len(data))
		}
		again, err := Portrait(seed)
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("%q: two faces", seed)
		}
		if first != nil && bytes.Equal(first, data) {
			t.Error("two persons have one face")
		}
		first, sizes[len(data)] = data, true
	}
}

// The boxes fill the file, and the codestream is the last and ends with EOC.
func TestJP2Boxes(t *testing.T) {
	data := encodeJP2(drawFace("boxes"))
	var kinds []string
	for rest := data; len(rest) > 0; {
		n := int(binary.BigEndian.Uint32(rest))
		if n < 8 || n > len(rest) {
			t.Fatalf("a box of %d bytes", n)
		}
		kinds, rest = append(kinds, string(rest[4:8])), rest[n:]
	}
	if got := strings.Join(kinds, ","); got != "jP  ,ftyp,jp2h,jp2c" {
		t.Error(got)
	}
	if !bytes.HasSuffix(data, []byte{0xFF, 0xD9}) {
		t.Error("no EOC")
	}
}

func BenchmarkPortrait(b *testing.B) {
	for b.Loop() {
		if _, err := Portrait("benchmark"); err != nil {
			b.Fatal(err)
		}
	}
}
