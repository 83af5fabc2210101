package fourinfo

import (
	"golang.org/x/text/unicode/norm"

	"github.com/kakunin-go/kakunin/internal/kanji"
)

func isHiragana(r rune) bool { return r >= 0x3041 && r <= 0x309F }

func isKatakana(r rune) bool { return r >= 0x30A1 && r <= 0x30FF }

// foldKe makes one of the letters that are written for が in the name of a place. In addresses this leaves the meaning
// alone; in the name of a person it leaves a doubt, and so does カ in an address: カ部 and ケ部 may be two lots, counted by
// the letters of the iroha.
func foldKe(t tokens, s Step) {
	for i := 2; i+1 < len(t); i++ {
		before, doubt := t[i-1].plain, StepNameKe
		switch t.at(i) {
		case 'ヶ', 'ケ', 'が', 'ガ': // also ひばりが丘
			switch {
			case kanji.IsIdeograph(before), isHiragana(before):
			case !isKatakana(before):
				continue
			case t.at(i) == 'ケ' || t.at(i) == 'ガ': // タケ山, シガ台
				if !isHill(t.at(i + 1)) {
					continue
				}
				doubt = StepSmallKana
			}
		case 'ヵ', 'カ', 'か': // but not ひたちなか市
			if !kanji.IsIdeograph(before) {
				continue
			}
			if s == StepKe && t[i].plain != 'ヵ' {
				doubt = StepSmallKana
			}
		default:
			continue
		}
		if !kanji.IsIdeograph(t[i+1].plain) {
			continue
		}
		if s == StepKe && doubt != StepSmallKana {
			t[i].set('ヶ', s)
		} else {
			t[i].doubt('ヶ', doubt)
		}
	}
}

// isHill reports whether r ends the name of a housing estate: ユーカリが丘.
func isHill(r rune) bool { return r == '丘' || r == '台' || r == '原' }

func foldParticles(t tokens) {
	for i := 2; i+1 < len(t); i++ {
		if !kanji.IsIdeograph(t[i+1].plain) || !kanji.IsIdeograph(t[i-1].plain) {
			continue
		}
		switch t.at(i) {
		case 'の', 'ノ', '之', '乃':
			t[i].doubt('ノ', StepParticle)
		case '箇', '个', '個':
			t[i].doubt('ヶ', StepParticle)
		case 'つ', 'っ', 'ツ', 'ッ':
			t[i].doubt('ツ', StepParticle)
		}
	}
}

func foldLongVowels(t tokens) {
	for i := 2; i < len(t); i++ {
		if before := t.at(i - 1); (t.at(i) == '-' || t.at(i) == '~') && (isKatakana(before) || isHiragana(before)) {
			t[i].doubt('ー', StepLongVowel)
		}
	}
}

// foldRepetitions spells out the marks that repeat a kana: みすゞ is みすず.
func foldRepetitions(t tokens) {
	for i := 2; i < len(t); i++ {
		before := t[i-1].key
		if t[i].wild || t[i-1].wild || !isHiragana(before) && !isKatakana(before) {
			continue
		}
		switch t[i].key {
		case 'ゝ', 'ヽ':
			t[i].doubt(before, StepKana)
		case 'ゞ', 'ヾ':
			if voiced := []rune(norm.NFC.String(string(before) + "\u3099")); len(voiced) == 1 {
				t[i].doubt(voiced[0], StepKana)
			}
		}
	}
}

// historic are the kana of before 1946, which names keep, and those that are read like them.
var historic = map[rune]rune{'ヰ': 'イ', 'ヱ': 'エ', 'ヸ': 'ビ', 'ヹ': 'ベ'}

func foldKana(t tokens) {
	for i := range t {
		if r := t[i].key; r >= 'ぁ' && r <= 'ゔ' && !t[i].wild {
			t[i].doubt(r+'ァ'-'ぁ', StepKana)
		}
		if now := historic[t[i].key]; now != 0 && !t[i].wild {
			t[i].doubt(now, StepKana)
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
