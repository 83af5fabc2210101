package card_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// altered changes what the card answers to some commands.
type altered struct {
	sim    *cardsim.Card
	common bool // the application that is common to all cards is selected
	answer func(common bool, command, answer []byte) ([]byte, error)
}

func (a *altered) Transmit(_ context.Context, command []byte) ([]byte, error) {
	if bytes.HasPrefix(command, []byte{0x00, 0xA4, 0x04}) {
		a.common = bytes.Contains(command, []byte{0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x01, 0x00})
	}
	return a.answer(a.common, command, a.sim.Transmit(command))
}

var errReader = errors.New("the reader is gone")

// A record that cannot be read turns nobody away who wants another PIN; a reader that fails does, before a try is
// spent.
func TestChangePINWithoutAReadableRecord(t *testing.T) {
	for name, c := range map[string]struct {
		record func() ([]byte, error)
		ok     bool
	}{
		"spoilt": {func() ([]byte, error) { return []byte{0xFF, 0x01, 0x02, 0x03, 0x90, 0x00}, nil }, true},
		"lost":   {func() ([]byte, error) { return nil, errReader }, false},
	} {
		sim := newSim(t, cardsim.Plastic)
		p := sim.Person().Reveal()
		over := &altered{sim: sim, answer: func(common bool, command, answer []byte) ([]byte, error) {
			if common && command[1] == 0xB2 { // READ RECORD
				return c.record()
			}
			return answer, nil
		}}
		client := openOver(t, over, card.Config{})
		err := client.ChangePIN(t.Context(), card.AuthPIN, card.Replace(p.AuthPIN, "8642"))
		if (err == nil) != c.ok || !c.ok && !errors.Is(err, errReader) {
			t.Errorf("%s: %v", name, err)
		}
		over.answer = func(_ bool, _, answer []byte) ([]byte, error) { return answer, nil }
		now := map[bool]string{true: "8642", false: p.AuthPIN}[c.ok]
		if err := client.Verify(t.Context(), card.AuthPIN, now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		fullTries(t, sim)
	}
}

// In a secured channel 6282 with data is the end of the file, too, and any other status a refusal.
func TestSecuredReadToTheEnd(t *testing.T) {
	for status, ok := range map[[2]byte]bool{{0x90, 0x00}: true, {0x62, 0x82}: true, {0x6A, 0x82}: false} {
		sim := newSim(t, cardsim.Plastic)
		p := sim.Person().Reveal()
		over := &altered{sim: sim, answer: func(_ bool, command, answer []byte) ([]byte, error) {
			if command[0]&0x0C != 0 && command[1] == 0xB0 && len(answer) > 2 {
				answer = append(bytes.Clone(answer[:len(answer)-2]), status[0], status[1])
			}
			return answer, nil
		}}
		client := openOver(t, over, card.Config{SecureMessaging: true})
		person, err := client.Attributes(t.Context(), card.TextPIN, p.TextPIN)
		if (err == nil) != ok || ok && person.Name.Reveal() != p.Name {
			t.Errorf("%X: %v", status, err)
		}
	}
}
