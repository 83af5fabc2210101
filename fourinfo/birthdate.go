package fourinfo

import "time"

// Birthdate is a date of birth (生年月日), possibly with unknown parts, with the value as received.
type Birthdate struct {
	redacted
	value sealed[birthdateValue] // empty when absent
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
		return Birthdate{}, &Error{Reason: Malformed, Attribute: AttributeBirthdate}
	}
	return b, nil
}

// Reveal returns the date; unknown parts are 0, and all are when the birthdate is absent.
func (b Birthdate) Reveal() PartialDate {
	v, _ := b.value.open()
	return v.date
}

// RevealRaw returns the value as received; "" when absent.
func (b Birthdate) RevealRaw() string {
	v, _ := b.value.open()
	return v.raw
}

// Present reports whether the source had the value at all; its parts may be unknown nevertheless.
func (b Birthdate) Present() bool { return !b.value.empty() }

// readBirthdate parses raw in one form. The reason is "" on success.
func readBirthdate(raw string, form birthdateForm) (b Birthdate, reason string) {
	var digits string
	switch form {
	case formCompact:
		digits = raw
	case formEra:
		if len(raw) != len("EYYYYMMDD") || !allDigits(raw) {
			return Birthdate{}, ReasonDateForm
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
		return Birthdate{}, ReasonDateForm
	}
	// Not time.Parse: it refuses zeros, which mean unknown here. Nor is an unknown part ever filled in.
	date := PartialDate{Year: number(digits[:4]), Month: month(digits[4:6]), Day: number(digits[6:])}
	if !date.valid() {
		return Birthdate{}, ReasonNoSuchDate
	}
	return Birthdate{value: seal(birthdateValue{raw: raw, form: form, date: date})}, ""
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
