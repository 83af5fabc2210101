package mynumber

// corporateDigits is the length of a corporate number: a check digit and twelve digits (番号法施行令35条).
const corporateDigits = 13

// Corporate is a corporate number (法人番号) of thirteen half-width digits. It is public and anybody may use it
// (番号法39条4項), so unlike a [Number] it prints.
type Corporate string

// ParseCorporate reads a corporate number: thirteen digits, half or full width, without separators, of which the
// first is the right check digit. The error is an *[Error] with Reason [ReasonMalformed] or [ReasonCheckDigit].
func ParseCorporate(raw string) (Corporate, error) {
	var digits [corporateDigits]byte
	if !readDigits(digits[:], raw) {
		return "", &Error{Reason: ReasonMalformed, Step: stepCorporate}
	}
	if corporateCheckDigit(digits[1:]) != digits[0] {
		return "", &Error{Reason: ReasonCheckDigit, Step: stepCorporate}
	}
	return Corporate(digits[:]), nil
}

// corporateCheckDigit returns the check digit '1' to '9' that stands before the twelve digits of a corporate number.
//
// 法人番号の指定等に関する省令 (平成26年財務省令第70号) 2条: with Pn the n-th digit from the right, Qn = 1 for odd n and 2
// for even n, the check digit is 9 - (Σ Pn·Qn mod 9).
func corporateCheckDigit(digits []byte) byte {
	sum := 0
	for n := 1; n <= len(digits); n++ {
		sum += int(digits[len(digits)-n]-'0') * (2 - n%2)
	}
	return '0' + byte(9-sum%9)
}
