package issuer

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/fourinfo"
)

// Subject is what a certificate says of its holder. It is synthetic data and is not redacted: never put a real person's in.
// An authentication certificate uses the birthdate (for its validity), the municipality and nothing else.
type Subject struct {
	// Name and Address are the texts as a certificate would hold them, within JIS X 0208 and JIS X 0212.
	Name, NameSubstitutes, Address, AddressSubstitutes string // substitutes "" = all zeros
	// Gender is "1" 男, "2" 女 or "3" その他; any other text is certified as it is.
	Gender string
	// Birthdate is YYYYMMDD, Gregorian, unknown parts 00. The certificate's era digit is derived from it.
	Birthdate string
	// PrefectureRomaji and CityRomaji are the localities of the subject and of the revocation list: Tokyo-to, Kiyose-shi.
	PrefectureRomaji, CityRomaji string
	// MunicipalityCode is the code of the municipality, 5 digits.
	MunicipalityCode string
}

// complete checks a subject and fills in the substitute flags, one "0" per code point.
func (s Subject) complete(p profile) (Subject, fourinfo.PartialDate, error) {
	bad := func(field string) (Subject, fourinfo.PartialDate, error) {
		return Subject{}, fourinfo.PartialDate{}, &Error{Reason: ReasonBadSubject, Detail: field}
	}
	for _, f := range []struct{ field, value string }{
		{"PrefectureRomaji", s.PrefectureRomaji}, {"CityRomaji", s.CityRomaji},
	} {
		if f.value == "" || !utf8.ValidString(f.value) {
			return bad(f.field)
		}
	}
	if len(s.MunicipalityCode) != 5 || strings.Trim(s.MunicipalityCode, "0123456789") != "" {
		return bad("MunicipalityCode")
	}
	person, problems := fourinfo.FromCard("", "", s.Birthdate, "")
	if len(problems) > 0 || !person.Birthdate.Present() {
		return bad("Birthdate")
	}
	if p.personal {
		for _, f := range []struct{ field, value string }{
			{"Name", s.Name}, {"Address", s.Address}, {"Gender", s.Gender},
		} {
			if f.value == "" || !utf8.ValidString(f.value) {
				return bad(f.field)
			}
		}
		if !utf8.ValidString(s.NameSubstitutes) {
			return bad("NameSubstitutes")
		}
		if !utf8.ValidString(s.AddressSubstitutes) {
			return bad("AddressSubstitutes")
		}
		if s.NameSubstitutes == "" {
			s.NameSubstitutes = strings.Repeat("0", utf8.RuneCountInString(s.Name))
		}
		if s.AddressSubstitutes == "" {
			s.AddressSubstitutes = strings.Repeat("0", utf8.RuneCountInString(s.Address))
		}
	}
	return s, person.Birthdate.Reveal(), nil
}

// eraDigit returns the certificate's era digit for a birthdate YYYYMMDD: 1 Meiji to 5 Reiwa, 0 when unknown parts leave
// the era open. A day on which two eras overlap counts to the new one.
func eraDigit(birthdate string) string {
	// Dates compare as their digits; unknown parts span the year or the month.
	first := strings.ReplaceAll(birthdate[4:6], "00", "01") + strings.ReplaceAll(birthdate[6:], "00", "01")
	last := strings.ReplaceAll(birthdate[4:6], "00", "12") + strings.ReplaceAll(birthdate[6:], "00", "31")
	era := func(date string) string {
		switch {
		case date < "18680125":
			return "0"
		case date < "19120730":
			return "1"
		case date < "19261225":
			return "2"
		case date < "19890108":
			return "3"
		case date < "20190501":
			return "4"
		default:
			return "5"
		}
	}
	if e := era(birthdate[:4] + first); e == era(birthdate[:4]+last) {
		return e
	}
	return "0"
}

// expiry returns the end of the holder's fifth birthday after the issuance, 23:59:59 in Japan.
//
// Two choices of this package, for which no published rule is known: a birthday on 29 February is kept on 28 February in
// common years, and with an unknown day of birth the certificate ends five years after the day of its issuance.
func expiry(birth fourinfo.PartialDate, issuedAt time.Time) time.Time {
	issued := fourinfo.DateOf(issuedAt)
	day := anniversary(issued.Month, issued.Day, issued.Year+5)
	if birth.Month != 0 && birth.Day != 0 {
		year := issued.Year
		if anniversary(birth.Month, birth.Day, year).Compare(issued) <= 0 {
			year++
		}
		day = anniversary(birth.Month, birth.Day, year+4) // the first one is counted
	}
	const endOfDay = 24*time.Hour - 9*time.Hour - time.Second // 23:59:59 +09:00
	return time.Date(day.Year, day.Month, day.Day, 0, 0, 0, 0, time.UTC).Add(endOfDay)
}

// anniversary returns the day in the year, 28 February for 29 February in common years.
func anniversary(month time.Month, day, year int) fourinfo.Date {
	d := fourinfo.Date{Year: year, Month: month, Day: day}
	if !d.Valid() {
		d.Day--
	}
	return d
}
