package main

import (
	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/fourinfo"
)

// comparison is how one attribute of the certificate compared with that of the person who logged in, in words. It holds
// positions and nothing personal.
type comparison struct {
	Attribute string             `json:"attribute"`
	Outcome   string             `json:"outcome"`
	JA        string             `json:"ja"`
	EN        string             `json:"en"`
	Reasons   []comparisonReason `json:"reasons,omitempty"`
}

type comparisonReason struct {
	Step        string `json:"step"`
	Outcome     string `json:"outcome"`
	JA          string `json:"ja"`
	EN          string `json:"en"`
	Login       [2]int `json:"login"`       // code points of the value that the login gave: from, to
	Certificate [2]int `json:"certificate"` // of the certificate's
}

func comparisonsOf(matches []fourinfo.FieldMatch) []comparison {
	var all []comparison
	for _, m := range matches {
		w := m.Outcome.Wording()
		c := comparison{Attribute: m.Attribute, Outcome: m.Outcome.String(), JA: w.JA, EN: w.EN}
		for _, f := range m.Findings {
			w := f.Wording()
			c.Reasons = append(c.Reasons, comparisonReason{
				Step: f.Step.String(), Outcome: f.Outcome.String(), JA: w.JA, EN: w.EN,
				Login: [2]int{f.Expected.From, f.Expected.To}, Certificate: [2]int{f.Actual.From, f.Actual.To},
			})
		}
		all = append(all, c)
	}
	return all
}

// comparisonRow is a comparison on the page.
type comparisonRow struct {
	ID, Label, Outcome string
	Good               bool
	Reasons            []string
}

// comparisonRows returns the rows and whether somebody has to look at one.
func comparisonRows(all []comparison, lang kakunin.Language) (rows []comparisonRow, review bool) {
	for _, c := range all {
		row := comparisonRow{
			ID:      "compared-" + c.Attribute,
			Label:   words["account."+c.Attribute].in(lang),
			Outcome: text{c.JA, c.EN}.in(lang),
			Good:    c.Outcome != fourinfo.NeedsReview.String(),
		}
		review = review || !row.Good
		for _, r := range c.Reasons {
			row.Reasons = append(row.Reasons, text{r.JA, r.EN}.in(lang))
		}
		rows = append(rows, row)
	}
	return rows, review
}
