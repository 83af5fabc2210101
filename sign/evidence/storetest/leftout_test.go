package storetest

import (
	"slices"
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// TestLeftOut: an attack that a harness cannot make is named with a reason, or the store's test fails.
func TestLeftOut(t *testing.T) {
	swap := func(testing.TB, int64, int64) {}
	all := Tamper{
		Rewrite: func(testing.TB, int64, func([]byte) []byte) {}, Swap: swap, Cut: func(testing.TB, int64) {},
		DropHeld: func(testing.TB, int64) {}, SwapHeld: swap,
		RewriteBlob: func(testing.TB, evidence.Hash, func([]byte) []byte) {},
	}
	for name, c := range map[string]struct {
		change func(t *Tamper)
		want   []string
	}{
		"everything": {func(*Tamper) {}, nil},
		"one is forgotten": {
			func(t *Tamper) { t.Cut = nil },
			[]string{"Tamper.Cut is missing, and LeftOut gives no reason"},
		},
		"left out": {func(t *Tamper) { t.Cut, t.LeftOut = nil, map[string]string{"Cut": "a tape"} }, nil},
		"left out without a word": {
			func(t *Tamper) { t.Swap, t.LeftOut = nil, map[string]string{"Swap": " "} },
			[]string{"Tamper.Swap is missing, and LeftOut gives no reason"},
		},
		"a reason for what is there": {
			func(t *Tamper) { t.LeftOut = map[string]string{"Swap": "a tape"} },
			[]string{"LeftOut names Swap, which is not missing"},
		},
		"a reason for nothing": {
			func(t *Tamper) { t.LeftOut = map[string]string{"Burn": "a tape"} },
			[]string{"LeftOut names Burn, which is not missing"},
		},
	} {
		tamper := all
		c.change(&tamper)
		if got := tamper.mistakes(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := (Tamper{}).mistakes(); len(got) != 6 {
		t.Errorf("nothing at all: %q", got)
	}
	for name := range attacks() {
		if _, known := all.given()[needs(name)]; !known {
			t.Errorf("%s needs %s", name, needs(name))
		}
	}
}
