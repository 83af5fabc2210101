package kakunin_test

import (
	"go/ast"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Functions that take more than two values in a row, each with whose shape it is.
var shapeOfOthers = map[string]string{
	"jpki/card.Key.Sign":             "crypto.Signer",
	"jpki/certpath.Algorithm.Verify": "ed25519.Verify: key, message, signature",
	"middleware.Shared.Put": "a store implements it without knowing a type of middleware's, as a cache: " +
		"key, value, time to live",
	"middleware/sharedstore.Redis.Put": "middleware.Shared",
	"middleware/sharedstore.SQL.Put":   "middleware.Shared",
}

// Nothing is positional beyond two arguments: an exported function or method, and a function type in an exported type,
// takes at most two values. Not counted are what comes first by custom (the context, a handler's writer and request, a
// test) and a variadic end.
func TestNothingIsPositionalBeyondTwo(t *testing.T) {
	counted := 0
	unused := maps.Clone(shapeOfOthers)
	check := func(name string, f *ast.FuncType) {
		counted++
		if n := positional(f); n > 2 {
			if shapeOfOthers[name] == "" {
				t.Errorf("%s takes %d values in a row: a struct gives them names", name, n)
			}
			delete(unused, name)
		}
	}
	for _, file := range sourceFiles(t) {
		if file.test || within(file.dir, "examples") || file.syntax.Name.Name == "main" ||
			strings.Contains(file.dir+"/", "internal/") {
			continue
		}
		for _, decl := range file.syntax.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				name := file.dir + "."
				if d.Recv != nil {
					name += receiverName(d) + "."
				}
				if d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiverName(d))) {
					check(name+d.Name.Name, d.Type)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if s, ok := spec.(*ast.TypeSpec); ok && s.Name.IsExported() {
						functionTypes(file.dir+"."+s.Name.Name, s.Type, check)
					}
				}
			}
		}
	}
	if counted < 500 {
		t.Fatalf("only %d functions found: the enumeration is broken", counted)
	}
	for name := range unused {
		t.Errorf("%s is an exception that nothing needs", name)
	}
}

// functionTypes calls f for the function types in a type: methods of an interface, exported fields of a struct, and
// what a function takes in turn.
func functionTypes(name string, n ast.Expr, f func(string, *ast.FuncType)) {
	fields := func(list *ast.FieldList) {
		for _, field := range list.List {
			for _, id := range field.Names {
				if id.IsExported() {
					functionTypes(name+"."+id.Name, field.Type, f)
				}
			}
		}
	}
	switch n := n.(type) {
	case *ast.StructType:
		fields(n.Fields)
	case *ast.InterfaceType:
		fields(n.Methods)
	case *ast.FuncType:
		f(name, n)
		for _, p := range n.Params.List {
			functionTypes(name, p.Type, f)
		}
	}
}

// positional counts the values that a caller has to put into the right order.
func positional(f *ast.FuncType) int {
	var kinds []string
	for _, p := range f.Params.List {
		kind := ""
		switch e := p.Type.(type) {
		case *ast.Ellipsis:
			continue
		case *ast.SelectorExpr:
			kind = e.Sel.Name
		case *ast.StarExpr:
			if s, ok := e.X.(*ast.SelectorExpr); ok {
				kind = "*" + s.Sel.Name
			}
		}
		kinds = append(kinds, slices.Repeat([]string{kind}, max(1, len(p.Names)))...)
	}
	for _, first := range [][]string{{"Context"}, {"ResponseWriter", "*Request"}, {"*Request"}, {"TB"}, {"*T"},
		{"*B"}} {
		if len(kinds) >= len(first) && slices.Equal(kinds[:len(first)], first) {
			return len(kinds) - len(first)
		}
	}
	return len(kinds)
}
