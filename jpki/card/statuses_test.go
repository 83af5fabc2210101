package card_test

import (
	"context"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// answering answers a status to every command with extended lengths: a reader, or a card, that has none.
type answering struct {
	sim      *cardsim.Card
	sw1, sw2 byte
}

func (a answering) Transmit(_ context.Context, cmd []byte) ([]byte, error) {
	if len(cmd) > 6 && cmd[4] == 0 {
		return []byte{a.sw1, a.sw2}, nil
	}
	return a.sim.Transmit(cmd), nil
}

// TestWhateverExtendedLengthsAreAnswered: with short ones everything is done, whatever status stands for the refusal;
// it costs no try.
func TestWhateverExtendedLengthsAreAnswered(t *testing.T) {
	t.Parallel()
	for _, sw := range []uint16{
		0x61_00, 0x62_82, 0x63_00, 0x64_00, 0x65_81, 0x66_00, 0x67_00, 0x68_00, 0x68_81, 0x68_82, 0x68_83, 0x69_00,
		0x69_81, 0x69_82, 0x69_83, 0x69_84, 0x69_85, 0x69_86, 0x6A_80, 0x6A_81, 0x6A_82, 0x6A_86, 0x6A_87, 0x6B_00,
		0x6C_00, 0x6C_FF, 0x6D_01, 0x6E_00, 0x6F_00, 0x6F_FF, 0x90_00, 0x93_00, 0x94_04, 0x98_04,
	} {
		sim := newSim(t, cardsim.Plastic)
		c := openOver(t, answering{sim, byte(sw >> 8), byte(sw & 0xFF)}, card.Config{})
		if _, err := c.AuthCertificate(t.Context()); err != nil {
			t.Errorf("%04X: reading: %v", sw, err)
		}
		before, err := c.Tries(t.Context(), card.SigningPIN)
		if err != nil {
			t.Errorf("%04X: tries: %v", sw, err)
		}
		if err := c.Verify(t.Context(), card.SigningPIN, sim.Person().Reveal().SigningPassword); err != nil {
			t.Errorf("%04X: the password: %v", sw, err)
		}
		if _, err := c.SigningCertificate(t.Context()); err != nil {
			t.Errorf("%04X: what is behind the password: %v", sw, err)
		}
		if after, err := c.Tries(t.Context(), card.SigningPIN); err != nil || after != before {
			t.Errorf("%04X: %d tries, then %d, %v", sw, before, after, err)
		}
	}
}
