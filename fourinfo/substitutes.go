package fourinfo

import "unicode/utf8"

// Substitutes are the positions of a name or address at which the issuer of a signing certificate put a substitute
// character (代替文字), because the certificate's repertoire (JIS X 0208 and JIS X 0212) lacks the real one: 髙 may
// appear as 高, flagged. What stands at a flagged position is therefore neither equal nor unequal to a record of the
// person; see [Person.Compare].
type Substitutes struct {
	// Known reports whether the source carries flags at all. The service and the card do not.
	Known bool
	// LengthMatches reports whether there is exactly one flag "0" or "1" per Unicode code point, the U+3000 between
	// family and given name included. If not, no flag can be assigned to a character, and Positions is empty.
	LengthMatches bool
	// Positions are the flagged characters, as 0-based indexes of Unicode code points in ascending order.
	Positions []int
}

// flagged reports whether the source marks, or may mark, a character as replaced: unusable flags mark any.
func (s Substitutes) flagged() bool { return s.Known && (!s.LengthMatches || len(s.Positions) > 0) }

// readSubstitutes reads flags against their text. Positions are code points, as the profile counts: 𠮷 (U+20BB7) is one,
// although it has four bytes and two UTF-16 units.
func readSubstitutes(raw, flags string) Substitutes {
	s := Substitutes{Known: true}
	if wellFormedFlags(flags) && utf8.RuneCountInString(raw) == len(flags) {
		s.LengthMatches = true
		for i := range len(flags) {
			if flags[i] == '1' {
				s.Positions = append(s.Positions, i)
			}
		}
	}
	return s
}

// wellFormedFlags reports whether flags consists of "0" and "1" only.
func wellFormedFlags(flags string) bool {
	for i := range len(flags) {
		if flags[i] != '0' && flags[i] != '1' {
			return false
		}
	}
	return true
}
