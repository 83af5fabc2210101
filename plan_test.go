package kakunin_test

import (
	"fmt"
	"go/ast"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/tests/golden"
)

//go:generate go test -run ^TestPlanIsWhatTheCodeImports$ -update .

const (
	architecturePage = "docs/architecture.md"
	planBegins       = "<!-- plan: go generate . -->\n```\n"
	planEnds         = "```\n<!-- plan ends -->"
)

// The plan in docs/architecture.md is drawn from the code: each package with the packages of ours that it imports.
func TestPlanIsWhatTheCodeImports(t *testing.T) {
	page, err := os.ReadFile(architecturePage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), planBegins)
	_, after, ok2 := strings.Cut(rest, planEnds)
	if !ok || !ok2 {
		t.Fatal("the page has no place for the plan")
	}
	want := before + planBegins + plan(t) + planEnds + after
	golden.File(t, architecturePage, want)
}

func plan(t *testing.T) string {
	t.Helper()
	imports := map[string]map[string]bool{}
	for _, file := range sourceFiles(t) {
		if file.test || file.generator() || within(file.dir, "examples") {
			continue
		}
		if imports[file.dir] == nil {
			imports[file.dir] = map[string]bool{}
		}
		for _, imported := range file.imports {
			if dir, our := ours(imported); our {
				imports[file.dir][dir] = true
			}
		}
	}
	floors := map[string]int{}
	var floor func(dir string, above []string) int
	floor = func(dir string, above []string) int {
		if slices.Contains(above, dir) {
			t.Fatalf("a circle of imports: %v", append(above, dir))
		}
		if known, ok := floors[dir]; ok {
			return known
		}
		height := 0
		for _, below := range slices.Sorted(maps.Keys(imports[dir])) {
			height = max(height, floor(below, append(slices.Clone(above), dir))+1)
		}
		floors[dir] = height
		return height
	}
	var public, private []string
	for dir := range imports {
		floor(dir, nil)
		if strings.Contains(dir+"/", "internal/") {
			private = append(private, dir)
		} else {
			public = append(public, dir)
		}
	}
	byFloor := func(a, b string) int {
		if floors[a] != floors[b] {
			return floors[b] - floors[a]
		}
		return strings.Compare(a, b)
	}
	slices.SortFunc(public, byFloor)
	slices.SortFunc(private, byFloor)
	var b strings.Builder
	for _, dir := range public {
		var direct []string
		for _, below := range slices.Sorted(maps.Keys(imports[dir])) {
			if !strings.Contains(below+"/", "internal/") && below != "." {
				direct = append(direct, below)
			}
		}
		fmt.Fprintln(&b, strings.TrimRight(fmt.Sprintf("%2d  %-28s %s", floors[dir], planName(dir),
			strings.Join(direct, " ")), " "))
	}
	b.WriteByte('\n')
	for _, dir := range private {
		var users []string
		for _, user := range slices.Sorted(maps.Keys(imports)) {
			if imports[user][dir] {
				users = append(users, planName(user))
			}
		}
		fmt.Fprintf(&b, "%2d  %-28s ← %s\n", floors[dir], dir, strings.Join(users, " "))
	}
	return b.String()
}

func planName(dir string) string {
	if dir == "." {
		return "kakunin"
	}
	return dir
}

var quotedPath = regexp.MustCompile("`([a-z][a-z0-9_/]*\\.(?:go|md|sh|html))`(?: \\(((?:`[A-Za-z.]+`(?:, )?)+)\\))?")

// Every file that a page for readers names exists, and declares what is named behind it in parentheses.
func TestToursNameWhatExists(t *testing.T) {
	declared := map[string]map[string]bool{}
	for _, file := range sourceFiles(t) {
		declared[file.name] = declarations(file.syntax)
	}
	found := 0
	for _, page := range []string{architecturePage, "CONTRIBUTING.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range quotedPath.FindAllStringSubmatch(string(text), -1) {
			found++
			if _, err := os.Stat(match[1]); err != nil {
				t.Errorf("%s names %s, which does not exist", page, match[1])
			}
			for name := range strings.FieldsFuncSeq(match[2],
				func(r rune) bool { return strings.ContainsRune("`, ", r) }) {
				if path.Ext(match[1]) == ".go" && !declared[match[1]][name] {
					t.Errorf("%s names %s in %s, which does not declare it", page, name, match[1])
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d files are named: the tours are gone", found)
	}
}

// declarations are the names that a file declares: "Name" or "Type.Method".
func declarations(file *ast.File) map[string]bool {
	names := map[string]bool{}
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				names[d.Name.Name] = true
			} else {
				names[receiverName(d)+"."+d.Name.Name] = true
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					names[s.Name.Name] = true
				case *ast.ValueSpec:
					for _, name := range s.Names {
						names[name.Name] = true
					}
				}
			}
		}
	}
	return names
}
