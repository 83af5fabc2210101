package fourinfo

import "crypto/subtle"

// individualNumberDigits is the length of an individual number: eleven digits and a check digit (番号法施行令8条).
const individualNumberDigits = 12

// IndividualNumber is an individual number (個人番号, マイナンバー), together with the purpose for which it was obtained. It
// cannot be printed, logged or marshalled, and it is no part of a [Person]: nothing in this module obtains one unless the
// application names a [Purpose]. The zero value holds no number.
type IndividualNumber struct {
	redacted
	value sealed[individualNumberValue] // empty when absent
}

type individualNumberValue struct {
	digits  [individualNumberDigits]byte
	purpose Purpose
}

// NewIndividualNumber reads an individual number: twelve digits, half or full width, without separators, of which the last
// is the right check digit. The purpose stays with the number: the law forbids to use it for another one.
//
// The error is an *[Error] with Reason [PurposeMissing], [Malformed] or [WrongCheckDigit] and never contains raw.
func NewIndividualNumber(raw string, purpose Purpose) (IndividualNumber, error) {
	if !purpose.Valid() {
		return IndividualNumber{}, &Error{Reason: PurposeMissing, Attribute: AttributeIndividualNumber}
	}
	v := individualNumberValue{purpose: purpose}
	if !readDigits(v.digits[:], raw) {
		return IndividualNumber{}, &Error{Reason: Malformed, Attribute: AttributeIndividualNumber}
	}
	if individualCheckDigit(v.digits[:]) != v.digits[individualNumberDigits-1] {
		return IndividualNumber{}, &Error{Reason: WrongCheckDigit, Attribute: AttributeIndividualNumber}
	}
	return IndividualNumber{value: seal(v)}, nil
}

// Reveal returns the twelve digits in half width, for the purpose for which the number was obtained and for no other. The
// error is an *[Error] with Reason [PurposeMissing] (no purpose named), [PurposeMismatch] or [Absent].
func (n IndividualNumber) Reveal(purpose Purpose) (string, error) {
	v, ok := n.value.open()
	switch {
	case !purpose.Valid():
		return "", &Error{Reason: PurposeMissing, Attribute: AttributeIndividualNumber}
	case !ok:
		return "", &Error{Reason: Absent, Attribute: AttributeIndividualNumber}
	case v.purpose != purpose:
		return "", &Error{Reason: PurposeMismatch, Attribute: AttributeIndividualNumber}
	}
	return string(v.digits[:]), nil
}

// Purpose returns the purpose for which the number was obtained; the zero Purpose when there is no number.
func (n IndividualNumber) Purpose() Purpose {
	v, _ := n.value.open()
	return v.purpose
}

// Present reports whether there is a number at all.
func (n IndividualNumber) Present() bool { return !n.value.empty() }

// Equal reports whether both hold the same number, whatever their purposes. It takes the same time wherever the digits
// differ. An absent number equals nothing.
func (n IndividualNumber) Equal(other IndividualNumber) bool {
	a, okA := n.value.open()
	b, okB := other.value.open()
	return subtle.ConstantTimeCompare(a.digits[:], b.digits[:]) == 1 && okA && okB
}

// GobEncode refuses: a number leaves only through [IndividualNumber.Reveal].
func (IndividualNumber) GobEncode() ([]byte, error) {
	return nil, &Error{Reason: PurposeMissing, Attribute: AttributeIndividualNumber}
}

// IndividualNumberCheckDigit returns the check digit '0' to '9' that belongs to the first eleven digits of an individual
// number. ok is false unless there are eleven, half or full width.
//
// 番号法施行令8条, 平成26年総務省令第85号5条: with Pn the n-th digit from the right, Qn = n+1 for n ≤ 6 and n-5 above,
// r = Σ Pn·Qn mod 11, the check digit is 0 for r ≤ 1 and 11-r otherwise.
func IndividualNumberCheckDigit(eleven string) (digit byte, ok bool) {
	var digits [individualNumberDigits]byte
	if !readDigits(digits[:individualNumberDigits-1], eleven) {
		return 0, false
	}
	return individualCheckDigit(digits[:]), true
}

// individualCheckDigit computes the check digit of the first eleven ASCII digits.
func individualCheckDigit(digits []byte) byte {
	sum := 0
	for n := 1; n < individualNumberDigits; n++ {
		q := n + 1
		if n > 6 {
			q = n - 5
		}
		sum += int(digits[individualNumberDigits-1-n]-'0') * q
	}
	if r := sum % 11; r > 1 {
		return '0' + byte(11-r)
	}
	return '0'
}

// readDigits fills digits from exactly as many half- or full-width digits and reports whether raw is nothing else.
func readDigits(digits []byte, raw string) bool {
	n := 0
	for _, c := range raw {
		if c >= '０' && c <= '９' {
			c = c - '０' + '0'
		}
		if c < '0' || c > '9' || n == len(digits) {
			return false
		}
		digits[n] = byte(c)
		n++
	}
	return n == len(digits)
}
