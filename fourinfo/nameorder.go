package fourinfo

import "slices"

// sameWords reports whether two names consist of the same words in another order; both have more than one.
func sameWords(a, b tokens) bool {
	wordsA, wordsB := words(a), words(b)
	return len(wordsA) > 1 && slices.Equal(wordsA, wordsB)
}

// words returns the words of a name in the order of their keys; none if a substitute character stands in it.
func words(t tokens) []string {
	var all []string
	start := 1
	for i := 1; i < len(t); i++ {
		if t[i].wild {
			return nil
		}
		if t[i].spaced || i == len(t)-1 {
			all = append(all, t[start-1:i+1].keys())
			start = i + 1
		}
	}
	slices.Sort(all)
	return all
}

// mostWords is how many words a name may have whose order is tried, so that none takes long to compare.
const mostWords = 16

// turned reports whether one name is the other with its last words before its first, however either joins or marks
// them: MIN-JUN KIM and KIM MIN JUN, ANNA MUELLER and MÜLLER ANNA, ジョン・スミス and スミス　ジョン.
func turned(a, b tokens) bool {
	endsA, endsB := wordEnds(a), wordEnds(b)
	if len(endsA) > mostWords || len(endsB) > mostWords {
		return false
	}
	for _, i := range endsB {
		next := i + 1
		if isNameMark(b[next].plain) {
			next++
		}
		first, last := slices.Concat(b[:1], b[next:]), b[1:i+1]
		if spelledAlike(a, slices.Concat(first, last)) && slices.ContainsFunc(endsA, func(j int) bool {
			return spelledAlike(a[:j+1], first)
		}) {
			return true
		}
	}
	return false
}

// endsWord reports whether a word ends with the token at i and another one follows.
func endsWord(t tokens, i int) bool {
	return i > 0 && i+1 < len(t) && (t[i].spaced || isNameMark(t[i+1].plain) && t[i+1].plain != '\'')
}

func wordEnds(t tokens) []int {
	var ends []int
	for i := range t {
		if endsWord(t, i) {
			ends = append(ends, i)
		}
	}
	return ends
}

// spelledAlike reports whether two names have the same letters, marks disregarded.
func spelledAlike(a, b tokens) bool {
	x, plainX, _ := spellings(a)
	y, plainY, _ := spellings(b)
	return x != "" && y != "" && (plainX == plainY || x == y || x == plainY || plainX == y)
}
