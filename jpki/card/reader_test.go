package card_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"errors"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/quirks"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// operation is one thing that programs do with a card, from opening it on.
type operation struct {
	name string
	cfg  card.Config
	do   func(context.Context, *card.Card) error
	// takes is what a reader must carry for it.
	takes need
	// verifies says that it takes several calls, of which the first verifies a PIN.
	verifies bool
}

// need is what a reader must carry beyond short commands with answers of any length.
type need int

const (
	anything    need = iota
	fullAnswers      // of 256 bytes
	longData         // extended lengths for what is sent
	longAnswers      // extended lengths for what comes back, in one piece
)

// operations is every use of the package on a plastic card, in every way of opening it.
func operations(t testing.TB, sim *cardsim.Card) []operation {
	p := sim.Person().Reveal()
	numberB, birthdate := printedOn(t, sim)
	roots := card.Config{Roots: rootsOf(t, sim)}
	secure := card.Config{SecureMessaging: true}
	signing, auth := sim.Certificates()
	same := func(got, want []byte, err error) error {
		if err == nil && !bytes.Equal(got, want) {
			err = errors.New("other bytes")
		}
		return err
	}
	verify := func(ctx context.Context, c *card.Card, pin card.PIN) error {
		return c.Verify(ctx, pin, map[card.PIN]string{card.AuthPIN: p.AuthPIN, card.SigningPIN: p.SigningPassword}[pin])
	}
	sign := func(ctx context.Context, key *card.Key) error {
		digest := digestFor(crypto.SHA256)
		signature, err := key.SignContext(ctx, digest, crypto.SHA256)
		if err != nil {
			return err
		}
		return rsa.VerifyPKCS1v15(key.Public().(*rsa.PublicKey), crypto.SHA256, digest, signature)
	}
	attributes := func(by card.PIN, secret string) func(context.Context, *card.Card) error {
		return func(ctx context.Context, c *card.Card) error {
			got, err := c.Attributes(ctx, by, secret)
			return same([]byte(got.Name.Reveal()+got.Address.Reveal()), []byte(p.Name+p.Address), err)
		}
	}
	number := func(ctx context.Context, c *card.Card) error {
		got, err := c.IndividualNumber(ctx, p.TextPIN, mynumber.PurposeReporting)
		if err != nil {
			return err
		}
		digits, err := got.Reveal(mynumber.PurposeReporting)
		return same([]byte(digits), []byte(p.IndividualNumber), err)
	}
	face := func(by card.PIN, secret string) func(context.Context, *card.Card) error {
		return func(ctx context.Context, c *card.Card) error {
			got, err := c.Face(ctx, by, secret)
			if err == nil && (got.Portrait.MediaType() != "image/jp2" || got.SecurityCode.MediaType() != "image/png") {
				err = errors.New("other pictures")
			}
			return err
		}
	}
	age := func(ctx context.Context, c *card.Card) error {
		_, err := c.AgeCheck(ctx, birthdate)
		return err
	}
	known, err := mynumber.New(p.IndividualNumber, mynumber.PurposeReporting)
	if err != nil {
		t.Fatal(err)
	}
	image := func(ctx context.Context, c *card.Card) error {
		_, err := c.NumberImage(ctx, known, mynumber.PurposeReporting)
		return err
	}
	issuer := func(ctx context.Context, c *card.Card) error {
		got, err := c.IssuerData(ctx)
		return same([]byte(got.Municipality), []byte(p.Subject.MunicipalityCode), err)
	}
	ops := []operation{
		{name: "open", do: func(context.Context, *card.Card) error { return nil }},
		{name: "authentication certificate", do: func(ctx context.Context, c *card.Card) error {
			der, err := c.AuthCertificate(ctx)
			return same(der, auth, err)
		}},
		{name: "CA certificates", do: func(ctx context.Context, c *card.Card) error {
			_, err := c.AuthCACertificate(ctx)
			_, other := c.SigningCACertificate(ctx)
			return errors.Join(err, other)
		}},
		{name: "token, availability", do: func(ctx context.Context, c *card.Card) error {
			token, err := c.TokenInformation(ctx)
			if err == nil && token.Model == "" {
				err = errors.New("no model")
			}
			got, other := c.Availability(ctx)
			if !got.Signing || !got.Authentication {
				err = errors.Join(err, errors.New("certificates missing"))
			}
			return errors.Join(err, other)
		}},
		{name: "record, information", do: func(ctx context.Context, c *card.Card) error {
			_, err := c.CardRecord(ctx)
			_, face := c.FaceInformation(ctx)
			_, text := c.TextInformation(ctx)
			return errors.Join(err, face, text)
		}},
		{name: "tries", do: func(ctx context.Context, c *card.Card) error {
			for p := card.AuthPIN; p <= card.FaceBirthdate; p++ {
				if n, err := c.Tries(ctx, p); err != nil || n < 3 {
					return errors.Join(err, errors.New("tries of "+p.String()))
				}
			}
			return nil
		}},
		{verifies: true, name: "authentication", takes: fullAnswers, do: func(ctx context.Context, c *card.Card) error {
			if err := verify(ctx, c, card.AuthPIN); err != nil {
				return err
			}
			key, err := c.AuthKey(ctx)
			if err != nil {
				return err
			}
			return errors.Join(sign(ctx, key), c.Release(ctx))
		}},
		{verifies: true, name: "signing certificate", do: func(ctx context.Context, c *card.Card) error {
			if err := verify(ctx, c, card.SigningPIN); err != nil {
				return err
			}
			der, err := c.SigningCertificate(ctx)
			return same(der, signing, err)
		}},
		{verifies: true, name: "signature", takes: fullAnswers, do: func(ctx context.Context, c *card.Card) error {
			if err := verify(ctx, c, card.SigningPIN); err != nil {
				return err
			}
			key, err := c.SigningKey(ctx)
			if err != nil {
				return err
			}
			return sign(ctx, key)
		}},
		{name: "attributes", do: attributes(card.TextPIN, p.TextPIN)},
		{name: "attributes by number B", do: attributes(card.TextNumberB, numberB)},
		{name: "attributes, checked", cfg: roots, do: attributes(card.TextPIN, p.TextPIN), takes: fullAnswers},
		{name: "attributes, secured", cfg: secure, do: attributes(card.TextPIN, p.TextPIN), takes: longAnswers},
		{name: "number", do: number},
		{name: "number, checked", cfg: roots, do: number, takes: fullAnswers},
		{name: "number, secured", cfg: secure, do: number, takes: longData},
		{name: "number, checked and secured", cfg: card.Config{Roots: roots.Roots, SecureMessaging: true}, do: number,
			takes: longAnswers},
		{name: "number confirmed", do: func(ctx context.Context, c *card.Card) error {
			return c.ConfirmIndividualNumber(ctx, p.TextPIN, known)
		}, takes: longData},
		{name: "face by number B", do: face(card.FaceNumberB, numberB)},
		{name: "face by number A, checked", cfg: roots, do: face(card.FaceNumberA, p.IndividualNumber),
			takes: fullAnswers},
		{name: "age", do: age},
		{name: "age, checked", cfg: roots, do: age, takes: fullAnswers},
		{name: "number image", do: image},
		{name: "issuer data", do: issuer},
		{name: "issuer data, checked", cfg: roots, do: issuer, takes: longAnswers},
	}
	for pin, secrets := range map[card.PIN][2]string{
		card.AuthPIN: {p.AuthPIN, "8642"}, card.SigningPIN: {p.SigningPassword, "NEW9PASS"},
		card.TextPIN:   {p.TextPIN, "7531"},
		card.CommonPIN: {p.TextPIN, "1357"}, card.ResidentPIN: {p.TextPIN, "9753"},
	} {
		ops = append(ops, operation{name: "change " + pin.String(), do: func(ctx context.Context, c *card.Card) error {
			if err := c.ChangePIN(ctx, pin, card.Replace(secrets[0], secrets[1])); err != nil {
				return err
			}
			return c.ChangePIN(ctx, pin, card.Replace(secrets[1], secrets[0]))
		}})
	}
	return ops
}

// again does an operation, and once more if it turns out that the card has forgotten a PIN that an earlier call
// verified: the person has to enter it again, which is what an application says then.
func (op operation) again(ctx context.Context, c *card.Card) error {
	err := op.do(ctx, c)
	if op.verifies && errors.Is(err, &card.Error{Reason: card.ReasonNotVerified}) {
		err = op.do(ctx, c)
	}
	return err
}

// unfit reports whether an operation cannot be had on a reader with the quirk.
func unfit(q quirks.Quirk, takes need) bool {
	switch {
	case q >= quirks.Short && q <= quirks.ShortResets:
		return takes >= longData
	case q == quirks.Cut64, q == quirks.Cut255:
		return takes == fullAnswers || takes == longAnswers
	case q == quirks.Cut256:
		return takes == longAnswers
	default:
		return false
	}
}

// fullTries fails the test if anything has cost a try.
func fullTries(t *testing.T, sim *cardsim.Card) {
	t.Helper()
	c, err := sim.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(t.Context()) }()
	for p := card.AuthPIN; p <= card.FaceBirthdate; p++ {
		want := map[bool]int{true: 10, false: 3}[p >= card.TextNumberA]
		if p == card.SigningPIN {
			want = 5
		}
		if n, err := c.Tries(t.Context(), p); n != want || err != nil {
			t.Errorf("%v: %d tries, %v", p, n, err)
		}
	}
}

// Every operation on every reader: it works, or the error says that it is the reader. It never looks like a card
// without a certificate, a forgery or a wrong PIN, and no try is spent.
func TestReadersAndOperations(t *testing.T) {
	sim := newSim(t, cardsim.Plastic)
	for _, q := range append([]quirks.Quirk{0}, quirks.Quirks()...) {
		t.Run(q.String(), func(t *testing.T) {
			for _, op := range operations(t, sim) {
				sim.PowerOff()
				c, err := card.Open(t.Context(), quirks.Transport(sim.Transport(), q), op.cfg)
				if err != nil {
					t.Errorf("%s: open: %v", op.name, err)
					continue
				}
				err = op.again(t.Context(), c)
				switch {
				case q == quirks.ShortEmpty && op.name == "number confirmed":
					// A session key is answered with 9000 and no data anyway: only the next command shows that it got
					// lost.
					wantReason(t, err, card.ReasonChannelRefused)
				case unfit(q, op.takes) && !errors.Is(err, &card.Error{Reason: card.ReasonReaderUnfit}):
					t.Errorf("%s: got %v, want the reader named", op.name, err)
				case !unfit(q, op.takes) && err != nil:
					t.Errorf("%s: %v", op.name, err)
				}
				if err := c.Close(t.Context()); err != nil {
					t.Errorf("%s: close: %v", op.name, err)
				}
			}
			fullTries(t, sim)
		})
	}
}

// slipping takes the card's power away once, before the command with a number.
type slipping struct {
	card.Transport
	sim  *cardsim.Card
	left int
}

func (s *slipping) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if s.left--; s.left == 0 {
		s.sim.PowerOff()
	}
	return s.Transport.Transmit(ctx, command)
}

// A card that loses power before any one of an operation's commands: the client selects again and goes on. Where a PIN
// was verified by an earlier call it says so, and the same again after the PIN works. No try is spent, and nothing is
// said that is not so.
func TestPowerIsLostAnywhere(t *testing.T) {
	sim := newSim(t, cardsim.Plastic)
	for _, op := range operations(t, sim) {
		t.Run(op.name, func(t *testing.T) {
			for at := 1; ; at++ {
				tr := &slipping{Transport: quirks.Transport(plainTransport{sim}), sim: sim, left: at}
				c, err := card.Open(t.Context(), tr, op.cfg)
				if err == nil {
					err = op.again(t.Context(), c)
				}
				if err != nil {
					t.Errorf("lost before command %d: %v", at, err)
				}
				if c != nil {
					if err := c.Close(t.Context()); err != nil {
						t.Errorf("lost before command %d: close: %v", at, err)
					}
				}
				if tr.left > 0 {
					break // it did not come to that command
				}
			}
			fullTries(t, sim)
		})
	}
}

// refusesLong answers every command with extended lengths with one status.
type refusesLong struct {
	sim    *cardsim.Card
	status uint16
}

func (r refusesLong) Transmit(_ context.Context, command []byte) ([]byte, error) {
	if len(command) > 6 && command[4] == 0 {
		return []byte{byte(r.status >> 8), byte(r.status)}, nil
	}
	return r.sim.Transmit(command), nil
}

// Whatever a reader says to a command with extended lengths, be it a status that a card has for something else: what a
// short read answers is the truth.
func TestAnyRefusalOfExtendedLengths(t *testing.T) {
	sim := newSim(t, cardsim.Plastic)
	_, want := sim.Certificates()
	for status := 0x6000; status <= 0x9FFF; status++ {
		if status == 0x7000 {
			status = 0x9000 // no status words between
		}
		c, err := card.Open(t.Context(), refusesLong{sim, uint16(status)}, card.Config{})
		if err != nil {
			t.Fatalf("%04X: open: %v", status, err)
		}
		if got, err := c.AuthCertificate(t.Context()); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%04X: %d bytes, %v", status, len(got), err)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Errorf("%04X: close: %v", status, err)
		}
	}
}

// Readers that cut every answer, at any length, and those that have several habits at once.
func TestReadersWithSeveralQuirks(t *testing.T) {
	sim := newSim(t, cardsim.Plastic)
	for _, habits := range [][]quirks.Quirk{
		{quirks.Short, quirks.WakeUp2}, {quirks.Cut64, quirks.WakeUp}, {quirks.Pieces64, quirks.WakeUp2},
		{quirks.ShortResets, quirks.WakeUp}, {quirks.ShortFails, quirks.WakeUp2, quirks.Cut256},
		{quirks.Short6D00, quirks.Exact}, {quirks.Short6F00, quirks.WakeUp2},
		{quirks.ShortResets, quirks.WakeUp2, quirks.Pieces256},
	} {
		for _, op := range operations(t, sim) {
			if op.takes != anything {
				continue
			}
			sim.PowerOff()
			c, err := card.Open(t.Context(), quirks.Transport(sim.Transport(), habits...), op.cfg)
			if err == nil {
				err = errors.Join(op.again(t.Context(), c), c.Close(t.Context()))
			}
			if err != nil {
				t.Errorf("%v: %s: %v", habits, op.name, err)
			}
		}
	}
	fullTries(t, sim)
}
