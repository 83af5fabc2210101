package fourinfo

import "time"

// era is one Japanese era, as the certificate's era digit names it.
type era struct{ first, last Date }

// eraOf returns the era of a certificate's era digit. The digits are 0 unknown, 1 Meiji, 2 Taisho, 3 Showa, 4 Heisei,
// 5 Reiwa. listed is false for any other digit; known is false for 0.
//
// On 1912-07-30 and on 1926-12-25 the eras overlap: the new era began on the day on which the old one ended. Meiji is
// taken from the first day that its first year covers.
func eraOf(digit byte) (e era, known, listed bool) {
	switch digit {
	case '0':
		return era{}, false, true
	case '1':
		return era{Date{1868, time.January, 25}, Date{1912, time.July, 30}}, true, true
	case '2':
		return era{Date{1912, time.July, 30}, Date{1926, time.December, 25}}, true, true
	case '3':
		return era{Date{1926, time.December, 25}, Date{1989, time.January, 7}}, true, true
	case '4':
		return era{Date{1989, time.January, 8}, Date{2019, time.April, 30}}, true, true
	case '5':
		return era{Date{2019, time.May, 1}, Date{9999, time.December, 31}}, true, true
	default:
		return era{}, false, false
	}
}

// checkEra cross-checks the era digit of a certificate's birthdate with the date. It returns the reason of a warning,
// or "": the Gregorian date is complete without the era, so a disagreement never makes it unreadable.
func checkEra(b Birthdate) (warning string) {
	e, known, listed := eraOf(b.RevealRaw()[0])
	if !listed {
		return ReasonEraUnlisted
	}
	earliest, latest, ok := b.Reveal().span()
	if !known || !ok {
		return ""
	}
	if latest.Compare(e.first) < 0 || earliest.Compare(e.last) > 0 {
		return ReasonEra
	}
	return ""
}
