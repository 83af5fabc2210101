package fourinfo_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/fourinfo"
)

// secrets are the values of secretPerson in every spelling that a formatter could produce.
func secrets() []string {
	var all []string
	for _, s := range []string{"試験　花子", "試験県架空市一丁目", "19880229", "female"} {
		all = append(all, s, fmt.Sprintf("%x", s), fmt.Sprintf("%X", s), fmt.Sprintf("%+q", s),
			fmt.Sprintf("%v", []byte(s)))
	}
	return all
}

// year is the year of secretPerson's birth, by itself: the address of a pointer may hold these digits among others.
var year = regexp.MustCompile(`\b1988\b`)

func secretPerson(t *testing.T) fourinfo.Person {
	t.Helper()
	p, problems := fourinfo.FromUserinfo(map[string]json.RawMessage{
		"name": []byte(`"試験　花子"`), "address": []byte(`"試験県架空市一丁目"`),
		"birthdate": []byte(`"19880229"`), "gender": []byte(`"female"`),
	}, names)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return p
}

func mustNotLeak(t *testing.T, how, out string) {
	t.Helper()
	for _, s := range secrets() {
		if strings.Contains(out, s) {
			t.Errorf("%s shows %q: %s", how, s, out)
		}
	}
	if year.MatchString(out) {
		t.Errorf("%s shows the year: %s", how, out)
	}
}

// holder nests values where fmt cannot call their methods (unexported fields) and where it can.
type holder struct {
	Public  any
	private any
	person  fourinfo.Person
	name    fourinfo.Name
	pointer *fourinfo.Person
	list    []fourinfo.Person
	table   map[string]fourinfo.Birthdate
	gender  *fourinfo.Gender
	stored  *fourinfo.Stored
}

func everyValue(t *testing.T) map[string]any {
	t.Helper()
	p := secretPerson(t)
	stored := p.RevealAll()
	return map[string]any{
		"Person": p, "*Person": &p, "Name": p.Name, "*Name": &p.Name, "Address": p.Address,
		"Birthdate": p.Birthdate, "*Birthdate": &p.Birthdate, "Gender": p.Gender, "*Gender": &p.Gender,
		"Stored": stored, "*Stored": &stored,
		"holder": holder{
			Public: p, private: p, person: p, name: p.Name, pointer: &p, list: []fourinfo.Person{p},
			table: map[string]fourinfo.Birthdate{"a": p.Birthdate}, gender: &p.Gender,
			stored: &stored,
		},
		"slice": []any{p, &p, p.Name, stored}, "map": map[string]any{"p": p, "b": p.Birthdate},
		"anonymous": struct{ fourinfo.Person }{p},
	}
}

func TestPrintingShowsNothing(t *testing.T) {
	t.Parallel()
	for name, v := range everyValue(t) {
		for _, verb := range []string{
			"%v", "%+v", "%#v", "%s", "%q", "%+q", "%#q", "%x", "%X", "% x", "%#x", "%d", "%t", "%p", "%c", "%U",
			"%e", "%b", "%o", "%z", "%T", "%10v", "%-100s", "%.3s",
		} {
			mustNotLeak(t, name+" with "+verb, fmt.Sprintf(verb, v))
		}
		mustNotLeak(t, name+" with Sprint", fmt.Sprint(v))
		mustNotLeak(t, name+" in an error", fmt.Errorf("wrapped: %v", v).Error())
	}
	p := secretPerson(t)
	for _, v := range []any{p, p.Name, p.Address, p.Birthdate, p.Gender, p.RevealAll()} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			if got := fmt.Sprintf(verb, v); got != "[redacted]" {
				t.Errorf("%T with %s = %q", v, verb, got)
			}
		}
		if s, ok := v.(fmt.Stringer); !ok || s.String() != "[redacted]" {
			t.Errorf("%T has no redacting String", v)
		}
		if s, ok := v.(fmt.GoStringer); !ok || s.GoString() != "[redacted]" {
			t.Errorf("%T has no redacting GoString", v)
		}
	}
}

func TestLoggingShowsNothing(t *testing.T) {
	t.Parallel()
	noTime := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey { // its digits can be anybody's year of birth
			return slog.Attr{}
		}
		return a
	}}
	for name, v := range everyValue(t) {
		var text, encoded bytes.Buffer
		slog.New(slog.NewTextHandler(&text, noTime)).Info("m", slog.Any("v", v), slog.GroupAttrs("g", slog.Any("v", v)))
		mustNotLeak(t, name+" in slog text", text.String())
		if strings.Contains(name, "slice") {
			continue // a Stored in a list is plain JSON data, as documented
		}
		slog.New(slog.NewJSONHandler(&encoded, noTime)).Info("m", slog.Any("v", v),
			slog.GroupAttrs("g", slog.Any("v", v)))
		mustNotLeak(t, name+" in slog JSON", encoded.String())
	}
}

type page struct{ Person fourinfo.Person }

func TestEncodersShowNothing(t *testing.T) {
	t.Parallel()
	p := secretPerson(t)
	for _, v := range []any{
		p, &p, p.Name, p.Address, p.Birthdate, &p.Gender, holder{Public: p, person: p},
		map[string]any{"p": []any{p, p.Name}},
	} {
		encoded, err := json.Marshal(v)
		if err != nil {
			t.Errorf("%T: %v", v, err)
		}
		mustNotLeak(t, fmt.Sprintf("JSON of %T", v), string(encoded))
		if !bytes.Contains(encoded, []byte("[redacted]")) {
			t.Errorf("JSON of %T = %s", v, encoded)
		}
	}
	encoded, err := xml.Marshal(page{p})
	if err != nil {
		t.Fatal(err)
	}
	mustNotLeak(t, "XML", string(encoded))
	var html bytes.Buffer
	if err := template.Must(
		template.New("").Parse(`{{.}} {{.Name}} {{printf "%v" .Birthdate}} <script>{{.Name}}</script>`)).Execute(&html,
		p); err != nil {
		t.Fatal(err)
	}
	mustNotLeak(t, "html/template", html.String())
	if err := gob.NewEncoder(&bytes.Buffer{}).Encode(p); err == nil {
		t.Error("gob encodes a person without complaint")
	}
}

func TestRedactedJSONDoesNotLoad(t *testing.T) {
	t.Parallel()
	p := secretPerson(t)
	encoded, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back fourinfo.Person
	if json.Unmarshal(encoded, &back) == nil {
		t.Error("a redacted person loads as if it were data")
	}
}

func TestErrorsShowNothing(t *testing.T) {
	t.Parallel()
	_, err := fourinfo.ParseBirthdate("1988-Feb-29")
	var e *fourinfo.Error
	if !errors.As(err, &e) || e.Reason != fourinfo.ReasonMalformed || e.Step != fourinfo.AttributeBirthdate {
		t.Fatalf("err = %v", err)
	}
	mustNotLeak(t, "error", fmt.Sprintf("%v %+v %#v", err, err, err))
	if got := err.Error(); got != "fourinfo: malformed: birthdate" {
		t.Errorf("Error() = %q", got)
	}
}
