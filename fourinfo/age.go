package fourinfo

// Answer is yes, no or unknown; the zero value is Unknown. Act on Yes only.
type Answer int

// Answers.
const (
	Unknown Answer = iota
	Yes
	No
)

// String returns "unknown", "yes" or "no".
func (a Answer) String() string {
	switch a {
	case Yes:
		return "yes"
	case No:
		return "no"
	case Unknown:
		return "unknown"
	default:
		return "unknown"
	}
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

// AgesOn returns the youngest and the oldest age in completed years that the known parts of the birthdate allow during the
// day on, by the everyday rule of [Birthdate.AgeOn]; both are the same for a complete birthdate. For a birth that may lie
// after the day the youngest is 0.
//
// ok is false when the birthdate or its year is unknown, the birth certainly lies after the day, or the day does not exist.
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
// [Birthdate.ReachedOn]; both are the same for a complete birthdate. ok is false when years is less than 1 or the birthdate
// or its year is unknown.
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
