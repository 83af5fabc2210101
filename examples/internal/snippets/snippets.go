// Package snippets finds the Go in the project's pages and makes files of it that a compiler takes. Its tests compile
// all of it, and run the programs that the pages say to copy.
//
// A block that begins with "package" is a whole program. Every other one is a fragment: functions and types at its left
// edge stay at the top, everything else becomes the body of a function, imports are added, and variables that it leaves
// unused are forgiven. What a fragment takes for granted stands in a comment before it, which readers do not see:
//
//	<!-- go given:
//	var client *authn.Client
//	-->
//
// A program that is to be run has "<!-- go run: /path text -->" before it: the page at the path must show the text when
// somebody has logged in. A block that is no Go of its own, such as a template, has "<!-- go skip: reason -->".
package snippets

import (
	"fmt"
	"regexp"
	"strings"
)

// Snippet is one block of Go on a page.
type Snippet struct {
	Page    string
	Line    int // of the page
	Text    string
	Given   string // what a fragment takes for granted
	Visit   string // the path of the page that a program is visited at; "" unless it is run
	Shows   string // what the page must show then
	Program bool
	Skipped bool
}

// Name is the place, for people.
func (s Snippet) Name() string { return fmt.Sprintf("%s:%d", s.Page, s.Line) }

var mark = regexp.MustCompile(`(?s)^<!--\s*go (given|run|skip):\s*(.*?)\s*-->\s*$`)

// Find returns the snippets of a page in Markdown.
func Find(page, text string) (found []Snippet, err error) {
	lines := strings.Split(text, "\n")
	next := Snippet{Page: page}
	for i := 0; i < len(lines); i++ {
		switch line := lines[i]; {
		case strings.HasPrefix(line, "<!-- go "):
			from := i
			for i < len(lines)-1 && !strings.Contains(lines[i], "-->") {
				i++
			}
			m := mark.FindStringSubmatch(strings.Join(lines[from:i+1], "\n"))
			if m == nil {
				return nil, fmt.Errorf("%s:%d: not a mark", page, from+1)
			}
			switch m[1] {
			case "given":
				next.Given = m[2]
			case "run":
				next.Visit, next.Shows, _ = strings.Cut(m[2], " ")
			case "skip":
				next.Skipped = true
			}
		case line == "```go":
			next.Line = i + 2
			var block []string
			for i++; i < len(lines) && lines[i] != "```"; i++ {
				block = append(block, lines[i])
			}
			next.Text = strings.Join(block, "\n") + "\n"
			next.Program = strings.HasPrefix(next.Text, "package ")
			found = append(found, next)
			next = Snippet{Page: page}
		case strings.HasPrefix(line, "```"):
			for i++; i < len(lines) && lines[i] != "```"; i++ {
				continue
			}
		}
	}
	return found, nil
}

var atTop = regexp.MustCompile(`^(func|type|const|var) |^(func|type|const|var)\(`)

// File is the snippet as a whole file; imports resolves the names of packages.
func (s Snippet) File(imports map[string]string) string {
	if s.Program {
		return s.Text
	}
	var top, body []string
	lines := strings.Split(s.Text, "\n")
	for i := 0; i < len(lines); i++ {
		if !atTop.MatchString(lines[i]) || strings.HasPrefix(lines[i], "var ") {
			body = append(body, lines[i])
			continue
		}
		top = append(top, lines[i])
		if strings.HasSuffix(lines[i], "{") || strings.HasSuffix(lines[i], "(") {
			for i++; i < len(lines) && lines[i] != "}" && lines[i] != ")"; i++ {
				top = append(top, lines[i])
			}
			top = append(top, lines[min(i, len(lines)-1)])
		}
	}
	rest := s.Given + "\n" + strings.Join(top, "\n") + "\nfunc _() (_ error) {\n" + strings.Join(body, "\n") +
		"\nreturn nil\n}\n"
	var b strings.Builder
	b.WriteString("package snippet\n")
	given := map[string]bool{}
	for _, m := range declared.FindAllStringSubmatch(s.Given, -1) {
		given[m[1]] = true
	}
	for _, name := range packageNames(rest) {
		if path, ok := imports[name]; ok && !given[name] {
			fmt.Fprintf(&b, "import %s %q\n", name, path)
		}
	}
	b.WriteString(rest)
	return b.String()
}

// declared finds the variables that are given.
var declared = regexp.MustCompile(`(?m)^\s*(?:var\s+)?([a-z]\w*)\s+[*\[\]a-zA-Z]`)

var selector = regexp.MustCompile(`\b([a-z][a-z0-9]*)\.[A-Z]`)

// packageNames are the names that stand before a dot and an exported name, each once.
func packageNames(text string) (names []string) {
	seen := map[string]bool{}
	for _, m := range selector.FindAllStringSubmatch(text, -1) {
		if !seen[m[1]] {
			seen[m[1]] = true
			names = append(names, m[1])
		}
	}
	return names
}
