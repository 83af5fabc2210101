package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// checkAPI compares the tree's API with the record, or records it.
func checkAPI(root, record string, write bool) error {
	now, err := api(root)
	if err != nil {
		return err
	}
	if write {
		//nolint:gosec // it is public
		return os.WriteFile(filepath.Join(root, record), []byte(strings.Join(now, "\n")+"\n"), 0o644)
	}
	before, err := os.ReadFile(filepath.Join(root, record)) //nolint:gosec // the tree's own
	if err != nil {
		return err
	}
	gone, added := compare(strings.Split(strings.TrimSuffix(string(before), "\n"), "\n"), now)
	for _, line := range gone {
		fmt.Println("-", line)
	}
	for _, line := range added {
		fmt.Println("+", line)
	}
	if len(gone) > 0 {
		return fmt.Errorf("%d exported declarations are gone or changed: say so in CHANGELOG.md and record the API "+
			"anew", len(gone))
	}
	fmt.Printf("%d declarations as recorded, %d new\n", len(now)-len(added), len(added))
	return nil
}

func compare(before, now []string) (gone, added []string) {
	without := func(a, b []string) (out []string) {
		for _, line := range a {
			if _, found := slices.BinarySearch(b, line); !found {
				out = append(out, line)
			}
		}
		return out
	}
	return without(before, now), without(now, before)
}

// api lists the exported declarations of the public packages below root, sorted.
func api(root string) ([]string, error) {
	var lines []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			base := d.Name()
			if name != root && (strings.HasPrefix(base, ".") || base == "internal" || base == "testdata" ||
				base == "examples") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if file.Name.Name == "main" {
			return nil
		}
		relative, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		for _, line := range exported(file) {
			lines = append(lines, path.Clean(filepath.ToSlash(relative))+": "+line)
		}
		return nil
	})
	slices.Sort(lines)
	return slices.Compact(lines), err
}

// exported lists a file's exported declarations, each field of a struct by itself, because a field more breaks nobody
// who names fields. A method more of an interface breaks who implements it: an interface is one line.
func exported(file *ast.File) []string {
	var lines []string
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if !d.Name.IsExported() {
				continue
			}
			receiver := ""
			if d.Recv != nil {
				of := text(d.Recv.List[0].Type)
				if !ast.IsExported(strings.TrimPrefix(of, "*")) {
					continue
				}
				receiver = "(" + of + ") "
			}
			lines = append(lines, "func "+receiver+d.Name.Name+signature(d.Type))
		case *ast.GenDecl:
			kind := ""
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					if s.Name.IsExported() {
						lines = append(lines, typeLines(s)...)
					}
				case *ast.ValueSpec:
					if s.Type != nil {
						kind = " " + text(s.Type)
					} else if s.Values != nil {
						kind = ""
					}
					for _, name := range s.Names {
						if name.IsExported() {
							lines = append(lines, d.Tok.String()+" "+name.Name+kind)
						}
					}
				}
			}
		}
	}
	return lines
}

func typeLines(s *ast.TypeSpec) []string {
	head := "type " + s.Name.Name
	if s.TypeParams != nil {
		head += "[" + fields(s.TypeParams, true) + "]"
	}
	if s.Assign.IsValid() {
		head += " ="
	}
	switch t := s.Type.(type) {
	case *ast.StructType:
		lines := []string{head + " struct"}
		for _, f := range t.Fields.List {
			for _, name := range f.Names {
				if name.IsExported() {
					lines = append(lines, head+"."+name.Name+" "+text(f.Type))
				}
			}
			if of := text(f.Type); f.Names == nil && ast.IsExported(of[strings.LastIndexAny(of, "*.")+1:]) {
				lines = append(lines, head+" embeds "+of)
			}
		}
		return lines
	case *ast.InterfaceType:
		var methods []string
		for _, m := range t.Methods.List {
			if f, ok := m.Type.(*ast.FuncType); ok {
				methods = append(methods, m.Names[0].Name+signature(f))
				continue
			}
			methods = append(methods, text(m.Type))
		}
		slices.Sort(methods)
		return []string{head + " interface { " + strings.Join(methods, "; ") + " }"}
	}
	return []string{head + " " + text(s.Type)}
}

// signature is a function's type without the names of its parameters, which break nobody.
func signature(f *ast.FuncType) string {
	out := ""
	if f.TypeParams != nil {
		out = "[" + fields(f.TypeParams, true) + "]"
	}
	out += "(" + fields(f.Params, false) + ")"
	if f.Results == nil {
		return out
	}
	results := fields(f.Results, false)
	if f.Results.NumFields() > 1 {
		results = "(" + results + ")"
	}
	return out + " " + results
}

func fields(list *ast.FieldList, names bool) string {
	var out []string
	for _, f := range list.List {
		for i := range max(1, len(f.Names)) {
			one := text(f.Type)
			if names && len(f.Names) > 0 {
				one = f.Names[i].Name + " " + one
			}
			out = append(out, one)
		}
	}
	return strings.Join(out, ", ")
}

// text is an expression in one line.
func text(n ast.Expr) string {
	if f, ok := n.(*ast.FuncType); ok {
		return "func" + signature(f)
	}
	var b bytes.Buffer
	if err := printer.Fprint(&b, token.NewFileSet(), n); err != nil {
		return err.Error()
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
