package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/daa"
)

func printedSchema(t *testing.T) map[string]any {
	t.Helper()
	var out bytes.Buffer
	if code := run(t.Context(), []string{"config", "-schema"},
		streams{strings.NewReader(""), &out, &out}); code != exitOK {
		t.Fatalf("exit code %d: %s", code, out.String())
	}
	var schema map[string]any
	if err := json.Unmarshal(out.Bytes(), &schema); err != nil {
		t.Fatal(err)
	}
	return schema
}

// conforms checks a value against the keywords that the schema uses; any other keyword is a fault of the test.
func conforms(schema map[string]any, value any, at string) error {
	for keyword := range schema {
		if !slices.Contains([]string{
			"$schema", "title", "description", "type", "properties", "required", "additionalProperties", "items",
			"enum", "pattern",
		}, keyword) {
			return fmt.Errorf("%s: keyword %s", at, keyword)
		}
	}
	name := map[reflect.Kind]string{
		reflect.Map: "object", reflect.Slice: "array", reflect.String: "string", reflect.Bool: "boolean",
		reflect.Float64: "integer", reflect.Invalid: "null",
	}[reflect.ValueOf(value).Kind()]
	if types, several := schema["type"].([]any); several && !slices.Contains(types, any(name)) ||
		!several && schema["type"] != name {
		return fmt.Errorf("%s is %s, not %v", at, name, schema["type"])
	}
	if list, limited := schema["enum"].([]any); limited && !slices.Contains(list, value) {
		return fmt.Errorf("%s is %v", at, value)
	}
	if pattern, ok := schema["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(value.(string)) {
		return fmt.Errorf("%s is %v", at, value)
	}
	items, _ := schema["items"].(map[string]any)
	if list, ok := value.([]any); ok {
		for i, one := range list {
			if err := conforms(items, one, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	}
	object, _ := value.(map[string]any)
	members, closed := schema["properties"].(map[string]any)
	for name, one := range object {
		member, known := members[name].(map[string]any)
		if closed && !known {
			return fmt.Errorf("%s has %s", at, name)
		}
		if known {
			if err := conforms(member, one, at+"."+name); err != nil {
				return err
			}
		}
	}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if _, there := object[name.(string)]; !there {
			return fmt.Errorf("%s has no %v", at, name)
		}
	}
	return nil
}

// The schema accepts what the program accepts, and refuses what it refuses for its form.
func TestSchema(t *testing.T) {
	schema := printedSchema(t)
	example := func() map[string]any {
		var c map[string]any
		if err := json.Unmarshal([]byte(exampleConfig), &c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	if err := conforms(schema, example(), "example"); err != nil {
		t.Error(err)
	}
	first := func(c map[string]any, list string) map[string]any { return c[list].([]any)[0].(map[string]any) }
	for name, spoil := range map[string]func(map[string]any){
		"unknown member":        func(c map[string]any) { c["listn"] = "x" },
		"unknown client member": func(c map[string]any) { first(c, "clients")["redirect_uris"] = []any{"x"} },
		"no clients":            func(c map[string]any) { delete(c, "clients") },
		"no client id":          func(c map[string]any) { delete(first(c, "clients"), "client_id") },
		"no such person":        func(c map[string]any) { first(c, "cards")["person"] = "nobody" },
		"no such kind":          func(c map[string]any) { first(c, "cards")["kind"] = "gold" },
		"unknown knob":          func(c map[string]any) { c["knobs"].(map[string]any)["signs"] = 1.0 },
		"wrong lifetime": func(c map[string]any) {
			c["knobs"].(map[string]any)["lifetimes"].(map[string]any)["code"] = "soon"
		},
		"wrong profile": func(c map[string]any) {
			token := c["knobs"].(map[string]any)["token"].(map[string]any)
			token["assertion"].(map[string]any)["profile"] = "keycloak-1"
		},
		"text for a truth": func(c map[string]any) { c["log"] = "yes" },
	} {
		c := example()
		spoil(c)
		if conforms(schema, c, "file") == nil {
			t.Errorf("%s: the schema accepts it", name)
		}
	}
	if members := schema["properties"].(map[string]any); len(members) != reflect.TypeFor[serviceConfig]().NumField() {
		t.Errorf("%d members", len(members))
	}
}

// What knobs write of themselves is what their schema describes.
func TestSchemaOfKnobs(t *testing.T) {
	schema := printedSchema(t)["properties"].(map[string]any)["knobs"].(map[string]any)
	text, err := json.Marshal(daa.Knobs{Lifetimes: daa.Lifetimes{Code: 1500 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	var knobs any
	if err := json.Unmarshal(text, &knobs); err != nil {
		t.Fatal(err)
	}
	if err := conforms(schema, knobs, "knobs"); err != nil {
		t.Error(err)
	}
}

// Every kind of card can be put into the file; those that a person cannot have say so.
func TestKindsInTheFile(t *testing.T) {
	holders := map[cardsim.Kind]string{cardsim.Child: "minor"}
	for _, kind := range cardsim.Kinds() {
		holder := holders[kind]
		if holder == "" {
			holder = "hanako"
		}
		_, file := exampleDir(t, func(c map[string]any) {
			c["cards"] = []any{map[string]any{"person": holder, "kind": kind.String()}}
			delete(c, "control")
		})
		c, err := readConfig(file)
		if err != nil {
			t.Fatal(err)
		}
		w, err := c.world(time.Now)
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if len(w.Cards) != 1 || w.Cards[0].Kind() != kind {
			t.Errorf("%s: %d cards", kind, len(w.Cards))
		}
	}
}
