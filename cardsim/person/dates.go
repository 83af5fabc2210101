package person

import (
	"fmt"
	"strconv"
	"time"
)

// jst is the civil time of Japan: +09:00, without daylight saving.
func jst() *time.Location { return time.FixedZone("JST", 9*60*60) }

// eras has the first day of each era (YYYYMMDD) and its Gregorian year, newest first. The first year of an era is 1.
var eras = [...]struct {
	start string
	year  int
}{
	{"20190501", 2019}, // 令和
	{"19890108", 1989}, // 平成
	{"19261225", 1926}, // 昭和
	{"19120730", 1912}, // 大正
	{"18680125", 1868}, // 明治
}

func eraDate(date string) string {
	for _, e := range eras {
		if date >= e.start {
			year, _ := strconv.Atoi(date[:4])
			return fmt.Sprintf("%02d%s", year-e.year+1, date[4:])
		}
	}
	return "00" + date[4:]
}

// validBirthdate accepts YYYYMMDD with unknown parts 00 from the right.
func validBirthdate(s string) bool {
	if len(s) != 8 || !digits(s) {
		return false
	}
	year, month, day := s[:4], s[4:6], s[6:]
	switch {
	case year == "0000" && (month != "00" || day != "00"), month == "00" && day != "00":
		return false
	case month == "00":
		return true
	case day == "00":
		day = "01"
	}
	_, err := time.Parse("20060102", year+month+day)
	return err == nil
}

// Validity of the card in birthdays after the day of issue: an adult's is good until the tenth, a minor's until the
// fifth (adult since 2022-04-01: 18 years of age at issue).
const (
	adultBirthdays = 10
	minorBirthdays = 5
	adultAge       = 18
)

// AgeOn is the age in full years on the day of a time in Japan, an unknown month or day counting as the first possible:
// negative for who is not born yet, and more than 1000 for who does not know the year.
// Who was born on 29 February is a year older from 1 March on in common years (年齢計算ニ関スル法律 with Civil Code, article
// 143 (2)).
func (d Details) AgeOn(at time.Time) int {
	birthdate := d.Subject.Birthdate
	today := at.In(jst()).Format("20060102")
	year, _ := strconv.Atoi(birthdate[:4])
	age := at.In(jst()).Year() - year
	if today[4:] < birthdate[4:] {
		age--
	}
	return age
}

// cardExpiry is the day on which the card expires, YYYYMMDD. An unknown month or day counts as the first; a birthday on
// 29 February is kept on 28 February in common years, as in the certificates.
func cardExpiry(birthdate string, issued time.Time) string {
	year, _ := strconv.Atoi(birthdate[:4])
	issued = issued.In(jst())
	next := issued.Year()
	if issued.Format("20060102") >= birthday(birthdate, next) {
		next++
	}
	birthdays := adultBirthdays
	if age := next - 1 - year; age < adultAge {
		birthdays = minorBirthdays
	}
	return birthday(birthdate, next+birthdays-1)
}

// birthday is the birthday in a year, YYYYMMDD.
func birthday(birthdate string, year int) string {
	month, day := birthdate[4:6], birthdate[6:]
	if month == "00" {
		month = "01"
	}
	if day == "00" {
		day = "01"
	}
	date := fmt.Sprintf("%04d%s%s", year, month, day)
	if !validBirthdate(date) {
		return date[:6] + "28"
	}
	return date
}

// IssuedOn fills in an empty CardExpiry for a card that is issued at a time.
func (d Details) IssuedOn(issued time.Time) Details {
	if d.CardExpiry == "" {
		d.CardExpiry = cardExpiry(d.Subject.Birthdate, issued)
	}
	return d
}

// CardEnd is the last second of the card, in Japan; ok is false without a CardExpiry.
func (d Details) CardEnd() (end time.Time, ok bool) {
	start, err := time.ParseInLocation("20060102", d.CardExpiry, jst())
	return start.Add(24*time.Hour - time.Second), err == nil
}

// EraBirthdate is the date of birth as VERIFY of 生年月日 takes it: YYMMDD with the year of the Japanese era (和暦). Unknown
// parts stay 00, and a date with an unknown day counts as the first of what is known. Dates before 明治 have the year 00.
func (d Details) EraBirthdate() string { return eraDate(d.Subject.Birthdate) }

// NumberB is 照合番号B: birth date in the era's years, year of expiry of the card, security code. It needs a CardExpiry,
// see [Details.IssuedOn].
func (d Details) NumberB() string {
	return eraDate(d.Subject.Birthdate) + d.CardExpiry[:4] + d.SecurityCode
}
