package middleware

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/redact"
)

func testKeys(first ...byte) SealKeys {
	keys := make(SealKeys, len(first))
	for i, b := range first {
		keys[i] = testKey([sealKeySize]byte{b})
	}
	return keys
}

func testKey(b [sealKeySize]byte) SealKey { return SealKey{v: redact.Seal(b)} }

func mustSealer(t testing.TB, keys SealKeys) *sealer {
	t.Helper()
	s, problem := newSealer(keys)
	if problem != "" {
		t.Fatal(problem)
	}
	return s
}

func TestSealOpensOnlyWhatItSealed(t *testing.T) {
	s := mustSealer(t, testKeys(1))
	value := s.seal("a", []byte("payload"))
	got, err := s.open("a", value)
	if err != nil || string(got) != "payload" {
		t.Fatalf("open = %q, %v", got, err)
	}
	if again := s.seal("a", []byte("payload")); again == value {
		t.Error("two seals of the same payload are equal: the nonce is not random")
	}
	cases := map[string]struct{ name, value string }{
		"moved to another cookie": {"b", value},
		"empty":                   {"a", ""},
		"not base64url":           {"a", value + "+"},
		"padded":                  {"a", value + "="},
		"truncated":               {"a", value[:len(value)-2]},
		"extended":                {"a", value + "AA"},
		"too short for a nonce":   {"a", "AAAA"},
		"oversized":               {"a", strings.Repeat("A", 1<<20)},
	}
	for i := range len(value) {
		flipped := []byte(value)
		if flipped[i] = 'A'; value[i] == 'A' {
			flipped[i] = 'Q'
		}
		cases[fmt.Sprintf("byte %d changed", i)] = struct{ name, value string }{"a", string(flipped)}
	}
	for name, c := range cases {
		if got, err := s.open(c.name, c.value); !errors.Is(err, errSealed) || got != nil {
			t.Errorf("%s: open = %q, %v; want nothing, errSealed", name, got, err)
		}
	}
}

func TestSealKeyRotation(t *testing.T) {
	old, both, late := mustSealer(t, testKeys(1)), mustSealer(t, testKeys(2, 1)), mustSealer(t, testKeys(2))
	value := old.seal("n", []byte("x"))
	if _, err := both.open("n", value); err != nil {
		t.Errorf("during the rotation the old key must still open: %v", err)
	}
	if _, err := late.open("n", value); !errors.Is(err, errSealed) {
		t.Errorf("after the rotation: %v, want errSealed", err)
	}
	if _, err := old.open("n", both.seal("n", []byte("x"))); !errors.Is(err, errSealed) {
		t.Error("the new deployment sealed with the old key")
	}
}

func TestSealKeysAreChecked(t *testing.T) {
	for name, keys := range map[string]SealKeys{
		"none": nil, "zero": make(SealKeys, 1), "second zero": append(testKeys(1), SealKey{}),
		"too many": testKeys(1, 2, 3, 4, 5, 6, 7, 8, 9),
	} {
		if s, problem := newSealer(keys); problem == "" || s != nil {
			t.Errorf("%s: accepted", name)
		}
	}
	a, b := NewSealKeys(), NewSealKeys()
	if len(a) != 1 || a[0].v.Reveal() == b[0].v.Reveal() || a[0].v.Reveal() == ([sealKeySize]byte{}) {
		t.Error("NewSealKeys does not give one random key")
	}
}

func TestSealKeysRedact(t *testing.T) {
	keys := SealKeys{testKey([sealKeySize]byte(bytes.Repeat([]byte("K"), 32)))}
	text, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", slog.Any("keys", keys))
	inside := struct{ cfg Config }{Config{SealKeys: keys}} // fmt calls no methods on what is in an unexported field
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", slog.Any("app", inside))
	texts := []string{fmt.Sprint(keys), string(text), log.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		texts = append(texts, fmt.Sprintf(verb, keys), fmt.Sprintf(verb, inside), fmt.Sprintf(verb, keys[0]))
	}
	for _, s := range texts {
		if strings.Contains(s, "KKK") || strings.Contains(s, "4b4b") || strings.Contains(s, "75 75") || strings.Contains(s, "75,75") {
			t.Errorf("key printed: %s", s)
		}
	}
}

// FuzzOpen: nothing that was not sealed opens, and nothing makes the opener panic.
func FuzzOpen(f *testing.F) {
	s := mustSealer(f, testKeys(1))
	f.Add("a", "")
	f.Add("a", "AAAA")
	f.Add("a", strings.Repeat("_", 200))
	f.Add("b", s.seal("a", []byte(`{"l":"e30"}`)))
	f.Add(pendingPrefix+"x", s.seal("a", nil)+"=")
	fresh := mustSealer(f, NewSealKeys())
	f.Fuzz(func(t *testing.T, name, value string) {
		if got, err := fresh.open(name, value); !errors.Is(err, errSealed) || got != nil {
			t.Fatalf("%q opened under a key that never sealed anything", value)
		}
	})
}

// BenchmarkSealAndOpen is what a pending login costs to keep in a cookie.
func BenchmarkSealAndOpen(b *testing.B) {
	s := mustSealer(b, NewSealKeys())
	plain := bytes.Repeat([]byte("p"), 700)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.open("n", s.seal("n", plain)); err != nil {
			b.Fatal(err)
		}
	}
}
