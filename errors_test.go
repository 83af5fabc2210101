package kakunin_test

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// Every package with errors of its own has one type Error of one shape: a reason, the step that failed or a detail and
// the cause where there are any; found by reason with errors.Is; classified into a family. Internal packages may be
// simpler.
func TestErrorsHaveOneShape(t *testing.T) {
	type found struct {
		fields  []string
		methods []string
	}
	errorTypes := map[string]*found{}
	constants := map[string][]string{}
	files := sourceFiles(t)
	for _, file := range files {
		if file.test || file.syntax.Name.Name == "main" || strings.Contains(file.dir+"/", "internal/") {
			continue
		}
		at := func() *found {
			if errorTypes[file.dir] == nil {
				errorTypes[file.dir] = &found{}
			}
			return errorTypes[file.dir]
		}
		for _, decl := range file.syntax.Decls {
			switch d := decl.(type) {
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if s, ok := spec.(*ast.TypeSpec); ok && s.Name.Name == "Error" {
						if fields, ok := s.Type.(*ast.StructType); ok {
							for _, field := range fields.Fields.List {
								for _, name := range field.Names {
									at().fields = append(at().fields, name.Name)
								}
							}
						}
					}
				}
				constants[file.dir] = append(constants[file.dir], reasonConstants(d)...)
			case *ast.FuncDecl:
				if d.Recv != nil && receiverName(d) == "Error" {
					at().methods = append(at().methods, d.Name.Name)
				}
				if d.Recv == nil && d.Name.Name == "ReasonOf" {
					t.Errorf("%s has a ReasonOf: errors.Is finds a reason", file.name)
				}
			}
		}
	}
	if len(errorTypes) < 12 {
		t.Fatalf("only %d error types found: the enumeration is broken", len(errorTypes))
	}
	for dir, e := range errorTypes {
		if len(e.fields) == 0 || e.fields[0] != "Reason" {
			t.Errorf("%s.Error does not say the Reason first: %v", dir, e.fields)
		}
		// A package whose errors have no cause needs no field for one.
		if slices.Contains(e.fields, "Err") != slices.Contains(e.methods, "Unwrap") {
			t.Errorf("%s.Error: Err and Unwrap go together", dir)
		}
		for _, other := range []string{"Check", "Op", "Field", "Kind", "Code", "Cause"} {
			// the OAuth code of the service
			if slices.Contains(e.fields, other) && (dir != "authn" || other != "Code") {
				t.Errorf("%s.Error says %s where the others say Step or Reason", dir, other)
			}
		}
		for _, method := range []string{"Error", "Is", "Family", "UserMessage"} {
			if !slices.Contains(e.methods, method) {
				t.Errorf("%s.Error has no method %s", dir, method)
			}
		}
		if !slices.Contains(constants[dir], "ReasonUnknown") || constants[dir][0] != "ReasonUnknown" {
			t.Errorf("%s: the zero reason is not ReasonUnknown: %v", dir, constants[dir])
		}
		for _, name := range constants[dir] {
			if !strings.HasPrefix(name, "Reason") {
				t.Errorf("%s: the reason %s does not begin with Reason", dir, name)
			}
		}
	}
}

// reasonConstants are the names of a block of constants of the type Reason, in their order.
func reasonConstants(d *ast.GenDecl) []string {
	var names []string
	typed := false
	for _, spec := range d.Specs {
		s, ok := spec.(*ast.ValueSpec)
		if !ok {
			return nil
		}
		if kind, ok := s.Type.(*ast.Ident); ok {
			typed = kind.Name == "Reason"
		} else if s.Values != nil {
			typed = false
		}
		for _, name := range s.Names {
			if typed && name.Name != "_" {
				names = append(names, name.Name)
			}
		}
	}
	return names
}
