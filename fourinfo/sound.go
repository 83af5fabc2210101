package fourinfo

import (
	"strings"
	"unicode"

	"github.com/kakunin-go/kakunin/internal/kanji"
)

// kanaRows are katakana by consonant, in the order of the vowels A I U E O; "." is none. The consonants are those of
// the systematic romanisation, to which latinSound brings the others.
var kanaRows = [...]struct{ consonant, kana string }{
	{"", "アイウエオ"},
	{"K", "カキクケコ"},
	{"S", "サシスセソ"},
	{"T", "タチツテト"},
	{"N", "ナニヌネノ"},
	{"H", "ハヒフヘホ"},
	{"M", "マミムメモ"},
	{"Y", "ヤ.ユ.ヨ"},
	{"R", "ラリルレロ"},
	{"W", "ワヰ.ヱヲ"},
	{"G", "ガギグゲゴ"},
	{"Z", "ザジズゼゾ"},
	{"D", "ダ..デド"},
	{"Z", ".ヂヅ.."},
	{"B", "バビブベボ"},
	{"P", "パピプペポ"},
	{"B", "..ヴ.."},
}

const vowels = "AIUEO"

// kanaSound returns the sounds of a name in kana, without what romanisations of one name differ in.
func kanaSound(t tokens) string {
	var out []byte
	double := false
	for _, x := range t[1:] {
		r := x.plain
		if isHiragana(r) && r <= 'ゔ' {
			r += 'ァ' - 'ぁ'
		}
		switch {
		case r == 'ッ':
			double = true
			continue
		case r == 'ン':
			out = append(out, 'N')
		case strings.ContainsRune("ャュョァィゥェォ", r):
			out = contract(out, r)
		default:
			consonant, vowel := kanaSyllable(r)
			if vowel == 0 {
				continue // a long-vowel mark, a dot
			}
			if double && consonant != "" {
				out = append(out, consonant[0])
			}
			out = append(append(out, consonant...), vowel)
		}
		double = false
	}
	return shortVowels(string(out))
}

func kanaSyllable(r rune) (consonant string, vowel byte) {
	for _, row := range kanaRows {
		i := 0
		for _, k := range row.kana {
			if k == r {
				return row.consonant, vowels[i]
			}
			i++
		}
	}
	return "", 0
}

// contract joins a small kana with the syllable before it: シ and ャ are SYA, フ and ァ are HA.
func contract(out []byte, small rune) []byte {
	if n := len(out); n > 0 && strings.IndexByte(vowels, out[n-1]) >= 0 {
		out = out[:n-1]
	}
	switch small {
	case 'ャ':
		return append(out, "YA"...)
	case 'ュ':
		return append(out, "YU"...)
	case 'ョ':
		return append(out, "YO"...)
	default:
		_, vowel := kanaSyllable(small + 1)
		return append(out, vowel)
	}
}

// latinSound returns the sounds of a name in Latin letters, if it may be a romanised one; "" otherwise.
func latinSound(t tokens) string {
	var b strings.Builder
	for _, x := range t[1:] {
		if x.key >= 'A' && x.key <= 'Z' {
			b.WriteByte(byte(x.key))
		}
	}
	s := b.String()
	for _, r := range [...][2]string{
		{"TCH", "TTY"}, {"SHI", "SI"}, {"CHI", "TI"}, {"TSU", "TU"}, {"TYI", "TI"}, {"SH", "SY"}, {"CH", "TY"},
		{"JI", "ZI"}, {"JY", "ZY"}, {"J", "ZY"},
		{"F", "H"}, {"V", "B"}, {"L", "R"}, {"MB", "NB"}, {"MP", "NP"}, {"MM", "NM"}, {"DU", "ZU"}, {"DZU", "ZU"},
	} {
		s = strings.ReplaceAll(s, r[0], r[1])
	}
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		// OH is a long O unless a vowel follows.
		if s[i] == 'H' && i > 0 && s[i-1] == 'O' && (i+1 == len(s) || strings.IndexByte(vowels+"Y", s[i+1]) < 0) {
			continue
		}
		out = append(out, s[i])
	}
	return shortVowels(string(out))
}

// shortVowels makes long vowels short, which romanised names seldom show.
func shortVowels(s string) string {
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		if n := len(
			out,
		); n > 0 && strings.IndexByte(vowels, s[i]) >= 0 &&
			(out[n-1] == s[i] || out[n-1] == 'O' && s[i] == 'U') {
			continue
		}
		out = append(out, s[i])
	}
	return string(out)
}

// scripts is a set of the scripts that names are written in.
type scripts uint8

const (
	scriptHan scripts = 1 << iota
	scriptKana
	scriptLatin
	scriptOther // Hangul, Cyrillic and all others
)

// scriptsOf returns the scripts of a name's letters.
func scriptsOf(t tokens) scripts {
	var s scripts
	for _, x := range t[1:] {
		switch r := x.plain; {
		case x.wild, isLost(r), isPrivate(r), kanji.IsIdeograph(r):
			s |= scriptHan
		case isKatakana(r) && r != '・', isHiragana(r):
			s |= scriptKana
		case r == 'ー':
		case unicode.Is(unicode.Latin, r):
			s |= scriptLatin
		case unicode.IsLetter(r):
			s |= scriptOther
		}
	}
	return s
}

// otherScripts reports whether one name is written by sound and the other has ideographs, or one in kana and the other
// in Latin letters, so that characters cannot be compared. Names that are both partly in ideographs can.
func otherScripts(a, b scripts) bool {
	return a != 0 && b != 0 && a != b && (a&b == 0 || a&scriptHan != b&scriptHan)
}

// readsAlike reports whether one name is in kana and the other in Latin letters of the same sounds, long vowels and the
// several romanisations disregarded.
func readsAlike(a, b tokens) bool {
	sa, sb := scriptsOf(a), scriptsOf(b)
	switch {
	case sa == scriptKana && sb == scriptLatin:
		a, b = b, a
	case sa == scriptLatin && sb == scriptKana:
	default:
		return false
	}
	sound := latinSound(a)
	return sound != "" && sound == kanaSound(b)
}
