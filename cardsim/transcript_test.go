package cardsim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// session is what a program does with a card in the tests of transcripts: PINs, a certificate, a signature, personal data.
func useCard(ctx context.Context, t card.Transport, pin string) ([]byte, error) {
	c, err := card.Open(ctx, t, card.Options{})
	if err != nil {
		return nil, err
	}
	if err := c.VerifyAuthPIN(ctx, pin); err != nil {
		return nil, err
	}
	certificate, err := c.AuthCertificate(ctx)
	if err != nil {
		return nil, err
	}
	return certificate, c.Close(ctx)
}

func TestTranscriptPlaysWhatWasRecorded(t *testing.T) {
	var fromCard, fromClient bytes.Buffer
	c := customCard(t, func(c *Config) { c.Trace = &fromCard })
	want, err := useCard(t.Context(), Record(c.Transport(), &fromClient), "1234")
	if err != nil {
		t.Fatal(err)
	}
	if fromCard.String() != fromClient.String() {
		t.Error("the card's trace and the recorder's differ")
	}
	for _, pin := range []string{"1234", "9999"} { // masked, so any one will do
		replay, err := NewReplay(strings.NewReader("# recorded\n\n" + fromCard.String()))
		if err != nil {
			t.Fatal(err)
		}
		got, err := useCard(t.Context(), replay, pin)
		if err != nil || !bytes.Equal(got, want) || replay.Left() != 0 {
			t.Errorf("replay with %s: %v, %d commands left", pin, err, replay.Left())
		}
	}
}

func TestReplayRefusesAnotherCommand(t *testing.T) {
	replay, err := NewReplay(strings.NewReader("# what\n> 00A4 020C 020018\n< 9000\r\n\n> 00200080**\n< 63c2\n> 0020008004 31323334\n< 9000\n"))
	if err != nil {
		t.Fatal(err)
	}
	send := func(command string) (string, error) {
		response, err := replay.Transmit(t.Context(), unhex(t, command))
		return fmt.Sprintf("%X", response), err
	}
	refused := func(command, message string) {
		t.Helper()
		if got, err := send(command); reason(err) != TranscriptDiffers || got != "" || err.Error() != "cardsim: the command differs from the transcript: "+message {
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
		if reason(err) != InvalidTranscript || !strings.Contains(err.Error(), place) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
	if r, err := NewReplay(strings.NewReader("")); err != nil || r.Left() != 0 {
		t.Errorf("an empty transcript: %v", err)
	}
}

// secretInTraces must not be there: PINs, passwords, the individual number as 照合番号A, and session keys, in every command
// that may carry one, whatever its class, its form or its mistakes.
func TestTraceMasksSecrets(t *testing.T) {
	var trace bytes.Buffer
	c := customCard(t, func(c *Config) { c.Trace = &trace })
	secret := "5345435245543132" // SECRET12
	commands := []string{"{JPKI}", "{TEXT}"}
	for _, ins := range []string{"20", "21", "24", "25", "2C", "2D", "32", "AE"} {
		for _, cla := range []string{"00", "80", "08", "0C", "10", "01", "84", "88", "FF"} {
			for _, p := range []string{"0080", "0018", "0098", "0194", "FFFF"} {
				for _, body := range []string{"08" + secret, "08" + secret + "00", "000008" + secret, "04" + secret, secret, "09" + secret, "0A8608" + secret} {
					commands = append(commands, cla+ins+p+body)
				}
			}
		}
	}
	for _, command := range commands {
		transmit(t, c, command)
	}
	if got := trace.String(); strings.Contains(got, secret) || strings.Contains(got, "SECRET") || strings.Count(got, masked) != len(commands)-2 {
		t.Error("a secret is in the trace")
	}
	trace.Reset()
	number := fmt.Sprintf("%X", hanako().IndividualNumber)
	run(t, c, "{TEXT} = 9000\n{A} = 9000\n{PIN} = 9000")
	if got := trace.String(); strings.Contains(got, number) || strings.Contains(got, "31323334") || !strings.Contains(got, "> 00200094**\n< 9000\n") {
		t.Error(got)
	}
}

// plainTransport has neither transactions nor power.
type plainTransport struct{ err error }

func (p plainTransport) Transmit(context.Context, []byte) ([]byte, error) {
	return []byte{0x90, 0x00}, p.err
}

func TestRecordKeepsTheAbilitiesOfTheTransport(t *testing.T) {
	var w bytes.Buffer
	plain := Record(plainTransport{}, &w)
	if _, ok := plain.(card.PowerCycler); ok {
		t.Error("a recorder promises to remove power and cannot")
	}
	end, err := plain.(card.Transactor).Begin(t.Context())
	if err != nil || end() != nil {
		t.Error(err)
	}
	broken := errors.New("no reader")
	if _, err := Record(plainTransport{broken}, &w).Transmit(t.Context(), []byte{0}); !errors.Is(err, broken) || w.Len() != 0 {
		t.Errorf("%v, recorded %q", err, w.String())
	}
	c := newCard(t)
	r := Record(c.Transport(), &w)
	end, err = r.(card.Transactor).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if len(c.hold) != 1 {
		t.Error("the transaction does not reach the card")
	}
	if err := end(); err != nil || len(c.hold) != 0 {
		t.Error("the transaction does not end")
	}
	if err := r.(card.PowerCycler).PowerOff(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
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
			if _, err := p.Transmit(t.Context(), append([]byte{0xEE}, command...)); reason(err) != TranscriptDiffers {
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
