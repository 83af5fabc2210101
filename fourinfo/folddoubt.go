package fourinfo

import (
	"sort"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// variant says by which ideograph another one is represented in match keys.
type variant struct{ from, to rune }

// representative returns the ideograph that stands for the class of r's variants; r itself if there are none.
func representative(r rune) rune {
	i := sort.Search(len(variantTable), func(i int) bool { return variantTable[i].from >= r })
	if i < len(variantTable) && variantTable[i].from == r {
		return variantTable[i].to
	}
	return r
}

// foldDoubts applies the steps that leave a doubt and replace one character by one, in their order.
func foldDoubts(t tokens, address bool) tokens {
	foldVariants(t)
	if address {
		foldParticles(t)
	} else {
		foldKe(t, StepNameKe)
	}
	foldLongVowels(t)
	foldKana(t)
	foldSmallKana(t)
	foldDiacritics(t)
	return t
}

func foldVariants(t tokens) {
	for i := range t {
		r := t[i].key
		if !isIdeograph(r) || t[i].wild {
			continue
		}
		if r == '々' {
			if i > 1 && isIdeograph(t[i-1].key) && !t[i-1].wild {
				t[i].doubt(t[i-1].key, StepVariant)
			}
			continue
		}
		t[i].doubt(representative(r), StepVariant)
	}
}

// foldKe makes one of the letters that are written for が in the name of a place. In addresses this leaves the meaning
// alone; in the name of a person it leaves a doubt, and so does カ in an address: カ部 and ケ部 may be two lots, counted by the
// letters of the iroha.
func foldKe(t tokens, s Step) {
	for i := 2; i+1 < len(t); i++ {
		before, doubt := t[i-1].plain, StepNameKe
		switch t.at(i) {
		case 'ヶ', 'ケ', 'が', 'ガ': // also ひばりが丘
			if !isIdeograph(before) && !isHiragana(before) {
				continue
			}
		case 'ヵ', 'カ', 'か': // but not ひたちなか市
			if !isIdeograph(before) {
				continue
			}
			if s == StepKe && t[i].plain != 'ヵ' {
				doubt = StepSmallKana
			}
		default:
			continue
		}
		if !isIdeograph(t[i+1].plain) {
			continue
		}
		if s == StepKe && doubt != StepSmallKana {
			t[i].set('ヶ', s)
		} else {
			t[i].doubt('ヶ', doubt)
		}
	}
}

func foldParticles(t tokens) {
	for i := 2; i+1 < len(t); i++ {
		if !isIdeograph(t[i+1].plain) || !isIdeograph(t[i-1].plain) {
			continue
		}
		switch t.at(i) {
		case 'の', 'ノ', '之', '乃':
			t[i].doubt('ノ', StepParticle)
		case 'つ', 'っ', 'ツ', 'ッ':
			t[i].doubt('ツ', StepParticle)
		}
	}
}

func foldLongVowels(t tokens) {
	for i := 2; i < len(t); i++ {
		if before := t.at(i - 1); t.at(i) == '-' && (isKatakana(before) || isHiragana(before)) {
			t[i].doubt('ー', StepLongVowel)
		}
	}
}

func foldKana(t tokens) {
	for i := range t {
		if r := t[i].key; r >= 'ぁ' && r <= 'ゔ' && !t[i].wild {
			t[i].doubt(r+'ァ'-'ぁ', StepKana)
		}
	}
}

func foldSmallKana(t tokens) {
	for i := range t {
		if t[i].wild {
			continue
		}
		switch r := t[i].key; r {
		case 'ァ', 'ィ', 'ゥ', 'ェ', 'ォ', 'ッ', 'ャ', 'ュ', 'ョ', 'ヮ':
			t[i].doubt(r+1, StepSmallKana)
		case 'ぁ', 'ぃ', 'ぅ', 'ぇ', 'ぉ', 'っ', 'ゃ', 'ゅ', 'ょ', 'ゎ': // when tried alone
			t[i].doubt(r+1, StepSmallKana)
		}
	}
}

func foldDiacritics(t tokens) {
	for i := range t {
		r := t[i].key
		if r == 'ı' && !t[i].wild {
			t[i].doubt('I', StepDiacritic)
		}
		if r < 0xC0 || r > 0x24F && (r < 0x1E00 || r > 0x1EFF) || t[i].wild {
			continue
		}
		var buffer [4]byte
		if d := norm.NFD.Properties(encode(&buffer, r)).Decomposition(); len(d) > 0 && d[0] < 0x80 && unicode.IsLetter(rune(d[0])) {
			t[i].doubt(rune(d[0]), StepDiacritic)
		}
	}
}
