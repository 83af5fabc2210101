package card

import (
	"fmt"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
)

// EraBirthdate returns a birthdate in the form that the card compares: the year of the Japanese era, month and day, two
// digits each. 1980-02-17 is 550217, the 17th of February of Shōwa 55. The era itself is not written. The error is an
// *[Error] with reason [ReasonPINFormat] for a date that does not exist or lies before 1868-01-25.
func EraBirthdate(d fourinfo.Date) (string, error) {
	year, ok := eraYear(d)
	if !ok || !d.Valid() {
		return "", &Error{Op: "write birthdate", Reason: ReasonPINFormat, Reference: FaceBirthdate}
	}
	return fmt.Sprintf("%02d%02d%02d", year, int(d.Month), d.Day), nil
}

// NumberB returns 照合番号B from what is printed on the card: the birthdate, the year (西暦) in which the card expires and
// the four-digit security code. The error is an *[Error] with reason [ReasonPINFormat].
func NumberB(birthdate fourinfo.Date, expiryYear int, securityCode string) (string, error) {
	bad := &Error{Op: "write number B", Reason: ReasonPINFormat, Reference: FaceNumberB}
	day, err := EraBirthdate(birthdate)
	if err != nil || expiryYear < 1000 || expiryYear > 9999 || len(securityCode) != 4 {
		return "", bad
	}
	number := fmt.Sprintf("%s%04d%s", day, expiryYear, securityCode)
	if _, err := FaceNumberB.encode(number); err != nil {
		return "", bad
	}
	return number, nil
}

// eraYear returns the year within the era. A new era counts from its first day, also where the old one ended on it.
func eraYear(d fourinfo.Date) (int, bool) {
	for _, first := range [...]fourinfo.Date{
		{Year: 2019, Month: time.May, Day: 1},       // Reiwa
		{Year: 1989, Month: time.January, Day: 8},   // Heisei
		{Year: 1926, Month: time.December, Day: 25}, // Shōwa
		{Year: 1912, Month: time.July, Day: 30},     // Taishō
		{Year: 1868, Month: time.January, Day: 25},  // Meiji
	} {
		if d.Compare(first) >= 0 {
			year := d.Year - first.Year + 1
			return year, year <= 99
		}
	}
	return 0, false
}
