package kanji

import "testing"

// TestRepresentative: forms of one character have one that stands for them; what is none stands for itself, on either
// side of the table and between its rows.
func TestRepresentative(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]rune{{'髙', '高'}, {'邊', '辺'}, {'﨑', '崎'}} {
		if a, b := Representative(pair[0]), Representative(pair[1]); a != b {
			t.Errorf("%c is represented by %c, %c by %c", pair[0], a, pair[1], b)
		}
	}
	for _, r := range []rune{0, 'A', 'あ', '一', '々', 0x10FFFF, variants[0].from - 1} {
		if got := Representative(r); got != r {
			t.Errorf("%U is represented by %U", r, got)
		}
	}
}

func TestIsIdeograph(t *testing.T) {
	t.Parallel()
	for r, want := range map[rune]bool{
		'高': true, '々': true, '〇': true, '⻑': true, '﨑': true, 0x20000: true, 0x3FFFF: true,
		'ヶ': false, 'の': false, 'A': false, '0': false, 0x2E7F: false, 0x2EF4: false, 0xFB00: false, 0x40000: false,
	} {
		if got := IsIdeograph(r); got != want {
			t.Errorf("%U: %v", r, got)
		}
	}
}
