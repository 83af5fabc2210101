package fourinfo

import (
	"unicode"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"

	"github.com/kakunin-go/kakunin/internal/kanji"
)

// foldWriting applies the steps about characters that names and addresses share, in their order.
func foldWriting(t tokens) tokens {
	t = foldSelectors(t)
	t = foldIgnorable(t)
	t = foldCompatibility(t)
	t = foldWidth(t)
	foldRunes(t, apostrophes, StepApostrophe)
	t = foldSymbols(t)
	t = foldComposition(t)
	t = foldDashes(t)
	foldRunes(t, brackets, StepBracketKind)
	return foldCase(t)
}

// isVariationSelector reports whether r chooses a glyph of the character before it (Unicode Standard, 23.4).
func isVariationSelector(r rune) bool {
	return r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF
}

func foldSelectors(t tokens) tokens {
	return t.drop(StepSelector, func(t tokens, i int) bool { return isVariationSelector(t[i].plain) })
}

// isIgnorable reports whether r shows nothing (Default_Ignorable_Code_Point and control characters), apart from what is
// a step of its own: variation selectors, and the zero-width spaces, which are spaces. A soft hyphen is a dash between
// digits.
func isIgnorable(t tokens, i int) bool {
	switch r := t[i].plain; {
	case r < ' ', r >= 0x7F && r < 0xA0: // what a field of a fixed length, or a terminal, left behind
		return !unicode.IsSpace(r)
	case r < 0x7F, r == 0x200B, r == 0xFEFF, isVariationSelector(r):
		return false
	case r == 0xAD:
		return !isDigit(t.at(i-1)) || !isDigit(t.at(i+1))
	default:
		return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point)
	}
}

func foldIgnorable(t tokens) tokens { return t.drop(StepIgnorable, isIgnorable) }

// brackets are written around a former name or alias; which ones a register takes is not certain, so all are round
// ones.
var brackets = map[rune]rune{
	'[': '(',
	']': ')',
	'{': '(',
	'}': ')',
	'<': '(',
	'>': ')',
	'〔': '(',
	'〕': ')',
	'【': '(',
	'】': ')',
	'「': '(',
	'」': ')',
	'〈': '(',
	'〉': ')',
	'《': '(',
	'》': ')',
	'『': '(',
	'』': ')',
	'〖': '(',
	'〗': ')',
	'〘': '(',
	'〙': ')',
	'〚': '(',
	'〛': ')',
	'⟨': '(',
	'⟩': ')',
	'‹': '(',
	'›': ')',
	'«': '(',
	'»': ')',
	'⦅': '(',
	'⦆': ')',
	'❨': '(',
	'❩': ')',
	'❪': '(',
	'❫': ')',
	'❲': '(',
	'❳': ')',
	'❴': '(',
	'❵': ')',
	'⟦': '(',
	'⟧': ')',
	'⟪': '(',
	'⟫': ')',
}

// foldRunes replaces one character by another as the table says.
func foldRunes(t tokens, table map[rune]rune, s Step) {
	for i := range t {
		if r := t[i].plain; (r < '0' || r > '9') && r < 0x3400 || r > 0x9FFF {
			if to, ok := table[r]; ok && !t[i].wild {
				t[i].set(to, s)
			}
		}
	}
}

// isLost reports whether a system wrote r for a character that it could not write.
func isLost(r rune) bool {
	switch r {
	case 0xFFFC, 0xFFFD, '〓', '●', '■', '□', '◆', '◇', '▲', '△', '▼', '▽', '★', '☆', '※', '○', '◯', '◎', '?', '*',
		'▢', '▣', '▨', '▩', '▪', '▫', '▮', '▯', '◌', '◻', '◼', '☐', '☒', '⬚', '⬛', '⬜':
		return true
	default:
		return false
	}
}

// isPrivate reports whether what r stands for is known to one system alone (Co), such as the characters that the
// standard for administration (行政事務標準文字) has in plane 16.
func isPrivate(r rune) bool { return r >= 0xE000 && r <= 0xF8FF || r >= 0xF0000 }

// isCompatibilityIdeograph reports whether r is in one of the two blocks of CJK compatibility ideographs. Twelve of
// them, 﨑 U+FA11 for example, are ordinary ideographs and have no decomposition.
func isCompatibilityIdeograph(r rune) bool {
	return r >= 0xF900 && r <= 0xFAFF || r >= 0x2F800 && r <= 0x2FA1F
}

func foldCompatibility(t tokens) tokens {
	for i := range t {
		if isCompatibilityIdeograph(t[i].plain) && !t[i].wild {
			var buffer [4]byte
			if d := []rune(string(norm.NFD.Properties(encode(&buffer, t[i].plain)).Decomposition())); len(d) == 1 {
				t[i].set(d[0], StepCompatibility)
			}
		}
	}
	return t
}

func foldWidth(t tokens) tokens {
	for i := range t {
		if r := t[i].plain; r >= 0x2000 && !t[i].wild { // nothing below is full-width
			if folded := width.LookupRune(r).Folded(); folded != 0 {
				t[i].set(folded, StepWidth)
			}
		}
	}
	return t
}

// foldSymbols spells out characters with a compatibility decomposition that the steps before left. One becomes several.
func foldSymbols(t tokens) tokens {
	for i := 1; i < len(t); i++ {
		r := t[i].plain
		if t[i].wild || !mayDecompose(r) {
			continue
		}
		var buffer [4]byte
		spelled := []rune(string(norm.NFKC.Properties(encode(&buffer, r)).Decomposition()))
		if len(spelled) == 0 || isSpacingVoicedMark(r) || joinsNumbers(t, i, spelled) {
			continue
		}
		first := t[i]
		t[i].set(spelled[0], StepSymbol)
		t[i].end = t[i].to
		for n, more := range spelled[1:] {
			t = append(t, token{})
			copy(t[i+n+2:], t[i+n+1:])
			t[i+n+1] = token{
				key:   more,
				plain: more,
				from:  first.from,
				to:    first.to,
				end:   first.to,
				steps: first.steps | bit(StepSymbol),
			}
		}
		last := i + len(spelled) - 1
		t[last].end, t[last].drops, t[last].spaced = first.end, first.drops, first.spaced
		if last > i {
			t[i].drops, t[i].spaced = 0, false
		}
		i = last
	}
	return t
}

// joinsNumbers reports whether the character at i, spelled out, would make one number of two: 2① is not 21.
func joinsNumbers(t tokens, i int, spelled []rune) bool {
	return isDigit(spelled[0]) && isDigit(t.at(i-1)) || isDigit(spelled[len(spelled)-1]) && isDigit(t.at(i+1))
}

// mayDecompose keeps letters and ideographs, which have no compatibility decomposition of interest, away from the
// tables.
func mayDecompose(r rune) bool {
	switch {
	case r < 0xA0, r >= 0x3400 && r <= 0x9FFF, r >= 0x3041 && r <= 0x309E, r >= 0x30A1 && r <= 0x30FE, r >= 0x20000:
		return false
	case r == 0xA0, r == 0x2011: // a space and a hyphen to the steps space and dash
		return false
	case r >= 0xC0 && r <= 0x24F, r >= 0x1E00 && r <= 0x1EFF: // Latin letters, to the step diacritic
		return false
	default:
		return r < 0xF900 || r > 0xFAFF
	}
}

func encode(buffer *[4]byte, r rune) []byte { return append(buffer[:0], string(r)...) }

// isSpacingVoicedMark reports the marks ゛ and ゜, which some systems put behind kana as letters of their own.
func isSpacingVoicedMark(r rune) bool { return r == 0x309B || r == 0x309C }

func foldComposition(t tokens) tokens {
	for i := 2; i < len(t); i++ {
		mark := t[i].plain
		if isSpacingVoicedMark(mark) {
			mark -= 2 // the combining marks U+3099 and U+309A
		}
		if !unicode.Is(unicode.Mn, mark) || t[i].wild || t[i-1].wild {
			continue
		}
		composed := []rune(norm.NFC.String(string([]rune{t[i-1].plain, mark})))
		if len(composed) != 1 {
			continue
		}
		u, spaced := t[i-1].unit, t[i].spaced
		steps, drops := t[i-1].steps|t[i].steps, t[i-1].drops
		t = t.replace(i-1, i+1, composed[0], StepComposition, u)
		t[i-1].steps |= steps | drops
		t[i-1].spaced = spaced
		i--
	}
	return t
}

func foldDashes(t tokens) tokens {
	for i := range t {
		switch r := t[i].plain; {
		case t[i].wild, r < 0x80, r == 0x30FC:
		case isDash(r):
			t[i].set('-', StepDash)
		case r == 0x301C, r == 0x223C, r == 0x02DC, r == 0x3030:
			t[i].set('~', StepDash)
		}
		// A mark in kana is a letter; between digits, or Latin letters, it is a hyphen that somebody found first on the
		// keyboard.
		before, next := t.at(i-1), t.at(i+1)
		if t[i].plain == 0x30FC && !t[i].wild && (isDigit(before) && isDigit(next) ||
			unicode.Is(unicode.Latin, before) && unicode.Is(unicode.Latin, next)) {
			t[i].set('-', StepDash)
		}
	}
	return t
}

func foldCase(t tokens) tokens {
	for i := range t {
		// The dotless ı is another letter than i, although both have the capital I.
		if r := t[i].plain; !t[i].wild &&
			(r >= 'a' && r <= 'z' || r >= 0xE0 && r != 'ı' && unicode.Is(unicode.Latin, r)) {
			t[i].set(unicode.ToUpper(r), StepCase)
		}
	}
	return t
}

// isSpace takes U+2800, the empty pattern of Braille, for the blank that it shows.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r == 0x200B || r == 0xFEFF || r == 0x2800 }

// foldSpaces drops spaces. Between numbers a space is all that tells a room from a house, so there it becomes a dash.
func foldSpaces(t tokens, address bool) tokens {
	if address {
		for i := 2; i+1 < len(t); i++ {
			if isSpace(t.at(i)) && separatesNumbers(t, i) {
				t[i].set('-', StepSpace)
			}
		}
	}
	return t.drop(StepSpace, func(t tokens, i int) bool { return isSpace(t[i].plain) })
}

// separatesNumbers reports whether a number ends before i and another begins behind it. Behind a digit, the ideographs
// of numbers are one where an address counts with them; otherwise they begin a name, as in 1-2 三田ビル.
func separatesNumbers(t tokens, i int) bool {
	before, next := t.at(i-1), t.at(i+1)
	if !isDigit(before) {
		return numeralValue(before) >= 0 && numeralValue(next) >= 0
	}
	if numeralValue(next) < 0 {
		return isDigit(next)
	}
	j := i + 2
	for numeralValue(t.at(j)) >= 0 {
		j++
	}
	return j == len(t) || countsAfter(t, j) && !namesPlace(t.at(j+1))
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// foldDoubts applies the steps that leave a doubt and replace one character by one, in their order.
func foldDoubts(t tokens, address bool) tokens {
	foldVariants(t)
	foldParticles(t)
	if !address {
		foldKe(t, StepNameKe)
	}
	foldLongVowels(t)
	foldRepetitions(t)
	foldKana(t)
	foldSmallKana(t)
	foldDiacritics(t)
	return t
}

func foldVariants(t tokens) {
	for i := range t {
		r := t[i].key
		if t[i].wild {
			continue
		}
		if r == '乄' { // the two forms of a character for which no table has a variant
			t[i].doubt('〆', StepVariant)
			continue
		}
		mark := r == '〃' || r == 'ゝ' || r == 'ヽ' // found first on the keyboard
		if !kanji.IsIdeograph(r) && !mark {
			continue
		}
		if r == '々' || r == '〻' || mark {
			if i > 1 && kanji.IsIdeograph(t[i-1].key) && !t[i-1].wild {
				t[i].doubt(t[i-1].key, StepVariant)
			}
			continue
		}
		t[i].doubt(kanji.Representative(r), StepVariant)
	}
}

// isDash reports whether c is written as a dash or hyphen between digits. NFKC does not unify them; the legacy
// encodings disagree about which of them a byte stands for (JIS X 0208 tables: U+2212 and U+301C, CP932: U+FF0D and
// U+FF5E).
func isDash(c rune) bool {
	switch c {
	case '-',
		'\u00ad',
		'\u02d7',
		'\u2010',
		'\u2011',
		'\u2012',
		'\u2013',
		'\u2014',
		'\u2015',
		'\u2043',
		'\u2212',
		'\u2500',
		'\u2501',
		'\u30fc',
		'\ufe58',
		'\ufe63',
		'\uff0d',
		'\uff70':
		return true
	default:
		return false
	}
}
