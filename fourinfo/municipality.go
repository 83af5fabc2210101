package fourinfo

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// municipality is one row of the table of municipalities; wards of designated cities (政令指定都市) have rows of their own.
type municipality struct {
	code   int32 // JIS X 0402 with the prefecture, 5 digits
	parent int32 // the code of the designated city for a ward, its own otherwise
	county string
	city   string
	ward   string
	former bool // a ward that no longer exists
}

// municipalityKey finds a row by what an address begins with after the prefecture.
type municipalityKey struct {
	key string
	row uint16
}

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

func (p place) row() municipality { return municipalityTable[p.rows[0]] }

func (p place) list() []uint16 { return p.rows[:p.found] }

// locate reads prefecture and municipality against the table: no pattern can tell where 四日市市, 市川市, 郡山市 or 余市郡余市町 end.
// It needs the match keys.
func locate(t tokens) place {
	p := place{prefectureEnd: 1, countyEnd: 1, end: 1}
	for i, name := range prefectures {
		if n := prefixLength(t[1:], name); n > 0 {
			p.prefecture, p.prefectureEnd = i+1, 1+n
			break
		}
	}
	p.countyEnd, p.end = p.prefectureEnd, p.prefectureEnd
	key, ends := beginning(t[p.prefectureEnd:])
	for n := len(ends); n >= 2; n-- {
		if p.search(key[:ends[n-1]]); p.found > 0 {
			p.end = p.prefectureEnd + n
			row := p.row()
			if county := utf8.RuneCountInString(row.county); n == county+utf8.RuneCountInString(row.city)+utf8.RuneCountInString(row.ward) {
				p.countyEnd += county
			}
			p.bare = p.prefecture == 0 && p.countyEnd == p.prefectureEnd && (strings.HasSuffix(row.city, "町") || strings.HasSuffix(row.city, "村"))
			break
		}
	}
	return p
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
	var buffer [longestMunicipalityKey * utf8.UTFMax]byte
	out := buffer[:0]
	ends = make([]int, 0, longestMunicipalityKey)
	for i := 0; i < len(t) && i < longestMunicipalityKey && !t[i].wild; i++ {
		out = utf8.AppendRune(out, t[i].key)
		ends = append(ends, len(out))
	}
	return string(out), ends
}

// search fills the rows that have the key and lie in the prefecture, if one is known.
func (p *place) search(key string) {
	i := sort.Search(len(municipalityKeys), func(i int) bool { return municipalityKeys[i].key >= key })
	for ; i < len(municipalityKeys) && municipalityKeys[i].key == key; i++ {
		row := municipalityKeys[i].row
		if p.prefecture != 0 && int(municipalityTable[row].code)/1000 != p.prefecture {
			continue
		}
		p.add(row)
		if p.prefecture == 0 && municipalityTable[row].isSpecialWard() {
			p.addWardsNamed(municipalityTable[row].city)
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
	for row := range municipalityTable {
		if m := &municipalityTable[row]; m.ward == name && !m.former {
			p.add(uint16(row))
		}
	}
}

// isSpecialWard reports one of the 23 special wards (特別区) of Tokyo.
func (m municipality) isSpecialWard() bool {
	return m.code >= 13101 && m.code <= 13123 && strings.HasSuffix(m.city, "区")
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
	return a.parent == b.parent && (a.ward == "" || b.ward == "" || a.former || b.former)
}
