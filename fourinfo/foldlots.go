package fourinfo

import "github.com/kakunin-go/kakunin/internal/kanji"

// What stands with the numbers of lots that is no number: letters, and brackets around a building.

// isBranch reports whether a letter of the iroha, or 甲, 乙 or 丙, at i counts lots: 6番地ロ.
func isBranch(t tokens, i int) bool {
	next := t.at(i + 1)
	return isBranchLetter(t.at(i)) && !isBranchLetter(next) && next != 'ー' &&
		(!kanji.IsIdeograph(next) || t[i-1].unit == unitBanchi && !kanji.IsIdeograph(t.at(i)))
}

func isBranchLetter(r rune) bool {
	return isHiragana(r) || isKatakana(r) && r != 'ー' && r != '・' || r == '甲' || r == '乙' || r == '丙'
}

// isLotLetter reports whether the letter before i counts the lots of a locality, and what is at i joins it with their
// number: イの1, 甲-1. ノ behind kana may belong to a name.
func isLotLetter(t tokens, begin, i int) bool {
	letter, before := t.at(i-1), t.at(i-2)
	return isJoint(t.at(i)) && (t.at(i) != 'ノ' || kanji.IsIdeograph(letter)) && i > begin && isBranchLetter(letter) &&
		kanji.IsIdeograph(before)
}

// foldBuildingBrackets drops the brackets around a building behind its house number: 123（架空荘）. What else stands in
// brackets there, such as whose house it is, leaves a doubt as well.
func foldBuildingBrackets(t tokens, begin int) tokens {
	for i := max(begin, 2); i < len(t); i++ {
		if t.at(i) != '(' || !isDigit(t.at(i-1)) || !isWord(t.at(i+1)) {
			continue
		}
		for j := i + 1; j < len(t); j++ {
			if t.at(j) != ')' {
				continue
			}
			if isDigit(t.at(j-1)) && isDigit(t.at(j+1)) {
				t[j].set('-', StepBracketKind)
			} else {
				t = t.absorb(j, j+1, StepBracketKind)
			}
			t = t.absorb(i, i+1, StepBracketKind)
			t[i].guess = StepBracket
			return t
		}
	}
	return t
}
