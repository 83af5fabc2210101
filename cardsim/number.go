package cardsim

import "github.com/kakunin-go/kakunin/fourinfo"

// individualNumberDigits is the length of an individual number (個人番号) with its check digit.
const individualNumberDigits = 12

// validIndividualNumber checks length, digits and check digit.
func validIndividualNumber(s string) bool {
	return len(s) == individualNumberDigits && digits(s) &&
		s[individualNumberDigits-1] == checkDigit(s[:individualNumberDigits-1])
}

// checkDigit is the last digit of an individual number, from the first eleven.
func checkDigit(eleven string) byte {
	digit, _ := fourinfo.IndividualNumberCheckDigit(eleven)
	return digit
}
