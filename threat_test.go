package kakunin_test

import (
	"go/ast"
	"os"
	"regexp"
	"strings"
	"testing"
)

const threatPage = "docs/threat-model.md"

// `folder: TestName`, as the page names tests.
var quotedTest = regexp.MustCompile("`([a-z0-9./]+): ((?:Test|Fuzz)[A-Za-z0-9_]+)`")

// A control that no test shows is a hope. Every row of the threat model names its tests, and they exist.
func TestThreatsHaveTests(t *testing.T) {
	there := map[string]bool{}
	for _, file := range sourceFiles(t) {
		if !file.test {
			continue
		}
		for _, decl := range file.syntax.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil {
				there[file.dir+": "+f.Name.Name] = true
			}
		}
	}
	text, err := os.ReadFile(threatPage)
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 || strings.Contains(line, "---") || strings.Contains(line, "shown by") {
			continue
		}
		rows++
		tests := quotedTest.FindAllStringSubmatch(cells[2], -1)
		if len(tests) == 0 {
			t.Errorf("no test shows the control against: %s", strings.TrimSpace(cells[0]))
		}
		for _, match := range tests {
			if !there[match[1]+": "+match[2]] {
				t.Errorf("%s names %s of %s, which does not exist", threatPage, match[2], match[1])
			}
		}
	}
	if rows < 40 {
		t.Errorf("only %d threats", rows)
	}
}
