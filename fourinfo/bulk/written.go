package bulk

import "github.com/kakunin-go/kakunin/fourinfo"

// written is one line of the output.
type written struct {
	ID         string      `json:"id,omitempty"`
	Outcome    string      `json:"outcome"`
	Attributes []attribute `json:"attributes,omitempty"`
}

type attribute struct {
	Attribute string    `json:"attribute"`
	Outcome   string    `json:"outcome"`
	Findings  []finding `json:"findings,omitempty"`
}

type finding struct {
	Step     string `json:"step"`
	Outcome  string `json:"outcome"`
	Expected [2]int `json:"expected"`
	Actual   [2]int `json:"actual"`
}

func write(r Result) written {
	out := written{ID: r.ID, Outcome: r.Outcome().String()}
	for _, m := range r.Matches {
		a := attribute{Attribute: m.Attribute, Outcome: m.Outcome.String()}
		for _, f := range m.Findings {
			a.Findings = append(
				a.Findings,
				finding{f.Step.String(), f.Outcome.String(), span(f.Expected), span(f.Actual)},
			)
		}
		out.Attributes = append(out.Attributes, a)
	}
	return out
}

func span(s fourinfo.Span) [2]int { return [2]int{s.From, s.To} }
