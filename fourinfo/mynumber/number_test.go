package mynumber_test

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

	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
)

const validNumber = "123456789018" // a published check vector, nobody's number

func reasonOf(err error) mynumber.Reason {
	var e *mynumber.Error
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
		if got, ok := mynumber.CheckDigit(tc.eleven); !ok || got != tc.want {
			t.Errorf("%s: %c, %v; want %c", tc.eleven, got, ok, tc.want)
		}
	}
	for _, bad := range []string{"", "1234567890", "123456789018", "1234567890x", "1234-567890", "١٢٣٤٥٦٧٨٩٠١"} {
		if _, ok := mynumber.CheckDigit(bad); ok {
			t.Errorf("%q has a check digit", bad)
		}
	}
}

func TestCorporateNumber(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"7000012050002", "７００００１２０５０００２"} {
		if n, err := mynumber.ParseCorporate(raw); err != nil || n != "7000012050002" {
			t.Errorf("%s: %s, %v", raw, n, err)
		}
	}
	if n, err := mynumber.ParseCorporate("9000000000000"); err != nil || n != "9000000000000" {
		t.Errorf("the check digit of zeros: %v", err)
	}
	for raw, want := range map[string]mynumber.Reason{
		"8000012050002": mynumber.ReasonCheckDigit, "0000000000000": mynumber.ReasonCheckDigit,
		"":             mynumber.ReasonMalformed,
		"700001205000": mynumber.ReasonMalformed, "70000120500022": mynumber.ReasonMalformed,
		"T7000012050002": mynumber.ReasonMalformed,
	} {
		if _, err := mynumber.ParseCorporate(raw); reasonOf(err) != want {
			t.Errorf("%q: %v, want %v", raw, err, want)
		}
	}
}

func TestIndividualNumberNeedsALawfulPurpose(t *testing.T) {
	t.Parallel()
	for _, p := range []mynumber.Purpose{0, -1, mynumber.PurposeOrdinance + 1} {
		if n, err := mynumber.New(validNumber, p); reasonOf(err) != mynumber.ReasonPurposeMissing || n.Present() {
			t.Errorf("obtained for %d: %v", p, err)
		}
	}
	for _, p := range []mynumber.Purpose{mynumber.PurposeAdministration, mynumber.PurposeReporting,
		mynumber.PurposeOrdinance} {
		n, err := mynumber.New("１２３４５６７８９０１８", p)
		if err != nil || n.Purpose() != p || !n.Present() {
			t.Fatalf("%v: %v", p, err)
		}
		if got, err := n.Reveal(p); err != nil || got != validNumber {
			t.Errorf("%v: %q, %v", p, got, err)
		}
		if got, err := n.Reveal(0); reasonOf(err) != mynumber.ReasonPurposeMissing || got != "" {
			t.Errorf("revealed without purpose: %v", err)
		}
		other := p%3 + 1
		if got, err := n.Reveal(other); reasonOf(err) != mynumber.ReasonPurposeMismatch || got != "" {
			t.Errorf("obtained for %v, revealed for %v: %v", p, other, err)
		}
	}
	if got, err := (mynumber.Number{}).Reveal(mynumber.PurposeReporting); reasonOf(err) != mynumber.ReasonAbsent ||
		got != "" {
		t.Errorf("the zero value reveals %q, %v", got, err)
	}
}

func TestIndividualNumberIsReadStrictly(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]mynumber.Reason{
		"": mynumber.ReasonMalformed, "12345678901": mynumber.ReasonMalformed,
		"1234567890189":  mynumber.ReasonMalformed,
		"1234-5678-9018": mynumber.ReasonMalformed, "\u0020123456789018": mynumber.ReasonMalformed,
		"123456789018\n": mynumber.ReasonMalformed,
		"١٢٣٤٥٦٧٨٩٠١٨":   mynumber.ReasonMalformed, "12345678901\xff": mynumber.ReasonMalformed,
		"123456789019": mynumber.ReasonCheckDigit, "223456789018": mynumber.ReasonCheckDigit,
		"123466789012": mynumber.ReasonCheckDigit, // printed in a public sample document of a mobile credential
	} {
		_, err := mynumber.New(raw, mynumber.PurposeReporting)
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
	number := func(raw string, p mynumber.Purpose) mynumber.Number {
		n, err := mynumber.New(raw, p)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	a := number(validNumber, mynumber.PurposeReporting)
	if !a.Equal(number("１２３４５６７８９０１８", mynumber.PurposeOrdinance)) {
		t.Error("one number twice is not equal")
	}
	if a.Equal(number("000000000000", mynumber.PurposeReporting)) {
		t.Error("two numbers are equal")
	}
	var none, nothing mynumber.Number
	if none.Equal(nothing) || a.Equal(none) || none.Equal(a) ||
		number("000000000000", mynumber.PurposeReporting).Equal(none) {
		t.Error("an absent number equals something")
	}
}

type form struct{ Number mynumber.Number }

func TestIndividualNumberShowsNothing(t *testing.T) {
	t.Parallel()
	n, err := mynumber.New(validNumber, mynumber.PurposeReporting)
	if err != nil {
		t.Fatal(err)
	}
	type hidden struct {
		Public  any
		private mynumber.Number
		pointer *mynumber.Number
		list    []mynumber.Number
	}
	leaks := func(how, out string) {
		for _, s := range []string{validNumber, fmt.Sprintf("%x", validNumber),
			fmt.Sprintf("%v", []byte(validNumber))[1:20], "49 50 51"} {
			if strings.Contains(out, s) {
				t.Errorf("%s shows the number: %s", how, out)
			}
		}
	}
	for name, v := range map[string]any{"value": n, "pointer": &n, "nested": hidden{n, n, &n, []mynumber.Number{n}},
		"slice": []any{n, &n}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%c", "%U", "%o",
			"%20v"} {
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
		"1234–5678—9018", "1234ー5678ー9018", "1234５６７８9018", "n=123456789018;", "090-1234 1234-5678-9018",
		"123456789018 20260101",
		"123456 789018", "1234-5678-9018-1234", "000000000000",
		// Separators that people and programs put between groups, and those that nobody sees.
		"1234_5678_9018", "1234.5678.9018", "1234/5678/9018", "1234／5678／9018", "1234＿5678＿9018", "1234．5678．9018",
		"1234・5678・9018",
		"1234\u200b56789018", "1234\u200d\u20605678\ufeff9018", "1234 \u200e5678 \u200e9018",
		"12\u00ad34\u00ad5678\u00ad9018", "1\u202a23456789018\u202c",
		"1234\ufe0e56789018", "1234\u3164\u2060-5678-9018", "1234\u205f5678\u205f9018",
		// Digits of other scripts.
		"一二三四五六七八九〇一八", "一二三四 五六七八 九〇一八", "一二三四-五六七八-九○一八", "壱弐参四五六七八九零壱八", "1234五六七八9018", "١٢٣٤٥٦٧٨٩٠١٨",
		"𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗𝟎𝟏𝟖",
	} {
		if !mynumber.LooksLike(s) || !mynumber.MayHold(s) {
			t.Errorf("%q passes", s)
		}
	}
	for _, s := range []string{
		"", "123456789019", "12345678901", "1123456789018", "1234567890189", "090-1234-5678", "2026-11-21 23:08:18",
		"1234--5678--9018",
		"1234,5678,9018", "1234_.5678_.9018", "一二三四五六七八九〇一九", "千二百三十四五六七八九〇一八", "a123456789017", "1234-5678-901",
		"deadbeef", "東京都架空区１２－３４－５６７８",
	} {
		if mynumber.LooksLike(s) {
			t.Errorf("%q is taken for a number", s)
		}
	}
	for _, s := range []string{
		"123456789019", "1123456789018", "1234.5678.9019", "12 34 56 78 90 18", "١٢٣٤٥٦٧٨٩٠١٨", "1234+5678+9018",
		"1234--5678--9018",
		"1234\u200b56789018", "1234\n56789018", "1234\u0301 5678 9018", "𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗𝟎𝟏𝟖",
	} {
		if !mynumber.MayHold(s) {
			t.Errorf("%q passes the cautious test", s)
		}
	}
	for _, s := range []string{"", "犯収法 規則6条1項1号カ", "2026-11-21", "12345678901", "電子署名法 3条, 法17条4項", "123456a789018",
		"123456\x00789018"} {
		if mynumber.MayHold(s) {
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
	log := slog.New(mynumber.GuardLogs(slog.NewJSONHandler(&out,
		&slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: timeless})))
	secret := "1234-5678-9018"
	log.Info("number " + secret)
	log.Info("m", slog.String("a", secret), slog.Int64("b", 123456789018), slog.Uint64("c", 123456789018),
		slog.Any("d", errors.New(secret)))
	log.Info("m", slog.Group("g", slog.Any("h", []string{"x", secret})), slog.Any("i", talkative{secret}),
		slog.Any("j", []byte(secret)))
	log.Info("m", slog.String("m", "1234_5678_9018"), slog.String("n", "1234/5678/9018"),
		slog.String("o", "1234\u200b56789018"),
		slog.String("p", "一二三四 五六七八 九〇一八"), slog.String("q", "1234.5678.9018"))
	log.With(slog.String("k", secret)).WithGroup("group").Debug("m", slog.Any("l", &talkative{secret}),
		slog.String(secret, "v"))
	for _, s := range []string{"5678", "123456789018", "MTIzNC0", "五六七八"} {
		if strings.Contains(out.String(), s) {
			t.Errorf("the log shows %s:\n%s", s, out.String())
		}
	}
	if got := strings.Count(out.String(), "[redacted]"); got != 16 {
		t.Errorf("%d values masked:\n%s", got, out.String())
	}
	out.Reset()
	log.Info("kept", slog.Int("n", 42), slog.String("s", "東京都"), slog.Bool("b", true),
		slog.Any("e", errors.New("harmless")))
	for _, want := range []string{`"msg":"kept"`, `"n":42`, `"s":"東京都"`, `"b":true`, `"e":"harmless"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %s: %s", want, out.String())
		}
	}
	if slog.New(mynumber.GuardLogs(slog.NewTextHandler(&out, nil))).Enabled(t.Context(), slog.LevelDebug) {
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
		"json.RawMessage": json.RawMessage(`{"n":"` + number + `"}`), "named bytes": body(number),
		"float":               123456789018.0,
		"float in a map":      map[string]any{"n": 123456789018.0},
		"JSON form":           numberOnlyInJSON{func() string { return number }},
		"a value that panics": numberOnlyInJSON{},
		"raw in a struct":     struct{ Body json.RawMessage }{json.RawMessage(`"` + number + `"`)},
	} {
		var text, encoded bytes.Buffer
		slog.New(mynumber.GuardLogs(slog.NewTextHandler(&text, nil))).Info("m", slog.Any("v", v))
		slog.New(mynumber.GuardLogs(slog.NewJSONHandler(&encoded, nil))).Info("m", slog.Any("v", v))
		if both := text.String() + encoded.String(); strings.Contains(both, number) ||
			strings.Count(both, "[redacted]") != 2 {
			t.Errorf("%s: %s", name, both)
		}
	}
}

// FuzzLooksLike: no text makes a reader panic, and what looks like a number may hold one.
func FuzzLooksLike(f *testing.F) {
	for _, s := range []string{validNumber, "1234-5678-9018", "一二三四五六七八九〇一八", "1234\u200b56789018", "7000012050002",
		"\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if mynumber.LooksLike(text) && !mynumber.MayHold(text) {
			t.Errorf("%q looks like a number and may hold none", text)
		}
		if n, err := mynumber.New(text, mynumber.PurposeReporting); err == nil && !mynumber.LooksLike(text) {
			t.Errorf("%v is a number and does not look like one", n)
		}
		if n, err := mynumber.ParseCorporate(text); err == nil && len(n) != 13 {
			t.Errorf("a corporate number of %d bytes", len(n))
		}
	})
}
