package kakunin_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	lineWidth = 120
	// A tab counts as gofmt's users mostly see it.
	tabWidth = 4
	// A literal that is nearly a line by itself, e.g. a modulus in hexadecimal, is not made clearer by a break.
	wholeLiteral = 76
	// What needs more lines is more than one idea.
	fileLines = 500
)

// Every file is one idea; generated tables are as long as what they list.
func TestFilesAreShort(t *testing.T) {
	for _, f := range sourceFiles(t) {
		src, err := os.ReadFile(filepath.FromSlash(f.name))
		if err != nil {
			t.Fatal(err)
		}
		n := bytes.Count(src, []byte("\n"))
		if n > fileLines && !bytes.HasPrefix(src, []byte("// Code generated")) {
			t.Errorf("%s: %d lines, more than %d: split it by idea", f.name, n, fileLines)
		}
	}
}

// What has to stand in a line wraps at 120 columns. What may be wider is text that a break would change or spoil: raw
// literals, long literals without a space to break at, directives, and the expected output of examples.
func TestLinesWrap(t *testing.T) {
	count := 0
	for _, f := range sourceFiles(t) {
		src, err := os.ReadFile(filepath.FromSlash(f.name))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(src, []byte("// Code generated")) {
			continue
		}
		count++
		free := freeLines(t, src)
		for i, line := range strings.Split(string(src), "\n") {
			if w := columns(line); w > lineWidth && !free[i+1] {
				t.Errorf("%s:%d: %d columns", f.name, i+1, w)
			}
		}
	}
	if count < 300 {
		t.Errorf("only %d files looked at", count)
	}
}

func TestLinesWrapFinds(t *testing.T) {
	long := strings.Repeat("x", lineWidth)
	const head = "package p\n\n"
	for name, row := range map[string]struct {
		src  string
		free bool
	}{
		"comment":          {head + "// " + long + "\n", false},
		"code":             {head + "var " + long + " = 1\n", false},
		"literal of words": {head + "var v = \"" + strings.Repeat("word ", 25) + "\"\n", false},
		"one word":         {head + "var v = \"" + long + "\"\n", true},
		"raw literal":      {head + "var v = `" + strings.Repeat("word ", 25) + "`\n", true},
		"go:generate":      {head + "//go:generate " + long + "\n", true},
		"output":           {head + "func ExampleX() {\n\t// Output:\n\t// " + long + "\n}\n", true},
	} {
		free, wide := freeLines(t, []byte(row.src)), 0
		for i, line := range strings.Split(row.src, "\n") {
			if columns(line) > lineWidth {
				wide++
				if free[i+1] != row.free {
					t.Errorf("%s: line %d free: %v", name, i+1, free[i+1])
				}
			}
		}
		if wide != 1 {
			t.Errorf("%s: %d wide lines", name, wide)
		}
	}
}

// freeLines tells the lines that cannot be broken.
func freeLines(t *testing.T, src []byte) map[int]bool {
	t.Helper()
	free := map[int]bool{}
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, "", src, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range tree.Comments {
		output := false
		for _, c := range group.List {
			text := strings.TrimSpace(strings.TrimPrefix(c.Text, "//"))
			output = output || strings.HasPrefix(text, "Output:") || strings.HasPrefix(text, "Unordered output:")
			if output || ast.IsGenerated(tree) || strings.HasPrefix(c.Text, "//go:") {
				free[set.Position(c.Pos()).Line] = true
			}
		}
	}
	file := token.NewFileSet().AddFile("", -1, len(src))
	var s scanner.Scanner
	s.Init(file, src, nil, 0)
	for {
		pos, kind, literal := s.Scan()
		if kind == token.EOF {
			return free
		}
		if kind != token.STRING {
			continue
		}
		first := file.Line(pos)
		switch {
		case literal[0] == '`':
			for i := range strings.Count(literal, "\n") + 1 {
				free[first+i] = true
			}
		case utf8.RuneCountInString(literal) >= wholeLiteral && widest(literal) >= wholeLiteral/2:
			free[first] = true
		}
	}
}

// widest is the length of the longest word.
func widest(s string) int {
	n := 0
	for _, word := range strings.Fields(s) {
		n = max(n, utf8.RuneCountInString(word))
	}
	return n
}

func columns(line string) int {
	n := 0
	for _, r := range line {
		if r == '\t' {
			n += tabWidth - n%tabWidth
		} else {
			n++
		}
	}
	return n
}
