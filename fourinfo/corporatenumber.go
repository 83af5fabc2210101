package fourinfo

// corporateNumberDigits is the length of a corporate number: a check digit and twelve digits (番号法施行令35条).
const corporateNumberDigits = 13

// CorporateNumber is a corporate number (法人番号) of thirteen half-width digits. It is public and anybody may use it
// (番号法39条4項), so unlike an [IndividualNumber] it prints.
type CorporateNumber string

// ParseCorporateNumber reads a corporate number: thirteen digits, half or full width, without separators, of which the
// first is the right check digit. The error is an *[Error] with Reason [Malformed] or [WrongCheckDigit].
func ParseCorporateNumber(raw string) (CorporateNumber, error) {
	var digits [corporateNumberDigits]byte
	if !readDigits(digits[:], raw) {
		return "", &Error{Reason: Malformed, Attribute: AttributeCorporateNumber}
	}
	if corporateCheckDigit(digits[1:]) != digits[0] {
		return "", &Error{Reason: WrongCheckDigit, Attribute: AttributeCorporateNumber}
	}
	return CorporateNumber(digits[:]), nil
}

// CorporateNumberCheckDigit returns the check digit '1' to '9' that stands before the twelve digits of a corporate number.
// ok is false unless there are twelve, half or full width.
//
// 法人番号の指定等に関する省令 (平成26年財務省令第70号) 2条: with Pn the n-th digit from the right, Qn = 1 for odd n and 2
// for even n, the check digit is 9 - (Σ Pn·Qn mod 9).
func CorporateNumberCheckDigit(twelve string) (digit byte, ok bool) {
	var digits [corporateNumberDigits - 1]byte
	if !readDigits(digits[:], twelve) {
		return 0, false
	}
	return corporateCheckDigit(digits[:]), true
}

func corporateCheckDigit(digits []byte) byte {
	sum := 0
	for n := 1; n <= len(digits); n++ {
		sum += int(digits[len(digits)-n]-'0') * (2 - n%2)
	}
	return '0' + byte(9-sum%9)
}
