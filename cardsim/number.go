package cardsim

// individualNumberDigits is the length of an individual number (個人番号) with its check digit.
const individualNumberDigits = 12

// validIndividualNumber checks length, digits and check digit.
func validIndividualNumber(s string) bool {
	return len(s) == individualNumberDigits && digits(s) &&
		s[individualNumberDigits-1] == checkDigit(s[:individualNumberDigits-1])
}

// checkDigit computes the last digit of an individual number from the first eleven, by article 5 of the order of the
// Ministry of Internal Affairs and Communications No. 85 of 2014 (平成26年総務省令第85号): with Pn the n-th digit from
// the right and Qn = n+1 for n ≤ 6, n-5 above, r = Σ Pn·Qn mod 11, the digit is 0 for r ≤ 1 and 11-r otherwise.
func checkDigit(eleven string) byte {
	sum := 0
	for n := 1; n <= len(eleven); n++ {
		q := n + 1
		if n > 6 {
			q = n - 5
		}
		sum += int(eleven[len(eleven)-n]-'0') * q
	}
	r := sum % 11
	if r <= 1 {
		return '0'
	}
	return '0' + byte(11-r)
}
