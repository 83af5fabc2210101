package fourinfo

import (
	"fmt"
	"sort"
)

// AddressParts are the parts of an address as far as the table of municipalities tells them; the rest is raw. It IS personal
// data, in the clear.
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

// RevealParts splits the address against the table of all municipalities of Japan. ok is false when it begins with none, or
// with a name that several have and no prefecture decides, or with a town or village alone; nothing is guessed then. No geocoding is done: the rest is not
// looked at.
func (a Address) RevealParts() (parts AddressParts, ok bool) {
	raw := []rune(a.Reveal())
	t, p := foldAddressHead(tokenise(raw, a.Substitutes().Positions))
	if !p.resolved() {
		return AddressParts{}, false
	}
	row := p.row()
	return AddressParts{
		Prefecture: prefectures[row.code/1000-1], County: row.county, City: row.city, Ward: row.ward,
		Code: municipalityCode(int(row.code)), Rest: string(raw[t[p.end-1].end:]),
	}, true
}

// InMunicipality answers whether the address lies in the municipality with the code (全国地方公共団体コード), five digits or six
// with the check digit: for services to residents. The code of a designated city includes its wards.
//
// The answer is Unknown when the address is absent, begins with no municipality, with a name that several have or with a town or
// village without prefecture and county (it may be a neighbourhood of any city), when it names a designated city without the
// ward that was asked for, when a substitute character stands in the name, and for a code that does not exist.
func (a Address) InMunicipality(code string) Answer {
	wanted, ok := readMunicipalityCode(code)
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
		one := municipalityTable[row].within(wanted)
		if i > 0 && one != answer {
			return Unknown
		}
		answer = one
	}
	return answer
}

// within answers whether all of m lies in the municipality with the code.
func (m municipality) within(wanted int32) Answer {
	switch {
	case m.code == wanted || m.parent == wanted:
		return Yes
	case m.ward == "" && parentOf(wanted) == m.code, m.former && parentOf(wanted) == m.parent:
		return Unknown // in the city, and perhaps in the ward
	default:
		return No
	}
}

// parentOf returns the designated city of a ward, the municipality itself for any other, and 0 for a code of none.
func parentOf(code int32) int32 {
	i := sort.Search(len(municipalityTable), func(i int) bool { return municipalityTable[i].code >= code })
	if i == len(municipalityTable) || municipalityTable[i].code != code {
		return 0
	}
	return municipalityTable[i].parent
}

// municipalityCode adds the check digit (総務省「全国地方公共団体コード」): 11 - (Σ weights 6 to 2) mod 11, of which the last digit
// counts.
func municipalityCode(code int) string {
	sum, c := 0, code
	for weight := 2; weight <= 6; weight++ {
		sum += c % 10 * weight
		c /= 10
	}
	return fmt.Sprintf("%05d%d", code, (11-sum%11)%10)
}

// readMunicipalityCode accepts a code of the table.
func readMunicipalityCode(code string) (int32, bool) {
	if len(code) != 5 && len(code) != 6 || !allDigits(code) {
		return 0, false
	}
	n := number(code[:5])
	if len(code) == 6 && municipalityCode(n) != code {
		return 0, false
	}
	return int32(n), parentOf(int32(n)) != 0
}
