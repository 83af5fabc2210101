package fourinfo

import (
	"time"

	"github.com/kakunin-go/kakunin/internal/redact"
)

// Birthdate is a date of birth (生年月日), possibly with unknown parts, with the value as received.
type Birthdate struct {
	redacted
	value redact.Value[birthdateValue] // empty when absent
}

type birthdateValue struct {
	raw  string
	form birthdateForm
	date PartialDate
}

// birthdateForm names how a raw birthdate is written. It is part of the stored form.
type birthdateForm string

const (
	// formCompact is YYYYMMDD: the service and the card.
	formCompact birthdateForm = "compact"
	// formISO is YYYY-MM-DD or YYYY: OpenID Connect Core 1.0, section 5.1.
	formISO birthdateForm = "iso"
	// formEra is EYYYYMMDD: the certificate.
	formEra birthdateForm = "era"
)

// ParseBirthdate reads a birthdate in any form that a source uses: YYYYMMDD, YYYY-MM-DD, YYYY, or the certificate's
// EYYYYMMDD, in which YYYY is Gregorian and the era E is redundant. Unknown parts are zeros. The error is an *[Error]
// and never contains raw.
func ParseBirthdate(raw string) (Birthdate, error) {
	form := formISO
	switch len(raw) {
	case len("YYYYMMDD"):
		form = formCompact
	case len("EYYYYMMDD"):
		form = formEra
	}
	b, reason := readBirthdate(raw, form)
	if reason != "" {
		return Birthdate{}, &Error{Reason: ReasonMalformed, Step: AttributeBirthdate}
	}
	return b, nil
}

// Reveal returns the date; unknown parts are 0, and all are when the birthdate is absent.
func (b Birthdate) Reveal() PartialDate {
	v, _ := b.value.Open()
	return v.date
}

// RevealRaw returns the value as received; "" when absent.
func (b Birthdate) RevealRaw() string {
	v, _ := b.value.Open()
	return v.raw
}

// Present reports whether the source had the value at all; its parts may be unknown nevertheless.
func (b Birthdate) Present() bool { return !b.value.Empty() }

// readBirthdate parses raw in one form. The reason is "" on success.
func readBirthdate(raw string, form birthdateForm) (b Birthdate, reason string) {
	var digits string
	switch form {
	case formCompact:
		digits = raw
	case formEra:
		if len(raw) != len("EYYYYMMDD") || !allDigits(raw) {
			return Birthdate{}, ProblemDateForm
		}
		digits = raw[1:]
	case formISO:
		switch {
		case len(raw) == len("YYYY"):
			digits = raw + "0000"
		case len(raw) == len("YYYY-MM-DD") && raw[4] == '-' && raw[7] == '-':
			digits = raw[:4] + raw[5:7] + raw[8:]
		}
	}
	if len(digits) != len("YYYYMMDD") || !allDigits(digits) {
		return Birthdate{}, ProblemDateForm
	}
	// Not time.Parse: it refuses zeros, which mean unknown here. Nor is an unknown part ever filled in.
	date := PartialDate{Year: number(digits[:4]), Month: month(digits[4:6]), Day: number(digits[6:])}
	if !date.valid() {
		return Birthdate{}, ProblemNoSuchDate
	}
	return Birthdate{value: redact.Seal(birthdateValue{raw: raw, form: form, date: date})}, ""
}

// number reads decimal digits; the caller has checked that there is nothing else.
func number(digits string) int {
	n := 0
	for i := range len(digits) {
		n = n*10 + int(digits[i]-'0')
	}
	return n
}

func month(digits string) time.Month { return time.Month(number(digits)) }

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// Answer is yes, no or unknown; the zero value is Unknown. Act on Yes only.
type Answer int

// Answers.
const (
	Unknown Answer = iota
	Yes
	No
)

var answerNames = [...]string{Unknown: "unknown", Yes: "yes", No: "no"}

// String returns "unknown", "yes" or "no".
func (a Answer) String() string {
	if a < 0 || int(a) >= len(answerNames) {
		return answerNames[Unknown]
	}
	return answerNames[a]
}

// AgeOn returns the age in completed years during the day on: the everyday rule, by which a person turns N at the
// beginning of the N-th birthday. It is the rule for alcohol, tobacco and shops. The law by which age counts from the
// day of birth (年齢計算ニ関スル法律, 民法143条) completes N years at the end of the day before; that moment is the same,
// but its day is another one: see [Birthdate.ReachedOn].
//
// Born on 29 February, one turns N on 1 March of a common year.
//
// ok is false when the age cannot be told: the birthdate is absent or its unknown parts leave more than one age
// possible, or the day lies before the birth or does not exist.
func (b Birthdate) AgeOn(on Date) (age int, ok bool) {
	youngest, oldest, ok := b.ages(on)
	if !ok || youngest != oldest || youngest < 0 {
		return 0, false
	}
	return youngest, true
}

// AgesOn returns the youngest and the oldest age in completed years that the known parts of the birthdate allow during
// the day on, by the everyday rule of [Birthdate.AgeOn]; both are the same for a complete birthdate. For a birth that
// may lie after the day the youngest is 0.
//
// ok is false when the birthdate or its year is unknown, the birth certainly lies after the day, or the day does not
// exist.
func (b Birthdate) AgesOn(on Date) (youngest, oldest int, ok bool) {
	youngest, oldest, ok = b.ages(on)
	if !ok || oldest < 0 {
		return 0, 0, false
	}
	return max(youngest, 0), oldest, true
}

// IsAtLeast answers whether the person is at least that many years old during the day on, by the everyday rule of
// [Birthdate.AgeOn] (酒類, たばこ). With a partial birthdate it answers Yes or No only if every possible date gives the
// same answer. A negative number of years is Unknown.
func (b Birthdate) IsAtLeast(years int, on Date) Answer {
	youngest, oldest, ok := b.ages(on)
	switch {
	case !ok || years < 0:
		return Unknown
	case youngest >= years:
		return Yes
	case oldest < years:
		return No
	default:
		return Unknown
	}
}

// ReachedOn returns the legal day on which the person reaches the age (達する日): the day before the N-th birthday, since
// age counts from the day of birth (年齢計算ニ関スル法律, 民法143条). It is the rule for school entry, suffrage and
// pensions, and never the one for selling alcohol: on that day the person is still N-1 years old.
//
// ok is false when years is less than 1 or the birthdate is absent or partial.
func (b Birthdate) ReachedOn(years int) (day Date, ok bool) {
	earliest, latest, ok := b.ReachedBetween(years)
	if !ok || earliest != latest {
		return Date{}, false
	}
	return earliest, true
}

// ReachedBetween returns the earliest and the latest legal day on which the person may reach the age, by the rule of
// [Birthdate.ReachedOn]; both are the same for a complete birthdate. ok is false when years is less than 1 or the
// birthdate or its year is unknown.
func (b Birthdate) ReachedBetween(years int) (earliest, latest Date, ok bool) {
	first, last, ok := b.Reveal().span()
	if !ok || years < 1 || years > 9999 || last.Year+years > 9999 {
		return Date{}, Date{}, false
	}
	return reached(first, years), reached(last, years), true
}

// reached returns the day before the N-th birthday.
func reached(born Date, years int) Date {
	// time.Date turns 29 February of a common year into 1 March, which is when such a person's birthday begins.
	return Date{born.Year + years, born.Month, born.Day}.addDays(-1)
}

// ages returns the least and the greatest age that the known parts of the birthdate allow. Age never grows with a later
// birth, so the two ends of the span decide.
func (b Birthdate) ages(on Date) (youngest, oldest int, ok bool) {
	earliest, latest, ok := b.Reveal().span()
	if !ok || !on.Valid() {
		return 0, 0, false
	}
	return age(latest, on), age(earliest, on), true
}

// age returns the completed years at the beginning of the day on; negative before the birth.
func age(born, on Date) int {
	years := on.Year - born.Year
	// Comparing month and day gives 29 February its rule: 28 February is before it, 1 March is not.
	if on.Month < born.Month || on.Month == born.Month && on.Day < born.Day {
		years--
	}
	return years
}
