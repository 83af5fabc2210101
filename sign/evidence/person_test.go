package evidence_test

import (
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

// TestPersonIsRecorded: outcome, reasons and places are kept, no character of a value is, and no difference is
// evidence.
func TestPersonIsRecorded(t *testing.T) {
	t.Parallel()
	expected, _ := fourinfo.FromCard(fourinfo.CardFields{
		Name: "髙橋 花子", Address: "東京都清瀬市架空町１－２－３", Birthdate: "19880723", Gender: "2",
	})
	actual, _ := fourinfo.FromCard(fourinfo.CardFields{
		Name: "高橋　花子", Address: "東京都清瀬市架空町一丁目２番３号", Birthdate: "19880723", Gender: "2",
	})
	shared := *verified()
	report := &shared
	report.PersonCompared, report.PersonMatches = true, expected.Compare(actual)
	rec, err := evidence.FromReport(report, now)
	if err != nil {
		t.Fatal(err)
	}
	b, err := rec.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	back, err := evidence.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"name": "needs-review", "address": "same-after-normalisation", "birthdate": "same",
		"gender": "same"}
	steps := map[string]bool{}
	for _, m := range back.Person {
		if want[m.Attribute] != m.Outcome {
			t.Errorf("%s: %s", m.Attribute, m.Outcome)
		}
		delete(want, m.Attribute)
		for _, f := range m.Findings {
			steps[f.Step] = true
		}
	}
	if len(want) > 0 || !steps["variant"] || !steps["unit"] || !steps["numeral"] || !steps["space"] {
		t.Errorf("recorded %+v, missing %v", back.Person, want)
	}
	for _, secret := range []string{"髙", "高", "橋", "花", "清瀬", "架空", "1988"} {
		if strings.Contains(string(b), secret) {
			t.Errorf("the record shows %q", secret)
		}
	}
	for name, change := range map[string][2]string{
		"a difference":      {`"outcome": "needs-review"`, `"outcome": "different"`},
		"not compared":      {`"outcome": "same"`, `"outcome": "unknown"`},
		"a name as step":    {`"step": "variant"`, `"step": "髙橋"`},
		"a negative place":  {`"expected": [`, `"expected": [-1, 0], "x": [`},
		"person unexpected": {`"person_compared": true`, `"person_compared": false`},
	} {
		changed := strings.Replace(string(b), change[0], change[1], 1)
		if changed == string(b) {
			t.Fatalf("%s: nothing to change in %s", name, b)
		}
		if _, err := evidence.Parse([]byte(changed)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	report.PersonMatches = []fourinfo.FieldMatch{{Attribute: "name", Outcome: fourinfo.Different}}
	if rec, err := evidence.FromReport(report, now); rec != nil || reasonOf(err) != evidence.ReasonFormat {
		t.Errorf("a difference became evidence: %v", err)
	}
}
