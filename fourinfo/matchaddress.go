package fourinfo

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kakunin-go/kakunin/internal/kanji"
)

// compareAddresses compares two addresses.
func compareAddresses(a, b text) (Outcome, []Finding) {
	x, y := asWritten(a), asWritten(b)
	if outcome, findings, decided := compareWritten(x, y); decided {
		return outcome, findings
	}
	m := matcher{a: foldAddress(x.raw, x.substitutes), b: foldAddress(y.raw, y.substitutes)}
	m.compareAddress()
	return m.result(x.raw == y.raw)
}

// foldAddressHead applies the steps up to the municipality, which it finds.
func foldAddressHead(t tokens) (tokens, place) {
	t = foldSeparators(foldSpaces(foldWriting(t), true))
	t = foldPostcode(t)
	foldKe(t, StepKe)
	foldDoubts(t, true)
	return t, locate(t)
}

func foldAddress(raw string, s Substitutes) side {
	runes := []rune(raw)
	t, p := foldAddressHead(tokenise(runes, s.Positions))
	t = foldOaza(t, p.end)
	t = foldOrdinals(t, p.end)
	t = foldNumerals(t, p.end)
	if p.prefecture == hokkaido || p.found > 0 && p.row().Prefecture() == hokkaido {
		t = foldLines(t, p.end)
	}
	t = foldUnits(t, p.end)
	street := streetEnd(t, p)
	t = foldBuildingBrackets(t, street)
	return side{raw: runes, tokens: t, place: p, street: street}
}

// The prefecture and the city that have ways of their own to write addresses.
const (
	hokkaido = 1
	kyoto    = 26100
)

// streetEnd returns where the part that names streets ends in an address in Kyoto: behind the last 上る, 下る, 東入 or their
// like and the 丁目 that may follow.
func streetEnd(t tokens, p place) int {
	if p.found == 0 || p.row().Parent != kyoto {
		return p.end
	}
	end := p.end
	for i := p.end + 1; i < len(t) && t.at(i) != '('; i++ {
		width := 0
		switch r, next := t.at(i), t.at(i+1); {
		case (r == '上' || r == '下') && isRu(next):
			width = 2
		case (r == '上' || r == '下') && (next == 'が' || next == 'ガ' || next == 'ヶ') && isRu(t.at(i+2)):
			width = 3
		case isDirection(r) && (next == 'へ' || next == 'ヘ' || next == 'に') && t.at(i+2) == '入':
			width = 3
		case isDirection(r) && next == '入':
			width = 2
		case isDirection(r) && isDirection(next) && t.at(i+2) == '角':
			width = 3
		}
		if width == 0 {
			continue
		}
		if t.at(i+width-1) == '入' && isRu(t.at(i+width)) {
			width++
		}
		if isDirection(t.at(i+width)) && t.at(i+width+1) == '側' { // 上る西側
			width += 2
		}
		end = i + width
	}
	if end == p.end {
		return end
	}
	i := end
	for isDigit(t.at(i)) {
		i++
	}
	if i > end && t[i-1].unit == unitChome && kanji.IsIdeograph(t.at(i)) {
		return i
	}
	return end
}

func isRu(r rune) bool { return r == 'る' || r == 'ル' }

func (m *matcher) compareAddress() {
	a, b := m.a.place, m.b.place
	postcodeA, postcodeB := m.a.postcode(), m.b.postcode()
	switch {
	case postcodeA != "" && postcodeB != "" && postcodeA != postcodeB:
		m.findings = append(
			m.findings,
			Finding{StepDifference, Different, Span{0, int(m.a.tokens[0].end)}, Span{0, int(m.b.tokens[0].end)}},
		)
	case a.found == 0 || b.found == 0:
		m.unlisted()
	case !a.shares(b) && !a.sameCity(b):
		m.findings = append(m.findings, Finding{StepMunicipality, Different, m.a.span(1, a.end), m.b.span(1, b.end)})
	default:
		m.head()
		m.rest(m.streets())
	}
	if m.mostlyLost() {
		m.findings = []Finding{{StepDifference, Different, Span{0, len(m.a.raw)}, Span{0, len(m.b.raw)}}}
	}
}

// streets compares the parts that name streets and returns where the rests begin. The town and the number behind them
// decide; a town of the same name elsewhere in the ward is why a doubt remains.
func (m *matcher) streets() (i, j int) {
	a, b := m.a.place.end, m.b.place.end
	i, j = m.a.street, m.b.street
	if i == a && j == b {
		return i, j
	}
	before := slices.Clone(m.findings)
	if n := i - a; n == j-b && m.match(a, b, n) == n {
		return i, j
	}
	m.findings = before
	m.add(StepStreet, NeedsReview, m.a.span(a, i), m.b.span(b, j))
	return i, j
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

// unlisted compares addresses of which the table does not know one: character by character, from the prefecture on if
// only one has it.
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

// head compares the parts up to the municipality, which is the same or may be: what one side leaves out, and how the
// two are written. The table says that they mean the same, so a variant there leaves no doubt.
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
	if !m.explained(i, j) {
		m.difference(i, j)
	}
}

// explained compares the tokens from i and j on to the end and reports whether steps explain every difference.
func (m *matcher) explained(i, j int) bool {
	a, b := m.a.tokens, m.b.tokens
	n := min(len(a)-i, len(b)-j)
	k := m.match(i, j, n)
	switch {
	case k == n && len(a)-i == len(b)-j:
		return true
	case k == n && k > 0 && m.goesOn(i+k, j+k):
		m.add(StepRemainder, NeedsReview, m.a.span(i+k, len(a)), m.b.span(j+k, len(b)))
		return true
	default:
		return m.building(i, j, k) || m.leftOut(i+k, j+k)
	}
}

// mostSkips is how many parts one address may leave out, so that none takes long to compare.
const mostSkips = 3

// leftOut tries the address that goes on at i or j without a part that people leave out.
func (m *matcher) leftOut(i, j int) bool {
	if m.skips >= mostSkips {
		return false
	}
	endA, stepA := skippable(m.a.tokens, i, m.b.tokens, j)
	endB, stepB := skippable(m.b.tokens, j, m.a.tokens, i)
	withoutA, okA := m.skip(i, endA, j, j, stepA)
	withoutB, okB := m.skip(i, i, j, endB, stepB)
	switch {
	case okA && okB: // either way: the doubt is about both
		m.add(stepA, NeedsReview, m.a.span(i, len(m.a.tokens)), m.b.span(j, len(m.b.tokens)))
		m.add(stepB, NeedsReview, m.a.span(i, len(m.a.tokens)), m.b.span(j, len(m.b.tokens)))
		slices.SortStableFunc(m.findings, func(x, y Finding) int {
			return cmp.Or(
				cmp.Compare(x.Expected.From+x.Actual.From, y.Expected.From+y.Actual.From),
				cmp.Compare(x.Step, y.Step),
			)
		})
	case okA:
		*m = withoutA
	case okB:
		*m = withoutB
	}
	return okA || okB
}

// skip compares what follows [i, endA) and [j, endB), of which one is empty.
func (m *matcher) skip(i, endA, j, endB int, s Step) (matcher, bool) {
	if i == endA && j == endB {
		return matcher{}, false
	}
	short := *m
	short.findings = slices.Clone(m.findings)
	short.skips++
	short.add(s, NeedsReview, m.a.span(i, endA), m.b.span(j, endB))
	return short, short.explained(endA, endB)
}

// skippable returns the end of the part that begins at i and that another address, which goes on at j, may leave out: a
// locality that 大字 or 字 announces, something in brackets, the り of 通り. Without one it is i.
func skippable(t tokens, i int, other tokens, j int) (end int, s Step) {
	switch r := t.at(i); {
	case r == '(':
		for k := i + 1; k < len(t); k++ {
			if t.at(k) == ')' {
				return k + 1, StepBracket
			}
		}
	case (r == 'り' || r == 'リ') && t.at(i-1) == '通':
		return i + 1, StepParticle
	case t[i-1].drops&bit(StepOaza) != 0 && r != 0 && !isDigit(r):
		for k := i + 1; k < len(t); k++ {
			if isDigit(t.at(k)) && isDigit(other.at(j)) || t[k-1].drops&bit(StepOaza) != 0 {
				return k, StepLocality
			}
			if isDigit(t.at(k)) {
				break
			}
		}
	}
	return i, StepLocality
}

// goesOn reports whether the one address that has tokens left goes on behind a number at which the other ends.
func (m *matcher) goesOn(i, j int) bool {
	longer, at := m.a.tokens, i
	if i == len(m.a.tokens) {
		longer, at = m.b.tokens, j
	}
	return isDigit(longer[at-1].plain) && !longer[at-1].wild && (!isDigit(longer[at].plain) || longer[at].wild)
}

// building reports a doubt if the house numbers agree and what follows does not, in another way than by numbers: names
// of buildings are spelled as everybody likes, or left out before the number of the room. k tokens from i and j on
// agree.
func (m *matcher) building(i, j, k int) bool {
	a, b := m.a.tokens, m.b.tokens
	for ; k > 1; k-- {
		if x := a[i+k-1]; !isDigit(x.plain) || x.wild || !isHouseNumber(a[i:i+k]) && !isHouseNumber(b[j:j+k]) {
			continue
		}
		p, q := i+k, j+k
		if p >= len(a) || q >= len(b) || isBranch(a, p) != isBranch(b, q) || isBranch(a, p) && a[p].key != b[q].key {
			return false
		}
		numbersA, numbersB := numbers(a[p:]), numbers(b[q:])
		switch begins := beginsBuilding(a, p); {
		case begins && beginsBuilding(b, q):
			// 5階501 and 501: the last number is the room's.
			if numbersA != "" && numbersB != "" && !strings.HasSuffix(" "+numbersA, " "+numbersB) &&
				!strings.HasSuffix(" "+numbersB, " "+numbersA) {
				return false
			}
		case begins && isRoom(b, q): // with the floor or the block perhaps, and the room in any case
			if !strings.HasSuffix(" "+numbersA, " "+numbersB) {
				return false
			}
		case isRoom(a, p) && beginsBuilding(b, q):
			if !strings.HasSuffix(" "+numbersB, " "+numbersA) {
				return false
			}
		default:
			return false
		}
		m.add(StepBuilding, NeedsReview, a.span(p, len(a)), b.span(q, len(b)))
		return true
	}
	return false
}

// isRoom reports whether nothing but numbers follows a house number: 1-2-3-101.
func isRoom(t tokens, i int) bool {
	if t.at(i) != '-' {
		return false
	}
	for k := i + 1; k < len(t); k++ {
		if r := t.at(k); !isDigit(r) && r != '-' {
			return false
		}
	}
	return true
}

// isHouseNumber reports whether the tokens end in a number of which one can say that it is the house's: it has several
// parts or is a 番地 or 号.
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
