package fourinfo_test

import (
	"fmt"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/fourinfo"
)

func TestBirthdateText(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string][2]string{
		"19880723":  {"1988年（昭和63年）7月23日", "23 July 1988"},
		"19890107":  {"1989年（昭和64年）1月7日", "7 January 1989"},
		"19890108":  {"1989年（平成元年）1月8日", "8 January 1989"},
		"19890100":  {"1989年（昭和64年／平成元年）1月（日不明）", "January 1989 (day unknown)"},
		"19890200":  {"1989年（平成元年）2月（日不明）", "February 1989 (day unknown)"},
		"19890000":  {"1989年（昭和64年／平成元年）（月日不明）", "1989 (month and day unknown)"},
		"20190430":  {"2019年（平成31年）4月30日", "30 April 2019"},
		"20190501":  {"2019年（令和元年）5月1日", "1 May 2019"},
		"20260105":  {"2026年（令和8年）1月5日", "5 January 2026"},
		"19120729":  {"1912年（明治45年）7月29日", "29 July 1912"},
		"19120730":  {"1912年（大正元年）7月30日", "30 July 1912"},
		"19261224":  {"1926年（大正15年）12月24日", "24 December 1926"},
		"19261225":  {"1926年（昭和元年）12月25日", "25 December 1926"},
		"18680125":  {"1868年（明治元年）1月25日", "25 January 1868"},
		"18670101":  {"1867年1月1日", "1 January 1867"},
		"00000723":  {"年不明7月23日", "23 July (year unknown)"},
		"00000000":  {"年不明（月日不明）", "year unknown (month and day unknown)"},
		"19880023":  {"1988年（昭和63年）（月不明）23日", "1988 (day 23, month unknown)"},
		"319880723": {"1988年（昭和63年）7月23日", "23 July 1988"},
	} {
		b, err := fourinfo.ParseBirthdate(raw)
		if err != nil {
			t.Fatal(err)
		}
		if ja, en := b.RevealText(kakunin.Japanese), b.RevealText(kakunin.English); ja != want[0] || en != want[1] {
			t.Errorf("%s: %q, %q; want %q", raw, ja, en, want)
		}
	}
	if s := (fourinfo.Birthdate{}).RevealText(kakunin.Japanese); s != "" {
		t.Errorf("absent: %q", s)
	}
}

func TestGenderText(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string][2]string{
		"1": {"男", "male"}, "2": {"女", "female"}, "3": {"その他・不明", "other or unknown"}, "9": {"適用不能", "not applicable"},
		"x": {"不明", "unknown"}, "": {"不明", "unknown"}, "FEMALE": {"女", "female"},
	} {
		g := fourinfo.NewGender(raw)
		if ja, en := g.RevealText(kakunin.Japanese), g.RevealText(kakunin.English); ja != want[0] || en != want[1] {
			t.Errorf("%q: %q, %q", raw, ja, en)
		}
	}
	if s := (fourinfo.Gender{}).RevealText(kakunin.English); s != "" {
		t.Errorf("absent: %q", s)
	}
}

// What a page shows of a person, in both languages.
func ExampleBirthdate_RevealText() {
	b, _ := fourinfo.ParseBirthdate("19890108")
	fmt.Println(b.RevealText(kakunin.Japanese), b.RevealText(kakunin.English),
		fourinfo.NewGender("2").RevealText(kakunin.Japanese))
	// Output: 1989年（平成元年）1月8日 8 January 1989 女
}
