package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/internal/tests/golden"
	"github.com/kakunin-go/kakunin/jpki/card"
)

func testNow() time.Time { return time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC) }

// oneAuthority spares each run the making of the keys.
var oneAuthority = sync.OnceValues(func() (*issuer.JPKI, error) { return testAuthority(testNow) })

func sharedAuthority(func() time.Time) (*issuer.JPKI, error) { return oneAuthority() }

// terminal is a world whose person types the lines.
func terminal(lines ...string) (world, *bytes.Buffer, *bytes.Buffer) {
	var out, errs bytes.Buffer
	return world{
		in: strings.NewReader(strings.Join(lines, "\n") + "\n"), hide: func() func() { return func() {} }, out: &out,
		errors: &errs,
		getenv: func(string) string { return "" }, now: testNow, authority: sharedAuthority, open: openSource,
	}, &out, &errs
}

var everything = []string{"-simulated", "-attributes", "-face", "-age", "-number", "reporting", "-login", "-sign",
	"testdata/document.txt", "-change", "signing"}

// typed are the answers to everything.
var typed = []string{"1234", "19880723", "2036", "2285", "19880723", "1234", "1234", "ABC123", "ABC123", "new9pass",
	"NEW9PASS"}

func TestGolden(t *testing.T) {
	for _, tt := range []struct {
		name  string
		args  []string
		typed []string
	}{
		{"plain-en", []string{"-simulated"}, nil},
		{"plain-ja", []string{"-simulated", "-lang", "ja"}, nil},
		{"android-ja", []string{"-simulated", "-lang", "ja", "-kind", "android", "-show-personal"}, nil},
		{"child-en", []string{"-simulated", "-kind", "child", "-person", "minor"}, nil},
		{"blocked-en", []string{"-simulated", "-kind", "blocked-pins"}, nil},
		{"everything-en", append([]string{"-lang", "en"}, everything...), typed},
		{"everything-personal-ja", append([]string{"-lang", "ja", "-show-personal", "-secure"}, everything...), typed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, out, errs := terminal(tt.typed...)
			if code := run(t.Context(), tt.args, w); code != exitOK {
				t.Fatalf("code %d\n%s%s", code, out, errs)
			}
			golden.File(t, "testdata/"+tt.name+".golden", maskSignature(t, out.String()))
		})
	}
}

// maskSignature verifies a signature over the document and puts a word in its place.
func maskSignature(t *testing.T, text string) string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^[A-Za-z0-9+/]{342}==$`)
	value := line.FindString(text)
	if value == "" {
		return text
	}
	signature, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile("testdata/document.txt")
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(document)
	der, _ := simulated(t).Certificates()
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := rsa.VerifyPKCS1v15(certificate.PublicKey.(*rsa.PublicKey), crypto.SHA256, digest[:],
		signature); err != nil {
		t.Error(err)
	}
	return strings.Replace(text, value, "SIGNATURE", 1)
}

// simulated is the card of a run without -person and -kind.
func simulated(t *testing.T) *cardsim.Card {
	t.Helper()
	authority, err := sharedAuthority(testNow)
	if err != nil {
		t.Fatal(err)
	}
	person, err := person.Lookup(person.Hanako, testNow())
	if err != nil {
		t.Fatal(err)
	}
	c, err := cardsim.NewCard(cardsim.Config{Person: person, JPKI: authority, Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Without -show-personal nothing of the holder shows, whatever else is asked for: neither on the output nor in the
// prompts.
func TestNothingPersonalUnasked(t *testing.T) {
	p := simulated(t).Person().Reveal()
	for _, lang := range []string{"ja", "en"} {
		w, out, errs := terminal(typed...)
		opened := w.open
		w.open = func(ctx context.Context, o options, w world) (source, error) {
			src, err := opened(ctx, o, w)
			src.hint = "" // it tells the PINs of the synthetic person
			return src, err
		}
		if code := run(t.Context(), append([]string{"-lang", lang}, everything...), w); code != exitOK {
			t.Fatalf("code %d\n%s", code, errs)
		}
		all := out.String() + errs.String()
		for name, secret := range map[string]string{
			"name": p.Name, "address": p.Address, "birthdate": p.Subject.Birthdate, "birthdate as a date": "1988-07-23",
			"number":       p.IndividualNumber,
			"municipality": p.Subject.MunicipalityCode, "PIN": p.AuthPIN + "\n", "password": p.SigningPassword,
			"expiry": "2036", "birthday": "07-23",
			"security code": p.SecurityCode,
		} {
			if strings.Contains(maskBase64(all), secret) {
				t.Errorf("%s: the %s shows", lang, name)
			}
		}
	}
}

func maskBase64(text string) string {
	return regexp.MustCompile(`[A-Za-z0-9+/]{342}==`).ReplaceAllString(text, "")
}

// The pictures go where they are wanted, readable by their owner alone.
func TestImages(t *testing.T) {
	dir := t.TempDir()
	w, _, errs := terminal("19880723", "2036", "2285")
	if code := run(t.Context(), []string{"-simulated", "-images", dir}, w); code != exitOK {
		t.Fatal(code, errs)
	}
	for name, magic := range map[string]string{"name.png": "\x89PNG", "address.png": "\x89PNG",
		"portrait.jp2": "\x00\x00\x00\x0CjP"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.HasPrefix(string(b), magic) {
			t.Errorf("%s: %v", name, err)
		}
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	w, _, errs = terminal("19880723", "2036", "2285")
	if code := run(t.Context(), []string{"-simulated", "-images", filepath.Join(dir, "missing")},
		w); code != exitFailed || !strings.Contains(errs.String(), "cannot be written") {
		t.Error(code, errs)
	}
}

// spent opens a simulated card on which a try or two of the text PIN are gone.
func spent(t *testing.T, wrong int) func(context.Context, options, world) (source, error) {
	t.Helper()
	return func(ctx context.Context, o options, w world) (source, error) {
		src, err := openSimulated(o, w)
		if err != nil {
			return src, err
		}
		c, err := card.Open(ctx, src.transport, card.Config{})
		if err != nil {
			return src, err
		}
		for range wrong {
			if _, err := c.Attributes(ctx, card.TextPIN, "9999"); reasonOf(err) != card.ReasonWrongPIN {
				t.Error(err)
			}
		}
		return src, c.Close(ctx)
	}
}

// The last try is spent only after a yes.
func TestLastTry(t *testing.T) {
	for _, tt := range []struct {
		typed []string
		code  int
		says  string
	}{
		{[]string{"yes", "1234"}, exitOK, "One more mistake locks it"},
		{[]string{"no"}, exitFailed, "It was not tried"},
		{[]string{"y"}, exitFailed, "It was not tried"},
		{[]string{"yes", "0000"}, exitFailed, "is locked"},
		{nil, exitFailed, "It was not tried"},
	} {
		w, _, errs := terminal(tt.typed...)
		w.open = spent(t, 2)
		if code := run(t.Context(), []string{"-simulated", "-attributes"}, w); code != tt.code ||
			!strings.Contains(errs.String(), tt.says) {
			t.Errorf("%v: code %d, %s", tt.typed, code, errs)
		}
	}
}

// A wrong PIN is asked for again, with one try less.
func TestSecondTry(t *testing.T) {
	w, out, errs := terminal("0000", "1234")
	if code := run(t.Context(), []string{"-simulated", "-attributes"}, w); code != exitOK ||
		!strings.Contains(out.String(), "Four attributes") {
		t.Errorf("code %d, %s", code, errs)
	}
	for _, prompt := range []string{"(tries left: 3): ", "Remaining tries before it is locked: 2",
		"(tries left: 2): "} {
		if !strings.Contains(errs.String(), prompt) {
			t.Errorf("%q is missing in %s", prompt, errs)
		}
	}
}

// What goes wrong is said in the person's language, and the code tells.
func TestFailures(t *testing.T) {
	for _, tt := range []struct {
		args  []string
		typed []string
		says  string
	}{
		{[]string{"-attributes"}, []string{"0000"}, "Remaining tries before it is locked: 2"},
		{[]string{"-attributes", "-lang", "ja"}, []string{"0000"}, "あと2回間違えるとロックされます"},
		{[]string{"-attributes"}, []string{"12345"}, "consists of 4 digits"},
		{[]string{"-kind", "android", "-attributes"}, nil, "does not offer this function"},
		{[]string{"-kind", "blocked-pins", "-login"}, nil, "is locked"},
		{[]string{"-person", "nobody"}, nil, "no such simulated card"},
		{[]string{"-kind", "nothing"}, nil, "no such simulated card"},
		{[]string{"-age"}, []string{"1988-07-23"}, "YYYYMMDD"},
		{[]string{"-age"}, []string{"19880700"}, "YYYYMMDD"},
		{[]string{"-age"}, []string{"19880724"}, "is wrong"},
		{[]string{"-face"}, []string{"19880723", "year", "2285"}, "four digits"},
		{[]string{"-face"}, []string{"19880723", "2036", "228"}, "consists of 14 digits"},
		{[]string{"-change", "text"}, []string{"1234", "5678", "8765"}, "Nothing was changed"},
		{[]string{"-change", "text"}, []string{"1234", "0723", "0723", "no"}, "can be guessed"},
		{[]string{"-change", "text"}, []string{"1234", "567", "567"}, "consists of 4 digits"},
		{[]string{"-sign", "testdata/missing"}, nil, "cannot be read"},
		{[]string{"-sign", "testdata/document.txt"}, []string{"WRONG1"}, "is wrong"},
	} {
		w, _, errs := terminal(tt.typed...)
		if code := run(t.Context(), append([]string{"-simulated"}, tt.args...), w); code != exitFailed ||
			!strings.Contains(errs.String(), tt.says) {
			t.Errorf("%v: code %d, %s", tt.args, code, errs)
		}
	}
	w, _, errs := terminal()
	w.open = func(context.Context, options, world) (source, error) {
		return source{}, &card.Error{Step: "open", Reason: card.ReasonReaderUnavailable, Err: errors.New("secret")}
	}
	if code := run(t.Context(), nil, w); code != exitFailed ||
		!strings.Contains(errs.String(), "No card reader was found") || strings.Contains(errs.String(), "secret") {
		t.Error(code, errs)
	}
}

// Secrets are hidden while they are typed, also when the person gives up.
func TestTypingIsHidden(t *testing.T) {
	w, _, _ := terminal("1234")
	hidden, restored := 0, 0
	w.hide = func() func() { hidden++; return func() { restored++ } }
	if code := run(t.Context(), []string{"-simulated", "-attributes"}, w); code != exitOK || hidden != 1 ||
		restored != 1 {
		t.Errorf("code %d, hidden %d, restored %d", code, hidden, restored)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w, _, errs := terminal()
	in, typing := io.Pipe()
	defer func() { _ = typing.Close() }()
	w.in = in
	w.hide = func() func() { hidden++; cancel(); return func() { restored++ } }
	if code := run(ctx, []string{"-simulated", "-attributes"}, w); code != exitFailed || hidden != 2 || restored != 2 ||
		!strings.Contains(errs.String(), "Stopped") {
		t.Errorf("code %d, hidden %d, restored %d, %s", code, hidden, restored, errs)
	}
}

// Somebody puts a card on the reader after a while, having tried another one.
func TestWaitingForACard(t *testing.T) {
	w, out, errs := terminal()
	w.open = func(_ context.Context, o options, w world) (source, error) {
		src, err := openSimulated(o, w)
		src.transport = slow{src.transport}
		return src, err
	}
	if code := run(t.Context(), []string{"-simulated", "-lang", "ja"}, w); code != exitOK {
		t.Fatal(code, errs)
	}
	lines := strings.Split(out.String(), "\n")
	if !strings.Contains(lines[0], "置いてください") || !strings.Contains(lines[1], "マイナンバーカードではないようです") {
		t.Errorf("got %s", out)
	}
	// Nobody comes.
	w, _, errs = terminal()
	w.open = func(_ context.Context, o options, w world) (source, error) {
		src, err := openSimulated(o, w)
		src.transport = never{src.transport}
		return src, err
	}
	if code := run(t.Context(), []string{"-simulated", "-wait", "1ms"}, w); code != exitFailed ||
		!strings.Contains(errs.String(), "Please put it on the reader again") {
		t.Error(code, errs)
	}
}

type slow struct{ card.Transport }

func (slow) WaitCard(_ context.Context, progress func(card.Reason)) error {
	progress(card.ReasonCardAbsent)
	progress(card.ReasonNotMyNumberCard)
	return nil
}

type never struct{ card.Transport }

func (never) WaitCard(ctx context.Context, progress func(card.Reason)) error {
	progress(card.ReasonCardAbsent)
	<-ctx.Done()
	return ctx.Err()
}
