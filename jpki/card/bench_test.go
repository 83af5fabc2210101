package card_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// BenchmarkSign compares a signature through the client and a software card with the bare RSA-2048 operation (x-bare).
func BenchmarkSign(b *testing.B) {
	c, err := cardsim.New(b, person.Hanako).Client(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Verify(b.Context(), card.AuthPIN, "1234"); err != nil {
		b.Fatal(err)
	}
	key, err := c.AuthKey(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	bare, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256([]byte("document"))
	var through, alone time.Duration
	for b.Loop() {
		// Both in turns, so that they share the conditions of the machine.
		start := time.Now()
		if _, err := key.SignContext(b.Context(), digest[:], crypto.SHA256); err != nil {
			b.Fatal(err)
		}
		between := time.Now()
		if _, err := rsa.SignPKCS1v15(nil, bare, crypto.SHA256, digest[:]); err != nil {
			b.Fatal(err)
		}
		through, alone = through+between.Sub(start), alone+time.Since(between)
	}
	b.ReportMetric(float64(through)/float64(alone), "x-bare")
}

// counting counts the commands, and the bytes that the card gives. A reader without extended lengths fails for them.
type counting struct {
	card.Transport
	short           bool
	commands, bytes int
}

func (c *counting) Transmit(ctx context.Context, raw []byte) ([]byte, error) {
	if cmd, err := apdu.ParseCommand(raw); err == nil && c.short && cmd.Extended {
		return nil, errBroken
	}
	c.commands++
	answer, err := c.Transport.Transmit(ctx, raw)
	c.bytes += len(answer)
	return answer, err
}

// uses are what programs do with a card, and how many commands that may take: with extended lengths, and without.
// Selecting the application is among them, because transactions begin with it.
func uses(t testing.TB, sim *cardsim.Card) []use {
	p := sim.Person().Reveal()
	numberB, _ := printedOn(t, sim)
	_, der := sim.Certificates()
	blocks := (len(der) + 255) / 256 // of the certificate, with short lengths
	return []use{
		{"open", 2, 2, func(context.Context, *card.Card) error { return nil }},
		{"certificate", 2, 1 + blocks, func(ctx context.Context, c *card.Card) error {
			_, err := c.AuthCertificate(ctx)
			return err
		}},
		{"attributes", 6, 6, func(ctx context.Context, c *card.Card) error {
			_, err := c.Attributes(ctx, card.TextPIN, p.TextPIN)
			return err
		}},
		{"number", 6, 6, func(ctx context.Context, c *card.Card) error {
			_, err := c.IndividualNumber(ctx, p.TextPIN, mynumber.PurposeReporting)
			return err
		}},
		{"face", 6, 31, func(ctx context.Context, c *card.Card) error {
			_, err := c.Face(ctx, card.FaceNumberB, numberB)
			return err
		}},
		{"login", 8, 7 + blocks, func(ctx context.Context, c *card.Card) error {
			if err := c.Verify(ctx, card.AuthPIN, p.AuthPIN); err != nil {
				return err
			}
			key, err := c.AuthKey(ctx)
			if err != nil {
				return err
			}
			if _, err := key.SignContext(ctx, make([]byte, 32), card.WithoutDigestInfo); err != nil {
				return err
			}
			return c.Release(ctx)
		}},
	}
}

type use struct {
	name            string
	extended, short int
	do              func(context.Context, *card.Card) error
}

// commandsOf opens the card, does one use, and returns how many commands that took beyond those of Open.
func commandsOf(t testing.TB, sim *cardsim.Card, u use, short bool) int {
	t.Helper()
	n := &counting{Transport: sim.Transport(), short: short}
	tr := &held{script: &script{}, over: n}
	c, err := card.Open(t.Context(), tr, card.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if u.name != "open" {
		n.commands = 0
	}
	if err := u.do(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return n.commands
}

// Every command is a round trip to the reader, and costs milliseconds there.
func TestRoundTrips(t *testing.T) {
	sim := newSim(t, cardsim.Plastic)
	for _, u := range uses(t, sim) {
		for _, short := range []bool{false, true} {
			most := u.extended
			if short {
				most = u.short
			}
			if n := commandsOf(t, sim, u, short); n > most {
				t.Errorf("%s, short lengths %v: %d commands, want at most %d", u.name, short, n, most)
			}
		}
	}
}

// BenchmarkUses reports the commands of each use (apdus, with short lengths apdus-short), and its time in process as a
// multiple of the time that the software card alone takes for the same commands (x-bare).
func BenchmarkUses(b *testing.B) {
	sim := newSim(b, cardsim.Plastic)
	for _, u := range uses(b, sim) {
		if u.name == "open" {
			continue
		}
		b.Run(u.name, func(b *testing.B) {
			rec := &recording{Transport: sim.Transport()}
			c := openOver(b, rec, card.Config{})
			if err := u.do(b.Context(), c); err != nil { // the lazy parts of the software card
				b.Fatal(err)
			}
			rec.commands = nil
			if err := u.do(b.Context(), c); err != nil {
				b.Fatal(err)
			}
			commands := rec.commands
			plain := openOver(b, sim.Transport(), card.Config{})
			var through, alone time.Duration
			for b.Loop() {
				start := time.Now()
				if err := u.do(b.Context(), plain); err != nil {
					b.Fatal(err)
				}
				between := time.Now()
				for _, cmd := range commands {
					sim.Transmit(cmd)
				}
				through, alone = through+between.Sub(start), alone+time.Since(between)
			}
			b.ReportMetric(float64(through)/float64(alone), "x-bare")
			b.ReportMetric(float64(commandsOf(b, sim, u, false)), "apdus")
			b.ReportMetric(float64(commandsOf(b, sim, u, true)), "apdus-short")
		})
	}
}

// recording keeps the commands.
type recording struct {
	card.Transport
	commands [][]byte
}

func (r *recording) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	r.commands = append(r.commands, bytes.Clone(command))
	return r.Transport.Transmit(ctx, command)
}
