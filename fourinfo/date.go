package fourinfo

import (
	"cmp"
	"fmt"
	"time"
)

// japanOffset is Japan Standard Time. It has no daylight saving, so no time zone database is needed.
const japanOffset = 9 * time.Hour

// Date is a civil date in Japan (Asia/Tokyo, fixed +09:00), Gregorian.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf returns the civil date in Japan at t, whatever t's location.
func DateOf(t time.Time) Date {
	y, m, d := t.UTC().Add(japanOffset).Date()
	return Date{y, m, d}
}

// Valid reports whether the date exists. The zero Date does not.
func (d Date) Valid() bool {
	return d.Year >= 1 && d.Year <= 9999 && d.Month >= time.January && d.Month <= time.December &&
		d.Day >= 1 && d.Day <= daysIn(d.Year, d.Month)
}

// Compare returns -1, 0 or +1 as d is before, equal to or after o.
func (d Date) Compare(o Date) int {
	return cmp.Or(cmp.Compare(d.Year, o.Year), cmp.Compare(d.Month, o.Month), cmp.Compare(d.Day, o.Day))
}

// String returns the date as YYYY-MM-DD.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// addDays returns the date n days later, or earlier if n is negative.
func (d Date) addDays(n int) Date {
	y, m, day := time.Date(d.Year, d.Month, d.Day+n, 0, 0, 0, 0, time.UTC).Date()
	return Date{y, m, day}
}

// PartialDate is a Gregorian date of which parts may be unknown; an unknown part is 0. A register entry can lack the
// day, the month or all of the date of birth.
type PartialDate struct {
	Year  int
	Month time.Month
	Day   int
}

// Complete returns the date and true if no part is unknown.
func (p PartialDate) Complete() (Date, bool) {
	d := Date(p)
	return d, d.Valid()
}

// String returns the date as YYYY-MM-DD with question marks for unknown parts, such as "1980-02-??". It reveals the
// date.
func (p PartialDate) String() string {
	part := func(width, n int) string {
		if n == 0 {
			return "????"[:width]
		}
		return fmt.Sprintf("%0*d", width, n)
	}
	return part(4, p.Year) + "-" + part(2, int(p.Month)) + "-" + part(2, p.Day)
}

// valid reports whether the known parts can belong to one date.
func (p PartialDate) valid() bool {
	if p.Year < 0 || p.Year > 9999 || p.Month < 0 || p.Month > time.December || p.Day < 0 {
		return false
	}
	year, month := p.Year, p.Month
	if year == 0 {
		year = 2000 // a leap year: 29 February is possible as long as the year is unknown
	}
	if month == 0 {
		month = time.January // 31 days are possible as long as the month is unknown
	}
	return p.Day <= daysIn(year, month)
}

// span returns the earliest and the latest date that the known parts allow; ok is false when the year is unknown.
func (p PartialDate) span() (earliest, latest Date, ok bool) {
	if p.Year == 0 {
		return Date{}, Date{}, false
	}
	earliest, latest = Date(p), Date(p)
	if p.Month == 0 {
		// January and December have 31 days, so any known day exists in both.
		earliest.Month, latest.Month = time.January, time.December
	}
	if p.Day == 0 {
		earliest.Day, latest.Day = 1, daysIn(latest.Year, latest.Month)
	}
	return earliest, latest, true
}

// daysIn returns the number of days of the month.
func daysIn(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// era is one Japanese era, as the certificate's era digit names it.
type era struct {
	name        string
	first, last Date
}

// eras are by the era digit of a certificate: 1 Meiji, 2 Taisho, 3 Showa, 4 Heisei, 5 Reiwa; 0 is unknown.
//
// On 1912-07-30 and on 1926-12-25 the eras overlap: the new era began on the day on which the old one ended. Meiji is
// taken from the first day that its first year covers.
var eras = [...]era{
	1: {"明治", Date{1868, time.January, 25}, Date{1912, time.July, 30}},
	2: {"大正", Date{1912, time.July, 30}, Date{1926, time.December, 25}},
	3: {"昭和", Date{1926, time.December, 25}, Date{1989, time.January, 7}},
	4: {"平成", Date{1989, time.January, 8}, Date{2019, time.April, 30}},
	5: {"令和", Date{2019, time.May, 1}, Date{9999, time.December, 31}},
}

// checkEra cross-checks the era digit of a certificate's birthdate with the date. It returns the reason of a warning,
// or "": the Gregorian date is complete without the era, so a disagreement never makes it unreadable.
func checkEra(b Birthdate) (warning string) {
	digit := int(b.RevealRaw()[0] - '0')
	if digit >= len(eras) {
		return ProblemEraUnlisted
	}
	earliest, latest, ok := b.Reveal().span()
	if digit == 0 || !ok {
		return ""
	}
	e := eras[digit]
	if latest.Compare(e.first) < 0 || earliest.Compare(e.last) > 0 {
		return ProblemEra
	}
	return ""
}
