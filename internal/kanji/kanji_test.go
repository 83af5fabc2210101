package kanji

import (
	"slices"
	"testing"
)

// TestTable: representatives represent themselves, so that folding twice changes nothing.
func TestTable(t *testing.T) {
	t.Parallel()
	if !slices.IsSortedFunc(variants[:], func(a, b variant) int { return int(a.from - b.from) }) {
		t.Error("the table is not sorted")
	}
	for _, v := range variants {
		if v.from == v.to || Representative(v.to) != v.to || !IsIdeograph(v.from) || !IsIdeograph(v.to) {
			t.Errorf("%c stands for %c", v.to, v.from)
		}
	}
	for _, pair := range []string{"太大", "土士", "末未", "己巳", "千干", "日曰", "人入", "崎埼", "東藤", "田由", "一二"} {
		r := []rune(pair)
		if Representative(r[0]) == Representative(r[1]) {
			t.Errorf("%s are taken for variants", pair)
		}
	}
}
