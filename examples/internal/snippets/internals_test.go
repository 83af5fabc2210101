package snippets

import (
	"errors"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"strings"
	"testing"
)

const module = "github.com/kakunin-go/kakunin"

func within(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

// forUs are what only the packages of this module can call, because they share what was parsed already; each says so in
// its own comment.
var forUs = map[string]bool{module + "/jpki/revocation.Of": true, module + "/jpki/revocation.Certificate": true}

// ecosystem are the types of other modules that the public packages show, because who uses them has them already.
var ecosystem = map[string]string{
	module + "/middleware/scssession.Config":   "github.com/alexedwards/scs/v2.SessionManager",
	module + "/middleware/scssession.Sessions": "github.com/alexedwards/scs/v2.SessionManager",
}

// A reader of go doc never meets a type that cannot be named: what the public packages export mentions no type of an
// internal package, in signatures, fields, methods, embedded types or values. Nor one of another module: who updates
// that module would update us. Only here is there a type checker already: the library's tests need none.
func TestInternalTypesDoNotShow(t *testing.T) {
	exports := map[string]string{}
	var public []string
	for line := range strings.Lines(listed(t, "-C", "../../..", "-export", "-deps",
		"-f", "{{.ImportPath}} {{.Name}} {{.Export}}", "./...")) {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue // unsafe has no export data
		}
		exports[fields[0]] = fields[2]
		if within(fields[0], module) && fields[1] != "main" && !isInternal(fields[0]) {
			public = append(public, fields[0])
		}
	}
	if len(public) < 30 {
		t.Fatalf("only %d packages", len(public))
	}
	compiled := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, errors.New("no package " + path)
		}
		return os.Open(exports[path])
	})
	foreign := 0
	for _, path := range public {
		pkg, err := compiled.Import(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range typesOf(pkg, isInternal) {
			if name, _, _ := strings.Cut(fault, " "); !forUs[name] {
				t.Error(fault)
			}
		}
		for _, fault := range typesOf(pkg, isForeign) {
			if name, shown, _ := strings.Cut(fault, " shows "); ecosystem[name] == "" || ecosystem[name] != shown {
				t.Error(fault)
			}
			foreign++
		}
	}
	if foreign < len(ecosystem) {
		t.Errorf("only %d types of other modules: some no longer show", foreign)
	}
}

// The rule finds what it forbids, and only that.
func TestInternalTypesAreFound(t *testing.T) {
	for path, refused := range map[string]func(string) bool{
		module + "/internal/inner": isInternal, "example.org/inner": isForeign,
	} {
		inner := types.NewPackage(path, "inner")
		hidden := types.NewNamed(types.NewTypeName(token.NoPos, inner, "Hidden", nil), types.NewStruct(nil, nil), nil)
		for what, typ := range map[string]types.Type{
			"field": types.NewStruct([]*types.Var{types.NewField(token.NoPos, inner, "Field", hidden, false)}, nil),
			"slice": types.NewSlice(types.NewPointer(hidden)),
			"func": types.NewSignatureType(nil, nil, nil,
				types.NewTuple(types.NewParam(token.NoPos, inner, "", hidden)), nil, false),
		} {
			pkg := types.NewPackage(module+"/outer", "outer")
			pkg.Scope().Insert(types.NewVar(token.NoPos, pkg, "Exported", typ))
			all := len(typesOf(pkg, isInternal)) + len(typesOf(pkg, isForeign))
			if all != 1 || len(typesOf(pkg, refused)) != 1 {
				t.Errorf("%s of %s: %d found", what, path, all)
			}
		}
	}
}

// isForeign reports whether the path is of another module, the standard library aside.
func isForeign(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".") && !within(path, module)
}

func isInternal(path string) bool {
	return strings.Contains(path+"/", "/internal/") && (within(path, module) || !strings.Contains(path, "."))
}

// typesOf names what a package exports with a type in it whose package is refused.
func typesOf(pkg *types.Package, refused func(path string) bool) (faults []string) {
	for _, name := range pkg.Scope().Names() {
		object := pkg.Scope().Lookup(name)
		if !object.Exported() {
			continue
		}
		shown := []types.Type{object.Type()}
		if declared, ok := object.(*types.TypeName); ok { // its name says nothing: what stands behind it does
			switch x := declared.Type().(type) {
			case *types.Alias:
				shown = []types.Type{x.Rhs()}
			case *types.Named:
				shown = []types.Type{x.Underlying()}
				for method := range x.Methods() {
					if method.Exported() {
						shown = append(shown, method.Type())
					}
				}
			}
		}
		for _, typ := range shown {
			namesIn(typ, func(n *types.TypeName) {
				if n.Pkg() != nil && refused(n.Pkg().Path()) {
					faults = append(faults, pkg.Path()+"."+name+" shows "+n.Pkg().Path()+"."+n.Name())
				}
			})
		}
	}
	return faults
}

// namesIn calls found for the named types that go doc prints of a type.
func namesIn(typ types.Type, found func(*types.TypeName)) {
	again := func(typ types.Type) { namesIn(typ, found) }
	switch x := typ.(type) {
	case *types.Alias:
		found(x.Obj())
	case *types.Named:
		found(x.Obj())
		for argument := range x.TypeArgs().Types() {
			again(argument)
		}
	case *types.Struct:
		for field := range x.Fields() {
			if field.Exported() {
				again(field.Type())
			}
		}
	case *types.Interface:
		for method := range x.ExplicitMethods() {
			if method.Exported() {
				again(method.Type())
			}
		}
		for embedded := range x.EmbeddedTypes() {
			again(embedded)
		}
	case *types.Signature:
		for parameter := range x.Params().Variables() {
			again(parameter.Type())
		}
		for result := range x.Results().Variables() {
			again(result.Type())
		}
	case *types.Map:
		again(x.Key())
		again(x.Elem())
	case interface{ Elem() types.Type }: // pointers, slices, arrays, channels
		again(x.Elem())
	}
}
