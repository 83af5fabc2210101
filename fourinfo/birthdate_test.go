package fourinfo_test

import (
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
)

func TestUserinfoBirthdate(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		value  string
		want   fourinfo.PartialDate
		reason string
	}{
		{`"19850315"`, fourinfo.PartialDate{Year: 1985, Month: 3, Day: 15}, ""},
		{`"1985-03-15"`, fourinfo.PartialDate{Year: 1985, Month: 3, Day: 15}, ""},
		{`"1985"`, fourinfo.PartialDate{Year: 1985}, ""},
		{`"0000-03-15"`, fourinfo.PartialDate{Month: 3, Day: 15}, ""},
		{`"19800200"`, fourinfo.PartialDate{Year: 1980, Month: 2}, ""},
		{`"1980-00-00"`, fourinfo.PartialDate{Year: 1980}, ""},
		{`"19800017"`, fourinfo.PartialDate{Year: 1980, Day: 17}, ""},
		{`"00000000"`, fourinfo.PartialDate{}, ""},
		{`"20000229"`, fourinfo.PartialDate{Year: 2000, Month: 2, Day: 29}, ""},
		{`"00000229"`, fourinfo.PartialDate{Month: 2, Day: 29}, ""},
		{`"19000229"`, fourinfo.PartialDate{}, fourinfo.ProblemNoSuchDate},
		{`"19850229"`, fourinfo.PartialDate{}, fourinfo.ProblemNoSuchDate},
		{`"00000230"`, fourinfo.PartialDate{}, fourinfo.ProblemNoSuchDate},
		{`"19851315"`, fourinfo.PartialDate{}, fourinfo.ProblemNoSuchDate},
		{`"19850032"`, fourinfo.PartialDate{}, fourinfo.ProblemNoSuchDate},
		{`"319850315"`, fourinfo.PartialDate{}, fourinfo.ProblemDateForm},
		{`"1985/03/15"`, fourinfo.PartialDate{}, fourinfo.ProblemDateForm},
		{`"1985-3-15"`, fourinfo.PartialDate{}, fourinfo.ProblemDateForm},
		{`"1985031"`, fourinfo.PartialDate{}, fourinfo.ProblemDateForm},
		{`"+9850315"`, fourinfo.PartialDate{}, fourinfo.ProblemDateForm},
		{`"１９８５"`, fourinfo.PartialDate{}, fourinfo.ProblemDateForm},
		{`"S60.3.15"`, fourinfo.PartialDate{}, fourinfo.ProblemDateForm},
		{`"1985-03-15T00:00:00Z"`, fourinfo.PartialDate{}, fourinfo.ProblemDateForm},
		{`""`, fourinfo.PartialDate{}, fourinfo.ProblemEmpty},
		{`19850315`, fourinfo.PartialDate{}, fourinfo.ProblemNotText},
	} {
		p, problems := userinfo(t, "birthdate", tc.value)
		want := ""
		if tc.reason != "" {
			want = "birthdate: " + tc.reason
		}
		if p.Birthdate.Reveal() != tc.want || p.Birthdate.Present() != (tc.reason == "") || reasons(problems) != want {
			t.Errorf("%s: %v, problems %q; want %v, %q", tc.value, p.Birthdate.Reveal(), reasons(problems), tc.want,
				want)
		}
		if p.Birthdate.Present() && `"`+p.Birthdate.RevealRaw()+`"` != tc.value {
			t.Errorf("%s: raw %q", tc.value, p.Birthdate.RevealRaw())
		}
	}
}

func TestCertificateBirthdate(t *testing.T) {
	t.Parallel()
	const era, unlisted = "birthdate: " + fourinfo.ProblemEra + " (warning)",
		"birthdate: " + fourinfo.ProblemEraUnlisted + " (warning)"
	for _, tc := range []struct {
		value    string
		want     fourinfo.PartialDate
		problems string
	}{
		{"319800217", fourinfo.PartialDate{Year: 1980, Month: 2, Day: 17}, ""},
		{"400000000", fourinfo.PartialDate{}, ""},
		{"319800200", fourinfo.PartialDate{Year: 1980, Month: 2}, ""},
		{"019800217", fourinfo.PartialDate{Year: 1980, Month: 2, Day: 17}, ""},
		{"319550217", fourinfo.PartialDate{Year: 1955, Month: 2, Day: 17}, ""}, // Showa 30, and not Showa 55
		// The two days on which two eras overlap, and their neighbours.
		{"119120730", fourinfo.PartialDate{Year: 1912, Month: 7, Day: 30}, ""},
		{"219120730", fourinfo.PartialDate{Year: 1912, Month: 7, Day: 30}, ""},
		{"219120729", fourinfo.PartialDate{Year: 1912, Month: 7, Day: 29}, era},
		{"119120731", fourinfo.PartialDate{Year: 1912, Month: 7, Day: 31}, era},
		{"219261225", fourinfo.PartialDate{Year: 1926, Month: 12, Day: 25}, ""},
		{"319261225", fourinfo.PartialDate{Year: 1926, Month: 12, Day: 25}, ""},
		{"319261224", fourinfo.PartialDate{Year: 1926, Month: 12, Day: 24}, era},
		{"219261226", fourinfo.PartialDate{Year: 1926, Month: 12, Day: 26}, era},
		// The two changes without overlap.
		{"319890107", fourinfo.PartialDate{Year: 1989, Month: 1, Day: 7}, ""},
		{"419890107", fourinfo.PartialDate{Year: 1989, Month: 1, Day: 7}, era},
		{"319890108", fourinfo.PartialDate{Year: 1989, Month: 1, Day: 8}, era},
		{"419890108", fourinfo.PartialDate{Year: 1989, Month: 1, Day: 8}, ""},
		{"420190430", fourinfo.PartialDate{Year: 2019, Month: 4, Day: 30}, ""},
		{"520190430", fourinfo.PartialDate{Year: 2019, Month: 4, Day: 30}, era},
		{"420190501", fourinfo.PartialDate{Year: 2019, Month: 5, Day: 1}, era},
		{"520190501", fourinfo.PartialDate{Year: 2019, Month: 5, Day: 1}, ""},
		{"118671231", fourinfo.PartialDate{Year: 1867, Month: 12, Day: 31}, era},
		// A partial date agrees if any date it allows does.
		{"419890000", fourinfo.PartialDate{Year: 1989}, ""},
		{"319890000", fourinfo.PartialDate{Year: 1989}, ""},
		{"419890100", fourinfo.PartialDate{Year: 1989, Month: 1}, ""},
		{"319890200", fourinfo.PartialDate{Year: 1989, Month: 2}, era},
		{"300000217", fourinfo.PartialDate{Month: 2, Day: 17}, ""},
		{"619800217", fourinfo.PartialDate{Year: 1980, Month: 2, Day: 17}, unlisted},
		{"900000000", fourinfo.PartialDate{}, unlisted},
	} {
		p, problems := certificate(tc.value)
		if p.Birthdate.Reveal() != tc.want || !p.Birthdate.Present() || p.Birthdate.RevealRaw() != tc.value ||
			reasons(problems) != tc.problems {
			t.Errorf("%s: %v raw %q, problems %q; want %v, %q", tc.value, p.Birthdate.Reveal(), p.Birthdate.RevealRaw(),
				reasons(problems), tc.want, tc.problems)
		}
	}
	for value, reason := range map[string]string{
		"19800217": fourinfo.ProblemDateForm, "S19800217": fourinfo.ProblemDateForm,
		"3550217":    fourinfo.ProblemDateForm,
		"3198002170": fourinfo.ProblemDateForm, "31980021a": fourinfo.ProblemDateForm,
		"昭和550217":  fourinfo.ProblemDateForm,
		"319800230": fourinfo.ProblemNoSuchDate, "319801317": fourinfo.ProblemNoSuchDate,
	} {
		p, problems := certificate(value)
		if p.Birthdate.Present() || reasons(problems) != "birthdate: "+reason {
			t.Errorf("%s: present %v, problems %q", value, p.Birthdate.Present(), reasons(problems))
		}
	}
}

func born(t *testing.T, raw string) fourinfo.Birthdate {
	t.Helper()
	b, err := fourinfo.ParseBirthdate(raw)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return b
}

func day(t *testing.T, iso string) fourinfo.Date {
	t.Helper()
	d, err := time.Parse(time.DateOnly, iso)
	if err != nil {
		t.Fatal(err)
	}
	return fourinfo.Date{Year: d.Year(), Month: d.Month(), Day: d.Day()}
}

func TestAgeOn(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		born, on string
		want     int
		ok       bool
	}{
		{"20060401", "2026-03-31", 19, true},
		{"20060401", "2026-04-01", 20, true},
		{"20040229", "2023-02-28", 18, true},
		{"20040229", "2023-03-01", 19, true},
		{"20040229", "2024-02-28", 19, true},
		{"20040229", "2024-02-29", 20, true},
		{"19000101", "2000-01-01", 100, true},
		{"20260102", "2026-01-02", 0, true},
		{"20260102", "2026-01-01", 0, false}, // before the birth
		{"319800217", "2026-02-16", 45, true},
		// Partial: told only if every possible date gives the same age.
		{"19800200", "2026-01-31", 45, true},
		{"19800200", "2026-02-01", 0, false},
		{"19800200", "2026-02-28", 0, false}, // born on 29 February 1980 one is still 45
		{"19800200", "2026-03-01", 46, true},
		{"19800000", "2026-12-30", 0, false},
		{"19800000", "2026-12-31", 46, true},
		{"19800017", "2026-01-16", 45, true},
		{"19800017", "2026-01-17", 0, false},
		{"19800017", "2026-12-17", 46, true},
		{"20260000", "2026-06-01", 0, false}, // perhaps not yet born
		{"00000217", "2026-01-01", 0, false},
		{"400000000", "2026-01-01", 0, false},
	} {
		if got, ok := born(t, tc.born).AgeOn(day(t, tc.on)); got != tc.want || ok != tc.ok {
			t.Errorf("born %s on %s: %d, %v; want %d, %v", tc.born, tc.on, got, ok, tc.want, tc.ok)
		}
	}
	for _, on := range []fourinfo.Date{{}, {Year: 2026, Month: 2, Day: 29}, {Year: 2026, Month: 13, Day: 1}} {
		if _, ok := born(t, "19800217").AgeOn(on); ok {
			t.Errorf("an age on the impossible day %v", on)
		}
	}
	if _, ok := (fourinfo.Birthdate{}).AgeOn(day(t, "2026-01-01")); ok {
		t.Error("an absent birthdate has an age")
	}
}

func TestIsAtLeast(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		born  string
		years int
		on    string
		want  fourinfo.Answer
	}{
		{"20060401", 20, "2026-03-31", fourinfo.No}, // the legal day of reaching 20, and still no alcohol
		{"20060401", 20, "2026-04-01", fourinfo.Yes},
		{"20040229", 20, "2024-02-28", fourinfo.No},
		{"20040229", 20, "2024-02-29", fourinfo.Yes},
		{"20050228", 20, "2025-02-28", fourinfo.Yes},
		{"20260102", 0, "2026-01-01", fourinfo.No},
		{"20260102", 0, "2026-01-02", fourinfo.Yes},
		{"20060400", 20, "2026-03-31", fourinfo.No},
		{"20060400", 20, "2026-04-01", fourinfo.Unknown},
		{"20060400", 20, "2026-04-29", fourinfo.Unknown},
		{"20060400", 20, "2026-04-30", fourinfo.Yes},
		{"20060000", 20, "2025-12-31", fourinfo.No},
		{"20060000", 20, "2026-01-01", fourinfo.Unknown},
		{"20060000", 20, "2026-12-31", fourinfo.Yes},
		{"19800000", 20, "2026-01-01", fourinfo.Yes}, // the age is unknown, the answer is not
		{"00000000", 20, "2026-01-01", fourinfo.Unknown},
		{"00000217", 20, "2026-01-01", fourinfo.Unknown},
		{"19800217", -1, "2026-01-01", fourinfo.Unknown},
	} {
		if got := born(t, tc.born).IsAtLeast(tc.years, day(t, tc.on)); got != tc.want {
			t.Errorf("born %s at least %d on %s: %v, want %v", tc.born, tc.years, tc.on, got, tc.want)
		}
	}
	if got := (fourinfo.Birthdate{}).IsAtLeast(0, day(t, "2026-01-01")); got != fourinfo.Unknown {
		t.Errorf("absent: %v", got)
	}
	if got := born(t, "19800217").IsAtLeast(20, fourinfo.Date{}); got != fourinfo.Unknown {
		t.Errorf("zero day: %v", got)
	}
}

func TestReachedOn(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		born  string
		years int
		want  string
	}{
		{"20060401", 20, "2026-03-31"},
		{"20040229", 19, "2023-02-28"},
		{"20040229", 20, "2024-02-28"},
		{"20000301", 1, "2001-02-28"},
		{"20000301", 4, "2004-02-29"},
		{"20000101", 18, "2017-12-31"},
	} {
		if got, ok := born(t, tc.born).ReachedOn(tc.years); !ok || got != day(t, tc.want) {
			t.Errorf("born %s reaches %d on %v, %v; want %s", tc.born, tc.years, got, ok, tc.want)
		}
	}
	for _, tc := range []struct {
		born  string
		years int
	}{{"20060400", 20}, {"00000000", 20}, {"20060401", 0}, {"20060401", -1}, {"20060401", 9999}} {
		if got, ok := born(t, tc.born).ReachedOn(tc.years); ok {
			t.Errorf("born %s reaches %d on %v", tc.born, tc.years, got)
		}
	}
}

// The legal day is always the day before the first day of the new age, by an independent walk over the calendar.
func TestReachedOnIsTheEveOfTheNewAge(t *testing.T) {
	t.Parallel()
	for d := time.Date(2003, 12, 1, 0, 0, 0, 0, time.UTC); d.Year() < 2009; d = d.AddDate(0, 0, 1) {
		b := born(t, d.Format("20060102"))
		for _, years := range []int{1, 4, 18, 20} {
			reached, ok := b.ReachedOn(years)
			if !ok {
				t.Fatal(d, years)
			}
			eve := time.Date(reached.Year, reached.Month, reached.Day, 12, 0, 0, 0, time.UTC)
			before, _ := b.AgeOn(reached)
			after, _ := b.AgeOn(fourinfo.DateOf(eve.AddDate(0, 0, 1).Add(-9 * time.Hour)))
			if before != years-1 || after != years {
				t.Fatalf("born %s: age %d on %v and %d the day after, want %d and %d", d.Format(time.DateOnly), before,
					reached, after, years-1, years)
			}
		}
	}
}

func TestDateOfIsJapan(t *testing.T) {
	t.Parallel()
	for instant, want := range map[string]string{
		"2026-03-31T14:59:59Z": "2026-03-31", "2026-03-31T15:00:00Z": "2026-04-01",
		"2026-03-31T10:00:00-08:00": "2026-04-01", "2026-04-01T00:00:00+09:00": "2026-04-01",
		"2025-12-31T15:00:00Z": "2026-01-01",
	} {
		at, err := time.Parse(time.RFC3339, instant)
		if err != nil {
			t.Fatal(err)
		}
		if got := fourinfo.DateOf(at); got.String() != want {
			t.Errorf("DateOf(%s) = %v, want %s", instant, got, want)
		}
	}
}

func TestPartialDate(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]fourinfo.PartialDate{
		"1980-02-17": {Year: 1980, Month: 2, Day: 17}, "1980-02-??": {Year: 1980, Month: 2}, "????-??-??": {},
		"????-02-17": {Month: 2, Day: 17},
	} {
		if got := d.String(); got != want {
			t.Errorf("%+v = %q, want %q", d, got, want)
		}
		complete, ok := d.Complete()
		if ok != (want == "1980-02-17") || ok && complete.String() != want {
			t.Errorf("%s: complete %v %v", want, complete, ok)
		}
	}
	for _, raw := range []string{"", "1980021", "1980-02-1", "a1980-02-17", "19800230"} {
		if b, err := fourinfo.ParseBirthdate(raw); err == nil || b.Present() {
			t.Errorf("ParseBirthdate(%q) succeeded", raw)
		}
	}
}
