package card_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/jpki/card"
)

// Commands that begin most transcripts.
const (
	selectJPKI = "> 00A4040C0AD392F000260100000001"
	selectText = "> 00A4040C0AD3921000310001010408"
	leave      = "> 00A4040C07A0000001510000" // SELECT of the issuer security domain: the card forgets
	ok         = "< 9000"
	plastic    = "< 4A504B494150494343544F4B454E32" + "2020202020202020202020202020202020" + "9000"
)

// opening is the transcript of a successful Open.
var opening = []string{selectJPKI, ok, "> 00B0860020", plastic}

// script is a transport that plays a transcript: "> " a command that is expected, "< " the answer, "! " a failure of
// the transport instead of an answer. A command that differs fails the test.
type script struct {
	t     *testing.T
	lines []string
}

var errBroken = errors.New("secret text of the transport")

func newScript(t *testing.T, lines ...string) *script {
	t.Helper()
	s := &script{t: t, lines: lines}
	t.Cleanup(func() {
		if len(s.lines) != 0 {
			t.Errorf("not reached: %q", s.lines)
		}
	})
	return s
}

func (s *script) add(lines ...string) { s.lines = append(s.lines, lines...) }

func (s *script) Transmit(_ context.Context, command []byte) ([]byte, error) {
	s.t.Helper()
	got := "> " + strings.ToUpper(hex.EncodeToString(command))
	if len(s.lines) < 2 || s.lines[0] != got {
		s.t.Errorf("command %s, expected %q", got, s.lines)
		return nil, errBroken
	}
	answer := s.lines[1]
	s.lines = s.lines[2:]
	if strings.HasPrefix(answer, "! ") {
		return nil, errBroken
	}
	return unhex(s.t, strings.TrimPrefix(answer, "< ")), nil
}

// held is a script that also has transactions and a power switch, and counts them.
type held struct {
	*script
	over              card.Transport // answers instead of the script, if there is one
	begun, ended, off int
	offErr            error
}

func (h *held) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if h.over != nil {
		return h.over.Transmit(ctx, command)
	}
	return h.script.Transmit(ctx, command)
}

func (h *held) Begin(context.Context) (func() error, error) {
	h.begun++
	return func() error { h.ended++; return nil }, nil
}

func (h *held) PowerOff(context.Context) error {
	h.off++
	return h.offErr
}

func (h *held) open() bool { return h.begun > h.ended }

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func upperHex(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

// open opens the client over a transcript that goes on with lines.
func open(t *testing.T, cfg card.Config, lines ...string) (*card.Card, *script) {
	t.Helper()
	s := newScript(t, append(append([]string(nil), opening...), lines...)...)
	c, err := card.Open(t.Context(), s, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

func wantReason(t *testing.T, err error, want card.Reason) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %v", want)
	}
	if got := reasonOf(err); got != want {
		t.Errorf("reason %v (%v), want %v", got, err, want)
	}
}

// wantPINError checks the reference, the remaining tries and the reason.
func wantPINError(t *testing.T, err error, want card.Error) {
	t.Helper()
	var e *card.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a *card.Error", err)
	}
	got := *e
	got.Step = ""
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// fileReads returns the transcript of reading from an offset to an end in blocks of 256.
func fileReads(content []byte, offset, end int) []string {
	var lines []string
	for at := offset; at < end; at += 256 {
		n := min(256, end-at)
		lines = append(lines,
			"> 00B0"+upperHex([]byte{byte(at >> 8), byte(at), byte(n)}),
			"< "+upperHex(content[at:min(at+n, len(content))])+"9000")
	}
	return lines
}

// certificateOf returns a valid header followed by n bytes that are no certificate.
func certificateOf(n int) []byte {
	return append([]byte{0x30, 0x82, byte(n >> 8), byte(n)}, bytes.Repeat([]byte{0x5A}, n)...)
}

// endless accepts every SELECT, has no token label, and gives the same answer to all that ask for data.
type endless struct {
	answer []byte
	opened bool
	n      int
}

func (e *endless) Transmit(_ context.Context, cmd []byte) ([]byte, error) {
	switch {
	case cmd[1] == 0xA4:
		return []byte{0x90, 0x00}, nil
	case !e.opened:
		e.opened = true // the token label
		return []byte{0x69, 0x82}, nil
	}
	e.n++
	return e.answer, nil
}

// reasonOf returns the reason of an error of package card, ReasonUnknown of any other one.
func reasonOf(err error) card.Reason {
	var e *card.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return card.ReasonUnknown
}
