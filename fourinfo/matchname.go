package fourinfo

import "slices"

// compareNames compares two names.
func compareNames(a, b text) (Outcome, []Finding) {
	rawA, rawB := a.Reveal(), b.Reveal()
	sa, sb := a.Substitutes(), b.Substitutes()
	switch {
	case !substitutesUsable(sa, sb):
		return unusable(rawA, rawB)
	case rawA == rawB && !sa.flagged() && !sb.flagged():
		return Same, nil
	}
	m := matcher{a: foldName(rawA, sa), b: foldName(rawB, sb)}
	if n := len(m.a.tokens); n != len(m.b.tokens) || m.match(0, 0, n) != n {
		m.explainName()
	} else {
		m.familySplit()
	}
	return m.result(rawA == rawB)
}

func foldName(raw string, s Substitutes) side {
	runes := []rune(raw)
	t := foldSpaces(foldWriting(tokenise(runes, s.Positions)), false)
	return side{raw: runes, tokens: foldDoubts(t, false)}
}

// familySplit adds a doubt if both names are split and not alike: 林 田太郎 and 林田 太郎 are two families.
func (m *matcher) familySplit() {
	split, other, disagree := false, false, false
	for i := range m.a.tokens[:len(m.a.tokens)-1] {
		if i == 0 {
			continue // space before the name splits nothing
		}
		split = split || m.a.tokens[i].spaced
		other = other || m.b.tokens[i].spaced
		disagree = disagree || m.a.tokens[i].spaced != m.b.tokens[i].spaced
	}
	if split && other && disagree {
		m.add(StepFamilySplit, NeedsReview, Span{0, len(m.a.raw)}, Span{0, len(m.b.raw)})
	}
}

// explainName looks for a reason why two names differ that leaves a doubt. Without one they are different.
func (m *matcher) explainName() {
	whole := [2]Span{{0, len(m.a.raw)}, {0, len(m.b.raw)}}
	m.findings = m.findings[:0]
	switch {
	case m.bracket():
	case sameWords(m.a.tokens, m.b.tokens):
		m.add(StepOrder, NeedsReview, whole[0], whole[1])
	case readsAlike(m.a.tokens, m.b.tokens):
		m.add(StepReading, NeedsReview, whole[0], whole[1])
	case otherScripts(scriptsOf(m.a.tokens), scriptsOf(m.b.tokens)):
		m.add(StepScript, NeedsReview, whole[0], whole[1])
	default:
		m.difference(1, 1)
	}
}

// bracket tries the name that has a part in brackets without it.
func (m *matcher) bracket() bool {
	i, j, inA := bracketed(m.a.tokens)
	k, l, inB := bracketed(m.b.tokens)
	if inA == inB {
		return false
	}
	short := *m
	if inA {
		short.a.tokens = without(m.a.tokens, i, j)
	} else {
		short.b.tokens = without(m.b.tokens, k, l)
	}
	if n := len(short.a.tokens); n != len(short.b.tokens) || short.match(0, 0, n) != n {
		return false
	}
	m.findings = short.findings
	if inA {
		m.findings = append(m.findings, Finding{StepBracket, NeedsReview, m.a.span(i, j), m.b.span(i, i)})
	} else {
		m.findings = append(m.findings, Finding{StepBracket, NeedsReview, m.a.span(k, k), m.b.span(k, l)})
	}
	return true
}

// without returns a copy that lacks [i, j). What was dropped behind them is taken for dropped behind the token before.
func without(t tokens, i, j int) tokens {
	out := slices.Concat(t[:i], t[j:])
	before, last := &out[i-1], t[j-1]
	before.to, before.end, before.drops, before.spaced = last.to, last.end, last.drops, last.spaced
	return out
}

// bracketed returns the first part in brackets, with them. Which brackets a register puts around a former name (旧氏) is not
// certain, so any will do.
func bracketed(t tokens) (i, j int, ok bool) {
	for i = 2; i < len(t); i++ { // a name that begins with a bracket is another matter
		var closing rune
		switch t.at(i) {
		case '(':
			closing = ')'
		case '[':
			closing = ']'
		case '{':
			closing = '}'
		case '〔', '【', '「', '〈', '《', '『':
			closing = t.at(i) + 1
		default:
			continue
		}
		for j = i + 1; j < len(t); j++ {
			if t.at(j) == closing {
				return i, j + 1, true
			}
		}
	}
	return 0, 0, false
}

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
