package card_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// habit is how a reader, a relay or a card differs from what the simulated card does: it sees every command.
type habit struct {
	name string
	do   func(command []byte, next func([]byte) []byte) []byte
}

type habitual struct {
	sim *cardsim.Card
	habit
}

func (h habitual) Transmit(_ context.Context, command []byte) ([]byte, error) {
	return h.do(command, h.sim.Transmit), nil
}

func statusBytes(status int) []byte { return []byte{byte(status >> 8), byte(status)} }

// Commands that a habit tells apart.
func isEmptyVerify(c []byte) bool { return len(c) == 4 && c[1] == 0x20 }
func isShortID(c []byte) bool     { return c[1] == 0xB0 && c[2]&0x80 != 0 }
func isSelect(c []byte) bool      { return c[1] == 0xA4 }

// habits is every habit with which a card can be used all the same.
func habits() []habit {
	list := []habit{
		{"answers SELECT with data", func(c []byte, next func([]byte) []byte) []byte {
			answer := next(c)
			if isSelect(c) && len(answer) == 2 && answer[0] == 0x90 {
				return append([]byte{0x6F, 0x02, 0x84, 0x00}, answer...)
			}
			return answer
		}},
		{"announces data after SELECT", func(c []byte, next func([]byte) []byte) []byte {
			answer := next(c)
			if isSelect(c) && len(answer) == 2 && answer[0] == 0x90 {
				return []byte{0x61, 0x10}
			}
			return answer
		}},
		{"gives one byte less than it could", func(c []byte, next func([]byte) []byte) []byte {
			answer := next(c)
			if n := len(answer); c[0] == 0 && c[1] == 0xB0 && n > 10 {
				return append(answer[:n-3:n-3], answer[n-2:]...)
			}
			return answer
		}},
	}
	for _, status := range []int{0x6700, 0x6A86, 0x6A87, 0x6C00, 0x6C01} {
		list = append(list, habit{
			fmt.Sprintf("carries no command of four bytes: %04X", status),
			func(c []byte, next func([]byte) []byte) []byte {
				switch {
				case isEmptyVerify(c):
					return statusBytes(status)
				case len(c) == 5 && c[1] == 0x20:
					return next(c[:4])
				default:
					return next(c)
				}
			},
		})
	}
	for _, status := range []int{
		0x6281, 0x6282, 0x6300, 0x6400, 0x6581, 0x6700, 0x6881, 0x6884, 0x6900, 0x6981, 0x6985, 0x6986, 0x6A80, 0x6A81,
		0x6A82, 0x6A83, 0x6A86, 0x6A88, 0x6B00, 0x6D00, 0x6E00, 0x6F00, 0x9000,
	} {
		list = append(list, habit{
			fmt.Sprintf("knows no short identifiers: %04X", status), func(c []byte, next func([]byte) []byte) []byte {
				if isShortID(c) {
					return statusBytes(status)
				}
				return next(c)
			},
		})
	}
	return list
}

// Every operation with every habit; no try is spent.
func TestHabitsAndOperations(t *testing.T) {
	sim := newSim(t, cardsim.Plastic)
	for _, h := range habits() {
		t.Run(h.name, func(t *testing.T) {
			for _, op := range operations(t, sim) {
				sim.PowerOff()
				c, err := card.Open(t.Context(), habitual{sim, h}, op.cfg)
				if err == nil {
					err = errors.Join(op.again(t.Context(), c), c.Close(t.Context()))
				}
				if err != nil {
					t.Errorf("%s: %v", op.name, err)
				}
			}
			fullTries(t, sim)
		})
	}
}

// An answer to VERIFY that does not say that the PIN is wrong leaves open what the card made of it: it is presented
// once, and the card has forgotten it when the client is closed, and before others get it.
func TestVerifyAnsweredOddly(t *testing.T) {
	for _, status := range []int{0x6281, 0x6400, 0x6581, 0x6700, 0x6985, 0x6A80, 0x6F00, 0x6F01, 0x9100} {
		sim := newSim(t, cardsim.Plastic)
		presented := 0
		tr := habitual{sim, habit{do: func(c []byte, next func([]byte) []byte) []byte {
			if c[1] == 0x20 && len(c) > 5 {
				presented++
				next(c) // the card takes it, and the reader says something else
				return statusBytes(status)
			}
			return next(c)
		}}}
		c := openOver(t, tr, card.Config{})
		err := c.Verify(t.Context(), card.AuthPIN, sim.Person().Reveal().AuthPIN)
		wantReason(t, err, card.ReasonRefused)
		if presented != 1 {
			t.Errorf("%04X: presented %d times", status, presented)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Errorf("%04X: %v", status, err)
		}
		// Another program signs where the card still is.
		sim.Transmit(append([]byte{0x00, 0xA4, 0x04, 0x0C, 0x0A}, 0xD3, 0x92, 0xF0, 0, 0x26, 1, 0, 0, 0, 1))
		sim.Transmit([]byte{0x00, 0xA4, 0x02, 0x0C, 0x02, 0x00, 0x17})
		sign := append([]byte{0x80, 0x2A, 0x00, 0x80, 0x20}, make([]byte, 33)...)
		if answer := sim.Transmit(sign); len(answer) != 2 || answer[0] != 0x69 || answer[1] != 0x82 {
			t.Errorf("%04X: the next program signs", status)
		}
	}
}
