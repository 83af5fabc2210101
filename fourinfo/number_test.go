package fourinfo_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/fourinfo"
)

const validNumber = "123456789018" // a published check vector, nobody's number

func reasonOf(err error) fourinfo.Reason {
	var e *fourinfo.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return 0
}

func TestIndividualNumberCheckDigit(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		eleven string
		want   byte
	}{
		{"12345678901", '8'}, {"00000000000", '0'}, {"１２３４５６７８９０１", '8'}, {"12346678901", '6'}, {"70123400001", '0'},
	} {
		if got, ok := fourinfo.IndividualNumberCheckDigit(tc.eleven); !ok || got != tc.want {
			t.Errorf("%s: %c, %v; want %c", tc.eleven, got, ok, tc.want)
		}
	}
	for _, bad := range []string{"", "1234567890", "123456789018", "1234567890x", "1234-567890", "١٢٣٤٥٦٧٨٩٠١"} {
		if _, ok := fourinfo.IndividualNumberCheckDigit(bad); ok {
			t.Errorf("%q has a check digit", bad)
		}
	}
}

func TestCorporateNumber(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"7000012050002", "７００００１２０５０００２"} {
		if n, err := fourinfo.ParseCorporateNumber(raw); err != nil || n != "7000012050002" {
			t.Errorf("%s: %s, %v", raw, n, err)
		}
	}
	if got, ok := fourinfo.CorporateNumberCheckDigit("000012050002"); !ok || got != '7' {
		t.Errorf("check digit %c, %v", got, ok)
	}
	if got, ok := fourinfo.CorporateNumberCheckDigit("000000000000"); !ok || got != '9' {
		t.Errorf("check digit of zeros %c, %v", got, ok)
	}
	for raw, want := range map[string]fourinfo.Reason{
		"8000012050002": fourinfo.WrongCheckDigit, "0000000000000": fourinfo.WrongCheckDigit, "": fourinfo.Malformed,
		"700001205000": fourinfo.Malformed, "70000120500022": fourinfo.Malformed, "T7000012050002": fourinfo.Malformed,
	} {
		if _, err := fourinfo.ParseCorporateNumber(raw); reasonOf(err) != want {
			t.Errorf("%q: %v, want %v", raw, err, want)
		}
	}
	if _, ok := fourinfo.CorporateNumberCheckDigit("7000012050002"); ok {
		t.Error("thirteen digits have no check digit before them")
	}
}

func TestIndividualNumberNeedsALawfulPurpose(t *testing.T) {
	t.Parallel()
	for _, p := range []fourinfo.Purpose{0, -1, fourinfo.PurposeOrdinance + 1} {
		if n, err := fourinfo.NewIndividualNumber(validNumber, p); reasonOf(err) != fourinfo.PurposeMissing || n.Present() {
			t.Errorf("obtained for %d: %v", p, err)
		}
	}
	for _, p := range []fourinfo.Purpose{fourinfo.PurposeAdministration, fourinfo.PurposeReporting, fourinfo.PurposeOrdinance} {
		n, err := fourinfo.NewIndividualNumber("１２３４５６７８９０１８", p)
		if err != nil || n.Purpose() != p || !n.Present() {
			t.Fatalf("%v: %v", p, err)
		}
		if got, err := n.Reveal(p); err != nil || got != validNumber {
			t.Errorf("%v: %q, %v", p, got, err)
		}
		if got, err := n.Reveal(0); reasonOf(err) != fourinfo.PurposeMissing || got != "" {
			t.Errorf("revealed without purpose: %v", err)
		}
		other := p%3 + 1
		if got, err := n.Reveal(other); reasonOf(err) != fourinfo.PurposeMismatch || got != "" {
			t.Errorf("obtained for %v, revealed for %v: %v", p, other, err)
		}
	}
	if got, err := (fourinfo.IndividualNumber{}).Reveal(fourinfo.PurposeReporting); reasonOf(err) != fourinfo.Absent || got != "" {
		t.Errorf("the zero value reveals %q, %v", got, err)
	}
}

func TestIndividualNumberIsReadStrictly(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]fourinfo.Reason{
		"": fourinfo.Malformed, "12345678901": fourinfo.Malformed, "1234567890189": fourinfo.Malformed,
		"1234-5678-9018": fourinfo.Malformed, "\u0020123456789018": fourinfo.Malformed, "123456789018\n": fourinfo.Malformed,
		"١٢٣٤٥٦٧٨٩٠١٨": fourinfo.Malformed, "12345678901\xff": fourinfo.Malformed,
		"123456789019": fourinfo.WrongCheckDigit, "223456789018": fourinfo.WrongCheckDigit,
		"123466789012": fourinfo.WrongCheckDigit, // printed in a public sample document of a mobile credential
	} {
		_, err := fourinfo.NewIndividualNumber(raw, fourinfo.PurposeReporting)
		if reasonOf(err) != want {
			t.Errorf("%q: %v, want %v", raw, err, want)
		}
		if strings.Contains(err.Error(), "1234") {
			t.Errorf("the error shows the number: %v", err)
		}
	}
}

func TestIndividualNumberEqual(t *testing.T) {
	t.Parallel()
	number := func(raw string, p fourinfo.Purpose) fourinfo.IndividualNumber {
		n, err := fourinfo.NewIndividualNumber(raw, p)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	a := number(validNumber, fourinfo.PurposeReporting)
	if !a.Equal(number("１２３４５６７８９０１８", fourinfo.PurposeOrdinance)) {
		t.Error("one number twice is not equal")
	}
	if a.Equal(number("000000000000", fourinfo.PurposeReporting)) {
		t.Error("two numbers are equal")
	}
	var none, nothing fourinfo.IndividualNumber
	if none.Equal(nothing) || a.Equal(none) || none.Equal(a) || number("000000000000", fourinfo.PurposeReporting).Equal(none) {
		t.Error("an absent number equals something")
	}
}

type form struct{ Number fourinfo.IndividualNumber }

func TestIndividualNumberShowsNothing(t *testing.T) {
	t.Parallel()
	n, err := fourinfo.NewIndividualNumber(validNumber, fourinfo.PurposeReporting)
	if err != nil {
		t.Fatal(err)
	}
	type hidden struct {
		Public  any
		private fourinfo.IndividualNumber
		pointer *fourinfo.IndividualNumber
		list    []fourinfo.IndividualNumber
	}
	leaks := func(how, out string) {
		for _, s := range []string{validNumber, fmt.Sprintf("%x", validNumber), fmt.Sprintf("%v", []byte(validNumber))[1:20], "49 50 51"} {
			if strings.Contains(out, s) {
				t.Errorf("%s shows the number: %s", how, out)
			}
		}
	}
	for name, v := range map[string]any{"value": n, "pointer": &n, "nested": hidden{n, n, &n, []fourinfo.IndividualNumber{n}}, "slice": []any{n, &n}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%c", "%U", "%o", "%20v"} {
			leaks(name+" "+verb, fmt.Sprintf(verb, v))
		}
		var text bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", slog.Any("v", v))
		slog.New(slog.NewJSONHandler(&text, nil)).Info("m", slog.Any("v", v))
		leaks(name+" slog", text.String())
		encoded, err := json.Marshal(v)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		leaks(name+" JSON", string(encoded))
	}
	encoded, err := xml.Marshal(form{n})
	if err != nil {
		t.Fatal(err)
	}
	leaks("XML", string(encoded))
	var out bytes.Buffer
	if err := gob.NewEncoder(&out).Encode(n); err == nil {
		t.Error("gob encodes a number without complaint")
	}
	leaks("gob", out.String())
	var read form
	if json.Unmarshal([]byte(`{"Number":"123456789018"}`), &read) == nil || read.Number.Present() {
		t.Error("JSON makes a number without a purpose")
	}
}

func TestLooksLikeIndividualNumber(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"123456789018", "1234-5678-9018", "1234 5678 9018", "１２３４５６７８９０１８", "１２３４　５６７８　９０１８", "本人 123456789018 の",
		"1234–5678—9018", "1234ー5678ー9018", "1234５６７８9018", "n=123456789018;", "090-1234 1234-5678-9018", "123456789018 20260101",
		"123456 789018", "1234-5678-9018-1234", "000000000000",
	} {
		if !fourinfo.LooksLikeIndividualNumber(s) || !fourinfo.MayHoldIndividualNumber(s) {
			t.Errorf("%q passes", s)
		}
	}
	for _, s := range []string{
		"", "123456789019", "12345678901", "1123456789018", "1234567890189", "090-1234-5678", "2026-11-21 23:08:18", "1234--5678--9018",
		"1234,5678,9018", "1234.5678.9018", "a123456789017", "1234-5678-901", "deadbeef", "東京都架空区１２－３４－５６７８",
	} {
		if fourinfo.LooksLikeIndividualNumber(s) {
			t.Errorf("%q is taken for a number", s)
		}
	}
	for _, s := range []string{
		"123456789019", "1123456789018", "1234.5678.9018", "12 34 56 78 90 18", "١٢٣٤٥٦٧٨٩٠١٨", "1234+5678+9018", "1234--5678--9018",
		"1234\u200b56789018", "1234\n56789018", "1234\u0301 5678 9018", "𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗𝟎𝟏𝟖",
	} {
		if !fourinfo.MayHoldIndividualNumber(s) {
			t.Errorf("%q passes the cautious test", s)
		}
	}
	for _, s := range []string{"", "犯収法 規則6条1項1号カ", "2026-11-21", "12345678901", "電子署名法 3条, 法17条4項", "123456a789018", "123456\x00789018"} {
		if fourinfo.MayHoldIndividualNumber(s) {
			t.Errorf("%q is refused", s)
		}
	}
}

type talkative struct{ Note string }

func TestGuardLogs(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	timeless := func(_ []string, a slog.Attr) slog.Attr { // the digits of the time may hold those of the number
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	log := slog.New(fourinfo.GuardLogs(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: timeless})))
	secret := "1234-5678-9018"
	log.Info("number " + secret)
	log.Info("m", slog.String("a", secret), slog.Int64("b", 123456789018), slog.Uint64("c", 123456789018), slog.Any("d", errors.New(secret)))
	log.Info("m", slog.Group("g", slog.Any("h", []string{"x", secret})), slog.Any("i", talkative{secret}), slog.Any("j", []byte(secret)))
	log.With(slog.String("k", secret)).WithGroup("group").Debug("m", slog.Any("l", &talkative{secret}), slog.String(secret, "v"))
	for _, s := range []string{"5678", "123456789018", "MTIzNC0"} {
		if strings.Contains(out.String(), s) {
			t.Errorf("the log shows %s:\n%s", s, out.String())
		}
	}
	if got := strings.Count(out.String(), "[redacted]"); got != 11 {
		t.Errorf("%d values masked:\n%s", got, out.String())
	}
	out.Reset()
	log.Info("kept", slog.Int("n", 42), slog.String("s", "東京都"), slog.Bool("b", true), slog.Any("e", errors.New("harmless")))
	for _, want := range []string{`"msg":"kept"`, `"n":42`, `"s":"東京都"`, `"b":true`, `"e":"harmless"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %s: %s", want, out.String())
		}
	}
	if slog.New(fourinfo.GuardLogs(slog.NewTextHandler(&out, nil))).Enabled(t.Context(), slog.LevelDebug) {
		t.Error("the guard changes the level")
	}
}

// numberOnlyInJSON shows a number to a JSON handler alone.
type numberOnlyInJSON struct{ Number func() string }

func (n numberOnlyInJSON) MarshalJSON() ([]byte, error) { return json.Marshal(n.Number()) }

func (n numberOnlyInJSON) String() string { return "a number" }

// TestGuardSeesWhatHandlersShow: bytes of a named type, floats and what only the JSON form has.
func TestGuardSeesWhatHandlersShow(t *testing.T) {
	t.Parallel()
	type body []byte
	const number = "123456789018"
	for name, v := range map[string]any{
		"json.RawMessage": json.RawMessage(`{"n":"` + number + `"}`), "named bytes": body(number), "float": 123456789018.0,
		"float in a map": map[string]any{"n": 123456789018.0}, "JSON form": numberOnlyInJSON{func() string { return number }},
		"a value that panics": numberOnlyInJSON{},
		"raw in a struct":     struct{ Body json.RawMessage }{json.RawMessage(`"` + number + `"`)},
	} {
		var text, encoded bytes.Buffer
		slog.New(fourinfo.GuardLogs(slog.NewTextHandler(&text, nil))).Info("m", slog.Any("v", v))
		slog.New(fourinfo.GuardLogs(slog.NewJSONHandler(&encoded, nil))).Info("m", slog.Any("v", v))
		if both := text.String() + encoded.String(); strings.Contains(both, number) || strings.Count(both, "[redacted]") != 2 {
			t.Errorf("%s: %s", name, both)
		}
	}
}
