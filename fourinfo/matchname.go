package fourinfo

import (
	"slices"
	"strings"
)

// compareNames compares two names.
func compareNames(a, b text) (Outcome, []Finding) {
	x, y := asWritten(a), asWritten(b)
	if outcome, findings, decided := compareWritten(x, y); decided {
		return outcome, findings
	}
	m := matcher{a: foldName(x.raw, x.substitutes), b: foldName(y.raw, y.substitutes)}
	if n := len(m.a.tokens); n != len(m.b.tokens) || m.match(0, 0, n) != n || m.mostlyLost() {
		m.explainName()
	} else {
		m.familySplit()
	}
	return m.result(x.raw == y.raw)
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
	m.findings, m.lost = m.findings[:0], 0
	switch {
	case m.bracket():
	case m.formerName():
		m.add(StepOtherName, NeedsReview, whole[0], whole[1])
	case m.spelling():
	case sameWords(m.a.tokens, m.b.tokens), turned(m.a.tokens, m.b.tokens):
		m.add(StepOrder, NeedsReview, whole[0], whole[1])
	case soundsAlike(m.a.tokens, m.b.tokens):
		m.add(StepLongVowel, NeedsReview, whole[0], whole[1])
	case readsAlike(m.a.tokens, m.b.tokens):
		m.add(StepReading, NeedsReview, whole[0], whole[1])
	case otherScripts(scriptsOf(m.a.tokens), scriptsOf(m.b.tokens)):
		m.add(StepScript, NeedsReview, whole[0], whole[1])
	default:
		m.difference(1, 1)
	}
}

// try compares two parts of the names from their beginning and reports the findings if they agree.
func (m *matcher) try(a, b tokens) ([]Finding, bool) {
	if len(a) < 2 || len(a) != len(b) {
		return nil, false
	}
	part := matcher{a: side{raw: m.a.raw, tokens: a}, b: side{raw: m.b.raw, tokens: b}}
	if part.match(0, 0, len(a)) != len(a) || part.mostlyLost() {
		return nil, false
	}
	return part.findings, true
}

// bracket tries the name that has a part in brackets without it. If both have one, the parts must be one former name or
// alias, in whatever place and with or without the given name.
func (m *matcher) bracket() bool {
	i, j, inA := bracketed(m.a.tokens)
	k, l, inB := bracketed(m.b.tokens)
	a, b := m.a.tokens, m.b.tokens
	if inA {
		a = without(a, i, j)
	}
	if inB {
		b = without(b, k, l)
	}
	findings, ok := m.try(a, b)
	switch {
	case !ok, !inA && !inB:
		return false
	case inA && inB && !m.anyAgree(otherNames(m.a.tokens, i, j), otherNames(m.b.tokens, k, l)):
		return false
	case inA && inB:
		//nolint:gocritic // goes on from the findings kept above
		m.findings = append(findings, Finding{StepBracket, NeedsReview, m.a.span(i, j), m.b.span(k, l)})
	case inA:
		//nolint:gocritic // likewise
		m.findings = append(findings, Finding{StepBracket, NeedsReview, m.a.span(i, j), m.b.span(i, i)})
	default:
		//nolint:gocritic // likewise
		m.findings = append(findings, Finding{StepBracket, NeedsReview, m.a.span(k, k), m.b.span(k, l)})
	}
	return true
}

// formerName reports whether the one name is what the other has in brackets, alone or with the given name.
func (m *matcher) formerName() bool {
	i, j, inA := bracketed(m.a.tokens)
	k, l, inB := bracketed(m.b.tokens)
	return inA && !inB && m.anyAgree(otherNames(m.a.tokens, i, j), []tokens{m.b.tokens}) ||
		inB && !inA && m.anyAgree([]tokens{m.a.tokens}, otherNames(m.b.tokens, k, l))
}

func (m *matcher) anyAgree(as, bs []tokens) bool {
	for _, a := range as {
		for _, b := range bs {
			if _, ok := m.try(a, b); ok {
				return true
			}
		}
	}
	return false
}

// labels stand before a former name or an alias in brackets.
var labels = [...]string{"旧姓", "旧氏", "旧名", "旧", "通称名", "通称", "本名", "氏"}

// otherNames are the names that a part in brackets [i, j) may mean: itself, as a whole name or as a family name before
// the given one, which stands behind the brackets or is the last word before them.
func otherNames(t tokens, i, j int) []tokens {
	content := t[i+1 : j-1]
	for _, label := range labels {
		if n := prefixLength(content, label); n > 0 {
			content = content[n:]
			break
		}
	}
	if len(content) > 0 && content[0].plain == ':' {
		content = content[1:]
	}
	if len(content) == 0 {
		return nil
	}
	names := []tokens{slices.Concat(t[:1], content)}
	if j < len(t) {
		return append(names, slices.Concat(t[:1], content, t[j:]))
	}
	for g := i - 1; g > 1; g-- {
		if t[g-1].spaced {
			return append(names, slices.Concat(t[:1], content, t[g:i]))
		}
	}
	return names
}

// spelling reports a doubt if the names differ only in hyphens, apostrophes and dots between letters, or in letters
// that become two where machines read them.
func (m *matcher) spelling() bool {
	a, plainA, expandedA := spellings(m.a.tokens)
	b, plainB, expandedB := spellings(m.b.tokens)
	if a == "" || b == "" {
		return false
	}
	step := StepDiacritic
	switch {
	case plainA == plainB:
		if !expandedA && !expandedB {
			step = StepNameMark
		}
	case a == b, a == plainB, plainA == b:
	default:
		return false
	}
	from, to := m.differing(1, 1)
	m.add(step, NeedsReview, from, to)
	return true
}

// spellings writes a name without marks between its letters: once with letters that become two as machines write them,
// and once as people do. Both are empty if a character is not known.
func spellings(t tokens) (machine, plain string, expanded bool) {
	var m, p strings.Builder
	for i, x := range t[1:] {
		two, isTwo := twoLetters[x.plain]
		switch {
		case x.wild, isLost(x.plain), isPrivate(x.plain):
			return "", "", false
		case isNameMark(x.plain) && x.key == x.plain && i > 0:
		case isTwo:
			expanded = true
			m.WriteString(two)
			if x.key < 0x80 {
				p.WriteRune(x.key)
			} else {
				p.WriteString(two)
			}
		default:
			m.WriteRune(x.key)
			p.WriteRune(x.key)
		}
	}
	return m.String(), p.String(), expanded
}

// isNameMark reports whether people write r between the parts of a name, or leave it out.
func isNameMark(r rune) bool {
	switch r {
	case '-', '\'', '.', ',', '·', '・', '=', '゠', '•', '、', '/', '_':
		return true
	default:
		return false
	}
}

// without returns a copy that lacks [i, j). What was dropped behind them is taken for dropped behind the token before.
func without(t tokens, i, j int) tokens {
	out := slices.Concat(t[:i], t[j:])
	before, last := &out[i-1], t[j-1]
	before.to, before.end, before.drops, before.spaced = last.to, last.end, last.drops, last.spaced
	return out
}

// bracketed returns the first part in brackets, with them; all brackets are round ones by now.
func bracketed(t tokens) (i, j int, ok bool) {
	for i = 2; i < len(t); i++ { // a name that begins with a bracket is another matter
		if t.at(i) != '(' {
			continue
		}
		for j = i + 1; j < len(t); j++ {
			if t.at(j) == ')' {
				return i, j + 1, true
			}
		}
	}
	return 0, 0, false
}
