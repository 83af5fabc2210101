package redact_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/redact"
)

type mark = redact.Mark

type name struct {
	mark
	value redact.Value[string]
}

type number struct {
	mark
	value redact.Value[struct{ Digits []byte }]
}

type subject struct {
	mark
	value redact.Comparable[string]
}

// bare lacks the mark: what a Value alone must withstand, because fmt asks no method of an unexported field.
type bare struct {
	text   redact.Value[string]
	digits redact.Value[[]byte]
	fields redact.Value[struct{ A string }]
	table  redact.Value[map[string]string]
	key    redact.Comparable[string]
}

const canary = "canary花子"

func TestNothingShows(t *testing.T) {
	n := name{value: redact.Seal(canary)}
	d := number{value: redact.Seal(struct{ Digits []byte }{[]byte(canary)})}
	s := subject{value: redact.SealComparable(canary)}
	b := bare{
		redact.Seal(canary), redact.Seal([]byte(canary)), redact.Seal(struct{ A string }{canary}),
		redact.Seal(map[string]string{canary: canary}), redact.SealComparable(canary),
	}
	for _, v := range []any{
		n, &n, d, &d, s, &s, b, &b,
		struct{ v name }{n}, struct{ v *name }{&n}, struct{ v subject }{s}, struct{ v bare }{b}, struct{ v *bare }{&b},
		[]name{n}, []subject{s}, []bare{b}, map[subject]int{s: 1}, map[string]name{"x": n}, struct{ V any }{b},
		struct{ V subject }{s},
	} {
		for what, shown := range everyView(v) {
			for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary),
				fmt.Sprintf("%v", []byte(canary)), "Y2FuYXJ5"} {
				if strings.Contains(shown, form) {
					t.Errorf("%T by %s: %s", v, what, shown)
				}
			}
		}
	}
}

// everyView shows a value in every way of package fmt, of the encoders and of log/slog. An encoder's refusal shows
// nothing.
func everyView(v any) map[string]string {
	views := map[string]string{}
	for _, verb := range "vTtbcdoOqxXUeEfFgGsp" {
		for _, flags := range []string{"", "+", "#", " ", "-", "0", "#+"} {
			format := "%" + flags + string(verb)
			views[format] = fmt.Sprintf(format, v)
		}
	}
	if b, err := json.Marshal(v); err == nil {
		views["json"] = string(b)
	}
	if b, err := xml.Marshal(v); err == nil {
		views["xml"] = string(b)
	}
	var b bytes.Buffer
	if gob.NewEncoder(&b).Encode(v) == nil {
		views["gob"] = b.String()
	}
	var text, object bytes.Buffer
	//nolint:sloglint // the handlers are what is tested
	slog.New(slog.NewTextHandler(&text, nil)).Info("x", slog.Any("v", v))
	slog.New(slog.NewJSONHandler(&object, nil)).Info("x", slog.Any("v", v))
	views["slog text"], views["slog json"] = text.String(), object.String()
	return views
}

func TestValues(t *testing.T) {
	if v, ok := redact.Seal("").Open(); !ok || v != "" {
		t.Error("a sealed empty string is a value")
	}
	var none redact.Value[string]
	if v, ok := none.Open(); ok || v != "" || !none.Empty() || none.Reveal() != "" {
		t.Error("the zero Value is empty")
	}
	if redact.Seal(canary).Reveal() != canary || redact.Seal(canary).Empty() {
		t.Error("the value is lost")
	}
	if redact.SealComparable(canary) != redact.SealComparable(strings.Clone(canary)) ||
		redact.SealComparable("a") == redact.SealComparable("b") {
		t.Error("== must compare the values")
	}
	if redact.SealComparable("") != (redact.Comparable[string]{}) || (redact.Comparable[string]{}).Reveal() != "" {
		t.Error("the zero Comparable holds the zero value")
	}
}
