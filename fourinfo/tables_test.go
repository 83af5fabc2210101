package fourinfo_test

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/fourinfo"
)

// tableRow is one line of a table in testdata.
type tableRow struct {
	where string
	kind  string // what the heading says: a kind of difference and where it is published
	cells []string
}

// readTable reads lines of tab-separated cells with Go escapes for code points.
func readTable(t testing.TB, file string, columns int) []tableRow {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var rows []tableRow
	kind := ""
	for n, line := range strings.Split(string(b), "\n") {
		if heading, ok := strings.CutPrefix(line, "# kind: "); ok {
			kind = heading
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		where := file + ":" + strconv.Itoa(n+1)
		cells := strings.Split(line, "\t")
		if len(cells) > columns { // a tab in the last cell
			t.Fatalf("%s: %d cells", where, len(cells))
		}
		for i, c := range cells {
			if cells[i], err = strconv.Unquote(`"` + c + `"`); err != nil {
				t.Fatalf("%s: %q: %v", where, c, err)
			}
		}
		for len(cells) < columns {
			cells = append(cells, "")
		}
		rows = append(rows, tableRow{where, kind, cells})
	}
	return rows
}

// personOf makes a person with one attribute of a cell, with flags behind "|".
func personOf(attribute, cell string) fourinfo.Person {
	value, flags, flagged := strings.Cut(cell, "|")
	var f fourinfo.CertificateFields
	fields, flagFields := &f.Name, &f.NameSubstitutes
	if attribute == fourinfo.AttributeAddress {
		fields, flagFields = &f.Address, &f.AddressSubstitutes
	}
	if *fields = &value; flagged {
		*flagFields = &flags
	}
	p, _ := fourinfo.FromCertificate(f)
	if value == "" { // a certificate has no empty attributes
		p.Name, p.Address = fourinfo.Name{}, fourinfo.Address{}
		if attribute == fourinfo.AttributeName {
			p.Name = fourinfo.NewName("")
		} else {
			p.Address = fourinfo.NewAddress("")
		}
	}
	return p
}

func stepNames(m fourinfo.FieldMatch) string {
	var names []string
	for _, f := range m.Findings {
		if name := f.Step.String(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ",")
}

func sorted(list string) string {
	if list == "-" {
		return ""
	}
	names := strings.Split(list, ",")
	slices.Sort(names)
	return strings.Join(names, ",")
}

// TestMatchingTables: outcome and steps of every row, both ways round; nobody differs from himself.
func TestMatchingTables(t *testing.T) {
	t.Parallel()
	rows := 0
	for file, attribute := range map[string]string{"names.tsv": fourinfo.AttributeName,
		"addresses.tsv": fourinfo.AttributeAddress} {
		for _, row := range readTable(t, file, 4) {
			rows++
			if name, source, ok := strings.Cut(row.kind, " | source: "); !ok || name == "" || source == "" {
				t.Errorf("%s: no kind with its source: %q", row.where, row.kind)
			}
			want, steps := row.cells[0], sorted(row.cells[1])
			a, b := personOf(attribute, row.cells[2]), personOf(attribute, row.cells[3])
			there, back := a.Compare(b), b.Compare(a)
			if len(there) != 1 || len(back) != 1 {
				t.Errorf("%s: %v, %v", row.where, there, back)
				continue
			}
			if got := there[0]; got.Outcome.String() != want || stepNames(got) != steps {
				t.Errorf("%s: %q and %q are %v by %s, want %s by %s", row.where, row.cells[2], row.cells[3],
					got.Outcome, stepNames(got), want, steps)
			}
			checkMirror(t, row.where, there[0], back[0])
			checkSpans(t, row.where, there[0], a, b)
			for _, cell := range row.cells[2:] {
				if self := personOf(attribute, cell).Compare(
					personOf(attribute, cell))[0]; self.Outcome != fourinfo.Same && stepNames(self) != "substitute" &&
					stepNames(self) != "substitutes-unusable" {
					t.Errorf("%s: not itself: %+v", row.where, self)
				}
			}
		}
	}
	if rows < 1000 {
		t.Errorf("%d rows: the tables have lost some", rows)
	}
}

// checkMirror: exchanging the persons exchanges the spans and nothing else.
func checkMirror(t *testing.T, where string, a, b fourinfo.FieldMatch) {
	t.Helper()
	if a.Outcome != b.Outcome || len(a.Findings) != len(b.Findings) {
		t.Errorf("%s: %+v one way, %+v the other", where, a, b)
		return
	}
	for i := range a.Findings {
		f, g := a.Findings[i], b.Findings[i]
		if f.Step != g.Step || f.Outcome != g.Outcome || f.Expected != g.Actual || f.Actual != g.Expected {
			t.Errorf("%s: %+v one way, %+v the other", where, f, g)
		}
	}
}

// checkSpans: positions lie within the raw values, and the outcome is the gravest of the findings.
func checkSpans(t *testing.T, where string, m fourinfo.FieldMatch, a, b fourinfo.Person) {
	t.Helper()
	length := func(p fourinfo.Person) int { return len([]rune(p.Name.Reveal() + p.Address.Reveal())) }
	worst := fourinfo.Same
	for _, f := range m.Findings {
		worst = max(worst, f.Outcome)
		for _, x := range []struct {
			span fourinfo.Span
			n    int
		}{{f.Expected, length(a)}, {f.Actual, length(b)}} {
			if x.span.From < 0 || x.span.To < x.span.From || x.span.To > x.n {
				t.Errorf("%s: %v: span %v of %d", where, f.Step, x.span, x.n)
			}
		}
		if f.Expected == f.Actual && f.Expected.From == f.Expected.To && length(a)+length(b) > 0 &&
			f.Step != fourinfo.StepUnknownPart {
			t.Errorf("%s: %v says nothing of where: %+v", where, f.Step, f)
		}
	}
	if worst != m.Outcome {
		t.Errorf("%s: outcome %v, gravest finding %v", where, m.Outcome, worst)
	}
}

func TestMunicipalityTable(t *testing.T) {
	t.Parallel()
	for _, row := range readTable(t, "municipalities.tsv", 7) {
		for i, c := range row.cells[:6] {
			if c == "-" {
				row.cells[i] = ""
			}
		}
		address := fourinfo.NewAddress(row.cells[6])
		got, ok := address.RevealParts()
		want := fourinfo.AddressParts{Prefecture: row.cells[0], County: row.cells[1], City: row.cells[2],
			Ward: row.cells[3], Code: row.cells[4], Rest: row.cells[5]}
		if unknown := row.cells[0] == "?"; unknown {
			if ok {
				t.Errorf("%s: %+v, want nothing", row.where, got)
			}
			continue
		}
		if !ok || got != want {
			t.Errorf("%s: %+v, %v; want %+v", row.where, got, ok, want)
			continue
		}
		if address.InMunicipality(got.Code) != fourinfo.Yes || address.InMunicipality(got.Code[:5]) != fourinfo.Yes {
			t.Errorf("%s: not in its own municipality", row.where)
		}
	}
}
