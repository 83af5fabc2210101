package fourinfo

import (
	"slices"
)

// side is one of two values that are compared.
type side struct {
	raw []rune
	tokens
	place  place // of an address
	street int   // where the part of an address in Kyoto that names streets ends; place.end without one
}

// matcher collects the findings about two values. Expected is the left side.
type matcher struct {
	a, b     side
	findings []Finding
	lost     int // characters that agree only because one of them was lost
	skips    int // parts left out on one side so far
}

func (m *matcher) add(s Step, o Outcome, a, b Span) {
	for n := len(m.findings) - 1; n >= 0; n-- {
		// One step over neighbouring characters is one finding, also where several steps meet.
		if f := &m.findings[n]; f.Step == s {
			if f.Outcome == o && a.From <= f.Expected.To && b.From <= f.Actual.To {
				f.Expected.To = max(f.Expected.To, a.To)
				f.Actual.To = max(f.Actual.To, b.To)
				return
			}
			break
		}
	}
	m.findings = append(m.findings, Finding{Step: s, Outcome: o, Expected: a, Actual: b})
}

// addSteps adds one finding for each step of a mask; first is the step of its lowest possible bit.
func (m *matcher) addSteps(mask uint32, first Step, o Outcome, a, b Span) {
	for s := first; mask != 0 && s < first+31; s++ {
		if mask&bit(s) != 0 {
			m.add(s, o, a, b)
			mask &^= bit(s)
		}
	}
}

// match compares as many tokens from i and j on, the first n, and records what distinguishes them. It reports how many
// agree before the first that do not.
func (m *matcher) match(i, j, n int) int {
	for k := range n {
		if !m.pair(i+k, j+k) {
			return k
		}
	}
	return n
}

// pair compares one token with another.
func (m *matcher) pair(i, j int) bool {
	x, y := &m.a.tokens[i], &m.b.tokens[j]
	own := [2]Span{{int(x.from), int(x.to)}, {int(y.from), int(y.to)}}
	switch {
	case x.wild || y.wild:
		// Never exact, neither as agreement nor as difference: the issuer said that it does not know this character.
		m.add(StepSubstitute, NeedsReview, Span{own[0].From, int(x.end)}, Span{own[1].From, int(y.end)})
		return true
	case x.key != y.key && standsFor(x.plain, y.plain):
		m.lost++
		m.add(StepLost, NeedsReview, own[0], own[1])
	case x.key != y.key:
		return false
	case slices.Equal(m.a.raw[x.from:x.to], m.b.raw[y.from:y.to]):
	case x.plain == y.plain:
		m.addSteps(x.steps|y.steps, StepSelector, SameAfterNormalisation, own[0], own[1])
	default:
		m.addSteps(x.steps|y.steps, StepSelector, SameAfterNormalisation, own[0], own[1])
		m.addSteps(x.doubts|y.doubts, StepSubstitute, NeedsReview, own[0], own[1])
	}
	if !slices.Equal(m.a.raw[x.to:x.end], m.b.raw[y.to:y.end]) {
		// What both sides lack at this place, such as the same space behind a selector, is no difference.
		drops := x.drops ^ y.drops
		if drops == 0 {
			drops = x.drops | y.drops
		}
		m.addSteps(
			drops,
			StepSelector,
			SameAfterNormalisation,
			Span{int(x.to), int(x.end)},
			Span{int(y.to), int(y.end)},
		)
	}
	if x.guess != y.guess {
		m.add(max(x.guess, y.guess), NeedsReview, own[0], own[1])
	}
	if m.unitsConflict(i, j) {
		m.add(StepUnitConflict, NeedsReview, Span{own[0].From, int(x.end)}, Span{own[1].From, int(y.end)})
	}
	return true
}

// standsFor reports whether one of two characters may be what became of the other: a mark for what was lost, or a
// private character for one that everybody knows. Two private characters are two.
func standsFor(r, s rune) bool { return isLost(r) || isLost(s) || isPrivate(r) != isPrivate(s) }

// mostlyLost reports whether more than half of the characters agree only because they were lost: that is no agreement.
func (m *matcher) mostlyLost() bool {
	return 2*m.lost > min(len(m.a.tokens), len(m.b.tokens))-1
}

// unitsConflict reports whether the numbers before two tokens count different things. A number without a unit may count
// anything; but only as the fourth of an address, as in 1-2-3-101, it is a room without a doubt.
func (m *matcher) unitsConflict(i, j int) bool {
	switch x, y := m.a.tokens[i].unit, m.b.tokens[j].unit; {
	case x == y:
		return false
	case x == unitRoom && y == noUnit:
		return numbersBefore(m.b.tokens, j) < 4
	case x == noUnit && y == unitRoom:
		return numbersBefore(m.a.tokens, i) < 4
	default:
		return x != noUnit && y != noUnit
	}
}

// numbersBefore counts the numbers joined by dashes of which the last ends at i, or before it.
func numbersBefore(t tokens, i int) int {
	n := 1
	for k := i - 1; k > 0 && (isDigit(t.at(k)) || t.at(k) == '-'); k-- {
		if t.at(k) == '-' {
			n++
		}
	}
	return n
}

// difference records that nothing explains why the tokens from i and j on differ.
func (m *matcher) difference(i, j int) {
	a, b := m.differing(i, j)
	m.findings = append(m.findings[:0], Finding{StepDifference, Different, a, b})
}

// differing returns the places between the part that begins alike and the part that ends alike.
func (m *matcher) differing(i, j int) (Span, Span) {
	a, b := m.a.tokens, m.b.tokens
	alike := func(x, y token) bool { return x.wild || y.wild || x.key == y.key }
	for i < len(a) && j < len(b) && alike(a[i], b[j]) {
		i, j = i+1, j+1
	}
	enda, endb := len(a), len(b)
	for enda > i && endb > j && alike(a[enda-1], b[endb-1]) {
		enda, endb = enda-1, endb-1
	}
	return a.span(i, enda), b.span(j, endb)
}

// result is the gravest of the findings. Values without any are the same only if their raw forms are: decoding makes
// one of all bytes that are no text.
func (m *matcher) result(sameRaw bool) (Outcome, []Finding) {
	if len(m.findings) == 0 {
		if sameRaw {
			return Same, nil
		}
		whole := Finding{StepDifference, Different, Span{0, len(m.a.raw)}, Span{0, len(m.b.raw)}}
		return Different, []Finding{whole}
	}
	worst := SameAfterNormalisation
	for _, f := range m.findings {
		worst = max(worst, f.Outcome)
	}
	return worst, m.findings
}

// written is a value as it was received.
type written struct {
	raw         string
	substitutes Substitutes
}

func asWritten(t text) written { return written{t.Reveal(), t.Substitutes()} }

// usable reports whether the flags, where there are any, can be assigned to characters. If not, everything is in doubt.
func (w written) usable() bool { return !w.substitutes.Known || w.substitutes.LengthMatches }

// compareWritten decides what needs no keys: substitutes that cannot be placed, and the same letters without any.
func compareWritten(a, b written) (o Outcome, findings []Finding, decided bool) {
	switch {
	case !a.usable() || !b.usable():
		return NeedsReview, []Finding{
			{StepSubstitutesUnusable, NeedsReview, Span{0, len([]rune(a.raw))}, Span{0, len([]rune(b.raw))}},
		}, true
	case a.raw == b.raw && !a.substitutes.flagged() && !b.substitutes.flagged():
		return Same, nil, true
	}
	return OutcomeUnknown, nil, false
}
