package fourinfo

// compareAddresses compares two addresses.
func compareAddresses(a, b text) (Outcome, []Finding) {
	rawA, rawB := a.Reveal(), b.Reveal()
	sa, sb := a.Substitutes(), b.Substitutes()
	switch {
	case !substitutesUsable(sa, sb):
		return unusable(rawA, rawB)
	case rawA == rawB && !sa.flagged() && !sb.flagged():
		return Same, nil
	}
	m := matcher{a: foldAddress(rawA, sa), b: foldAddress(rawB, sb)}
	m.compareAddress()
	return m.result(rawA == rawB)
}

// foldAddressHead applies the steps up to the municipality, which it finds.
func foldAddressHead(t tokens) (tokens, place) {
	t = foldSpaces(foldWriting(t), true)
	t = foldPostcode(t)
	foldKe(t, StepKe)
	foldDoubts(t, true)
	return t, locate(t)
}

func foldAddress(raw string, s Substitutes) side {
	runes := []rune(raw)
	t, p := foldAddressHead(tokenise(runes, s.Positions))
	t = foldOaza(t, p.end)
	t = foldNumerals(t, p.end)
	t = foldUnits(t, p.end)
	return side{raw: runes, tokens: t, place: p}
}

func (m *matcher) compareAddress() {
	a, b := m.a.place, m.b.place
	postcodeA, postcodeB := m.a.postcode(), m.b.postcode()
	switch {
	case postcodeA != "" && postcodeB != "" && postcodeA != postcodeB:
		m.findings = append(m.findings, Finding{StepDifference, Different, Span{0, int(m.a.tokens[0].end)}, Span{0, int(m.b.tokens[0].end)}})
	case a.found == 0 || b.found == 0:
		m.unlisted()
	case !a.shares(b) && !a.sameCity(b):
		m.findings = append(m.findings, Finding{StepMunicipality, Different, m.a.span(1, a.end), m.b.span(1, b.end)})
	default:
		m.head()
		m.rest(a.end, b.end)
	}
}

// postcode returns the digits of the postcode that was dropped; "" if there was none.
func (s side) postcode() string {
	dropped := s.raw[:s.tokens[0].end]
	if len(dropped) < 7 {
		return ""
	}
	var digits []rune
	for _, x := range foldSymbols(foldWidth(tokenise(dropped, nil))) {
		if isDigit(x.plain) {
			digits = append(digits, x.plain)
		}
	}
	return string(digits)
}

// unlisted compares addresses of which the table does not know one: character by character, from the prefecture on if only
// one has it.
func (m *matcher) unlisted() {
	i, j := 1, 1
	a, b := m.a.place, m.b.place
	m.match(0, 0, 1)
	switch {
	case a.prefecture != 0 && b.prefecture == 0:
		i = a.prefectureEnd
		m.add(StepAmbiguousMunicipality, NeedsReview, m.a.span(1, i), m.b.span(1, 1))
	case b.prefecture != 0 && a.prefecture == 0:
		j = b.prefectureEnd
		m.add(StepAmbiguousMunicipality, NeedsReview, m.a.span(1, 1), m.b.span(1, j))
	}
	m.rest(i, j)
}

// head compares the parts up to the municipality, which is the same or may be: what one side leaves out, and how the two are
// written. The table says that they mean the same, so a variant there leaves no doubt.
func (m *matcher) head() {
	a, b := m.a.place, m.b.place
	m.match(0, 0, 1)
	certain := a.resolved() && b.resolved()
	omitted := SameAfterNormalisation
	prefecture, county := StepPrefecture, StepCounty
	if !certain {
		omitted, prefecture, county = NeedsReview, StepAmbiguousMunicipality, StepAmbiguousMunicipality
	}
	m.part(1, a.prefectureEnd, 1, b.prefectureEnd, prefecture, omitted)
	m.part(a.prefectureEnd, a.countyEnd, b.prefectureEnd, b.countyEnd, county, omitted)
	m.part(a.countyEnd, a.end, b.countyEnd, b.end, StepWard, NeedsReview)
	for i := range m.findings {
		if f := &m.findings[i]; certain && f.Step >= StepVariant && f.Step <= StepSmallKana {
			f.Outcome = SameAfterNormalisation
		}
	}
}

// part compares one part of the beginning. The step is the one to report if a side leaves it out or has less of it.
func (m *matcher) part(i, endA, j, endB int, s Step, o Outcome) {
	n := min(endA-i, endB-j)
	k := m.match(i, j, n)
	if i+k < endA || j+k < endB {
		m.add(s, o, m.a.span(i+k, endA), m.b.span(j+k, endB))
	}
}

// rest compares what stands behind the municipality.
func (m *matcher) rest(i, j int) {
	a, b := m.a.tokens, m.b.tokens
	n := min(len(a)-i, len(b)-j)
	k := m.match(i, j, n)
	switch {
	case k == n && len(a)-i == len(b)-j:
	case k == n && k > 0 && m.goesOn(i+k, j+k):
		m.add(StepRemainder, NeedsReview, m.a.span(i+k, len(a)), m.b.span(j+k, len(b)))
	case m.building(i, j, k):
	default:
		m.difference(i, j)
	}
}

// goesOn reports whether the one address that has tokens left goes on behind a number at which the other ends.
func (m *matcher) goesOn(i, j int) bool {
	longer, at := m.a.tokens, i
	if i == len(m.a.tokens) {
		longer, at = m.b.tokens, j
	}
	return isDigit(longer[at-1].plain) && !longer[at-1].wild && (!isDigit(longer[at].plain) || longer[at].wild)
}

// building reports a doubt if the house numbers agree and what follows does not, in another way than by numbers: names of
// buildings are spelled as everybody likes. k tokens from i and j on agree.
func (m *matcher) building(i, j, k int) bool {
	a, b := m.a.tokens, m.b.tokens
	for ; k > 1; k-- {
		if x := a[i+k-1]; !isDigit(x.plain) || x.wild || !isHouseNumber(a[i:i+k]) {
			continue
		}
		if i+k >= len(a) || j+k >= len(b) || !beginsBuilding(a, i+k) || !beginsBuilding(b, j+k) {
			return false
		}
		numbersA, numbersB := numbers(a[i+k:]), numbers(b[j+k:])
		if numbersA != numbersB && numbersA != "" && numbersB != "" {
			return false
		}
		m.add(StepBuilding, NeedsReview, a.span(i+k, len(a)), b.span(j+k, len(b)))
		return true
	}
	return false
}

// isHouseNumber reports whether the tokens end in a number of which one can say that it is the house's: it has several parts or
// is a 番地 or 号.
func isHouseNumber(t tokens) bool {
	if u := t[len(t)-1].unit; u == unitBanchi || u == unitGo {
		return true
	}
	for i := len(t) - 1; i >= 0 && (isDigit(t[i].plain) || t[i].plain == '-') && !t[i].wild; i-- {
		if t[i].plain == '-' {
			return true
		}
	}
	return false
}

// beginsBuilding reports whether the name of a building may begin at i, behind a number.
func beginsBuilding(t tokens, i int) bool {
	r := t.at(i)
	return r != 0 && !isDigit(r) && r != '-' && r != '条' && r != '線' && r != '丁' && r != '番' && r != '号' && r != '地'
}

// numbers returns the numbers in the tokens.
func numbers(t tokens) string {
	var out []rune
	for i, x := range t {
		if isDigit(x.plain) {
			if i > 0 && !isDigit(t[i-1].plain) && len(out) > 0 {
				out = append(out, ' ')
			}
			out = append(out, x.plain)
		}
	}
	return string(out)
}
