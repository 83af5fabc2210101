package kakunin_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// pageLink finds where links and pictures of a page in Markdown lead.
var pageLink = regexp.MustCompile(`\]\(([^)\s]+)\)|src="([^"]+)"`)

// Every link and picture of README and docs that stays in the repository leads somewhere: the file is there, and the
// heading in it.
func TestPagesLeadSomewhere(t *testing.T) {
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	if len(pages) < 20 {
		t.Fatalf("only %d pages", len(pages))
	}
	links := 0
	for _, page := range pages {
		for _, target := range linksOf(t, page) {
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			links++
			file, heading, _ := strings.Cut(target, "#")
			at := page
			if file != "" {
				at = filepath.Join(filepath.Dir(page), filepath.FromSlash(file))
			}
			if _, err := os.Stat(at); err != nil {
				t.Errorf("%s: %s is not there", page, target)
			} else if heading != "" && !headings(t, at)[heading] {
				t.Errorf("%s: %s has no heading #%s", page, at, heading)
			}
		}
	}
	if links < 100 {
		t.Errorf("only %d links found", links)
	}
}

func linksOf(t *testing.T, page string) (targets []string) {
	t.Helper()
	for _, line := range outsideOfCode(t, page) {
		for _, m := range pageLink.FindAllStringSubmatch(line, -1) {
			targets = append(targets, m[1]+m[2])
		}
	}
	return targets
}

// headings are the anchors of a page, as they are made where it is shown: lower case, hyphens for spaces, no
// punctuation.
func headings(t *testing.T, page string) map[string]bool {
	t.Helper()
	anchors := map[string]bool{}
	for _, line := range outsideOfCode(t, page) {
		title := strings.TrimLeft(line, "#")
		if title == line || !strings.HasPrefix(title, " ") {
			continue
		}
		anchors[strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			default:
				return -1
			}
		}, strings.TrimSpace(title))] = true
	}
	return anchors
}

// outsideOfCode are the lines of a page that are not in a fenced block.
func outsideOfCode(t *testing.T, page string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	code := false
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "```") {
			code = !code
		} else if !code {
			lines = append(lines, strings.TrimRight(line, "\n"))
		}
	}
	return lines
}
