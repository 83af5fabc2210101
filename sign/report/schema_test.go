package report_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/sign/report"
)

// validate checks a report against the published schema. It knows the keywords that the schema uses, and fails for
// others.
func validate(t *testing.T, b []byte) error {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal(report.Schema(), &root); err != nil {
		t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(b, &value); err != nil {
		return err
	}
	return check(root, root, value, "report")
}

func check(root, schema map[string]any, value any, at string) error {
	var problems []error
	fail := func(format string, a ...any) { problems = append(problems, fmt.Errorf(at+": "+format, a...)) }
	object, _ := value.(map[string]any)
	for keyword, is := range schema {
		switch keyword {
		case "$schema", "$defs", "title", "description":
		case "$ref":
			name := strings.TrimPrefix(is.(string), "#/$defs/")
			problems = append(problems, check(root, root["$defs"].(map[string]any)[name].(map[string]any), value, at))
		case "type":
			if kind(value) != is {
				fail("is %s, not %v", kind(value), is)
			}
		case "const":
			if fmt.Sprint(is) != fmt.Sprint(value) {
				fail("is %v, not %v", value, is)
			}
		case "enum":
			if !slices.Contains(is.([]any), value) {
				fail("%v is not one of %v", value, is)
			}
		case "pattern":
			if s, _ := value.(string); !regexp.MustCompile(is.(string)).MatchString(s) {
				fail("%q is not like %v", s, is)
			}
		case "maxLength", "minLength":
			s, _ := value.(string)
			if n := float64(utf8.RuneCountInString(s)); keyword == "maxLength" && n > is.(float64) ||
				keyword == "minLength" && n < is.(float64) {
				fail("has %v characters", n)
			}
		case "required":
			for _, name := range is.([]any) {
				if _, ok := object[name.(string)]; !ok {
					fail("lacks %v", name)
				}
			}
		case "additionalProperties":
			for name := range object {
				if _, ok := schema["properties"].(map[string]any)[name]; !ok && is == false {
					fail("%s is not in the schema", name)
				}
			}
		case "properties":
			for name, one := range is.(map[string]any) {
				if member, ok := object[name]; ok {
					problems = append(problems, check(root, one.(map[string]any), member, at+"."+name))
				}
			}
		case "items":
			list, _ := value.([]any)
			for i, one := range list {
				problems = append(problems, check(root, is.(map[string]any), one, fmt.Sprintf("%s[%d]", at, i)))
			}
		default:
			fail("the keyword %s is not known to this test", keyword)
		}
	}
	return errors.Join(problems...)
}

func kind(v any) string {
	switch v.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		return "number"
	default:
		return "null"
	}
}

// The schema refuses what no report is.
func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	b, err := all(t)["good"].Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		`"version": 1`: `"version": 2`, `"digest-info"`: `"digestinfo"`,
		`"created_at": "2026-11-21T03:00:00Z"`: `"created_at": "today"`,
		`"valid": true`:                        `"valid": "true"`, `"mode"`: `"modus"`,
		`"algorithm": "SHA-256"`: `"algorithm": "SHA-1"`,
	} {
		altered := strings.Replace(string(b), from, to, 1)
		if altered == string(b) {
			t.Fatalf("nothing to change: %s", from)
		}
		if err := validate(t, []byte(altered)); err == nil {
			t.Errorf("%s is accepted", to)
		}
	}
}
