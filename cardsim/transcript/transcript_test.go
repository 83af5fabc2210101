package transcript_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/cardsim/transcript"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// testJPKI is shared, because making keys takes longer than the tests.
var testJPKI = sync.OnceValues(func() (*issuer.JPKI, error) { return issuer.New(issuer.Config{}) })

func newCard(t *testing.T, trace io.Writer) *cardsim.Card {
	t.Helper()
	jpki, err := testJPKI()
	if err != nil {
		t.Fatal(err)
	}
	hanako, err := person.Lookup(person.Hanako, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := cardsim.NewCard(cardsim.Config{Person: hanako, JPKI: jpki, Trace: trace})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// session is what a program does with a card in the tests of transcripts: PINs, a certificate, a signature, personal
// data.
func useCard(ctx context.Context, t card.Transport, pin string) ([]byte, error) {
	c, err := card.Open(ctx, t, card.Config{})
	if err != nil {
		return nil, err
	}
	if err := c.Verify(ctx, card.AuthPIN, pin); err != nil {
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
	c := newCard(t, &fromCard)
	want, err := useCard(t.Context(), transcript.Record(c.Transport(), &fromClient), "1234")
	if err != nil {
		t.Fatal(err)
	}
	if fromCard.String() != fromClient.String() {
		t.Error("the card's trace and the recorder's differ")
	}
	for _, pin := range []string{"1234", "9999"} { // masked, so any one will do
		replay, err := transcript.NewReplay(strings.NewReader("# recorded\n\n" + fromCard.String()))
		if err != nil {
			t.Fatal(err)
		}
		got, err := useCard(t.Context(), replay, pin)
		if err != nil || !bytes.Equal(got, want) || replay.Left() != 0 {
			t.Errorf("replay with %s: %v, %d commands left", pin, err, replay.Left())
		}
	}
}

// secretInTraces must not be there: PINs, passwords, the individual number as 照合番号A, and session keys, in every command
// that may carry one, whatever its class, its form or its mistakes.
func TestTraceMasksSecrets(t *testing.T) {
	var trace bytes.Buffer
	c := newCard(t, &trace)
	secret := "5345435245543132" // SECRET12
	commands := []string{"00A4040C0AD392F000260100000001", "00A4040C0AD3921000310001010408"}
	for _, ins := range []string{"20", "21", "24", "25", "2C", "2D", "32", "AE"} {
		for _, cla := range []string{"00", "80", "08", "0C", "10", "01", "84", "88", "FF"} {
			for _, p := range []string{"0080", "0018", "0098", "0194", "FFFF"} {
				for _, body := range []string{"08" + secret, "08" + secret + "00", "000008" + secret, "04" + secret,
					secret, "09" + secret, "0A8608" + secret} {
					commands = append(commands, cla+ins+p+body)
				}
			}
		}
	}
	for _, command := range commands {
		c.Transmit(unhex(t, command))
	}
	if got := trace.String(); strings.Contains(got, secret) || strings.Contains(got, "SECRET") ||
		strings.Count(got, "**\n") != len(commands)-2 {
		t.Error("a secret is in the trace")
	}
	trace.Reset()
	number := fmt.Sprintf("%X", c.Person().Reveal().IndividualNumber)
	c.Transmit(unhex(t, "00A4040C0AD3921000310001010408"))
	for _, command := range []string{"00200094 0C" + number, "00200091 04 31323334"} {
		if got := c.Transmit(unhex(t, command)); !bytes.Equal(got, []byte{0x90, 0x00}) {
			t.Fatalf("%s: %X", command, got)
		}
	}
	if got := trace.String(); strings.Contains(got, number) || strings.Contains(got, "31323334") ||
		!strings.Contains(got, "> 00200094**\n< 9000\n") {
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
	plain := transcript.Record(plainTransport{}, &w)
	if _, ok := plain.(card.PowerCycler); ok {
		t.Error("a recorder promises to remove power and cannot")
	}
	end, err := plain.(card.Transactor).Begin(t.Context())
	if err != nil || end() != nil {
		t.Error(err)
	}
	broken := errors.New("no reader")
	if _, err := transcript.Record(plainTransport{broken}, &w).Transmit(t.Context(), []byte{0}); !errors.Is(err,
		broken) || w.Len() != 0 {
		t.Errorf("%v, recorded %q", err, w.String())
	}
	c := newCard(t, nil)
	r := transcript.Record(c.Transport(), &w)
	end, err = r.(card.Transactor).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	begin := func() (func() error, error) {
		soon, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		return c.Transport().(card.Transactor).Begin(soon)
	}
	if _, err := begin(); !errors.Is(err, context.DeadlineExceeded) {
		t.Error("the transaction does not reach the card")
	}
	if err := end(); err != nil {
		t.Error(err)
	}
	if other, err := begin(); err != nil || other() != nil {
		t.Error("the transaction does not end")
	}
	if err := r.(card.PowerCycler).PowerOff(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
