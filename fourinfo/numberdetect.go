package fourinfo

import "unicode"

// MayHoldIndividualNumber reports whether a text has twelve or more digits in a row, which is the caution that fields for
// free text deserve: a label, a note or a legal basis has no need of them, and nobody should keep an individual number
// (個人番号) there for years. Digits of every script count, and white space, punctuation, mathematical signs and combining
// marks between digits do not end a row. The check digit is not asked: a mistyped number still points at somebody.
//
// See [LooksLikeIndividualNumber] for texts in which long numbers are common.
func MayHoldIndividualNumber(text string) bool {
	digits := 0
	for _, c := range text {
		switch {
		case c < 0x80: // the common case, without tables
			switch {
			case c >= '0' && c <= '9':
				if digits++; digits >= individualNumberDigits {
					return true
				}
			case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c < ' ' && !unicode.IsSpace(c):
				digits = 0
			}
		case unicode.IsDigit(c):
			if digits++; digits >= individualNumberDigits {
				return true
			}
		case isDash(c), unicode.IsSpace(c), unicode.IsPunct(c), unicode.In(c, unicode.Sm, unicode.Mn, unicode.Cf):
			// still the same number: 1234–5678–9012, １２３４　５６７８　９０１２
		default:
			digits = 0
		}
	}
	return false
}

// LooksLikeIndividualNumber reports whether a text holds twelve digits, half or full width, that have the check digit of
// an individual number (個人番号) and stand alone or in groups joined by single spaces or dashes ("1234-5678-9018"). A
// longer row of digits without separators is no individual number. One in ten random numbers of twelve digits has the
// right check digit, so a hit is a reason to mask a text and not a proof.
func LooksLikeIndividualNumber(text string) bool {
	var d numberDetector
	for _, c := range text {
		if d.next(c) {
			return true
		}
	}
	return d.end()
}

// numberDetector looks at a text one code point at a time. It remembers the last digits and where groups of digits began
// among them, because a number may follow another one: "090-1234 1234-5678-9018".
type numberDetector struct {
	digits [individualNumberDigits]byte // the last ones, as a ring
	starts [individualNumberDigits]bool // whether a group begins with the digit
	count  int                          // digits since the last break
	group  bool                         // the previous code point was a digit
}

// next takes one code point and reports whether a number ended before it.
func (d *numberDetector) next(c rune) bool {
	if c >= '０' && c <= '９' {
		c = c - '０' + '0'
	}
	if c >= '0' && c <= '9' {
		at := d.count % individualNumberDigits
		d.digits[at], d.starts[at] = byte(c), !d.group
		d.count++
		d.group = true
		return false
	}
	found := d.end()
	if d.group && isNumberSeparator(c) {
		d.group = false
	} else {
		d.count, d.group = 0, false
	}
	return found
}

// end reports whether the twelve digits before this point, which must end a group, are a number.
func (d *numberDetector) end() bool {
	at := d.count % individualNumberDigits // the oldest digit
	if !d.group || d.count < individualNumberDigits || !d.starts[at] {
		return false
	}
	var number [individualNumberDigits]byte
	n := copy(number[:], d.digits[at:])
	copy(number[n:], d.digits[:at])
	return individualCheckDigit(number[:]) == number[individualNumberDigits-1]
}

// isNumberSeparator reports whether people put c between the groups of an individual number.
func isNumberSeparator(c rune) bool {
	return c == ' ' || c == '\u3000' || c == '\u00a0' || isDash(c)
}

// isDash reports whether c is written as a dash or hyphen between digits. NFKC does not unify them; the legacy encodings
// disagree about which of them a byte stands for (JIS X 0208 tables: U+2212 and U+301C, CP932: U+FF0D and U+FF5E).
func isDash(c rune) bool {
	switch c {
	case '-', '\u00ad', '\u02d7', '\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u2015', '\u2043', '\u2212', '\u2500', '\u2501',
		'\u30fc', '\ufe58', '\ufe63', '\uff0d', '\uff70':
		return true
	default:
		return false
	}
}
