package middleware

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
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
	odd := s.seal("a", []byte("payload"))
	for n := 1; len(odd)%4 == 0; n++ { // there are unused bits in two lengths of three
		odd = s.seal("a", []byte("payload")[:n])
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(odd) - 1
	other := odd[:last] + alphabet[strings.IndexByte(alphabet, odd[last])+1:][:1]
	if _, err := base64.RawURLEncoding.DecodeString(other); err != nil {
		t.Fatal("no other spelling of the same octets")
	}
	cases["in unused bits"] = struct{ name, value string }{"a", other}
	for name, c := range cases {
		if got, err := s.open(c.name, c.value); !errors.Is(err, errSealed) || got != nil {
			t.Errorf("%s: open = %q, %v; want nothing, errSealed", name, got, err)
		}
	}
}

// What one visitor's request seals and opens is never seen in another's, though the memory of both is used again.
func TestSealedValuesShareNoMemory(t *testing.T) {
	s := mustSealer(t, testKeys(1))
	var visitors sync.WaitGroup
	for n := range 8 {
		visitors.Go(func() {
			name := strings.Repeat("n", n)
			var opened, wanted [][]byte
			for size := range 64 {
				plain := bytes.Repeat([]byte{byte('a' + n)}, size*40) // the longest do not fit into the memory
				got, err := s.open(name, s.seal(name, plain))
				if err != nil {
					t.Error(err)
				}
				opened, wanted = append(opened, got), append(wanted, plain)
			}
			for i := range opened {
				if !bytes.Equal(opened[i], wanted[i]) {
					t.Errorf("%q became %q", wanted[i], opened[i])
				}
			}
		})
	}
	visitors.Wait()
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

// The way in which the package's documentation changes the keys of several instances: while one step is rolled out, any
// instance opens what any other one sealed. Skipping a step would not do.
func TestRollingRotation(t *testing.T) {
	steps := []*sealer{
		mustSealer(t, testKeys(1)), mustSealer(t, testKeys(1, 2)), mustSealer(t, testKeys(2, 1)),
		mustSealer(t, testKeys(2)),
	}
	for i, before := range steps {
		for j, after := range steps {
			_, e1 := after.open("n", before.seal("n", []byte("x")))
			_, e2 := before.open("n", after.seal("n", []byte("x")))
			if neighbours := i-j <= 1 && j-i <= 1; neighbours && (e1 != nil || e2 != nil) {
				t.Errorf("steps %d and %d: %v, %v", i, j, e1, e2)
			}
		}
	}
	if _, err := steps[0].open("n", steps[2].seal("n", []byte("x"))); err == nil {
		t.Error("the new key in front at once would have done: the documentation asks for too much")
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
		if strings.Contains(s, "KKK") || strings.Contains(s, "4b4b") || strings.Contains(s, "75 75") ||
			strings.Contains(s, "75,75") {
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

// BenchmarkSealAndOpen is what a pending login costs to keep in a cookie: a login with four attributes, and one of
// twice that size, which carries a signature. x-bare is the ratio to AES-GCM and base64 alone, which allocate nothing;
// whole is with the encoding of the login itself.
func BenchmarkSealAndOpen(b *testing.B) {
	s := mustSealer(b, NewSealKeys())
	login := pendingOf(b)
	text, err := login.RevealBytes()
	if err != nil {
		b.Fatal(err)
	}
	plain, err := encodePending(text, pending{Return: "/account?tab=1"})
	if err != nil {
		b.Fatal(err)
	}
	name := pendingName(login.State())
	for size, plain := range map[string][]byte{"login": plain, "signature": append(plain, plain...)} {
		b.Run(size, func(b *testing.B) {
			bare := bareSealAndOpen(b, name, plain)
			b.ReportAllocs()
			start := processorTime()
			for b.Loop() {
				if _, err := s.open(name, s.seal(name, plain)); err != nil {
					b.Fatal(err)
				}
			}
			each := float64(processorTime()-start) / float64(b.N)
			b.ReportMetric(each, "ns/op")
			b.ReportMetric(each/bare, "x-bare")
		})
	}
	b.Run("whole", func(b *testing.B) {
		l := &Login{seal: s, ttl: time.Minute}
		b.ReportAllocs()
		for b.Loop() {
			c, err := l.sealPending(login, pending{Return: "/account?tab=1"}, 500)
			if err != nil {
				b.Fatal(err)
			}
			if _, _, err := l.openPending(c.Name, c.Value); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// pendingOf is a login that was begun at the sandbox for the four attributes.
func pendingOf(tb testing.TB) authn.Pending {
	tb.Helper()
	key, err := authn.GenerateKey(authn.ES256)
	if err != nil {
		tb.Fatal(err)
	}
	client, err := authn.New(authn.Config{
		Environment: authn.Sandbox(), ClientID: "RP00000001", Key: key,
		RedirectURL: "https://shop.example/auth/callback",
	})
	if err != nil {
		tb.Fatal(err)
	}
	begun, err := client.Begin(tb.Context(), authn.Request{Scopes: authn.Attributes})
	if err != nil {
		tb.Fatal(err)
	}
	return begun.Pending
}

// bareSealAndOpen is the nanoseconds that AES-GCM and base64 take for plain, without an allocation.
func bareSealAndOpen(tb testing.TB, name string, plain []byte) float64 {
	tb.Helper()
	s := mustSealer(tb, NewSealKeys())
	bound := []byte(sealVersion + name)
	var sealed, text, opened [2048]byte
	const times = 1 << 16
	start := processorTime()
	for range times {
		c := s.aeads[0].Seal(sealed[:0], nil, plain, bound) //nolint:gosec // the AEAD makes the nonce itself
		t := base64.RawURLEncoding.AppendEncode(text[:0], c)
		c, err := base64.RawURLEncoding.AppendDecode(sealed[:0], t)
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := s.aeads[0].Open(opened[:0], nil, c, bound); err != nil {
			tb.Fatal(err)
		}
	}
	return float64(processorTime()-start) / times
}
