package fourinfo

import (
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// apostrophes are written for "'" in names and in names of buildings.
var apostrophes = map[rune]rune{
	0x2018: '\'',
	0x2019: '\'',
	0x201B: '\'',
	0x2032: '\'',
	0x2035: '\'',
	0x02B9: '\'',
	0x02BB: '\'',
	0x02BC: '\'',
	0x02BD: '\'',
	0x02BE: '\'',
	0x02BF: '\'',
	0x02C8: '\'',
	0x0060: '\'',
	0x00B4: '\'',
	0x055A: '\'',
	0x05F3: '\'',
	0xA78B: '\'',
	0xA78C: '\'',
}

// plainLetters are Latin letters that no decomposition leads to the letter by which machine-readable documents replace
// them (ICAO Doc 9303, part 3, section 6 A), and some more of the languages of Africa.
var plainLetters = map[rune]rune{
	'Đ': 'D',
	'Ð': 'D',
	'Ł': 'L',
	'Ø': 'O',
	'Ħ': 'H',
	'Ŧ': 'T',
	'Ŋ': 'N',
	'ı': 'I',
	'Ŀ': 'L',
	'ĸ': 'K',
	'Ɓ': 'B',
	'Ɗ': 'D',
	'Ɖ': 'D',
	'Ə': 'E',
	'Ɛ': 'E',
	'Ɔ': 'O',
	'Ɨ': 'I',
	'Ʉ': 'U',
	'Ɍ': 'R',
	'Ƙ': 'K',
	'Ƴ': 'Y',
	'Ƶ': 'Z',
	'Ɠ': 'G',
	'Ƀ': 'B',
	'Ɫ': 'L',
	'Ɲ': 'N',
}

// twoLetters are those that become two (ICAO Doc 9303, part 3, section 6 A); for those that people also write with one,
// that is what foldDiacritics makes of them.
var twoLetters = map[rune]string{
	'Ä': "AE",
	'Å': "AA",
	'Æ': "AE",
	'Ö': "OE",
	'Ø': "OE",
	'Œ': "OE",
	'Ü': "UE",
	'Þ': "TH",
	'ß': "SS",
	'ẞ': "SS",
	'Ĳ': "IJ",
	'Ǽ': "AE",
	'Ǿ': "OE",
}

func foldDiacritics(t tokens) {
	for i := range t {
		r := t[i].key
		if r < 0xC0 || r > 0x24F && (r < 0x1E00 || r > 0x1EFF) && r != 'Ɫ' || t[i].wild {
			continue
		}
		if plain, ok := plainLetters[r]; ok {
			t[i].doubt(plain, StepDiacritic)
			continue
		}
		var buffer [4]byte
		if d := norm.NFD.Properties(
			encode(&buffer, r),
		).Decomposition(); len(d) > 0 && d[0] < 0x80 &&
			unicode.IsLetter(rune(d[0])) {
			t[i].doubt(rune(d[0]), StepDiacritic)
		}
	}
}
