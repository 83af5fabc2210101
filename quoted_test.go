package kakunin_test

import (
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	quotation = regexp.MustCompile("`[^`]+`")
	// A name of Go: Name, Type.Method, package.Name, path/of/package.Type.Field.
	goName   = regexp.MustCompile(`^(?:([a-z0-9/]+)\.)?([A-Z]\w*)(?:\.([A-Z]\w*))?(?:\.([A-Z]\w*))?$`)
	testName = regexp.MustCompile(`^(?:([a-z0-9/.]+?)[:.] ?)?((?:Test|Fuzz|Benchmark)[A-Z]\w*)$`)
	envName  = regexp.MustCompile(`^\$?([A-Z]+(?:_[A-Z0-9]+)+)$`)
	flagName = regexp.MustCompile(`^-([a-z][a-z-]*)(?: .*)?$`)
	ownPath  = regexp.MustCompile(
		`^(?:\./)?((?:authn|cardsim|docs|examples|fourinfo|internal|jpki|middleware|sign|\.ci)(?:/[\w.-]+)*)/?$`)
	ownProgram = regexp.MustCompile("go run (?:-tags \\w+ )?\\./([\\w/]+)([^`|&#\\n]*)|(\\.ci/\\w+(?:\\.\\w+)?)")
	givenFlag  = regexp.MustCompile(`\s-([a-z][a-z-]*)`)
)

// othersNames are words in the form of a Go name, a flag or a variable that the module does not have: the reader's own,
// and other programs'.
var othersNames = []string{
	"SEAL_KEYS", "VACUUM", "ReasonX", "OLD", "NEW", "ASSUMED", "-tags pcsc", "-tags servers",
	"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF9000",
}

// theModule is what a page may name.
type theModule struct {
	tests    map[string]bool            // "folder: TestName", ": TestName"
	exported map[string]map[string]bool // folder: names of its declarations
	members  map[string]map[string]bool // name of a type: its methods and fields
	anywhere map[string]bool            // every name that is declared
	packages map[string][]string        // name of a package: folders
	literals map[string]bool            // words in strings
	flags    map[string]bool            // strings in programs, as "folder: string" and ": string"
}

func readModule(t *testing.T) theModule {
	t.Helper()
	m := theModule{map[string]bool{}, map[string]map[string]bool{}, map[string]map[string]bool{},
		map[string]bool{}, map[string][]string{}, map[string]bool{}, map[string]bool{}}
	note := func(of map[string]map[string]bool, key, name string) {
		if of[key] == nil {
			of[key] = map[string]bool{}
		}
		of[key][name], m.anywhere[name] = true, true
	}
	for _, file := range sourceFiles(t) {
		name := strings.TrimSuffix(file.syntax.Name.Name, "_test")
		if !slices.Contains(m.packages[name], file.dir) {
			m.packages[name] = append(m.packages[name], file.dir)
		}
		for _, decl := range file.syntax.Decls {
			f, ok := decl.(*ast.FuncDecl)
			switch {
			case !ok:
			case f.Recv != nil:
				note(m.members, receiverName(f), f.Name.Name)
			case file.test:
				m.tests[file.dir+": "+f.Name.Name], m.tests[": "+f.Name.Name] = true, true
			default:
				note(m.exported, file.dir, f.Name.Name)
			}
		}
		ast.Inspect(file.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				note(m.exported, file.dir, n.Name.Name)
				ast.Inspect(n.Type, func(inner ast.Node) bool {
					if field, ok := inner.(*ast.Field); ok {
						for _, id := range field.Names {
							note(m.members, n.Name.Name, id.Name)
						}
						if len(field.Names) == 0 { // embedded: its own members are looked up anywhere
							note(m.members, n.Name.Name, "*")
						}
					}
					return true
				})
			case *ast.ValueSpec:
				for _, id := range n.Names {
					note(m.exported, file.dir, id.Name)
				}
			case *ast.BasicLit:
				if n.Kind == token.STRING {
					if s, err := strconv.Unquote(n.Value); err == nil {
						for _, word := range words(s) {
							m.literals[word] = true
						}
						if file.syntax.Name.Name == "main" {
							m.flags[file.dir+": "+s], m.flags[": "+s] = true, true
						}
					}
				}
			}
			return true
		})
	}
	scripts, err := fs.Glob(os.DirFS("."), ".ci/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		if text, err := os.ReadFile(script); err == nil {
			for _, word := range words(string(text)) {
				m.literals[word] = true
			}
		}
	}
	return m
}

func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// fault says what is wrong with a quotation; most are none of ours, or no name at all.
func (m theModule) fault(quoted string) string {
	if slices.Contains(othersNames, quoted) {
		return ""
	}
	if at := testName.FindStringSubmatch(quoted); at != nil {
		if m.tests[": "+at[2]] && (at[1] == "" || m.tests[at[1]+": "+at[2]] || slices.ContainsFunc(m.packages[at[1]],
			func(dir string) bool { return m.tests[dir+": "+at[2]] })) {
			return ""
		}
		return "is no test"
	}
	if at := envName.FindStringSubmatch(quoted); at != nil {
		if m.literals[at[1]] {
			return ""
		}
		return "is read nowhere"
	}
	if at := flagName.FindStringSubmatch(quoted); at != nil {
		if m.flags[": "+at[1]] {
			return ""
		}
		return "is no flag"
	}
	if at := ownPath.FindStringSubmatch(quoted); at != nil && !goName.MatchString(quoted) {
		if _, err := os.Stat(filepath.FromSlash(at[1])); err == nil {
			return ""
		}
		return "is not there"
	}
	at := goName.FindStringSubmatch(strings.TrimSuffix(quoted, "()"))
	if at == nil {
		return ""
	}
	if at[1] == "" { // Name, Type.Member
		if at[3] == "" && m.anywhere[at[2]] || at[3] != "" && m.has(at[2], at[3]) || m.literals[at[2]] && at[3] == "" {
			return ""
		}
		return "is declared nowhere"
	}
	dirs := m.packages[at[1]]
	if strings.Contains(at[1], "/") {
		dirs = []string{at[1]}
	}
	if len(dirs) == 0 {
		return "" // another module's
	}
	for _, dir := range dirs {
		if m.exported[dir][at[2]] && (at[3] == "" || m.has(at[2], at[3])) && (at[4] == "" || m.anywhere[at[4]]) {
			return ""
		}
	}
	return "is declared nowhere"
}

func (m theModule) has(owner, member string) bool {
	return m.members[owner][member] || m.members[owner]["*"] && m.anywhere[member]
}

// Pages name tests, functions, files, flags and variables: what was renamed in the code is renamed in the texts.
func TestPagesNameWhatIsThere(t *testing.T) {
	m := readModule(t)
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, page := range append(pages, "README.md", "README.ja.md", "CONTRIBUTING.md", "SECURITY.md") {
		for _, line := range outsideOfCode(t, page) {
			for _, quoted := range quotation.FindAllString(line, -1) {
				quoted = strings.Trim(quoted, "`")
				named++
				if fault := m.fault(quoted); fault != "" {
					t.Errorf("%s: %s %s", page, quoted, fault)
				}
			}
		}
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range ownProgram.FindAllStringSubmatch(strings.ReplaceAll(string(text), "\\\n", " "), -1) {
			program := at[1] + at[3]
			if program == guided {
				continue
			}
			if _, err := os.Stat(program); err != nil {
				t.Errorf("%s: %s is not there", page, program)
			}
			for _, name := range givenFlag.FindAllStringSubmatch(at[2], -1) {
				if !m.flags[program+": "+name[1]] && name[1] != "h" {
					t.Errorf("%s: %s has no flag -%s", page, program, name[1])
				}
			}
		}
	}
	if named < 1500 {
		t.Errorf("only %d quotations: the enumeration is broken", named)
	}
}
