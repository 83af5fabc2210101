package kakunin_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/doc"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/kakunin-go/kakunin/internal/tests/golden"
)

//go:generate go test -run ^TestExamplesPage$ -update .

const examplesPage = "docs/examples.md"

// leastExamples is what the project once promised; there are more.
const leastExamples = 64

// order is that of the page: what most people need first.
var order = []string{"middleware", "authn", "sign", "jpki", "fourinfo", ".", "cardsim"}

// shown is one Example function.
type shown struct {
	file   string
	symbol string // "Card.Verify"; "" for the package
	suffix string // "without digest info"
	says   string // the first sentence of its comment
}

// name is what the example is of, as the page writes it.
func (s shown) name() string {
	text := s.symbol
	if text == "" {
		text = "the package as a whole"
	}
	if s.suffix != "" {
		text += " (" + s.suffix + ")"
	}
	return text
}

// secondList is a list of examples by hand, beside the section.
var secondList = regexp.MustCompile(`(?m)^Examples?: .*$`)

type exampled struct {
	dir, file string // of the package, and the file with its documentation
	text      string // its documentation
	shown     []shown
}

// TestExamplesPage compares docs/examples.md, and the section Examples of every package's documentation, with the
// Example functions in the source: none is missing in either, and each says in a sentence what it shows.
func TestExamplesPage(t *testing.T) {
	packages := examples(t)
	n := 0
	for _, p := range packages {
		n += len(p.shown)
		want := examplesSection(p)
		if golden.Updating() {
			writeSection(t, p, want)
		} else if got := sectionOf(p.text, "Examples"); got != sectionOf(uncomment(want), "Examples") {
			t.Errorf("%s: the section Examples of its documentation is not what the source has: go generate .\n%s",
				p.dir, got)
		}
		if again := secondList.FindString(p.text); again != "" {
			t.Errorf("%s: its documentation lists examples a second time: %s", p.dir, again)
		}
	}
	if n < leastExamples {
		t.Errorf("%d examples, %d were promised", n, leastExamples)
	}
	want := examplesText(t, packages, n)
	golden.File(t, examplesPage, want)
}

// examples are the packages that have some, in the order of the page.
func examples(t *testing.T) (all []exampled) {
	t.Helper()
	at := map[string]*exampled{}
	for _, file := range sourceFiles(t) {
		if within(file.dir, "examples") || strings.Contains(file.dir+"/", "internal/") ||
			file.syntax.Name.Name == "main" {
			continue
		}
		p := at[file.dir]
		if p == nil {
			p = &exampled{dir: file.dir}
			at[file.dir] = p
		}
		if d := file.syntax.Doc.Text(); d != "" && !file.test {
			p.file, p.text = file.name, d
		}
		for _, decl := range file.syntax.Decls {
			if file.test && isExample(decl) {
				p.shown = append(p.shown, readExample(t, file.name, decl.(*ast.FuncDecl)))
			}
		}
	}
	rank := func(dir string) int {
		return slices.IndexFunc(order, func(top string) bool { return within(dir, top) })
	}
	for _, p := range at {
		if len(p.shown) == 0 {
			continue
		}
		if rank(p.dir) < 0 {
			t.Errorf("%s has no place on the page", p.dir)
		}
		slices.SortFunc(p.shown, func(a, b shown) int {
			return strings.Compare(a.symbol+" "+a.suffix, b.symbol+" "+b.suffix)
		})
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b exampled) int {
		if d := rank(a.dir) - rank(b.dir); d != 0 {
			return d
		}
		return strings.Compare(a.dir, b.dir)
	})
	return all
}

// readExample takes a name of the form that go vet holds to: ExampleType_Method_suffix.
func readExample(t *testing.T, file string, f *ast.FuncDecl) shown {
	t.Helper()
	s := shown{file: file}
	parts := strings.Split(strings.TrimPrefix(f.Name.Name, "Example"), "_")
	if last := parts[len(parts)-1]; last != "" && unicode.IsLower([]rune(last)[0]) {
		s.suffix, parts = inWords(last), parts[:len(parts)-1]
	}
	s.symbol = strings.Join(parts, ".")
	comment := strings.Join(strings.Fields(f.Doc.Text()), " ")
	s.says = new(doc.Package).Synopsis(comment)
	if s.says == "" {
		t.Errorf("%s: %s does not say what it shows", file, f.Name.Name)
	}
	return s
}

// inWords makes "fifteen lines" of fifteenLines.
func inWords(name string) string {
	var b strings.Builder
	for _, r := range name {
		if unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// examplesSection is the section of a package's documentation, as comment lines.
func examplesSection(p exampled) string {
	var items []string
	for _, s := range p.shown {
		item := "[" + s.symbol + "]"
		if s.symbol == "" {
			item = "the package as a whole"
		}
		if !slices.Contains(items, item) {
			items = append(items, item)
		}
	}
	text := "There is an example of " + items[0]
	if last := len(items) - 1; last > 0 {
		text = "There are examples of " + strings.Join(items[:last], ", ") + " and " + items[last]
	}
	lines := []string{"// # Examples", "//"}
	line := "//"
	for _, word := range strings.Fields(text + ".") {
		if len(line)+1+len(word) > 118 {
			lines = append(lines, line)
			line = "//"
		}
		line += " " + word
	}
	return strings.Join(append(lines, line, "//"), "\n") + "\n"
}

func uncomment(text string) string {
	return strings.ReplaceAll(strings.TrimPrefix(strings.ReplaceAll(text, "\n//", "\n"), "//"), "\n ", "\n")
}

// sectionOf is what stands under a heading, its words alone.
func sectionOf(text, heading string) string {
	_, rest, found := strings.Cut("\n"+strings.TrimLeft(text, " "), "\n# "+heading+"\n")
	if !found {
		return ""
	}
	rest, _, _ = strings.Cut(rest, "\n# ")
	return strings.Join(strings.Fields(rest), " ")
}

// writeSection puts the section before that on compatibility, which every package has.
func writeSection(t *testing.T, p exampled, section string) {
	t.Helper()
	old, err := os.ReadFile(p.file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(old)
	if before, rest, found := strings.Cut(text, "// # Examples\n"); found {
		_, after, ok := strings.Cut(rest, "// # Compatibility\n")
		if !ok {
			t.Fatal(p.file)
		}
		text = before + "// # Compatibility\n" + after
	}
	text = strings.Replace(text, "// # Compatibility\n", section+"// # Compatibility\n", 1)
	if text == string(old) {
		return
	}
	if err := os.WriteFile(p.file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func examplesText(t *testing.T, packages []exampled, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Examples\n\nMade by `go generate .` from the source; a test fails when it is stale.\n\n"+
		"Whole programs, each started by one command, are the [lessons](#programs). The %d examples of packages below "+
		"are tests:\nall of them compile, and those that say what they print are run by `go test ./...`. On a page of "+
		"`go doc` each stands beside\nwhat it is an example of.\n", n)
	for _, p := range packages {
		title, place := p.dir, "../"+p.dir+"/"
		if p.dir == "." {
			title, place = "kakunin", "../"
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| example of | shows |\n| --- | --- |\n", title,
			inTable(new(doc.Package).Synopsis(p.text)))
		for _, s := range p.shown {
			fmt.Fprintf(&b, "| [%s](%s) | %s |\n", s.name(), place+s.file[strings.LastIndexByte(s.file, '/')+1:],
				inTable(s.says))
		}
	}
	b.WriteString("\n## Programs\n\n| command | what it is |\n| --- | --- |\n")
	for _, file := range sourceFiles(t) {
		if !file.test && within(file.dir, "examples") && strings.Count(file.dir, "/") == 1 &&
			file.syntax.Doc.Text() != "" {
			synopsis := new(doc.Package).Synopsis(file.syntax.Doc.Text())
			fmt.Fprintf(&b, "| [`%s`](../%s) | %s |\n", file.dir, file.dir, inTable(synopsis))
		}
	}
	return b.Bytes()
}

// inTable keeps a text within one cell, without the brackets of links.
func inTable(text string) string {
	text = strings.NewReplacer("|", `\|`, "[", "", "]", "").Replace(text)
	if before, colon := strings.CutSuffix(text, ":"); colon {
		return before + "."
	}
	return text
}
