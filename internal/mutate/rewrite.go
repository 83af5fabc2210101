package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// mutant is one wrong decision.
type mutant struct {
	number int
	file   string
	line   int
	what   string // the expression, and what is wrong with it
}

// edit is text to be put in at an offset.
type edit struct {
	at    int
	inner bool // of the text it stands at the end of
	text  string
}

// mutateFile puts a switch into every comparison of a file. Comparisons with nil, which tell a failure from a success
// and are noticed by everything, and the conditions of loops, which would never end, are left alone.
func mutateFile(name string, source []byte, first int) (text []byte, mutants []mutant, err error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, err
	}
	at := func(p token.Pos) int { return fset.Position(p).Offset }
	of := func(n ast.Node) string { return string(source[at(n.Pos()):at(n.End())]) }
	var edits []edit
	add := func(n ast.Node, kind string) int {
		number := first + len(mutants)
		what := strings.Join(strings.Fields(of(n)), " ") + " (" + kind + ")"
		mutants = append(mutants, mutant{number, name, fset.Position(n.Pos()).Line, what})
		return number
	}
	wrap := func(n ast.Node, before, after string) {
		edits = append(edits, edit{at(n.Pos()), false, before}, edit{at(n.End()), true, after})
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			return n.Tok != token.CONST
		case *ast.BinaryExpr:
			if !comparison[n.Op] || isNil(n.X) || isNil(n.Y) || inLoopCondition(file, n) {
				return true
			}
			turned := add(n, "turned round")
			boundary := ""
			switch n.Op { //nolint:exhaustive // the ordered ones
			case token.LSS, token.GTR:
				boundary = fmt.Sprintf(" || mutantIs(%d) && (%s) == (%s)", add(n, "boundary"), of(n.X), of(n.Y))
			case token.LEQ, token.GEQ:
				boundary = fmt.Sprintf(" && !(mutantIs(%d) && (%s) == (%s))", add(n, "boundary"), of(n.X), of(n.Y))
			}
			wrap(n, "((", fmt.Sprintf(")%s != mutantIs(%d))", "", turned)+closing(boundary))
			if boundary != "" {
				edits[len(edits)-2].text = "(" + edits[len(edits)-2].text
			}
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && comparing[s.Sel.Name] && !inLoopCondition(file, n) {
				wrap(n, "((", fmt.Sprintf(") != mutantIs(%d))", add(n, "turned round")))
			}
		}
		return true
	})
	return apply(source, edits), mutants, nil
}

// closing closes the bracket around a comparison with its boundary.
func closing(boundary string) string {
	if boundary == "" {
		return ""
	}
	return boundary + ")"
}

var comparison = map[token.Token]bool{
	token.EQL: true, token.NEQ: true, token.LSS: true, token.LEQ: true, token.GTR: true, token.GEQ: true,
}

// comparing are methods and functions that compare.
var comparing = map[string]bool{
	"Before":       true,
	"After":        true,
	"Equal":        true,
	"IsZero":       true,
	"Contains":     true,
	"ContainsFunc": true,
	"HasPrefix":    true,
	"HasSuffix":    true,
	"EqualFold":    true,
}

func isNil(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "nil"
}

// inLoopCondition reports whether the node is part of the condition of a for statement.
func inLoopCondition(file *ast.File, n ast.Node) (inside bool) {
	ast.Inspect(file, func(x ast.Node) bool {
		if f, ok := x.(*ast.ForStmt); ok && f.Cond != nil && f.Cond.Pos() <= n.Pos() && n.End() <= f.Cond.End() {
			inside = true
		}
		return !inside
	})
	return inside
}

// apply puts the edits in: at one place, first what ends there, the innermost first, then what begins there, the
// outermost first.
func apply(source []byte, edits []edit) []byte {
	for i, j := 0, len(edits)-1; i < j; i, j = i+1, j-1 { // ends of inner nodes were found after those of outer ones
		edits[i], edits[j] = edits[j], edits[i]
	}
	var ends, begins []edit
	for _, e := range edits {
		if e.inner {
			ends = append(ends, e)
		} else {
			begins = append(begins, e)
		}
	}
	slices.Reverse(begins)
	all := append(ends, begins...) //nolint:gocritic // a new slice is meant
	slices.SortStableFunc(all, func(a, b edit) int {
		if c := cmp.Compare(a.at, b.at); c != 0 {
			return c
		}
		switch {
		case a.inner == b.inner:
			return 0
		case a.inner:
			return -1
		}
		return 1
	})
	var out bytes.Buffer
	last := 0
	for _, e := range all {
		out.Write(source[last:e.at])
		out.WriteString(e.text)
		last = e.at
	}
	out.Write(source[last:])
	return out.Bytes()
}
