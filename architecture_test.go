package kakunin_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	module = "github.com/kakunin-go/kakunin"
	// alternatives is where other libraries are measured beside ours.
	alternatives = "examples/performance"
	// guided is the folder that whoever follows README puts a first program into; git ignores it.
	guided = "shop"
)

// sourceFile is one Go file of the module with its imports; build tags are ignored, so that no tagged file escapes.
type sourceFile struct {
	name    string // slash path from the module root
	dir     string // "." for the root package
	test    bool
	imports []string
	syntax  *ast.File
}

// generator reports whether the file is a program that only go generate runs.
func (f sourceFile) generator() bool {
	return slices.ContainsFunc(f.syntax.Comments, func(c *ast.CommentGroup) bool {
		return c.Pos() < f.syntax.Package && c.List[0].Text == "//go:build ignore"
	})
}

// sourceFiles are all Go files of the module, parsed once for all tests, which change nothing of them.
func sourceFiles(t *testing.T) []sourceFile {
	t.Helper()
	files, err := parsedFiles()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("only %d Go files found: the walk is broken", len(files))
	}
	return files
}

var parsedFiles = sync.OnceValues(func() ([]sourceFile, error) {
	var files []sourceFile
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" || name == guided) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			return err
		}
		file := sourceFile{name: filepath.ToSlash(name), test: strings.HasSuffix(name, "_test.go"), syntax: syntax}
		file.dir = path.Dir(file.name)
		for _, spec := range syntax.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			file.imports = append(file.imports, imported)
		}
		files = append(files, file)
		return nil
	})
	return files, err
})

// within reports whether the slash path p is dir or below it.
func within(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

// ours returns the path of an import below the module root, and whether it is one of ours.
func ours(imported string) (string, bool) {
	if imported == module {
		return ".", true
	}
	return strings.CutPrefix(imported, module+"/")
}

func TestImportRules(t *testing.T) {
	rules := []struct {
		name string
		// refused reports whether file may not import imported; dir is the import's folder when it is one of ours.
		refused func(file sourceFile, imported, dir string, our bool) bool
	}{
		{"only cardsim and examples import cardsim", func(f sourceFile, _, dir string, our bool) bool {
			return our && within(dir, "cardsim") && !f.test && !within(f.dir, "cardsim") && !within(f.dir, "examples")
		}},
		{"fourinfo imports only itself, the families and internal", func(f sourceFile, _, dir string, our bool) bool {
			self := within(dir, "fourinfo") && (f.test || f.dir != "fourinfo")
			return our && within(f.dir, "fourinfo") && !self && dir != "." && !within(dir, "internal") &&
				(!f.test || !within(dir, "cardsim"))
		}},
		{"internal imports no public package of ours but the error families",
			func(f sourceFile, _, dir string, our bool) bool {
				return our && within(f.dir, "internal") && !within(dir, "internal") && dir != "."
			}},
		{"authn does not import jpki", func(f sourceFile, _, dir string, our bool) bool {
			return our && within(f.dir, "authn") && within(dir, "jpki") && !f.test
		}},
		{"jpki imports neither authn nor sign", func(f sourceFile, _, dir string, our bool) bool {
			return our && within(f.dir, "jpki") && (within(dir, "authn") || within(dir, "sign")) && !f.test
		}},
		{"only internal/jose imports jwx", func(f sourceFile, imported, _ string, _ bool) bool {
			return within(imported, "github.com/lestrrat-go/jwx") && f.dir != "internal/jose" && f.dir != alternatives
		}},
		{"only jpki/card/pcsc imports scard", func(f sourceFile, imported, _ string, _ bool) bool {
			return within(imported, "github.com/ebfe/scard") && f.dir != "jpki/card/pcsc"
		}},
		{"the root package imports no package of ours", func(f sourceFile, _, _ string, our bool) bool {
			return our && f.dir == "." && !f.test
		}},
		{"only authn imports go-oidc and x/oauth2", func(f sourceFile, imported, _ string, _ bool) bool {
			oidc := within(imported, "github.com/coreos/go-oidc/v3") || within(imported, "golang.org/x/oauth2")
			return oidc && !within(f.dir, "authn") && f.dir != alternatives
		}},
	}
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			for _, file := range sourceFiles(t) {
				for _, imported := range file.imports {
					dir, our := ours(imported)
					if rule.refused(file, imported, dir, our) {
						t.Errorf("%s imports %s", file.name, imported)
					}
				}
			}
		})
	}
}

// The libraries that this module is built on are used where the plan says, by the code itself and not by its tests
// alone.
func TestFoundationsAreUsed(t *testing.T) {
	for library, dir := range map[string]string{
		"golang.org/x/oauth2":           "authn",
		"github.com/coreos/go-oidc/v3":  "authn",
		"github.com/lestrrat-go/jwx/v2": "internal/jose",
		"github.com/ebfe/scard":         "jpki/card/pcsc",
	} {
		if !slices.ContainsFunc(sourceFiles(t), func(f sourceFile) bool {
			return !f.test && f.dir == dir && slices.ContainsFunc(f.imports,
				func(p string) bool { return within(p, library) })
		}) {
			t.Errorf("%s does not use %s", dir, library)
		}
	}
}

// A program that imports only authn or jpki links no database driver, browser or session library.
func TestLightPackagesLinkNothingHeavy(t *testing.T) {
	heavy := []string{"database/sql", "github.com/alexedwards/scs", "github.com/chromedp", "rsc.io/qr",
		"github.com/ebfe/scard", "testing"}
	for _, pkg := range []string{
		"authn", "jpki", "jpki/card", "jpki/certpath", "jpki/crl", "fourinfo", "fourinfo/bulk", "fourinfo/law",
		"fourinfo/mdoc", "sign", "sign/evidence",
	} {
		for _, dep := range linked(t, module+"/"+pkg) {
			for _, h := range heavy {
				if within(dep, h) {
					t.Errorf("%s links %s", pkg, dep)
				}
			}
		}
	}
}

// linked returns the package itself and everything that a program with it links.
func linked(t *testing.T, pkg string) []string {
	t.Helper()
	p := imports(t)[pkg]
	if len(p.all) < 20 {
		t.Fatalf("%s: only %d packages: the list is broken", pkg, len(p.all))
	}
	return append([]string{pkg}, p.all...)
}

// imported says what a package imports, by itself and in all.
type imported struct{ direct, all []string }

// imports asks the Go command once for all tests.
func imports(t *testing.T) map[string]imported {
	t.Helper()
	packages, err := listedImports()
	if err != nil {
		t.Fatal("go list:", err)
	}
	return packages
}

var listedImports = sync.OnceValues(func() (map[string]imported, error) {
	out, err := exec.Command("go", "list", "-deps", "-f",
		"{{.ImportPath}}\t{{join .Imports \" \"}}\t{{join .Deps \" \"}}", "./...").Output()
	packages := map[string]imported{}
	for line := range strings.Lines(string(out)) {
		if fields := strings.Split(strings.TrimSpace(line), "\t"); len(fields) == 3 {
			packages[fields[0]] = imported{strings.Fields(fields[1]), strings.Fields(fields[2])}
		}
	}
	return packages, err
})

// What only verifies links no OpenID client, and no package of ours in it reaches for the network: net/http comes in
// through the JOSE library alone.
func TestVerifiersLinkNoClient(t *testing.T) {
	clients := []string{module + "/authn", module + "/sign/signapi", module + "/sign/operator",
		module + "/sign/timestamp/tsa", "github.com/coreos/go-oidc", "golang.org/x/oauth2"}
	for _, pkg := range []string{"sign", "sign/evidence", "sign/timestamp", "jpki", "jpki/certpath", "jpki/crl",
		"jpki/revocation",
		"fourinfo"} {
		for _, dep := range linked(t, module+"/"+pkg) {
			for _, client := range clients {
				if within(dep, client) && dep != module+"/authn/wire" {
					t.Errorf("%s links %s", pkg, dep)
				}
			}
			if within(dep, module) && slices.Contains(imports(t)[dep].direct, "net/http") {
				t.Errorf("%s links %s, which imports net/http", pkg, dep)
			}
		}
	}
}

// One engine asks about revocation: people's certificates and every other hierarchy use the same sources and rules.
func TestOneRevocationEngine(t *testing.T) {
	for _, dir := range []string{"jpki", "jpki/certpath"} {
		if !slices.ContainsFunc(sourceFiles(t), func(f sourceFile) bool {
			return !f.test && f.dir == dir && slices.Contains(f.imports, module+"/jpki/revocation")
		}) {
			t.Errorf("%s does not use jpki/revocation", dir)
		}
	}
	for _, file := range sourceFiles(t) {
		if !file.test && file.dir != "jpki/revocation" && slices.Contains(file.imports, "golang.org/x/crypto/ocsp") {
			t.Errorf("%s brings an OCSP of its own", file.name)
		}
	}
}

func TestTopLevelFolders(t *testing.T) {
	allowed := []string{"authn", "sign", "fourinfo", "jpki", "cardsim", "middleware", "examples", "internal", "docs"}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.IsDir() && !strings.HasPrefix(entry.Name(), ".") && entry.Name() != guided &&
			!slices.Contains(allowed, entry.Name()) {
			t.Errorf("unexpected top-level folder %s", entry.Name())
		}
	}
}

// Package initialisation must not do work: no init functions anywhere outside tests.
func TestNoInitFunctions(t *testing.T) {
	for _, file := range sourceFiles(t) {
		if file.test {
			continue
		}
		for _, decl := range file.syntax.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s has an init function", file.name)
			}
		}
	}
}

// Time, HTTP and logs come from the configuration: no call of time.Now and its relatives, no client and no logger that
// the whole process shares. time.Now as the value of a default is no call.
func TestNothingReachesAroundTheConfiguration(t *testing.T) {
	shared := map[string][]string{
		"net/http": {"DefaultClient", "DefaultServeMux", "Get", "Head", "Post", "PostForm", "Handle", "HandleFunc"},
		"log/slog": {"Default", "SetDefault", "Debug", "DebugContext", "Info", "InfoContext", "Warn", "WarnContext",
			"Error", "ErrorContext", "Log", "LogAttrs"},
		"log": {"Print", "Printf", "Println", "Fatal", "Fatalf", "Fatalln", "Panic", "Panicf", "Panicln",
			"Default"},
	}
	allowed := map[string]string{
		"cardsim/cmd/cardsim/tls.go": "time.Now", // browsers judge its certificates by the system's time
		// the session manager hands over an expiry in the system's time
		"middleware/scssession/memory.go": "time.Until",
		"examples/instances/instances.go": "time.Until", // as above
		"cardsim/vpcd/conn.go":            "time.Now",   // the deadlines of a connection are in the system's time
	}
	for _, file := range sourceFiles(t) {
		// programs and helpers of tests that measure time or start a clock
		measuring := []string{"jpki/crl/internal/curve", "internal/mutate", "internal/tests",
			"examples/internal/stage/stagetest", alternatives}
		if file.test || file.generator() || slices.Contains(measuring, file.dir) {
			continue
		}
		imported := map[string]string{} // name in the file: path
		for i, spec := range file.syntax.Imports {
			name := path.Base(file.imports[i])
			if spec.Name != nil {
				name = spec.Name.Name
			}
			imported[name] = file.imports[i]
		}
		refuse := func(s *ast.SelectorExpr, matches func(importPath, name string) bool) {
			if x, ok := s.X.(*ast.Ident); ok && matches(imported[x.Name], s.Sel.Name) &&
				allowed[file.name] != x.Name+"."+s.Sel.Name {
				t.Errorf("%s uses %s.%s", file.name, x.Name, s.Sel.Name)
			}
		}
		ast.Inspect(file.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if s, ok := n.Fun.(*ast.SelectorExpr); ok {
					refuse(s, func(p, name string) bool {
						return p == "time" && slices.Contains([]string{"Now", "Since", "Until"}, name)
					})
				}
			case *ast.SelectorExpr:
				refuse(n, func(p, name string) bool { return slices.Contains(shared[p], name) })
			}
			return true
		})
	}
}

// Every exported declaration outside main packages is documented, and every package has a package comment.
func TestExportedSymbolsAreDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, file := range sourceFiles(t) {
		if file.test || file.syntax.Name.Name == "main" {
			continue
		}
		documented[file.dir] = documented[file.dir] || file.syntax.Doc != nil
		for _, decl := range file.syntax.Decls {
			for _, name := range undocumented(decl) {
				t.Errorf("%s: %s has no doc comment", file.name, name)
			}
		}
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("package %s has no package comment", dir)
		}
	}
}

func undocumented(decl ast.Decl) []string {
	var names []string
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
					names = append(names, s.Name.Name)
				}
			case *ast.ValueSpec:
				for _, name := range s.Names {
					if name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return names
}

// exportedReceiver reports whether a function is no method, or a method of an exported type. The methods that the
// standard library's own interfaces name need no comment of their own.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	switch d.Name.Name {
	case "Error", "Unwrap", "String", "GoString", "Format", "MarshalText", "MarshalJSON", "LogValue":
		return false
	}
	receiver := d.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	if index, ok := receiver.(*ast.IndexExpr); ok {
		receiver = index.X
	}
	name, ok := receiver.(*ast.Ident)
	return ok && name.IsExported()
}

// Every public package says which of what it stores stays readable, or that it stores nothing.
func TestPackagesSayWhatStaysCompatible(t *testing.T) {
	says := map[string]bool{}
	for _, file := range sourceFiles(t) {
		public := !file.test && !within(file.dir, "examples") && file.syntax.Name.Name != "main" &&
			!strings.Contains(file.dir+"/", "internal/")
		if public {
			says[file.dir] = says[file.dir] || strings.Contains("\n"+file.syntax.Doc.Text(), "\n# Compatibility\n")
		}
	}
	if len(says) < 40 {
		t.Errorf("only %d packages", len(says))
	}
	for dir, ok := range says {
		if !ok {
			t.Errorf("%s: its documentation has no section Compatibility", dir)
		}
	}
}

// The texts of the project speak of the project alone: no path of a machine, no registry host.
func TestTextsNameNoMachine(t *testing.T) {
	forbidden := [][]byte{
		[]byte("/" + "work/"), []byte("/" + "root/"), []byte("proxy." + "golang.org"),
		[]byte("registry." + "npmjs.org"),
		[]byte("sum." + "golang.org"), []byte("deb." + "debian.org"),
	}
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if entry.Name() == ".git" || entry.Name() == "artifacts" {
				return filepath.SkipDir
			}
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, word := range forbidden {
			if bytes.Contains(text, word) {
				t.Errorf("%s contains %q", name, word)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
