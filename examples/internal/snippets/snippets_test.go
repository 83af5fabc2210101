package snippets

import (
	"bytes"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/printer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// pages are all pages of the project, with the Go on them.
func pages(t *testing.T) (all []Snippet) {
	t.Helper()
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		files, err := filepath.Glob(filepath.Join("../../..", pattern))
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name, err := filepath.Rel("../../..", file)
			if err != nil {
				t.Fatal(err)
			}
			found, err := Find(filepath.ToSlash(name), string(text))
			if err != nil {
				t.Error(err)
			}
			all = append(all, found...)
		}
	}
	return all
}

// preferred are the packages whose name several have.
var preferred = map[string]string{
	"rand": "crypto/rand", "template": "html/template", "context": "context", "errors": "errors",
	"echo": "github.com/labstack/echo/v4",
	"chi":  "github.com/go-chi/chi/v5", "gin": "github.com/gin-gonic/gin", "scs": "github.com/alexedwards/scs/v2",
	"redis":   "github.com/redis/go-redis/v9",
	"kakunin": "github.com/kakunin-go/kakunin",
}

// listed asks the go command, once for all packages.
func listed(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal("go list:", err)
	}
	return string(out)
}

// Every Go snippet of README and docs compiles.
func TestSnippetsCompile(t *testing.T) {
	imports := map[string]string{}
	for line := range strings.Lines(listed(t, "-f", "{{.Name}} {{.ImportPath}}", "std",
		"github.com/kakunin-go/kakunin/...")) {
		name, path, _ := strings.Cut(strings.TrimSpace(line), " ")
		if known, taken := imports[name]; strings.Contains(path, "/internal") || strings.HasPrefix(path, "vendor/") ||
			taken && len(known) <= len(path) {
			continue
		}
		imports[name] = path
	}
	for name, path := range preferred {
		imports[name] = path
	}
	fset := token.NewFileSet()
	files := map[string]*ast.File{}
	var names []string
	wanted := map[string]bool{}
	for _, s := range pages(t) {
		if s.Skipped {
			continue
		}
		f, err := parser.ParseFile(fset, s.Name(), s.File(imports), parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			continue
		}
		files[s.Name()] = f
		names = append(names, s.Name())
		for _, spec := range f.Imports {
			wanted[strings.Trim(spec.Path.Value, `"`)] = true
		}
	}
	if len(names) == 0 {
		t.Fatal("no snippets")
	}
	args := []string{"-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}
	for path := range wanted {
		args = append(args, path)
	}
	exports := map[string]string{}
	for line := range strings.Lines(listed(t, args...)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[path] = file
	}
	compiled := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, errors.New("no package " + path)
		}
		return os.Open(exports[path])
	})
	for _, name := range names {
		config := types.Config{Importer: compiled, Error: func(err error) {
			var e types.Error
			if errors.As(err, &e) && e.Soft && !strings.HasPrefix(files[name].Name.Name, "main") {
				return // a fragment may leave variables unused
			}
			t.Errorf("%s: %v", name, err)
		}}
		_, _ = config.Check("snippet", fset, []*ast.File{files[name]}, nil)
	}
}

// A page in Japanese shows the same Go as the one in English, in whatever language the comments are.
func TestBothLanguagesShowTheSame(t *testing.T) {
	code := map[string][]string{}
	for _, s := range pages(t) {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, "", s.File(nil), parser.SkipObjectResolution)
		if err != nil {
			continue // the other test says so
		}
		var b bytes.Buffer
		if err := printer.Fprint(&b, fset, f); err != nil {
			t.Fatal(err)
		}
		code[s.Page] = append(code[s.Page], b.String())
	}
	for page := range code {
		base, japanese := strings.CutSuffix(page, ".ja.md")
		if !japanese {
			continue
		}
		english := code[base+".md"]
		if len(english) != len(code[page]) {
			t.Errorf("%s has %d blocks of Go, the English page %d", page, len(code[page]), len(english))
			continue
		}
		for i := range english {
			if english[i] != code[page][i] {
				t.Errorf("%s: block %d is another than on the English page", page, i+1)
			}
		}
	}
}

func TestFind(t *testing.T) {
	page := "# x\n```sh\n```\n<!-- go given:\nvar a int\n-->\n```go\nb := a\nfunc f() {\n\tg()\n}\n```\n<!-- go run: " +
		"/x 花子 -->\n```go\npackage main\n```\n"
	found, err := Find("p.md", page)
	if err != nil || len(found) != 2 || found[0].Given != "var a int" || found[0].Program ||
		found[0].Name() != "p.md:8" ||
		found[1].Visit != "/x" || found[1].Shows != "花子" || !found[1].Program || found[1].Given != "" {
		t.Errorf("%+v, %v", found, err)
	}
	if file := found[0].File(nil); !strings.Contains(file,
		"var a int\nfunc f() {\n\tg()\n}\nfunc _() (_ error) {\nb := a") {
		t.Errorf("%s", file)
	}
	if _, err := Find("p.md", "<!-- go gives: x -->"); err == nil {
		t.Error("an unknown mark was taken")
	}
}
