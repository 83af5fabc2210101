package fourinfo

import (
	"strings"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/internal/municipality"
)

// place is what the beginning of an address says. The ends are indexes of tokens.
type place struct {
	prefecture    int // its code, 0 when the address leaves it out
	prefectureEnd int
	countyEnd     int        // equal to prefectureEnd when the address has no county
	end           int        // where the rest begins; prefectureEnd when no municipality was found
	rows          [16]uint16 // 北区 alone may be that many
	found         int        // how many rows it may be
	bare          bool       // a town or village alone, which may be a neighbourhood (町) of any city
}

// resolved reports whether the address names one municipality.
func (p place) resolved() bool { return p.found == 1 && !p.bare }

func (p place) row() *municipality.Municipality { return municipality.At(p.rows[0]) }

func (p place) list() []uint16 { return p.rows[:p.found] }

// locate reads prefecture and municipality against the table: no pattern can tell where 四日市市, 市川市, 郡山市 or 余市郡余市町 end.
// It needs the match keys.
func locate(t tokens) place {
	p := place{prefectureEnd: 1, countyEnd: 1, end: 1}
	for number, name := range municipality.Prefectures() {
		if n := prefixLength(t[1:], name); n > 0 {
			p.prefecture, p.prefectureEnd = number, 1+n
			break
		}
	}
	p.countyEnd, p.end = p.prefectureEnd, p.prefectureEnd
	p.municipality(t)
	if p.found == 0 && p.prefecture == 0 {
		p.shortPrefecture(t)
	}
	return p
}

// municipality reads the municipality behind the prefecture, if there is one.
func (p *place) municipality(t tokens) {
	key, ends := beginning(t[p.prefectureEnd:])
	for n := len(ends); n >= 2; n-- {
		if p.search(key[:ends[n-1]]); p.found > 0 {
			p.end = p.prefectureEnd + n
			row := p.row()
			if county := utf8.RuneCountInString(
				row.County,
			); n == county+utf8.RuneCountInString(
				row.City,
			)+utf8.RuneCountInString(
				row.Ward,
			) {
				p.countyEnd += county
			}
			p.bare = p.prefecture == 0 && p.countyEnd == p.prefectureEnd &&
				(strings.HasSuffix(row.City, "町") || strings.HasSuffix(row.City, "村"))
			break
		}
	}
}

// shortPrefecture tries the prefecture without its last character, as in 大阪大阪市, before one of its municipalities.
func (p *place) shortPrefecture(t tokens) {
	for number, name := range municipality.Prefectures() {
		short := name[:len(name)-len("県")]
		n := prefixLength(t[1:], short)
		if n == 0 || number == hokkaido {
			continue
		}
		q := place{prefecture: number, prefectureEnd: 1 + n, countyEnd: 1 + n, end: 1 + n}
		if q.municipality(t); q.found > 0 {
			*p = q
			return
		}
	}
}

// prefixLength returns the length of a prefecture's name, which is its own match key, if the tokens begin with it.
func prefixLength(t tokens, name string) int {
	n := 0
	for _, r := range name {
		if n >= len(t) || t[n].wild || t[n].key != r {
			return 0
		}
		n++
	}
	return n
}

// beginning returns the key of as many tokens as a municipality may have, and where each ends in it.
func beginning(t tokens) (key string, ends []int) {
	var buffer [municipality.LongestKey * utf8.UTFMax]byte
	out := buffer[:0]
	ends = make([]int, 0, municipality.LongestKey)
	for i := 0; i < len(t) && i < municipality.LongestKey && !t[i].wild; i++ {
		out = utf8.AppendRune(out, t[i].key)
		ends = append(ends, len(out))
	}
	return string(out), ends
}

// search fills the rows that have the key and lie in the prefecture, if one is known.
func (p *place) search(key string) {
	for row := range municipality.Named(key) {
		m := municipality.At(row)
		if p.prefecture != 0 && m.Prefecture() != p.prefecture {
			continue
		}
		p.add(row)
		if p.prefecture == 0 && m.IsSpecialWard() {
			p.addWardsNamed(m.City)
		}
	}
}

func (p *place) add(row uint16) {
	if p.found < len(p.rows) {
		p.rows[p.found] = row
		p.found++
	}
}

// addWardsNamed makes 中央区 without prefecture as doubtful as it is: it may be a special ward of Tokyo or lie in a
// designated city that was left out too.
func (p *place) addWardsNamed(name string) {
	for row, m := range municipality.Rows() {
		if m.Ward == name && !m.Former {
			p.add(row)
		}
	}
}

// shares reports whether the two places may be one.
func (p place) shares(other place) bool {
	for _, a := range p.list() {
		for _, b := range other.list() {
			if a == b {
				return true
			}
		}
	}
	return false
}

// sameCity reports whether two places are a designated city and one of its wards, or a ward that no longer exists and
// another ward of its city.
func (p place) sameCity(other place) bool {
	if !p.resolved() || !other.resolved() {
		return false
	}
	a, b := p.row(), other.row()
	return a.Parent == b.Parent && (a.Ward == "" || b.Ward == "" || a.Former || b.Former)
}

// AddressParts are the parts of an address as far as the table of municipalities tells them; the rest is raw. It IS
// personal data, in the clear.
type AddressParts struct {
	// Prefecture is the official name, such as "東京都"; also when the address leaves it out and the municipality tells.
	Prefecture string
	// County is the county (郡), or the island that stands in its place; "" for cities and special wards.
	County string
	// City is the municipality: 市, 特別区, 町 or 村.
	City string
	// Ward is the ward of a designated city (政令指定都市の区); "" elsewhere or when left out.
	Ward string
	// Code is the municipality's code of six digits with its check digit (全国地方公共団体コード), the ward's where there is one.
	Code string
	// Rest is the raw address behind the municipality and the spaces that follow it.
	Rest string
}

// RevealParts splits the address against the table of all municipalities of Japan. ok is false when it begins with
// none, or with a name that several have and no prefecture decides, or with a town or village alone; nothing is guessed
// then. No geocoding is done: the rest is not looked at.
func (a Address) RevealParts() (parts AddressParts, ok bool) {
	raw := []rune(a.Reveal())
	t, p := foldAddressHead(tokenise(raw, a.Substitutes().Positions))
	if !p.resolved() {
		return AddressParts{}, false
	}
	row := p.row()
	return AddressParts{
		Prefecture: row.PrefectureName(), County: row.County, City: row.City, Ward: row.Ward,
		Code: row.CodeText(), Rest: string(raw[t[p.end-1].end:]),
	}, true
}

// InMunicipality answers whether the address lies in the municipality with the code (全国地方公共団体コード), five digits or six
// with the check digit: for services to residents. The code of a designated city includes its wards.
//
// The answer is Unknown when the address is absent, begins with no municipality, with a name that several have or with
// a town or village without prefecture and county (it may be a neighbourhood of any city), when it names a designated
// city without the ward that was asked for, when a substitute character stands in the name, and for a code that does
// not exist.
func (a Address) InMunicipality(code string) Answer {
	wanted, ok := municipality.ParseCode(code)
	if !ok {
		return Unknown
	}
	s := a.Substitutes()
	_, p := foldAddressHead(tokenise([]rune(a.Reveal()), s.Positions))
	if p.found == 0 || p.bare || s.Known && !s.LengthMatches {
		return Unknown
	}
	answer := Unknown
	for i, row := range p.list() {
		one := within(municipality.At(row), wanted)
		if i > 0 && one != answer {
			return Unknown
		}
		answer = one
	}
	return answer
}

// within answers whether all of m lies in the municipality with the code.
func within(m *municipality.Municipality, wanted int32) Answer {
	switch {
	case m.Code == wanted || m.Parent == wanted:
		return Yes
	case m.Ward == "" && municipality.ParentOf(wanted) == m.Code, m.Former && municipality.ParentOf(wanted) == m.Parent:
		return Unknown // in the city, and perhaps in the ward
	default:
		return No
	}
}
