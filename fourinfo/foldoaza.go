package fourinfo

import "github.com/kakunin-go/kakunin/internal/kanji"

// foldOaza drops the words for the level of a locality: 大字, 小字 and 字. 十文字町 and 名字 keep theirs. Written in kana they
// leave a doubt: あざ may begin a name.
func foldOaza(t tokens, begin int) tokens {
	for i := begin; i+1 < len(t); i++ {
		if width := kanaOaza(t, i); width > 0 {
			t = t.absorb(i, i+width, StepOaza)
			t[i].guess = StepKana
			continue
		}
		width := 0
		switch {
		case t.at(i+1) == '字' && (t.at(i) == '大' || t.at(i) == '小'):
			width = 2
		case t.at(i) == '字' && t.at(i-1) != '文' && t.at(i-1) != '名':
			width = 1
		}
		if next := t.at(i + width); width > 0 && (kanji.IsIdeograph(next) || isHiragana(next) || isKatakana(next)) {
			t = t.absorb(i, i+width, StepOaza)
			i--
		}
	}
	return t
}

// kanaOaza is the width of あざ, 大あざ or おおあざ at i, before an ideograph; 0 for anything else.
func kanaOaza(t tokens, i int) int {
	width := 0
	switch r, next := t.at(i), t.at(i+1); {
	case r == '大' || r == '小':
		width = 1
	case r == 'お' && next == 'お', r == 'オ' && next == 'オ':
		width = 2
	}
	switch r, next := t.at(i+width), t.at(i+width+1); {
	case !kanji.IsIdeograph(t.at(i + width + 2)):
		return 0
	case r == 'あ' && next == 'ざ', r == 'ア' && next == 'ザ':
		return width + 2
	default:
		return 0
	}
}
