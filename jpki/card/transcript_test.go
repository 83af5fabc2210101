package card_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/cardsim/transcript"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/jpki/card"
)

var update = flag.Bool("update", false, "record the transcripts anew")

const recordingFile = "testdata/plastic.transcript"

// visit is everything that reads from a card, with a wrong and the right PIN. It draws nothing at random, so the
// commands are always the same.
func visit(t *testing.T, tr card.Transport, p person.Details) {
	t.Helper()
	ctx := t.Context()
	c, err := card.Open(ctx, tr, card.Config{})
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err = c.TokenInformation(ctx)
	must(err)
	_, err = c.Availability(ctx)
	must(err)
	_, err = c.AuthCACertificate(ctx)
	must(err)
	wantPINError(t, c.Verify(ctx, card.AuthPIN, "0000"), card.Error{PIN: card.AuthPIN, Remaining: 2,
		Reason: card.ReasonWrongPIN})
	must(c.Verify(ctx, card.AuthPIN, p.AuthPIN))
	key, err := c.AuthKey(ctx)
	must(err)
	_, err = key.SignContext(ctx, make([]byte, 32), card.WithoutDigestInfo)
	must(err)
	must(c.Verify(ctx, card.SigningPIN, p.SigningPassword))
	_, err = c.SigningKey(ctx)
	must(err)
	person, err := c.Attributes(ctx, card.TextPIN, p.TextPIN)
	must(err)
	if person.Name.Reveal() != p.Name || person.Address.Reveal() != p.Address {
		t.Error("the attributes differ")
	}
	number, err := c.IndividualNumber(ctx, p.TextPIN, mynumber.PurposeReporting)
	must(err)
	if digits, err := number.Reveal(mynumber.PurposeReporting); digits != p.IndividualNumber || err != nil {
		t.Error("the number differs")
	}
	face, err := c.Face(ctx, card.FaceNumberA, p.IndividualNumber)
	must(err)
	if face.Portrait.MediaType() != "image/jp2" {
		t.Error("the portrait differs")
	}
	_, err = c.NumberImage(ctx, number, mynumber.PurposeReporting)
	must(err)
	record, err := c.CardRecord(ctx)
	must(err)
	if record.Municipality != p.Subject.MunicipalityCode {
		t.Error("the municipality differs")
	}
	_, err = c.FaceInformation(ctx)
	must(err)
	_, err = c.TextInformation(ctx)
	must(err)
	_, err = c.IssuerData(ctx)
	must(err)
	for p := card.AuthPIN; p <= card.FaceBirthdate; p++ {
		_, err = c.Tries(ctx, p)
		must(err)
	}
	must(c.ChangePIN(ctx, card.AuthPIN, card.Replace(p.AuthPIN, "8642")))
	must(c.ChangePIN(ctx, card.CommonPIN, card.Replace(p.TextPIN, "8642")))
	must(c.Close(ctx))
}

// A visit that was recorded plays back without a card: the commands are the same and the answers are understood.
// Whoever has a transcript of a real card can put it in the place of this one.
func TestReplayedFromATranscript(t *testing.T) {
	at := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	holder, err := person.Lookup(person.Hanako, at)
	if err != nil {
		t.Fatal(err)
	}
	p := holder.Reveal()
	if *update {
		now := func() time.Time { return at }
		authority, err := issuer.New(issuer.Config{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		sim, err := cardsim.NewCard(cardsim.Config{Person: holder, JPKI: authority, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		out.WriteString("# A visit to the card of a synthetic person. PINs are masked.\n")
		visit(t, transcript.Record(sim.Transport(), &out), p)
		if err := os.WriteFile(recordingFile, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(recordingFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{p.AuthPIN, p.SigningPassword, "8642"} {
		for line := range strings.Lines(string(text)) {
			if line[0] == '>' && strings.Contains(line, upperHex([]byte(secret))) {
				t.Errorf("a PIN stands in the transcript: %s", line)
			}
		}
	}
	replay, err := transcript.NewReplay(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	visit(t, replay, p)
}
