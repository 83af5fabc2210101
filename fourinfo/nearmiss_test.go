package fourinfo_test

import (
	"testing"

	"github.com/kakunin-go/kakunin/fourinfo"
)

// near is how many characters a row that must not match may be away from a row of its kind that does. Where the
// kind leaves no such row, because no machine may decide between two scripts, its two sides are one character apart.
const near = 3

// TestEveryKindHasANearMiss: a rule that accepts too much is as wrong as one that accepts too little. Beside the rows
// of a kind that match, or that a person looks at, stands one a step away from them that must be different.
func TestEveryKindHasANearMiss(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"names.tsv", "addresses.tsv"} {
		var kinds []string
		accepted, refused := map[string][]tableRow{}, map[string][]tableRow{}
		for _, row := range readTable(t, file, 4) {
			if len(kinds) == 0 || kinds[len(kinds)-1] != row.kind {
				kinds = append(kinds, row.kind)
			}
			if row.cells[0] == fourinfo.Different.String() {
				refused[row.kind] = append(refused[row.kind], row)
			} else {
				accepted[row.kind] = append(accepted[row.kind], row)
			}
		}
		if len(kinds) < 30 {
			t.Errorf("%s: only %d kinds", file, len(kinds))
		}
		for _, kind := range kinds {
			if len(accepted[kind]) > 0 && !hasNearMiss(accepted[kind], refused[kind]) {
				t.Errorf("%s: nothing is a near miss of %q (%d matching rows, %d others)", file, kind,
					len(accepted[kind]), len(refused[kind]))
			}
		}
	}
}

func hasNearMiss(accepted, refused []tableRow) bool {
	for _, r := range refused {
		if distance(r.cells[2], r.cells[3]) == 1 {
			return true
		}
		for _, a := range accepted {
			if min(
				distance(a.cells[2], r.cells[2])+distance(a.cells[3], r.cells[3]),
				distance(a.cells[2], r.cells[3])+distance(a.cells[3], r.cells[2]),
			) <= near {
				return true
			}
		}
	}
	return false
}

// distance is the smallest number of characters to put in, take out or exchange that makes one text of the other.
func distance(from, to string) int {
	a, b := []rune(from), []rune(to)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			exchanged := diagonal
			if a[i] != b[j] {
				exchanged++
			}
			diagonal = row[j+1]
			row[j+1] = min(exchanged, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"試験", "試験", 0}, {"試験", "", 2}, {"試験", "試行", 1}, {"JOHN", "JON", 1}, {"ab", "ba", 2}} {
		if got := distance(c.a, c.b); got != c.want || distance(c.b, c.a) != got {
			t.Errorf("%q to %q: %d", c.a, c.b, got)
		}
	}
}
