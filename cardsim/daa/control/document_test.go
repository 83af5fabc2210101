package control

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// document is what the tests read of openapi.json.
type document struct {
	Paths      map[string]map[string]operation
	Components struct{ Responses map[string]response }
}

type operation struct {
	RequestBody response
	Responses   map[string]response
}

type response struct {
	Content map[string]struct{ Schema schema }
}

type schema struct {
	Type                 string
	Format               string
	Enum                 []string
	Properties           map[string]schema
	Required             []string
	Items                *schema
	AdditionalProperties *bool
}

func (d document) find(method, path string) (operation, bool) {
	path, _, _ = strings.Cut(path, "?")
	for template, operations := range d.Paths {
		a, b := strings.Split(template, "/"), strings.Split(path, "/")
		if len(a) == len(b) {
			same := true
			for i := range a {
				same = same && (a[i] == b[i] || strings.HasPrefix(a[i], "{"))
			}
			if o, ok := operations[strings.ToLower(method)]; same && ok {
				return o, true
			}
		}
	}
	return operation{}, false
}

// check compares a value with the schema: types, required members, nothing undocumented.
func (s schema) check(t *testing.T, where string, v any) {
	t.Helper()
	switch s.Type {
	case "object":
		m, ok := v.(map[string]any)
		if !ok {
			t.Errorf("%s: %v is no object", where, v)
			return
		}
		for _, name := range s.Required {
			if _, ok := m[name]; !ok {
				t.Errorf("%s: %s is missing", where, name)
			}
		}
		for name, member := range m {
			p, known := s.Properties[name]
			if known {
				p.check(t, where+"."+name, member)
			} else if s.AdditionalProperties != nil && !*s.AdditionalProperties {
				t.Errorf("%s: %s is not in the document", where, name)
			}
		}
	case "array":
		list, ok := v.([]any)
		if !ok {
			t.Errorf("%s: %v is no array", where, v)
			return
		}
		for _, one := range list {
			s.Items.check(t, where+"[]", one)
		}
	case "string":
		text, ok := v.(string)
		if !ok || s.Enum != nil && !slices.Contains(s.Enum, text) {
			t.Errorf("%s: %v is not one of %v", where, v, s.Enum)
		}
		if s.Format == "date-time" {
			if _, err := time.Parse(time.RFC3339, text); err != nil {
				t.Errorf("%s: %v", where, err)
			}
		}
	case "integer":
		if _, ok := v.(float64); !ok {
			t.Errorf("%s: %v is no number", where, v)
		}
	case "boolean":
		if _, ok := v.(bool); !ok {
			t.Errorf("%s: %v is no boolean", where, v)
		}
	}
}

// The document has every operation of the handler and no other, and the members of the requests that the handler reads.
func TestTheDocumentIsComplete(t *testing.T) {
	w := newWorld(t)
	var documented, served []string
	for path, operations := range w.doc.Paths {
		for method := range operations {
			documented = append(documented, strings.ToUpper(method)+" "+path)
		}
	}
	for operation := range w.h.operations() {
		served = append(served, operation)
	}
	slices.Sort(documented)
	slices.Sort(served)
	if !slices.Equal(documented, served) {
		t.Errorf("documented %q\nserved %q", documented, served)
	}
	var members []string
	for f := range reflect.TypeFor[order]().Fields() {
		members = append(members, f.Tag.Get("json"))
	}
	body := w.doc.Paths["/control/visits"]["post"].RequestBody.Content["application/json"].Schema
	for _, name := range members {
		if _, ok := body.Properties[name]; !ok {
			t.Errorf("%s is not documented", name)
		}
	}
	if len(body.Properties) != len(members) {
		t.Errorf("documented %d members, read %q", len(body.Properties), members)
	}
	w.ok(http.MethodGet, "/control/openapi.json", nil)
}
