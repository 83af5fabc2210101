package mynumber

import (
	"crypto/subtle"

	"github.com/kakunin-go/kakunin/internal/redact"
)

// numberDigits is the length of an individual number: eleven digits and a check digit (番号法施行令8条).
const numberDigits = 12

// Number is an individual number (個人番号, マイナンバー), together with the purpose for which it was obtained. It cannot be
// printed, logged or marshalled, and it is no part of a fourinfo.Person: nothing in this module obtains one unless the
// application names a [Purpose]. The zero value holds no number.
type Number struct {
	redacted
	value redact.Value[value] // empty when absent
}

// redacted is an alias so that the documentation of the type shows its own methods alone.
type redacted = redact.Mark

type value struct {
	digits  [numberDigits]byte
	purpose Purpose
}

// New reads an individual number: twelve digits, half or full width, without separators, of which the last
// is the right check digit. The purpose stays with the number: the law forbids to use it for another one.
//
// The error is an *[Error] with Reason [ReasonPurposeMissing], [ReasonMalformed] or [ReasonCheckDigit] and never
// contains raw.
func New(raw string, purpose Purpose) (Number, error) {
	if !purpose.Valid() {
		return Number{}, &Error{Reason: ReasonPurposeMissing, Step: stepIndividual}
	}
	v := value{purpose: purpose}
	if !readDigits(v.digits[:], raw) {
		return Number{}, &Error{Reason: ReasonMalformed, Step: stepIndividual}
	}
	if checkDigit(v.digits[:]) != v.digits[numberDigits-1] {
		return Number{}, &Error{Reason: ReasonCheckDigit, Step: stepIndividual}
	}
	return Number{value: redact.Seal(v)}, nil
}

// Reveal returns the twelve digits in half width, for the purpose for which the number was obtained and for no other.
// The error is an *[Error] with Reason [ReasonPurposeMissing] (no purpose named), [ReasonPurposeMismatch] or
// [ReasonAbsent].
func (n Number) Reveal(purpose Purpose) (string, error) {
	v, ok := n.value.Open()
	switch {
	case !purpose.Valid():
		return "", &Error{Reason: ReasonPurposeMissing, Step: stepIndividual}
	case !ok:
		return "", &Error{Reason: ReasonAbsent, Step: stepIndividual}
	case v.purpose != purpose:
		return "", &Error{Reason: ReasonPurposeMismatch, Step: stepIndividual}
	}
	return string(v.digits[:]), nil
}

// Purpose returns the purpose for which the number was obtained; the zero Purpose when there is no number.
func (n Number) Purpose() Purpose {
	v, _ := n.value.Open()
	return v.purpose
}

// Present reports whether there is a number at all.
func (n Number) Present() bool { return !n.value.Empty() }

// Equal reports whether both hold the same number, whatever their purposes. It takes the same time wherever the digits
// differ. An absent number equals nothing.
func (n Number) Equal(other Number) bool {
	a, okA := n.value.Open()
	b, okB := other.value.Open()
	return subtle.ConstantTimeCompare(a.digits[:], b.digits[:]) == 1 && okA && okB
}

// GobEncode refuses: a number leaves only through [Number.Reveal].
func (Number) GobEncode() ([]byte, error) {
	return nil, &Error{Reason: ReasonPurposeMissing, Step: stepIndividual}
}

// CheckDigit returns the check digit '0' to '9' that belongs to the first eleven digits of an individual
// number. ok is false unless there are eleven, half or full width.
//
// 番号法施行令8条, 平成26年総務省令第85号5条: with Pn the n-th digit from the right, Qn = n+1 for n ≤ 6 and n-5 above,
// r = Σ Pn·Qn mod 11, the check digit is 0 for r ≤ 1 and 11-r otherwise.
func CheckDigit(eleven string) (digit byte, ok bool) {
	var digits [numberDigits]byte
	if !readDigits(digits[:numberDigits-1], eleven) {
		return 0, false
	}
	return checkDigit(digits[:]), true
}

// checkDigit computes the check digit of the first eleven ASCII digits.
func checkDigit(digits []byte) byte {
	sum := 0
	for n := 1; n < numberDigits; n++ {
		q := n + 1
		if n > 6 {
			q = n - 5
		}
		sum += int(digits[numberDigits-1-n]-'0') * q
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

// Purpose is the lawful ground on which an individual number (個人番号) may be handled. The law knows three; whatever is
// none of them, identity verification (本人確認) among the rest, is no reason to obtain, keep or show one. The zero value
// names no purpose and is refused everywhere.
type Purpose int

// The lawful purposes of the Number Use Act (行政手続における特定の個人を識別するための番号の利用等に関する法律).
const (
	// PurposeAdministration is 個人番号利用事務 (番号法2条12項, 9条1項): the work of a public body that the act lists, such
	// as taxation, health insurance and pensions.
	PurposeAdministration Purpose = iota + 1
	// PurposeReporting is 個人番号関係事務 (番号法2条13項, 9条4項): the work of whoever must by law file documents that bear
	// the numbers of others, such as withholding statements (源泉徴収票) and payment records (支払調書).
	PurposeReporting
	// PurposeOrdinance is 条例による独自利用事務 (番号法9条2項): welfare, tax or disaster work of a local government under
	// its own ordinance.
	PurposeOrdinance
)

// Valid reports whether p is one of the three purposes.
func (p Purpose) Valid() bool { return p >= PurposeAdministration && p <= PurposeOrdinance }

var purposeNames = [...]string{
	0: "none", PurposeAdministration: "administration", PurposeReporting: "reporting", PurposeOrdinance: "ordinance",
}

// String returns "administration", "reporting", "ordinance" or "none", for logs and records of access.
func (p Purpose) String() string {
	if !p.Valid() {
		return purposeNames[0]
	}
	return purposeNames[p]
}
