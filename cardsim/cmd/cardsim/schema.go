package main

import (
	"encoding/json"
	"io"
	"reflect"
	"regexp"
	"strings"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/person"
)

// writeSchema writes the JSON Schema (2020-12) of the file of "cardsim service -config".
func writeSchema(w io.Writer) error {
	schema := fileSchema(reflect.TypeFor[serviceConfig](), helpTexts())
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "cardsim service -config FILE"
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(schema)
}

// choicesOf are the words that a member may have.
func choicesOf(typ reflect.Type, member string) []string {
	switch typ.Name() + "." + member {
	case "serviceConfig.card":
		return []string{"", "pcsc"}
	case "clientFile.cards":
		return []string{string(daa.CardsAny), string(daa.CardsOnly), string(daa.PhonesOnly)}
	case "clientFile.algorithm":
		return []string{"", "ES256", "RS256", "PS256"}
	case "cardFile.person":
		var names []string
		for _, p := range person.Personas() {
			names = append(names, string(p))
		}
		return names
	case "cardFile.kind":
		names := []string{""}
		for _, k := range cardsim.Kinds() {
			names = append(names, k.String())
		}
		return names
	}
	return nil
}

// requiredOf are the members without which nothing goes.
func requiredOf(typ reflect.Type) []string {
	switch typ.Name() {
	case "serviceConfig":
		return []string{"clients"}
	case "clientFile":
		return []string{"client_id", "redirect_urls"}
	case "cardFile":
		return []string{"person"}
	}
	return nil
}

func fileSchema(t reflect.Type, texts map[string]string) map[string]any {
	if t == reflect.TypeFor[daa.Knobs]() {
		return daa.KnobsSchema()
	}
	switch t.Kind() {
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": fileSchema(t.Elem(), texts)}
	case reflect.Struct:
		members := map[string]any{}
		for f := range t.Fields() {
			name := f.Tag.Get("json")
			one := fileSchema(f.Type, texts)
			if list := choicesOf(t, name); list != nil {
				one["enum"] = list
			}
			if text := texts[name]; text != "" {
				one["description"] = text
			}
			members[name] = one
		}
		schema := map[string]any{"type": "object", "additionalProperties": false, "properties": members}
		if list := requiredOf(t); list != nil {
			schema["required"] = list
		}
		return schema
	default:
		return map[string]any{"type": "string"}
	}
}

// helpLine is a line of configHelp: names, a gap, and what they are.
var helpLine = regexp.MustCompile(`^ {2,4}([a-z_, ]*[a-z_]) {2,}(\S.*)$`)

// helpTexts are the descriptions in configHelp by member. A member of two objects, cards, has none.
func helpTexts() map[string]string {
	texts := map[string]string{}
	var names []string
	for line := range strings.Lines(configHelp) {
		line = strings.TrimRight(line, "\n")
		if m := helpLine.FindStringSubmatch(line); m != nil {
			names = strings.Split(m[1], ", ")
			for _, name := range names {
				if _, twice := texts[name]; twice {
					texts[name] = ""
					continue
				}
				texts[name] = m[2]
			}
			continue
		}
		if rest, ok := strings.CutPrefix(line, strings.Repeat(" ", 21)); ok {
			for _, name := range names {
				if texts[name] != "" {
					texts[name] += " " + strings.TrimSpace(rest)
				}
			}
		}
	}
	return texts
}
