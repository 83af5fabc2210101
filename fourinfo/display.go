package fourinfo

import (
	"strconv"

	"github.com/kakunin-go/kakunin"
)

// RevealText returns the date for the person to read: "1988年（昭和63年）7月23日" or "23 July 1988". Parts that are unknown
// are said to be; a year in which the era changed shows both eras where month and day do not tell. It is "" when the
// birthdate is absent.
func (b Birthdate) RevealText(l kakunin.Language) string {
	if !b.Present() {
		return ""
	}
	if l == kakunin.Japanese {
		return b.Reveal().japanese()
	}
	return b.Reveal().english()
}

func (p PartialDate) japanese() string {
	year := "年不明"
	if p.Year != 0 {
		year = strconv.Itoa(p.Year) + "年"
		if era := p.eraYears(); era != "" {
			year += "（" + era + "）"
		}
	}
	switch {
	case p.Month == 0 && p.Day == 0:
		return year + "（月日不明）"
	case p.Month == 0:
		return year + "（月不明）" + strconv.Itoa(p.Day) + "日"
	case p.Day == 0:
		return year + strconv.Itoa(int(p.Month)) + "月（日不明）"
	}
	return year + strconv.Itoa(int(p.Month)) + "月" + strconv.Itoa(p.Day) + "日"
}

// eraYears names the Japanese year, both where the known parts leave two; "" before Meiji. The day on which an era
// began belongs to it.
func (p PartialDate) eraYears() (text string) {
	earliest, latest, ok := p.span()
	if !ok {
		return ""
	}
	for digit := 1; digit < len(eras); digit++ {
		e := eras[digit]
		if latest.Compare(e.first) < 0 || (digit+1 < len(eras) && earliest.Compare(eras[digit+1].first) >= 0) {
			continue
		}
		if text != "" {
			text += "／"
		}
		n := p.Year - e.first.Year + 1
		if n == 1 {
			text += e.name + "元年"
		} else {
			text += e.name + strconv.Itoa(n) + "年"
		}
	}
	return text
}

func (p PartialDate) english() string {
	text := "year unknown"
	if p.Year != 0 {
		text = strconv.Itoa(p.Year)
	}
	switch {
	case p.Month == 0 && p.Day == 0:
		return text + " (month and day unknown)"
	case p.Month == 0:
		return text + " (day " + strconv.Itoa(p.Day) + ", month unknown)"
	case p.Day == 0:
		return p.Month.String() + " " + text + " (day unknown)"
	case p.Year == 0:
		return strconv.Itoa(p.Day) + " " + p.Month.String() + " (year unknown)"
	}
	return strconv.Itoa(p.Day) + " " + p.Month.String() + " " + text
}

// RevealText returns the gender for the person to read, such as "女" or "female"; "" when it is absent.
func (g Gender) RevealText(l kakunin.Language) string {
	if !g.Present() {
		return ""
	}
	m := genderTexts[g.Reveal()]
	if l == kakunin.Japanese {
		return m.JA
	}
	return m.EN
}

var genderTexts = [...]kakunin.Message{
	GenderUnknown: {JA: "不明", EN: "unknown"}, Male: {JA: "男", EN: "male"}, Female: {JA: "女", EN: "female"},
	GenderOther: {JA: "その他・不明", EN: "other or unknown"}, GenderNotApplicable: {JA: "適用不能", EN: "not applicable"},
}
