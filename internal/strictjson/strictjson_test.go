package strictjson

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/limits"
)

func TestObjectAccepts(t *testing.T) {
	in := " {\"a\":1,\"\\u0062\":\"\\u00e9\\n\",\"名前\":[true,false,null,{\"a\":1,\"b\":[]}],\"d\":{\"a\":2},\"e\":-0.5e+10}\r\n"
	m, err := Object([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a": "1", "b": `"\u00e9\n"`, "名前": `[true,false,null,{"a":1,"b":[]}]`,
		"d": `{"a":2}`, "e": "-0.5e+10"} {
		if got := string(m[name]); got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
	if s, ok := String(m["b"]); !ok || s != "é\n" {
		t.Errorf("b = %q, %v", s, ok)
	}
	if m, err := Object([]byte("{}")); err != nil || len(m) != 0 {
		t.Errorf("{}: %v, %v", m, err)
	}
}

func TestObjectRefuses(t *testing.T) {
	many := make([]string, limits.JSONMembers+1)
	for i := range many {
		many[i] = `"` + strconv.Itoa(i) + `":0`
	}
	for name, c := range map[string]struct {
		in   string
		want Error
	}{
		"empty":                       {"", ErrSyntax},
		"array":                       {"[]", ErrSyntax},
		"string":                      {`"{}"`, ErrSyntax},
		"unclosed":                    {`{"a":1`, ErrSyntax},
		"unclosed name":               {`{"a`, ErrSyntax},
		"name without colon":          {`{"a" 1}`, ErrSyntax},
		"name without quotes":         {`{a:1}`, ErrSyntax},
		"leading comma":               {`{,"a":1}`, ErrSyntax},
		"trailing comma":              {`{"a":1,}`, ErrSyntax},
		"trailing comma in array":     {`{"a":[1,]}`, ErrSyntax},
		"no comma":                    {`{"a":1"b":2}`, ErrSyntax},
		"leading zero":                {`{"a":01}`, ErrSyntax},
		"plus":                        {`{"a":+1}`, ErrSyntax},
		"bare point":                  {`{"a":1.}`, ErrSyntax},
		"bare exponent":               {`{"a":1e}`, ErrSyntax},
		"hexadecimal":                 {`{"a":0x1}`, ErrSyntax},
		"NaN":                         {`{"a":NaN}`, ErrSyntax},
		"comment":                     {`{/**/}`, ErrSyntax},
		"half a literal":              {`{"a":tru}`, ErrSyntax},
		"line break in string":        {"{\"a\":\"\n\"}", ErrSyntax},
		"unknown escape":              {`{"a":"\x41"}`, ErrSyntax},
		"short escape":                {`{"a":"\u12"}`, ErrSyntax},
		"bytes after":                 {`{"a":1}x`, ErrTrailing},
		"object after":                {`{}{}`, ErrTrailing},
		"NUL after":                   {"{}\x00", ErrTrailing},
		"invalid UTF-8":               {"{\"a\":\"\xff\"}", ErrUTF8},
		"duplicate":                   {`{"sub":"a","sub":"b"}`, ErrDuplicate},
		"duplicate in other case":     {`{"sub":"a","SUB":"b"}`, ErrDuplicate},
		"duplicate, other case first": {`{"SUB":"a","x":1,"sub":"b"}`, ErrDuplicate},
		"duplicate by escape":         {`{"sub":"a","\u0073ub":"b"}`, ErrDuplicate},
		"duplicate by long s":         {"{\"sub\":\"a\",\"\u017fub\":\"b\"}", ErrDuplicate},
		"duplicate by Kelvin sign":    {"{\"\u212aid\":\"a\",\"kid\":\"b\"}", ErrDuplicate},
		"duplicate beyond ASCII":      {`{"Ü":1,"ü":2}`, ErrDuplicate},
		"duplicate inside":            {`{"a":{"b":1,"b":2}}`, ErrDuplicate},
		"duplicate inside an array":   {`{"a":[{"b":1,"B":2}]}`, ErrDuplicate},
		"too deep": {`{"a":` + strings.Repeat("[", limits.JSONDepth) + strings.Repeat("]",
			limits.JSONDepth) + `}`, ErrDepth},
		"too deep in objects": {strings.Repeat(`{"a":`, limits.JSONDepth+1) + "1" + strings.Repeat("}",
			limits.JSONDepth+1), ErrDepth},
		"too many members": {"{" + strings.Join(many, ",") + "}", ErrMembers},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Object([]byte(c.in))
			if !errors.Is(err, c.want) || m != nil {
				t.Errorf("%v, %v, want %v", m, err, c.want)
			}
		})
	}
}

func TestInteger(t *testing.T) {
	for in, want := range map[string]int64{"0": 0, "1700000000": 1700000000, "-5": -5, "1700000000.9": 1700000000,
		"1.7e9": 1700000000, "-0.5": -1, "9223372036854775807": 9223372036854775807} {
		if n, ok := Integer(json.RawMessage(in)); !ok || n != want {
			t.Errorf("%s = %d, %v", in, n, ok)
		}
	}
	for _, in := range []string{"", `"1"`, "null", "true", "[]", "{}", "1e400", "-1e300", "9223372036854775808"} {
		if n, ok := Integer(json.RawMessage(in)); ok {
			t.Errorf("%s = %d", in, n)
		}
	}
}

func TestStrings(t *testing.T) {
	if l, ok := Strings(json.RawMessage(`["a","b"]`)); !ok || len(l) != 2 || l[1] != "b" {
		t.Errorf("%q, %v", l, ok)
	}
	if l, ok := Strings(json.RawMessage(`[]`)); !ok || len(l) != 0 {
		t.Errorf("%q, %v", l, ok)
	}
	for _, in := range []string{"", `"a"`, `[1]`, `["a",null]`, `{}`} {
		if _, ok := Strings(json.RawMessage(in)); ok {
			t.Errorf("%s was accepted", in)
		}
	}
	if _, ok := String(json.RawMessage("null")); ok {
		t.Error("null is not a string")
	}
}

// What is inside a member is stepped over by Members, and by nothing else.
func TestMembers(t *testing.T) {
	many := strings.Repeat(`"x":1,`, limits.JSONMembers) + `"y":1`
	for _, in := range []string{
		`{"a":{"b":1,"b":2}}`, `{"a":[{"b":1,"B":2}],"c":{}}`, `{"a":{` + many + `}}`, `{"a":{"b":{"c":1,"c":2},"d":[]},"e":1}`,
	} {
		m, err := Members([]byte(in))
		if err != nil || m["a"] == nil {
			t.Errorf("%.40s: %v", in, err)
		}
		if _, err := Object([]byte(in)); !errors.Is(err, ErrDuplicate) && !errors.Is(err, ErrMembers) {
			t.Errorf("%.40s: Object: %v", in, err)
		}
	}
	for in, want := range map[string]Error{
		`{"a":1,"a":2}`: ErrDuplicate, `{"a":{},"A":{}}`: ErrDuplicate, `{"a":{"b":1,"b":2},"a":1}`: ErrDuplicate,
		`{"a":{"b":1 "b":2}}`: ErrSyntax, `{"a":{,"b":1}}`: ErrSyntax, `{"a":{"b":1,}}`: ErrSyntax, `{"a":{}}x`: ErrTrailing,
		`{` + many + `}`: ErrDuplicate,
		`{"a":` + strings.Repeat("[", limits.JSONDepth) + strings.Repeat("]", limits.JSONDepth) + `}`: ErrDepth,
	} {
		if m, err := Members([]byte(in)); !errors.Is(err, want) || m != nil {
			t.Errorf("%.40s: %v, want %v", in, err, want)
		}
	}
}

// Whatever Object or Members accepts, encoding/json reads in the same way: nobody behind us sees other members.
func FuzzObject(f *testing.F) {
	for _, s := range []string{`{"a":1,"b":{"c":[1.5e3,"\u00e9"]},"D":null}`, `{"sub":"a","SUB":"b"}`, `{}x`,
		"{\"\\ud800\":1}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Members(b)
		if all, strict := Object(b); strict == nil && (err != nil || len(all) != len(m)) {
			t.Fatalf("Members has %d of %d members, %v", len(m), len(all), err)
		}
		if err != nil {
			return
		}
		var std map[string]json.RawMessage
		if err := json.Unmarshal(b, &std); err != nil {
			t.Fatalf("encoding/json refuses: %v", err)
		}
		if len(std) != len(m) {
			t.Fatalf("%d members, encoding/json has %d", len(m), len(std))
		}
		for k, v := range m {
			if string(std[k]) != string(v) {
				t.Fatalf("member %q: %s, encoding/json has %s", k, v, std[k])
			}
			String(v)
			Strings(v)
			Integer(v)
		}
	})
}
