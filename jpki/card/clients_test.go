package card_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// neighbour is another program at the same reader, which sends what it has always sent.
type neighbour struct {
	t    *testing.T
	card *keepsStatus
}

// data sends a command in hexadecimal and returns the data of an answer that must be 9000.
func (n neighbour) data(format string, args ...any) []byte {
	n.t.Helper()
	command := fmt.Sprintf(format, args...)
	raw, err := hex.DecodeString(command)
	if err != nil {
		n.t.Fatal(err)
	}
	answer, err := n.card.Transmit(n.t.Context(), raw)
	if err != nil || len(answer) < 2 || !bytes.Equal(answer[len(answer)-2:], []byte{0x90, 0x00}) {
		n.t.Fatalf("%s: %X, %v", command, answer, err)
	}
	return answer[:len(answer)-2]
}

// neighbours are kinds of programs in the field, as their sources or traces show them; they return a file that they
// read.
var neighbours = map[string]func(n neighbour, p printedSecrets) []byte{
	"number B by its short identifier, no file selected": func(n neighbour, p printedSecrets) []byte {
		n.data("00A4040C0AD3921000310001010408")
		n.data("002000950E%X", p.numberB)
		return n.data("00B0820000")
	},
	"4 bytes, then the rest with an extended Le": func(n neighbour, _ printedSecrets) []byte {
		n.data("00A4040C0AD392F000260100000001")
		n.data("00A4020C02000A")
		head := n.data("00B0000004")
		size := int(head[2])<<8 | int(head[3])
		return append(head, n.data("00B0000400%04X", size)...)
	},
	"7 bytes, then an Le that has wrapped around": func(n neighbour, p printedSecrets) []byte {
		n.data("00A4040C0AD3921000310001010408")
		n.data("00A4020C020011")
		n.data("0020008004%X", p.text)
		n.data("00A4020C020002")
		head := n.data("00B0000007")
		total := int(head[2]) + 3
		if head[2] == 0x82 {
			total = int(head[3])<<8 | int(head[4]) + 5
		}
		out := n.data("00B00000%02X", total&0xFF) // of 256 this asks for 00, of 300 for 2C
		for len(out) < total {
			out = append(out, n.data("00B0%04X00", len(out))...)
		}
		return out[:total]
	},
	"blocks of E0 until one is short": func(n neighbour, _ printedSecrets) []byte {
		n.data("00A4040C0AD392F000260100000001")
		n.data("00A4020C02000B")
		var out []byte
		for {
			block := n.data("00B0%04XE0", len(out))
			if out = append(out, block...); len(block) < 0xE0 {
				return out
			}
		}
	},
	"the application selected again between VERIFY and use": func(n neighbour, p printedSecrets) []byte {
		n.data("00A4040C0AD392F000260100000001")
		n.data("00A4020C02001B")
		n.data("00200080%02X%X", len(p.signing), p.signing)
		n.data("00A4040C0AD392F000260100000001")
		n.data("00A4020C020001")
		head := n.data("00B0000004")
		out := head
		for size := int(head[2])<<8 | int(head[3]) + 4; len(out) < size; {
			out = append(out, n.data("00B0%04X%02X", len(out), min(256, size-len(out))&0xFF)...)
		}
		return out
	},
	"a signature without a file selected": func(n neighbour, p printedSecrets) []byte {
		n.data("00A4040C0AD392F000260100000001")
		n.data("0020009804%X", p.auth)
		return n.data("802A009733%X00", append([]byte{0x30, 0x31}, make([]byte, 49)...))
	},
}

type printedSecrets struct{ numberB, text, auth, signing []byte }

// Programs of other kinds before and after ours, on a card that keeps what is verified: they find what they always
// have, and whatever they leave selected or verified does not disturb ours. What ours has verified they do not find.
func TestNeighbours(t *testing.T) {
	sim := newSim(t, cardsim.Plastic)
	p := sim.Person().Reveal()
	numberB, _ := printedOn(t, sim)
	secrets := printedSecrets{[]byte(numberB), []byte(p.TextPIN), []byte(p.AuthPIN), []byte(p.SigningPassword)}
	_, auth := sim.Certificates()
	for name, visit := range neighbours {
		t.Run(name, func(t *testing.T) {
			k := &keepsStatus{sim: sim}
			sim.PowerOff()
			n := neighbour{t, k}
			before := visit(n, secrets)
			c, err := card.Open(t.Context(), k, card.Config{})
			if err != nil {
				t.Fatal(err)
			}
			if der, err := c.AuthCertificate(t.Context()); err != nil || !bytes.Equal(der, auth) {
				t.Errorf("certificate: %v", err)
			}
			if person, err := c.Attributes(t.Context(), card.TextPIN, p.TextPIN); err != nil ||
				person.Name.Reveal() != p.Name {
				t.Errorf("attributes: %v", err)
			}
			if err := c.Verify(t.Context(), card.AuthPIN, p.AuthPIN); err != nil {
				t.Error(err)
			}
			if err := c.Close(t.Context()); err != nil {
				t.Error(err)
			}
			for pin, commands := range guarded() {
				if got := k.foreign(t, commands...); got != "6982" {
					t.Errorf("after Close another program gets %s for the %v", got, pin)
				}
			}
			if after := visit(n, secrets); !bytes.Equal(before, after) || len(after) == 0 {
				t.Errorf("%d bytes before, %d after", len(before), len(after))
			}
		})
	}
	fullTries(t, sim)
}
