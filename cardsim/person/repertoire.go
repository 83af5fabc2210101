package person

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/unicode/norm"
)

// geta (〓) stands where a certificate has no better character.
const geta = '〓'

// substitutes are characters of names and addresses that certificates cannot have, with the usual character in their
// place (代替文字). Anything else that is not in the repertoire becomes its canonical equivalent, if that is, or a geta
// mark.
var substitutes = map[rune]rune{
	'\u9AD9': '高', '\uFA11': '崎', '\U00020BB7': '吉', '\u5FB7': '徳', '\u7028': '瀬', '\u9592': '間',
}

// certificateText turns a text as the resident record has it into what a certificate has, within JIS X 0208 and JIS X
// 0212, and the flags of substituted characters: "0" or "1" for each character of the result, "" if none is "1". A
// variation selector is dropped and its character flagged, because the certificate cannot say which variant it was.
func certificateText(s string) (text, flags string) {
	encoder := japanese.EUCJP.NewEncoder()
	var out []rune
	var flag []byte
	for _, r := range s {
		switch {
		case variationSelector(r) && len(out) > 0:
			flag[len(flag)-1] = '1'
		case inRepertoire(encoder, r):
			out, flag = append(out, r), append(flag, '0')
		default:
			out, flag = append(out, substituteFor(encoder, r)), append(flag, '1')
		}
	}
	if strings.Contains(string(flag), "1") {
		flags = string(flag)
	}
	return string(out), flags
}

func substituteFor(encoder *encoding.Encoder, r rune) rune {
	if s, ok := substitutes[r]; ok && inRepertoire(encoder, s) {
		return s
	}
	if s, size := utf8.DecodeRuneInString(norm.NFC.String(string(r))); size > 0 && inRepertoire(encoder, s) {
		return s
	}
	return geta
}

// variationSelector reports standardized (VS1 to VS16) and ideographic (VS17 and above) variation selectors.
func variationSelector(r rune) bool {
	return r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF
}

// inRepertoire reports whether JIS X 0208 or JIS X 0212 has a character.
func inRepertoire(encoder *encoding.Encoder, r rune) bool {
	switch r {
	// JIS X 0208 has these six; the encoding of the Web gives their places to look-alikes.
	case '\u301C', '\u2016', '\u2212', '\u00A2', '\u00A3', '\u00AC':
		return true
	}
	b, err := encoder.String(string(r))
	if err != nil {
		return false
	}
	switch len(b) {
	case 2:
		// Rows 1 to 8 are symbols and letters, 16 to 84 kanji; the rows between and above are additions of vendors. 8E
		// is half-width katakana, which is JIS X 0201.
		row := int(b[0]) - 0xA0
		if row > 84 {
			return inSupplement(r) // the encoder prefers an addition to JIS X 0212
		}
		return b[0] != 0x8E && (row >= 1 && row <= 8 || row >= 16)
	case 3:
		return b[0] == 0x8F // JIS X 0212
	default:
		return false // ASCII
	}
}

// inSupplement reports whether JIS X 0212 has a character, by decoding all its kanji (rows 16 to 77).
func inSupplement(r rune) bool {
	var all []byte
	for row := 16; row <= 77; row++ {
		for cell := 1; cell <= 94; cell++ {
			all = append(all, 0x8F, byte(0xA0+row), byte(0xA0+cell))
		}
	}
	text, err := japanese.EUCJP.NewDecoder().Bytes(all)
	return err == nil && r != utf8.RuneError && strings.ContainsRune(string(text), r)
}

// fullWidth turns the printable characters of ASCII into those of JIS X 0208.
func fullWidth(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '\u3000'
		case r == '\'':
			return '\u2019' // JIS X 0208 has no straight one
		case r > ' ' && r <= '~':
			return r - '!' + '\uFF01'
		default:
			return r
		}
	}, s)
}
