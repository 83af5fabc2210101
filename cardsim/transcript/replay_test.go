package transcript

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/limits"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func reason(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ReasonUnknown
}

func TestReplayRefusesAnotherCommand(t *testing.T) {
	replay, err := NewReplay(
		strings.NewReader("# what\n> 00A4 020C 020018\n< 9000\r\n\n> 00200080**\n< 63c2\n> 0020008004 31323334\n< " +
			"9000\n"))
	if err != nil {
		t.Fatal(err)
	}
	send := func(command string) (string, error) {
		response, err := replay.Transmit(t.Context(), unhex(t, command))
		return fmt.Sprintf("%X", response), err
	}
	refused := func(command, message string) {
		t.Helper()
		if got, err := send(command); reason(err) != ReasonDiffers || got != "" ||
			err.Error() != "transcript: the command differs from the transcript: "+message {
			t.Errorf("%s: %s %v", command, got, err)
		}
	}
	refused("00A4020C020017", "line 2")
	if got, err := send("00A4020C020018"); err != nil || got != "9000" {
		t.Errorf("%s %v", got, err)
	}
	refused("00200080", "line 5") // the form without a value is another command
	refused("002000800431323334"[:8]+"05", "line 5")
	refused("002000980431323334", "line 5")
	refused("00240080 04 31323334", "line 5")
	if got, err := send("00200080 06 414243313233"); err != nil || got != "63C2" {
		t.Errorf("%s %v", got, err)
	}
	refused("0020008004 31323335", "line 7") // not masked, so the value counts
	if got, err := send("0020008004 31323334"); err != nil || got != "9000" {
		t.Errorf("%s %v", got, err)
	}
	refused("0020008004 31323334", "no command is left")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := replay.Transmit(ctx, []byte{0}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := replay.PowerOff(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestTranscriptRefusals(t *testing.T) {
	for text, place := range map[string]string{
		"< 9000":                       "line 1",
		"> 00A40000\n> 00A40000\n":     "line 2",
		"> 00A40000\n< 9000\n< 9000\n": "line 3",
		"> 00A40000\n":                 "line 1",
		"> 00A4000\n< 9000":            "line 1",
		"> \n< 9000":                   "line 1",
		"> 00A40000\n< 90":             "line 2",
		"> 00A40000\n<\n":              "line 2",
		"> 00A40000\n< 90xx\n":         "line 2",
		"00A40000\n":                   "line 1",
		"> 00A40000**\n< 9000\n":       "line 1", // only values are masked
		"> 002000**\n< 9000\n":         "line 1",
		"> 0020008004**\n< 9000\n":     "line 1",
		"> " + strings.Repeat("00", limits.TranscriptLine):                         "line too long",
		strings.Repeat("#"+strings.Repeat(" ", 1000)+"\n", limits.Transcript/1000): "line",
	} {
		_, err := NewReplay(strings.NewReader(text))
		if reason(err) != ReasonInvalid || !strings.Contains(err.Error(), place) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
	if r, err := NewReplay(strings.NewReader("")); err != nil || r.Left() != 0 {
		t.Errorf("an empty transcript: %v", err)
	}
}

// FuzzTranscript: a transcript is refused or plays to its end, each command in its place and no other.
func FuzzTranscript(f *testing.F) {
	f.Add("> 00A4040C0AD392F000260100000001\n< 9000\n> 00200098**\n< 63C2\n")
	f.Add("# comment\n\n> 00B0 0000 00\n< 0102 9000\n")
	f.Add("> 00200098\n> 00\n< 9\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := NewReplay(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, e := range p.exchanges {
			command := e.command
			if e.header != "" {
				command = append(unhex(t, e.header), 1, 2)
			}
			if _, err := p.Transmit(t.Context(), append([]byte{0xEE}, command...)); reason(err) != ReasonDiffers {
				t.Errorf("another command was answered: %v", err)
			}
			response, err := p.Transmit(t.Context(), command)
			if err != nil || !bytes.Equal(response, e.response) || len(response) < 2 {
				t.Errorf("line %d: %X %v", e.line, response, err)
			}
		}
		if p.Left() != 0 {
			t.Error("commands are left")
		}
	})
}
