package main

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// Every comparison gets its switches, and the file is still Go that means the same with none of them on.
func TestMutateFile(t *testing.T) {
	source := `package p

const c = 1 < 2

func f(a, b int, s string, err error) bool {
	for i := 0; i < a; i++ {
		if i >= b {
			return true
		}
	}
	return err == nil && (a < b) == (b > 3) || s != "x" && strings.Contains(s, "y")
}
`
	text, mutants, err := mutateFile("p.go", []byte(source), 10)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.ParseFile(token.NewFileSet(), "p.go", text, 0); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var got []string
	for i, m := range mutants {
		if m.number != 10+i {
			t.Errorf("mutant %d has the number %d", i, m.number)
		}
		got = append(got, m.what)
	}
	want := []string{
		"i >= b (turned round)", "i >= b (boundary)", "(a < b) == (b > 3) (turned round)", "a < b (turned round)",
		"a < b (boundary)",
		"b > 3 (turned round)", "b > 3 (boundary)", `s != "x" (turned round)`,
		`strings.Contains(s, "y") (turned round)`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	for _, part := range []string{"const c = 1 < 2\n", "i < a; i++", "err == nil && "} {
		if !strings.Contains(string(text), part) {
			t.Errorf("%q was changed:\n%s", part, text)
		}
	}
}

func TestSurvivors(t *testing.T) {
	known := parseSurvivors("# comment # x\n./p/f.go: a < b (boundary) # both mean the same\n\n")
	if len(known) != 1 || known["./p/f.go: a < b (boundary)"] != "both mean the same" {
		t.Errorf("%v", known)
	}
}
