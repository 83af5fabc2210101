package card_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/jpki/card"
)

func wrongNumber(t *testing.T) string {
	t.Helper()
	const eleven = "11111111111"
	digit, ok := mynumber.CheckDigit(eleven)
	if !ok {
		t.Fatal("no check digit")
	}
	return eleven + string(digit)
}

func confirm(t *testing.T, c *card.Card, sim *cardsim.Card, digits string, options ...card.Option) error {
	t.Helper()
	number, err := mynumber.New(digits, mynumber.PurposeReporting)
	if err != nil {
		t.Fatal(err)
	}
	return c.ConfirmIndividualNumber(t.Context(), sim.Person().Reveal().TextPIN, number, options...)
}

func TestIndividualNumber(t *testing.T) {
	sim := newSim(t, cardsim.Plastic)
	p := sim.Person().Reveal()
	for _, secure := range []bool{false, true} {
		c := openOver(t, sim.Transport(), card.Config{SecureMessaging: secure})
		number, err := c.IndividualNumber(t.Context(), p.TextPIN, mynumber.PurposeReporting)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := number.Reveal(mynumber.PurposeReporting); got != p.IndividualNumber || err != nil {
			t.Errorf("another number, %v", err)
		}
		if _, err := number.Reveal(mynumber.PurposeOrdinance); err == nil {
			t.Error("the number serves another purpose")
		}
		if text := fmt.Sprintf("%v %+v %#v", number, number, number); strings.Contains(text, p.IndividualNumber) {
			t.Error("the number prints")
		}
		person, err := c.Attributes(t.Context(), card.TextPIN, p.TextPIN)
		if err != nil || person.Name.Reveal() != p.Name {
			t.Errorf("secure %v: %v", secure, err)
		}
		_ = c.Close(t.Context())
	}
}

// Without a lawful purpose nothing is sent.
func TestIndividualNumberNeedsAPurpose(t *testing.T) {
	for _, purpose := range []mynumber.Purpose{0, 99, -1} {
		c, _ := open(t, card.Config{})
		_, err := c.IndividualNumber(t.Context(), "1234", purpose)
		wantReason(t, err, card.ReasonPurposeMissing)
		if kakunin.FamilyOf(err) != kakunin.Configuration {
			t.Errorf("family %v", kakunin.FamilyOf(err))
		}
	}
	c, _ := open(t, card.Config{})
	wantReason(t, c.ConfirmIndividualNumber(t.Context(), "1234", mynumber.Number{}), card.ReasonPurposeMissing)
}

func TestIndividualNumberFileRefused(t *testing.T) {
	good := "FF100C" + upperHex([]byte(wrongNumber(t))) + "FFFF"
	for name, file := range map[string]string{
		"another tag":       strings.Replace(good, "FF10", "FF11", 1),
		"11 digits":         "FF100B" + upperHex([]byte("12345678901")) + "FFFFFF",
		"a letter":          strings.Replace(good, "31", "41", 1),
		"wrong check digit": strings.Replace(good, "31", "32", 1),
		"cut":               good[:30],
		"empty":             "",
		"filler":            strings.Repeat("FF", 17),
	} {
		t.Run(name, func(t *testing.T) {
			lines := append(append([]string(nil), textAccess...), "> 00B0810011", "< "+file+"9000")
			switch n := len(file) / 2; {
			case n == 0:
				lines = append(lines, "> 00A4020C020001", ok, "> 00B0000011", ok)
			case n < 17:
				lines = append(lines, fmt.Sprintf("> 00B000%02X%02X", n, 17-n), "< 6B00")
			}
			c, _ := open(t, card.Config{}, append(lines, leave, ok)...)
			_, err := c.IndividualNumber(t.Context(), "1234", mynumber.PurposeReporting)
			wantReason(t, err, card.ReasonMalformed)
		})
	}
	c, _ := open(t, card.Config{}, append(append([]string(nil), textAccess...), "> 00B0810011", "< "+good+"9000", leave,
		ok)...)
	if _, err := c.IndividualNumber(t.Context(), "1234", mynumber.PurposeReporting); err != nil {
		t.Error(err)
	}
}

// The card compares: the right number is confirmed, a wrong one costs a try, and neither travels in the clear.
func TestConfirmIndividualNumber(t *testing.T) {
	sim := newSim(t, cardsim.Plastic)
	wire := &wiretap{Transport: sim.Transport()}
	c := openOver(t, wire, card.Config{})
	if err := confirm(t, c, sim, sim.Person().Reveal().IndividualNumber); err != nil {
		t.Fatal(err)
	}
	wantPINError(t, confirm(t, c, sim, wrongNumber(t)), card.Error{PIN: card.TextNumberA, Remaining: 9,
		Reason: card.ReasonWrongPIN})
	for _, secret := range []string{sim.Person().Reveal().IndividualNumber, wrongNumber(t)} {
		if wire.saw(secret) {
			t.Error("a number travelled in the clear")
		}
	}
	if !wire.saw(sim.Person().Reveal().TextPIN) {
		t.Error("the wiretap is deaf: the text PIN travels in the clear")
	}
}

// With secure messaging neither number nor attributes travel in the clear; without they do.
func TestSecureMessagingHides(t *testing.T) {
	sim := newSim(t, cardsim.Plastic)
	p := sim.Person().Reveal()
	for _, secure := range []bool{false, true} {
		wire := &wiretap{Transport: sim.Transport()}
		c := openOver(t, wire, card.Config{SecureMessaging: secure, Roots: rootsOf(t, sim)})
		if _, err := c.IndividualNumber(t.Context(), p.TextPIN, mynumber.PurposeReporting); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Attributes(t.Context(), card.TextPIN, p.TextPIN); err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{p.IndividualNumber, p.Name, p.Address} {
			if wire.saw(secret) == secure {
				t.Errorf("secure %v: seen %v", secure, wire.saw(secret))
			}
		}
		_ = c.Close(t.Context())
	}
}

// wiretap keeps what passes.
type wiretap struct {
	card.Transport
	passed [][]byte
}

func (w *wiretap) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	w.passed = append(w.passed, bytes.Clone(command))
	answer, err := w.Transport.Transmit(ctx, command)
	w.passed = append(w.passed, bytes.Clone(answer))
	return answer, err
}

func (w *wiretap) saw(secret string) bool {
	for _, b := range w.passed {
		if bytes.Contains(b, []byte(secret)) {
			return true
		}
	}
	return false
}

// With secure messaging asked for, a card or man in the middle that does not offer it gets nothing.
func TestSecureMessagingIsNotGivenUp(t *testing.T) {
	sim := newSim(t, cardsim.Plastic)
	p := sim.Person().Reveal()
	for name, forge := range map[string]func(cmd, answer []byte) []byte{
		"not offered": func(cmd, answer []byte) []byte {
			if cmd[1] == 0xAE {
				return []byte{0x66, 0xF1}
			}
			return answer
		},
		"answer in the clear": func(cmd, answer []byte) []byte {
			if cmd[0] == 0x08 {
				return append([]byte("\xFF\x10\x0C"+p.IndividualNumber+"\xFF\xFF"), 0x90, 0x00)
			}
			return answer
		},
		"answer of another session": func(cmd, answer []byte) []byte {
			if cmd[0] == 0x08 && len(answer) > 20 {
				answer[5] ^= 0x10 // in the first block: garbles it, and changes the padding in the second
			}
			return answer
		},
		"session destroyed": func(cmd, answer []byte) []byte {
			if cmd[0] == 0x08 {
				return []byte{0x69, 0x88}
			}
			return answer
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := openOver(t, &meddler{sim.Transport(), forge}, card.Config{SecureMessaging: true})
			_, err := c.IndividualNumber(t.Context(), p.TextPIN, mynumber.PurposeReporting)
			if reason := reasonOf(err); reason != card.ReasonChannelRefused && reason != card.ReasonMalformed {
				t.Errorf("got %v", err)
			}
		})
	}
	c := openOver(t, sim.Transport(), card.Config{SecureMessaging: true})
	numberB, _ := printedOn(t, sim)
	_, err := c.Attributes(t.Context(), card.TextNumberB, numberB)
	wantReason(t, err, card.ReasonChannelRefused)
}

type meddler struct {
	card.Transport
	forge func(cmd, answer []byte) []byte
}

func (m *meddler) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	sent := bytes.Clone(command)
	answer, err := m.Transport.Transmit(ctx, command)
	if err != nil {
		return nil, err
	}
	return m.forge(sent, answer), nil
}

// The commands of secure messaging, byte for byte where they are not encrypted.
func TestSecureMessagingCommands(t *testing.T) {
	sim := newSim(t, cardsim.Plastic)
	wire := &wiretap{Transport: sim.Transport()}
	c := openOver(t, wire, card.Config{SecureMessaging: true})
	if _, err := c.IndividualNumber(t.Context(), sim.Person().Reveal().TextPIN, mynumber.PurposeReporting); err != nil {
		t.Fatal(err)
	}
	if err := confirm(t, c, sim, sim.Person().Reveal().IndividualNumber); err != nil {
		t.Fatal(err)
	}
	var opened, read, verified int
	for _, b := range wire.passed {
		text := upperHex(b)
		switch {
		case strings.HasPrefix(text, "80AE"):
			opened++
			if !strings.HasPrefix(text, "80AE0000000100") || len(b) != 7+256 {
				t.Errorf("opened with %s", text)
			}
		case strings.HasPrefix(text, "08B0"):
			read++
			if text != "08B00000"+"000005"+"9603000000"+"0000" {
				t.Errorf("read with %s", text)
			}
		case strings.HasPrefix(text, "0820"):
			verified++
			if !strings.HasPrefix(text, "08200080"+"13"+"861101") || len(b) != 5+0x13 {
				t.Errorf("verified with %s", text)
			}
		}
	}
	if opened != 2 || read != 1 || verified != 1 {
		t.Errorf("opened %d times, read %d, verified %d", opened, read, verified)
	}
}
