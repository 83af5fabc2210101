package sqlkeep_test

import (
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/sqlkeep"
)

func TestANameCannotEndAStatement(t *testing.T) {
	for name, want := range map[string]bool{
		"kakunin_evidence":       true,
		"shop.Kakunin2":          true,
		strings.Repeat("n", 40):  true,
		strings.Repeat("n", 41):  false,
		"":                       false,
		"a b":                    false,
		"a;b":                    false,
		`a"b`:                    false,
		"a'b":                    false,
		"a-b":                    false,
		"a\x00b":                 false,
		"証拠":                     false,
		"a--":                    false,
		"a\n":                    false,
		"kakunin_evidence(id)":   false,
		"kakunin_evidence\u3000": false,
	} {
		if got := sqlkeep.IsName(name, 40); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}
