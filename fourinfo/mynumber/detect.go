package mynumber

import "unicode"

// MayHold reports whether a text has twelve or more digits in a row, which is the caution that fields for free text
// deserve: a label, a note or a legal basis has no need of them, and nobody should keep an individual number (個人番号)
// there for years. Digits of every script count, ideographs among them, and white space, punctuation, mathematical
// signs, combining marks and invisible characters between digits do not end a row. The check digit is not asked: a
// mistyped number still points at somebody.
//
// See [LooksLike] for texts in which long numbers are common.
func MayHold(text string) bool {
	digits := 0
	for _, c := range text {
		switch {
		case digitValue(c) >= 0:
			if digits++; digits >= numberDigits {
				return true
			}
		case c < 0x80: // the common case, without tables
			if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c < ' ' && !unicode.IsSpace(c) {
				digits = 0
			}
		case isSeparator(c),
			isInvisible(c),
			unicode.IsSpace(c),
			unicode.IsPunct(c),
			unicode.In(c, unicode.Sm, unicode.Mn):
			// still the same number: 1234–5678–9012, １２３４　５６７８　９０１２
		default:
			digits = 0
		}
	}
	return false
}

// LooksLike reports whether a text holds twelve digits, of any script, that have the check digit of an individual
// number (個人番号) and stand alone or in groups joined by single separators: a space, a dash, "_", "." or "/"
// ("1234-5678-9018"). Invisible characters are as if they were not there. A longer row of digits without separators is
// no individual number. One in ten random numbers of twelve digits has the right check digit, so a hit is a reason to
// mask a text and not a proof.
func LooksLike(text string) bool {
	var d detector
	for _, c := range text {
		if d.next(c) {
			return true
		}
	}
	return d.end()
}

// detector looks at a text one code point at a time. It remembers the last digits and where groups of digits began
// among them, because a number may follow another one: "090-1234 1234-5678-9018".
type detector struct {
	digits    [numberDigits]byte // the last ones, as a ring
	starts    [numberDigits]bool // whether a group begins with the digit
	count     int                // digits since the last break
	group     bool               // the previous code point was a digit
	separated bool               // a visible separator followed the last digit
}

// next takes one code point and reports whether a number ended before it.
func (d *detector) next(c rune) bool {
	if v := digitValue(c); v >= 0 {
		at := d.count % numberDigits
		d.digits[at], d.starts[at] = '0'+byte(v), !d.group
		d.count++
		d.group, d.separated = true, false
		return false
	}
	found := d.end()
	switch {
	case isInvisible(c):
		d.group = false
	case d.count > 0 && !d.separated && isSeparator(c):
		d.group, d.separated = false, true
	default:
		d.count, d.group, d.separated = 0, false, false
	}
	return found
}

// end reports whether the twelve digits before this point, which must end a group, are a number.
func (d *detector) end() bool {
	at := d.count % numberDigits // the oldest digit
	if !d.group || d.count < numberDigits || !d.starts[at] {
		return false
	}
	var number [numberDigits]byte
	n := copy(number[:], d.digits[at:])
	copy(number[n:], d.digits[:at])
	return checkDigit(number[:]) == number[numberDigits-1]
}

// ideographs are the digits that Japanese writes with ideographs, plain and as in deeds (大字), and a circle for zero.
var ideographs = map[rune]int{
	'〇': 0, '○': 0, '◯': 0, '零': 0, '一': 1, '壱': 1, '壹': 1, '二': 2, '弐': 2, '貳': 2, '三': 3, '参': 3, '參': 3, '四': 4,
	'五': 5, '伍': 5, '六': 6, '七': 7, '八': 8, '九': 9,
}

// digitValue is the value of a digit of any script, or -1.
func digitValue(c rune) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c < 0x660:
		return -1
	case c >= '０' && c <= '９':
		return int(c - '０')
	case !unicode.IsDigit(c):
		if v, ok := ideographs[c]; ok {
			return v
		}
		return -1
	}
	// Every range of decimal digits consists of rows from zero to nine (Unicode Standard, 4.6).
	for _, r := range unicode.Nd.R16 {
		if c >= rune(r.Lo) && c <= rune(r.Hi) {
			return int(c-rune(r.Lo)) % 10
		}
	}
	for _, r := range unicode.Nd.R32 {
		if c >= rune(r.Lo) && c <= rune(r.Hi) {
			return int(c-rune(r.Lo)) % 10
		}
	}
	return -1
}

// isSeparator reports whether people put c between the groups of an individual number.
func isSeparator(c rune) bool {
	switch c {
	case ' ',
		'-',
		'_',
		'.',
		'/',
		'\u00b7',
		'\u02d7',
		'\u2043',
		'\u2212',
		'\u2500',
		'\u2501',
		'\u30fb',
		'\u30fc',
		'\uff0e',
		'\uff0f',
		'\uff3f',
		'\uff70':
		return true
	default:
		return c >= 0x80 && unicode.In(c, unicode.Pd, unicode.Zs)
	}
}

// isInvisible reports whether c shows nothing: format characters, selectors and fillers (Default_Ignorable_Code_Point).
func isInvisible(c rune) bool {
	return c >= 0x80 &&
		unicode.In(c, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
