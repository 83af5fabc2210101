package fourinfo_test

import (
	"math"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
)

// TestPartialBirthdatesHaveARange: what is unknown is answered by unknown and by what remains possible, never by a
// default.
func TestPartialBirthdatesHaveARange(t *testing.T) {
	t.Parallel()
	on := func(y int, m time.Month, d int) fourinfo.Date { return fourinfo.Date{Year: y, Month: m, Day: d} }
	for _, tc := range []struct {
		raw              string
		on               fourinfo.Date
		youngest, oldest int
		ok               bool
		atLeast20        fourinfo.Answer
	}{
		{"20060401", on(2026, 3, 31), 19, 19, true, fourinfo.No},
		{"20060401", on(2026, 4, 1), 20, 20, true, fourinfo.Yes},
		{"20040229", on(2023, 2, 28), 18, 18, true, fourinfo.No},
		{"20040229", on(2023, 3, 1), 19, 19, true, fourinfo.No},
		{"20040229", on(2024, 2, 28), 19, 19, true, fourinfo.No},
		{"20040229", on(2024, 2, 29), 20, 20, true, fourinfo.Yes},
		{"20060400", on(2026, 3, 31), 19, 19, true, fourinfo.No},
		{"20060400", on(2026, 4, 15), 19, 20, true, fourinfo.Unknown},
		{"20060400", on(2026, 4, 30), 20, 20, true, fourinfo.Yes},
		{"20040200", on(2024, 2, 28), 19, 20, true, fourinfo.Unknown}, // the 29th is possible
		{"20040200", on(2024, 2, 29), 20, 20, true, fourinfo.Yes},
		{"20030200", on(2023, 2, 28), 20, 20, true, fourinfo.Yes}, // the 29th is not
		{"20060000", on(2026, 6, 1), 19, 20, true, fourinfo.Unknown},
		{"20060000", on(2026, 12, 31), 20, 20, true, fourinfo.Yes},
		{"20060000", on(2006, 6, 1), 0, 0, true, fourinfo.No},
		{"20060000", on(2005, 12, 31), 0, 0, false, fourinfo.No},
		{"00000000", on(2026, 6, 1), 0, 0, false, fourinfo.Unknown},
		{"20060401", on(2026, 2, 29), 0, 0, false, fourinfo.Unknown}, // no such day
	} {
		b := born(t, tc.raw)
		youngest, oldest, ok := b.AgesOn(tc.on)
		if youngest != tc.youngest || oldest != tc.oldest || ok != tc.ok {
			t.Errorf("%s on %v: %d to %d, %v; want %d to %d, %v", tc.raw, tc.on, youngest, oldest, ok, tc.youngest,
				tc.oldest, tc.ok)
		}
		if got := b.IsAtLeast(20, tc.on); got != tc.atLeast20 {
			t.Errorf("%s on %v: at least 20 is %v, want %v", tc.raw, tc.on, got, tc.atLeast20)
		}
		if age, certain := b.AgeOn(tc.on); certain != (tc.ok && tc.youngest == tc.oldest && !unborn(tc.raw, tc.on)) ||
			certain && age != tc.youngest {
			t.Errorf("%s on %v: age %d, %v", tc.raw, tc.on, age, certain)
		}
	}
}

// unborn reports whether a partial date may lie after the day.
func unborn(raw string, on fourinfo.Date) bool { return raw[:4] == "2006" && on.Year == 2006 }

func TestReachedBetween(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		raw              string
		years            int
		earliest, latest string
	}{
		{"20060401", 20, "2026-03-31", "2026-03-31"},
		{"20040229", 19, "2023-02-28", "2023-02-28"},
		{"20040229", 20, "2024-02-28", "2024-02-28"},
		{"20060101", 18, "2023-12-31", "2023-12-31"},
		{"20060400", 20, "2026-03-31", "2026-04-29"},
		{"20040200", 19, "2023-01-31", "2023-02-28"},
		{"20060000", 20, "2025-12-31", "2026-12-30"},
		{"00000000", 20, "", ""}, {"20060401", 0, "", ""}, {"20060401", 9999, "", ""},
		{"20060401", math.MaxInt, "", ""},
	} {
		b := born(t, tc.raw)
		earliest, latest, ok := b.ReachedBetween(tc.years)
		if ok != (tc.earliest != "") || ok && (earliest.String() != tc.earliest || latest.String() != tc.latest) {
			t.Errorf("%s, %d years: %v to %v, %v", tc.raw, tc.years, earliest, latest, ok)
		}
		day, certain := b.ReachedOn(tc.years)
		if certain != (ok && tc.earliest == tc.latest) || certain && day != earliest {
			t.Errorf("%s, %d years: %v, %v", tc.raw, tc.years, day, certain)
		}
	}
}
