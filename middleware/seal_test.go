package middleware

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func testKeys(first ...byte) SealKeys {
	keys := make(SealKeys, len(first))
	for i, b := range first {
		keys[i][0] = b
	}
	return keys
}

func mustSealer(t testing.TB, keys SealKeys) *sealer {
	t.Helper()
	s, err := newSealer(keys)
	if err != nil {
		t.Fatal(err)
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
		"none": nil, "zero": make(SealKeys, 1), "second zero": append(testKeys(1), [32]byte{}),
		"too many": testKeys(1, 2, 3, 4, 5, 6, 7, 8, 9),
	} {
		if _, err := newSealer(keys); !isReason(err, ReasonConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
	}
	a, b := NewSealKeys(), NewSealKeys()
	if len(a) != 1 || a[0] == b[0] || a[0] == ([32]byte{}) {
		t.Error("NewSealKeys does not give one random key")
	}
}

func TestSealKeysRedact(t *testing.T) {
	keys := SealKeys{[32]byte(bytes.Repeat([]byte("K"), 32))}
	text, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", slog.Any("keys", keys))
	for _, s := range []string{
		fmt.Sprint(keys), fmt.Sprintf("%v %+v %#v %s %x %d %q", keys, keys, keys, keys, keys, keys, keys), string(text), log.String(),
	} {
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
