package mdoc_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/mdoc"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
)

const number = "123456789018" // a published check vector, nobody's number

func elements(changes map[string]any) mdoc.Elements {
	e := mdoc.Elements{
		mdoc.NamespaceJapan: {
			mdoc.ElementName: "試験　花子", mdoc.ElementAddress: "東京都清瀬市架空町１－２－３", mdoc.ElementMunicipality: "13221",
			mdoc.ElementIndividualNumber: number, mdoc.ElementPortrait: []byte("JPEG2000 portrait"),
			mdoc.ElementSexText:       "女",
			mdoc.ElementBirthDateText: "1971年9月1日",
		},
		mdoc.NamespaceISO: {
			mdoc.ElementSex: int64(2), mdoc.ElementBirthDate: "1971-09-01", mdoc.ElementAge: uint64(55),
			"age_over_20": true, "age_over_65": false,
		},
	}
	for name, v := range changes {
		for _, space := range e {
			if _, ok := space[name]; ok {
				if space[name] = v; v == nil {
					delete(space, name)
				}
			}
		}
	}
	return e
}

func TestRead(t *testing.T) {
	t.Parallel()
	d, problems := mdoc.Read(elements(nil), mdoc.Options{Purpose: mynumber.PurposeReporting})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	card, _ := fourinfo.FromCard(fourinfo.CardFields{
		Name: "試験　花子", Address: "東京都清瀬市架空町１－２－３", Birthdate: "19710901", Gender: "2",
	})
	for _, m := range card.Compare(d.Person) {
		if m.Outcome != fourinfo.Same {
			t.Errorf("%s: %v", m.Attribute, m.Outcome)
		}
	}
	if n, err := d.Number.Reveal(mynumber.PurposeReporting); err != nil || n != number {
		t.Errorf("number: %v", err)
	}
	if string(d.Portrait.Reveal()) != "JPEG2000 portrait" || d.RevealMunicipality() != "13221" ||
		d.Address.InMunicipality("13221") != fourinfo.Yes {
		t.Error("portrait or municipality")
	}
}

func TestIndividualNumberIsOffByDefault(t *testing.T) {
	t.Parallel()
	for _, p := range []mynumber.Purpose{0, -1, 99} {
		if d, problems := mdoc.Read(elements(nil), mdoc.Options{Purpose: p}); d.Number.Present() || len(problems) > 0 {
			t.Errorf("purpose %d: a number, %v", p, problems)
		}
	}
	// The sample number of a public document has a wrong check digit.
	d, problems := mdoc.Read(elements(map[string]any{mdoc.ElementIndividualNumber: "123466789012"}),
		mdoc.Options{Purpose: mynumber.PurposeReporting})
	if d.Number.Present() || len(problems) != 1 || problems[0].Reason != mdoc.ProblemNumber {
		t.Errorf("%v", problems)
	}
}

func TestBirthDates(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		iso, printed any
		want         fourinfo.PartialDate
		reasons      []string
	}{
		{"1971-09-01", "1971年9月1日", fourinfo.PartialDate{Year: 1971, Month: 9, Day: 1}, nil},
		{"1971-09-01", "１９７１年０９月０１日", fourinfo.PartialDate{Year: 1971, Month: 9, Day: 1}, nil},
		{"1971-09-01", nil, fourinfo.PartialDate{Year: 1971, Month: 9, Day: 1}, nil},
		{nil, "1971年9月1日", fourinfo.PartialDate{Year: 1971, Month: 9, Day: 1}, nil},
		{nil, nil, fourinfo.PartialDate{}, nil},
		// Approximate: the register does not know the day or the month.
		{"1971-09-01", "1971年9月", fourinfo.PartialDate{Year: 1971, Month: 9}, nil},
		{"1971-07-01", "1971年", fourinfo.PartialDate{Year: 1971}, nil},
		{"1971-07-01", "1971年不詳", fourinfo.PartialDate{Year: 1971}, nil},
		{"1971-09-15", "1971年9月不詳日", fourinfo.PartialDate{Year: 1971, Month: 9}, nil},
		{"1971-09-02", "1971年9月1日", fourinfo.PartialDate{Year: 1971, Month: 9, Day: 1},
			[]string{mdoc.ProblemBirthDates}},
		{"1971-09-01", "昭和46年9月1日", fourinfo.PartialDate{}, []string{mdoc.ProblemApproximate}},
		{"1971-09-01", "1971年9月1日?", fourinfo.PartialDate{}, []string{mdoc.ProblemApproximate}},
		{"19710901", nil, fourinfo.PartialDate{}, []string{fourinfo.ProblemDateForm}},
		{"1971-13-01", nil, fourinfo.PartialDate{}, []string{fourinfo.ProblemNoSuchDate}},
		{int64(19710901), nil, fourinfo.PartialDate{}, []string{mdoc.ProblemType}},
	} {
		d, problems := mdoc.Read(elements(map[string]any{mdoc.ElementBirthDate: tc.iso,
			mdoc.ElementBirthDateText: tc.printed}), mdoc.Options{})
		var reasons []string
		for _, p := range problems {
			reasons = append(reasons, p.Reason)
		}
		if d.Birthdate.Reveal() != tc.want || !slices.Equal(reasons, tc.reasons) {
			t.Errorf("%v and %v: %v, %v", tc.iso, tc.printed, d.Birthdate.Reveal(), reasons)
		}
	}
}

func TestGenders(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		sex, printed any
		want         fourinfo.GenderValue
		problems     int
	}{
		{int64(1), "男", fourinfo.Male, 0}, {int64(2), nil, fourinfo.Female, 0}, {nil, "女", fourinfo.Female, 0},
		{uint64(9), nil, fourinfo.GenderNotApplicable, 0},
		{int64(0), nil, fourinfo.GenderUnknown, 0}, {int64(1), "女", fourinfo.Male, 1},
		{"1", nil, fourinfo.GenderUnknown, 1}, {nil, nil, fourinfo.GenderUnknown, 0},
		{int64(7), nil, fourinfo.GenderUnknown, 0}, {nil, "不明", fourinfo.GenderUnknown, 0},
	} {
		d, problems := mdoc.Read(elements(map[string]any{mdoc.ElementSex: tc.sex, mdoc.ElementSexText: tc.printed}),
			mdoc.Options{})
		if d.Gender.Reveal() != tc.want || len(problems) != tc.problems {
			t.Errorf("%v and %v: %v, %v", tc.sex, tc.printed, d.Gender.Reveal(), problems)
		}
	}
}

func TestAgeAtLeast(t *testing.T) {
	t.Parallel()
	read := func(iso map[string]any) mdoc.Document {
		d, _ := mdoc.Read(mdoc.Elements{mdoc.NamespaceISO: iso}, mdoc.Options{})
		return d
	}
	for _, tc := range []struct {
		what string
		d    mdoc.Document
		want map[int]fourinfo.Answer
	}{
		{"over 20", read(map[string]any{"age_over_20": true}),
			map[int]fourinfo.Answer{18: fourinfo.Yes, 20: fourinfo.Yes, 21: fourinfo.Unknown}},
		{"not over 20", read(map[string]any{"age_over_20": false}),
			map[int]fourinfo.Answer{18: fourinfo.Unknown, 20: fourinfo.No, 21: fourinfo.No}},
		{"age", read(map[string]any{"age_in_years": int64(19)}),
			map[int]fourinfo.Answer{18: fourinfo.Yes, 19: fourinfo.Yes, 20: fourinfo.No}},
		{"contradiction", read(map[string]any{"age_over_20": true, "age_in_years": int64(19)}),
			map[int]fourinfo.Answer{18: fourinfo.Yes, 20: fourinfo.Unknown}},
		{"wrong type", read(map[string]any{"age_over_20": "true", "age_over_x": true, "age_in_years": int64(-1)}),
			map[int]fourinfo.Answer{20: fourinfo.Unknown}},
		{"nothing", mdoc.Document{}, map[int]fourinfo.Answer{0: fourinfo.Unknown, 20: fourinfo.Unknown}},
	} {
		for years, want := range tc.want {
			if got := tc.d.AgeAtLeast(years); got != want {
				t.Errorf("%s: at least %d is %v, want %v", tc.what, years, got, want)
			}
		}
	}
}

func TestDocumentShowsNothing(t *testing.T) {
	t.Parallel()
	d, _ := mdoc.Read(elements(nil), mdoc.Options{Purpose: mynumber.PurposeReporting})
	type nested struct {
		private mdoc.Document
		Public  mdoc.Document
	}
	var out bytes.Buffer
	for _, v := range []any{d, &d, nested{d, d}, d.Portrait, []mdoc.Document{d}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}})).Info("m", slog.Any("v", v))
		encoded, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(encoded)
	}
	for _, s := range []string{"試験", number, "JPEG", fmt.Sprintf("%x", "JPEG"), "74 80 69"} {
		if strings.Contains(out.String(), s) {
			t.Errorf("shows %q: %s", s, out.String())
		}
	}
	// addresses of pointers hold such digits by chance, but more before or after
	for _, s := range []string{"13221", "1971"} {
		if regexp.MustCompile(`\b` + s + `\b`).MatchString(out.String()) {
			t.Errorf("shows %q: %s", s, out.String())
		}
	}
}

// FuzzRead: whatever a wallet says, reading it neither panics nor makes an attribute that it also calls unreadable.
func FuzzRead(f *testing.F) {
	f.Add("試験　花子", "1971年9月1日", "1971-09-01", "13221", int64(2), true)
	f.Add("", "1971年不詳", "", "x", int64(-1), false)
	f.Fuzz(func(t *testing.T, name, printed, iso, code string, sex int64, over bool) {
		d, problems := mdoc.Read(mdoc.Elements{
			mdoc.NamespaceJapan: {mdoc.ElementName: name, mdoc.ElementBirthDateText: printed,
				mdoc.ElementMunicipality: code, mdoc.ElementIndividualNumber: name},
			mdoc.NamespaceISO: {mdoc.ElementBirthDate: iso, mdoc.ElementSex: sex, "age_over_20": over},
		}, mdoc.Options{Purpose: mynumber.PurposeReporting})
		for _, p := range problems {
			if !p.Warning && slices.Contains(d.Attributes(), p.Attribute) {
				t.Errorf("%s is there and unreadable: %s", p.Attribute, p.Reason)
			}
		}
		if want := fourinfo.Yes; over && d.AgeAtLeast(20) != want {
			t.Error("age_over_20 is not believed")
		}
	})
}

// What a wallet handed over, read as the values of package fourinfo.
func ExampleRead() {
	document, _ := mdoc.Read(mdoc.Elements{
		mdoc.NamespaceISO: {"age_over_20": true},
	}, mdoc.Options{})
	fmt.Println(document.AgeAtLeast(20), document.Attributes())

	document, _ = mdoc.Read(mdoc.Elements{
		mdoc.NamespaceJapan: {mdoc.ElementName: "試験　花子", mdoc.ElementBirthDateText: "1971年9月"},
		mdoc.NamespaceISO:   {mdoc.ElementBirthDate: "1971-09-01"}, // approximate, as the other element tells
	}, mdoc.Options{})
	age, ok := document.Birthdate.AgeOn(fourinfo.DateOf(time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)))
	fmt.Println(document.Birthdate.Reveal(), age, ok)
	// Output:
	// yes []
	// 1971-09-?? 55 true
}
