package kakunin_test

import (
	"go/ast"
	"path"
	"regexp"
	"strings"
	"testing"
)

// docLink is a link in a comment as go doc makes it: a name, or a member of a type, with or without its package.
var docLink = regexp.MustCompile(`(?:^|[\s(])\[\*?((?:[a-z]\w*\.)?[A-Z]\w*(?:\.[A-Z]\w*)?)\](?:[\s.,;:)?!]|$)`)

// Links in the comments of declarations lead somewhere: whoever renames something renames it there, too.
func TestCommentsLinkToWhatIsThere(t *testing.T) {
	m := readModule(t)
	links := 0
	for _, file := range sourceFiles(t) {
		imported := map[string]string{} // name: path
		for i, spec := range file.syntax.Imports {
			name := path.Base(file.imports[i])
			if spec.Name != nil {
				name = spec.Name.Name
			}
			imported[name] = file.imports[i]
		}
		for _, group := range file.syntax.Comments {
			for _, link := range docLink.FindAllStringSubmatch(group.Text(), -1) {
				links++
				dir, name := file.dir, link[1]
				if pkg, rest, _ := strings.Cut(name, "."); !ast.IsExported(pkg) {
					of, our := ours(imported[pkg])
					if imported[pkg] != "" && !our {
						continue // another module's
					}
					if imported[pkg] == "" { // a package that the file does not import is no link, but has to be there
						if len(m.packages[pkg]) == 0 {
							continue
						}
						of = m.packages[pkg][0]
						if len(m.packages[pkg]) > 1 {
							continue
						}
					}
					dir, name = of, rest
				}
				owner, member, isMember := strings.Cut(name, ".")
				if !m.exported[dir][owner] || isMember && !m.has(owner, member) {
					t.Errorf("%s: [%s] leads nowhere", file.name, link[1])
				}
			}
		}
	}
	if links < 500 {
		t.Errorf("only %d links: the enumeration is broken", links)
	}
}
