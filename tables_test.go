package kakunin_test

import (
	"go/ast"
	"go/token"
	"testing"
)

// A word for each constant is a table, which shows at a glance what is missing and can be walked through. No switch of
// three or more cases has nothing but a text in each, returned or assigned.
func TestWordsAreTables(t *testing.T) {
	count := 0
	for _, file := range sourceFiles(t) {
		if file.test {
			continue
		}
		ast.Inspect(file.syntax, func(n ast.Node) bool {
			s, ok := n.(*ast.SwitchStmt)
			if !ok {
				return true
			}
			count++
			if s.Tag != nil && len(s.Body.List) > 2 && onlyTexts(s.Body) {
				t.Errorf("%s: a switch of %d texts is a table", file.name, len(s.Body.List))
			}
			return true
		})
	}
	if count < 300 {
		t.Errorf("only %d switches found: the enumeration is broken", count)
	}
}

// onlyTexts reports whether every case gives a literal text, and does nothing else.
func onlyTexts(cases *ast.BlockStmt) bool {
	for _, c := range cases.List {
		clause, ok := c.(*ast.CaseClause)
		if !ok || len(clause.Body) != 1 {
			return false
		}
		var given []ast.Expr
		switch s := clause.Body[0].(type) {
		case *ast.ReturnStmt:
			given = s.Results
		case *ast.AssignStmt:
			given = s.Rhs
		}
		if len(given) != 1 {
			return false
		}
		if text, ok := given[0].(*ast.BasicLit); !ok || text.Kind != token.STRING {
			return false
		}
	}
	return true
}
