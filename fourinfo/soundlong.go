package fourinfo

import "unicode"

// soundsAlike reports whether two names in kana differ only in a long-vowel mark for which the other has the vowel:
// タロー and タロウ, オーノ and オオノ. A vowel that is short in one of them, or another one, makes it another name.
func soundsAlike(a, b tokens) bool {
	if scriptsOf(a) != scriptKana || scriptsOf(b) != scriptKana {
		return false
	}
	x, y := longSound(a), longSound(b)
	if len(x) == 0 || len(x) != len(y) {
		return false
	}
	for i := range x {
		marked := x[i] == 'ー' && unicode.IsLower(y[i]) || y[i] == 'ー' && unicode.IsLower(x[i])
		if x[i] != y[i] && !marked {
			return false
		}
	}
	return true
}

// longSound returns the kana of a name, marks apart, with a small letter for a vowel that makes the one before it long;
// none if a character is no kana.
func longSound(t tokens) []rune {
	var out []rune
	last := byte(0)
	for i, x := range t[1:] {
		consonant, vowel := kanaSyllable(x.key)
		long := vowel != 0 && consonant == "" &&
			(vowel == last || last == 'O' && vowel == 'U' || last == 'E' && vowel == 'I')
		switch {
		case x.wild, !isKatakana(x.key) && !isNameMark(x.key):
			return nil
		case isNameMark(x.key) && i > 0:
			continue
		case long:
			out = append(out, unicode.ToLower(rune(vowel)))
			continue
		case x.key == 'ー':
			out = append(out, 'ー')
			continue
		}
		out = append(out, x.key)
		last = vowel
	}
	return out
}
