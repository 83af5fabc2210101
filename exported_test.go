package kakunin_test

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// Exported names that nothing of the module uses from outside their package, each with the reader it is for.
var forOthers = map[string]string{
	"authn.ProblemUnread":           "an application compares the reason of a problem with it",
	"fourinfo/mdoc.AttributeNumber": "an application compares the attribute of a problem with it",
}

// Nothing is exported without a user: every exported function, type, variable and constant of a public package is used
// in another package of the module, or shown by a test that sees the package from outside. Constants of one type stand
// or fall together, and so does what a used declaration names in its own signature or fields.
func TestExportedNamesHaveUsers(t *testing.T) {
	type owner struct{ dir, name string }
	declared := map[owner][]string{} // with the names of the same package in the declaration
	groups := map[owner]owner{}      // a constant's type
	used := map[owner]bool{}
	files := sourceFiles(t)
	packages := map[string]string{} // directory: package name
	for _, file := range files {
		if !file.test {
			packages[file.dir] = file.syntax.Name.Name
		}
	}
	for _, file := range files {
		public := !file.test && !within(file.dir, "examples") && file.syntax.Name.Name != "main" &&
			!strings.Contains(file.dir+"/", "internal/")
		if public {
			for _, decl := range file.syntax.Decls {
				switch d := decl.(type) {
				case *ast.FuncDecl:
					if d.Recv == nil {
						declared[owner{file.dir, d.Name.Name}] = mentions(d.Type)
					} else if name := receiverName(d); d.Name.IsExported() {
						declared[owner{file.dir, name}] = append(declared[owner{file.dir, name}], mentions(d.Type)...)
					}
				case *ast.GenDecl:
					kind := ""
					for _, spec := range d.Specs {
						switch s := spec.(type) {
						case *ast.TypeSpec:
							o := owner{file.dir, s.Name.Name}
							declared[o] = append(declared[o], mentions(s.Type)...)
						case *ast.ValueSpec:
							if named, ok := s.Type.(*ast.Ident); ok && d.Tok == token.CONST {
								kind = named.Name
							} else if d.Tok == token.CONST && s.Values != nil {
								kind = "block of " + d.Specs[0].(*ast.ValueSpec).Names[0].Name // words of one list
								declared[owner{file.dir, kind}] = nil
							}
							for _, name := range s.Names {
								declared[owner{file.dir, name.Name}] = nil
								if kind != "" {
									groups[owner{file.dir, name.Name}] = owner{file.dir, kind}
								}
							}
						}
					}
				}
			}
		}
		names := map[string]string{} // name in this file: directory
		for i, spec := range file.syntax.Imports {
			dir, our := ours(file.imports[i])
			if !our {
				continue
			}
			name := packages[dir]
			if spec.Name != nil {
				name = spec.Name.Name
			}
			names[name] = dir
		}
		ast.Inspect(file.syntax, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && names[x.Name] != "" {
					used[owner{names[x.Name], s.Sel.Name}] = true
				}
			}
			return true
		})
	}
	for grown := true; grown; {
		grown = false
		mark := func(o owner) {
			if _, ok := declared[o]; ok && !used[o] {
				used[o], grown = true, true
			}
		}
		for o := range declared {
			if used[o] {
				for _, name := range declared[o] {
					mark(owner{o.dir, name})
				}
			}
			if kind, ok := groups[o]; ok && (used[kind] || used[o]) {
				mark(kind)
				mark(o)
			}
		}
	}
	if len(declared) < 500 {
		t.Fatalf("only %d declarations found: the enumeration is broken", len(declared))
	}
	for o := range declared {
		full := o.dir + "." + o.name
		// What errors.Is and errors.As take is the error contract: it stands whether or not a test asks for it.
		contract := o.name == "Error" || strings.HasPrefix(o.name, "Reason") || strings.HasPrefix(o.name, "Err")
		if ast.IsExported(o.name) && !contract && !used[o] && forOthers[full] == "" {
			t.Errorf("%s has no user and no example", full)
		}
	}
}

// mentions are the plain identifiers in an expression.
func mentions(n ast.Node) []string {
	var names []string
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.IsExported() && !slices.Contains(names, id.Name) {
			names = append(names, id.Name)
		}
		return true
	})
	return names
}
