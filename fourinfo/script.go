package fourinfo

import "unicode"

// scripts is a set of the scripts that names are written in.
type scripts uint8

const (
	scriptHan scripts = 1 << iota
	scriptKana
	scriptLatin
)

// scriptsOf returns the scripts of a name's letters.
func scriptsOf(t tokens) scripts {
	var s scripts
	for _, x := range t[1:] {
		switch r := x.plain; {
		case x.wild, isIdeograph(r):
			s |= scriptHan
		case isKatakana(r) && r != '・', isHiragana(r):
			s |= scriptKana
		case r == 'ー':
		case unicode.Is(unicode.Latin, r):
			s |= scriptLatin
		}
	}
	return s
}

// otherScripts reports whether one name is written by sound and the other has ideographs, or one in kana and the other in
// Latin letters, so that characters cannot be compared. Names that are both partly in ideographs can.
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
