package municipality

import (
	"cmp"
	"slices"
	"testing"
)

// TestRows: the table is whole and sorted.
func TestRows(t *testing.T) {
	t.Parallel()
	if len(prefectures) != 47 || prefectures[0] != "北海道" || prefectures[12] != "東京都" || prefectures[46] != "沖縄県" {
		t.Errorf("prefectures: %v", prefectures)
	}
	if !slices.IsSortedFunc(rows[:], func(a, b Municipality) int { return int(a.Code - b.Code) }) {
		t.Error("rows are not sorted")
	}
	if !slices.IsSortedFunc(keys[:], func(a, b key) int {
		return cmp.Or(cmp.Compare(a.key, b.key),
			cmp.Compare(a.row, b.row))
	}) {
		t.Error("keys are not sorted")
	}
	covered := map[int]bool{}
	designated := map[int32]bool{}
	whole, wards, special := 0, 0, 0
	for row, m := range Rows() {
		covered[m.Prefecture()] = true
		switch {
		case m.Former:
		case m.Ward != "":
			wards++
			designated[m.Parent] = true
		default:
			whole++
		}
		if m.IsSpecialWard() {
			special++
		}
		if code, ok := ParseCode(m.CodeText()); !ok || code != m.Code || At(row) != m {
			t.Errorf("%s is not found by its code", m.CodeText())
		}
	}
	// 1,718 municipalities, 23 special wards and the six villages without residents; 20 designated cities with 171
	// wards.
	if len(covered) != 47 || whole != 1718+23+6 || special != 23 || len(designated) != 20 || wards != 171 {
		t.Errorf("%d prefectures, %d municipalities, %d special wards, %d designated cities with %d wards",
			len(covered), whole, special, len(designated), wards)
	}
}

// TestCode: the check digits of published codes.
func TestCode(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]string{
		1100: "011002", 13101: "131016", 14364: "143642", 13221: "132217", 27100: "271004", 47382: "473821",
	} {
		if got := codeText(code); got != want {
			t.Errorf("%d: %s, want %s", code, got, want)
		}
	}
	for _, bad := range []string{"", "1322", "132218", "13999", "1322x", "１３２２１"} {
		if code, ok := ParseCode(bad); ok {
			t.Errorf("%q is read as %d", bad, code)
		}
	}
}
