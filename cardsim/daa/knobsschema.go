package daa

import (
	"reflect"
	"time"
)

// durationPattern is a time as [time.ParseDuration] reads it.
const durationPattern = `^[-+]?([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$|^0$`

// KnobsSchema is the JSON Schema (2020-12) of what [Knobs] read and write, for editors and for programs in other
// languages. The result is the caller's own.
func KnobsSchema() map[string]any { return schemaOf(reflect.TypeFor[Knobs]()) }

func schemaOf(t reflect.Type) map[string]any {
	if t == reflect.TypeFor[time.Duration]() {
		return map[string]any{"type": "string", "pattern": durationPattern}
	}
	switch t.Kind() {
	case reflect.Struct:
		members := make(map[string]any, t.NumField())
		for f := range t.Fields() {
			if f.Type.Kind() != reflect.Func {
				members[snake(f.Name)] = schemaOf(f.Type)
			}
		}
		return map[string]any{"type": "object", "additionalProperties": false, "properties": members}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int:
		return map[string]any{"type": "integer"}
	case reflect.Slice:
		return map[string]any{"type": []string{"array", "null"}, "items": schemaOf(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": []string{"object", "null"}}
	default:
		s := map[string]any{"type": "string"}
		if list, limited := choices[t]; limited {
			s["enum"] = append([]string{""}, list...)
		}
		return s
	}
}
