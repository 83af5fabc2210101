package fourinfo_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/fourinfo"
)

// checkMatch holds for any two values: symmetry, spans within the values, Same for equal raw values only, and a named
// step behind every other outcome.
func checkMatch(t *testing.T, a, b fourinfo.Person, rawA, rawB string, flagged bool) {
	t.Helper()
	there, back := a.Compare(b), b.Compare(a)
	if len(there) != 1 || len(back) != 1 {
		t.Fatalf("%d and %d outcomes", len(there), len(back))
	}
	m := there[0]
	checkMirror(t, "fuzz", m, back[0])
	checkSpans(t, "fuzz", m, a, b)
	switch {
	case m.Outcome == fourinfo.OutcomeUnknown:
		t.Errorf("%q and %q are not compared", rawA, rawB)
	case m.Outcome == fourinfo.Same && rawA != rawB:
		t.Errorf("%q and %q are called the same", rawA, rawB)
	case m.Outcome != fourinfo.Same && len(m.Findings) == 0:
		t.Errorf("%q and %q are %v without a step", rawA, rawB, m.Outcome)
	case rawA == rawB && !flagged && m.Outcome != fourinfo.Same:
		t.Errorf("%q is not itself: %+v", rawA, m)
	}
	for _, f := range m.Findings {
		if f.Step.String() == "unknown" {
			t.Errorf("%q and %q: a step without a name: %+v", rawA, rawB, f)
		}
		known := f.Outcome == fourinfo.SameAfterNormalisation && f.Step >= fourinfo.StepVariant &&
			f.Step <= fourinfo.StepSmallKana
		if f.Step.Outcome() != f.Outcome && !known {
			t.Errorf("%q and %q: %v is %v", rawA, rawB, f.Step, f.Outcome)
		}
	}
}

func seedPairs(f *testing.F, file string) {
	f.Helper()
	for _, row := range readTable(f, file, 4) {
		a, flagsA, _ := strings.Cut(row.cells[2], "|")
		b, flagsB, _ := strings.Cut(row.cells[3], "|")
		f.Add(a, flagsA, b, flagsB)
	}
}

func fuzzed(attribute, value, flags string) (p fourinfo.Person, usable bool) {
	cell := value
	if flags != "" {
		cell += "|" + flags
	}
	if strings.Contains(value, "|") {
		return p, false
	}
	p = personOf(attribute, cell)
	return p, slices.Contains(p.Attributes(), attribute)
}

func fuzzMatch(f *testing.F, attribute string) {
	f.Fuzz(func(t *testing.T, rawA, flagsA, rawB, flagsB string) {
		a, okA := fuzzed(attribute, rawA, flagsA)
		b, okB := fuzzed(attribute, rawB, flagsB)
		if !okA || !okB {
			return
		}
		checkMatch(t, a, b, rawA, rawB, flagsA != "" || flagsB != "")
		twin, _ := fuzzed(attribute, rawA, flagsA)
		self := a.Compare(twin)[0]
		if flagsA == "" && self.Outcome != fourinfo.Same || self.Outcome == fourinfo.Different ||
			self.Outcome == fourinfo.SameAfterNormalisation {
			t.Errorf("%q (%s) compared with itself: %+v", rawA, flagsA, self)
		}
		parts, ok := a.Address.RevealParts()
		if ok && flagsA == "" && a.Address.InMunicipality(parts.Code) != fourinfo.Yes {
			t.Errorf("%q: %+v", rawA, parts)
		}
	})
}

// FuzzCompareNames: whatever two names are, comparing them is symmetric, reflexive and explained.
func FuzzCompareNames(f *testing.F) {
	seedPairs(f, "names.tsv")
	fuzzMatch(f, fourinfo.AttributeName)
}

// FuzzCompareAddresses is the same for addresses.
func FuzzCompareAddresses(f *testing.F) {
	seedPairs(f, "addresses.tsv")
	fuzzMatch(f, fourinfo.AttributeAddress)
}

// FuzzStep: no text makes a step panic, and a step that leaves the meaning alone explains at least itself.
func FuzzStep(f *testing.F) {
	for _, examples := range stepExamples {
		for _, e := range examples {
			f.Add(e.in)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range fourinfo.Steps() {
			_ = s.Apply(text)
		}
	})
}
