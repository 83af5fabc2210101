package kakunin_test

import (
	"go/ast"
	"go/doc/comment"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What most users call stands at the beginning of a package's documentation, as links, and every one of these has an
// example: go doc alone leads a stranger to working code.
func TestMainFunctionsHaveExamples(t *testing.T) {
	type room struct {
		text     string
		lead     string          // of the text, up to the first heading
		declared map[string]bool // whether it is a function or method
		used     map[string]bool // names that an example uses
		shown    bool            // an example
	}
	rooms := map[string]*room{}
	elsewhere := map[string]bool{} // "package.Name" in the examples of other packages
	at := func(dir string) *room {
		if rooms[dir] == nil {
			rooms[dir] = &room{declared: map[string]bool{}, used: map[string]bool{}}
		}
		return rooms[dir]
	}
	for _, file := range sourceFiles(t) {
		if within(file.dir, "examples") || strings.Contains(file.dir+"/", "internal/") ||
			file.syntax.Name.Name == "main" {
			continue
		}
		r := at(file.dir)
		if !file.test {
			if d := file.syntax.Doc.Text(); d != "" {
				r.text = d
				r.lead, _, _ = strings.Cut(d, "\n# ")
			}
			for name := range declarations(file.syntax) {
				r.declared[name] = false
			}
			for _, decl := range file.syntax.Decls {
				if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil {
					r.declared[f.Name.Name] = true
				} else if ok {
					r.declared[receiverName(f)+"."+f.Name.Name] = true
				}
			}
			continue
		}
		if !slices.ContainsFunc(file.syntax.Decls, isExample) {
			continue
		}
		r.shown = true
		// What an example calls in the same file belongs to it.
		ast.Inspect(file.syntax, func(n ast.Node) bool {
			if f, ok := n.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				return false
			}
			if x, ok := n.(*ast.SelectorExpr); ok {
				r.used[x.Sel.Name] = true
				if from, ok := x.X.(*ast.Ident); ok {
					elsewhere[from.Name+"."+x.Sel.Name] = true
				}
			}
			return true
		})
	}
	if len(rooms) < 30 {
		t.Fatalf("only %d packages", len(rooms))
	}
	for dir, r := range rooms {
		if !strings.Contains(r.text, "\n# Compatibility\n") {
			t.Errorf("%s does not say what stays readable: no section Compatibility", dir)
		}
		if dir == "sign/evidence/storetest" {
			continue // it runs in a test of a store only, as in filestore.TestStore
		}
		if !r.shown {
			t.Errorf("%s has no example", dir)
		}
		links := mainLinks(dir, r.lead)
		named := 0
		for _, link := range links {
			function, known := r.declared[link]
			if !known {
				continue
			}
			named++
			if name := link[strings.LastIndexByte(link, '.')+1:]; function && !r.used[name] &&
				!elsewhere[packageName(dir)+"."+name] {
				t.Errorf("%s: %s is among what most users call, and no example uses it", dir, link)
			}
		}
		if named == 0 {
			t.Errorf("%s: its documentation does not begin with what most users call", dir)
		}
	}
}

var calledInCode = regexp.MustCompile(`\b([a-z]\w*)\.([A-Z]\w*)[({]`)

// mainLinks are the names of the package itself in a text, "Name" or "Type.Method": links, and calls in code.
func mainLinks(dir, text string) (links []string) {
	var parser comment.Parser
	parser.LookupSym = func(string, string) bool { return true }
	walk := func(list []comment.Text) {
		for _, one := range list {
			if link, ok := one.(*comment.DocLink); ok && link.ImportPath == "" {
				name := link.Name
				if link.Recv != "" {
					name = strings.TrimPrefix(link.Recv, "*") + "." + name
				}
				links = append(links, name)
			}
		}
	}
	for _, block := range parser.Parse(text).Content {
		switch b := block.(type) {
		case *comment.Paragraph:
			walk(b.Text)
		case *comment.Code:
			for _, match := range calledInCode.FindAllStringSubmatch(b.Text, -1) {
				if match[1] == packageName(dir) {
					links = append(links, match[2])
				}
			}
		case *comment.List:
			for _, item := range b.Items {
				for _, inner := range item.Content {
					if p, ok := inner.(*comment.Paragraph); ok {
						walk(p.Text)
					}
				}
			}
		}
	}
	return links
}

func packageName(dir string) string {
	if dir == "." {
		return "kakunin"
	}
	return path.Base(dir)
}

func isExample(d ast.Decl) bool {
	f, ok := d.(*ast.FuncDecl)
	return ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Example")
}
