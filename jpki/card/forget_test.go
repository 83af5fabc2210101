package card_test

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// keepsStatus is a card as real ones were measured, whatever the software card in it does: to select the application
// that is current again changes nothing, least of all what is verified.
type keepsStatus struct {
	sim     *cardsim.Card
	current []byte
}

func (k *keepsStatus) Transmit(_ context.Context, command []byte) ([]byte, error) {
	selects := bytes.HasPrefix(command, []byte{0x00, 0xA4, 0x04})
	if selects && k.current != nil && bytes.Equal(command[4:], k.current) {
		return []byte{0x90, 0x00}, nil
	}
	answer := k.sim.Transmit(command)
	if selects && bytes.Equal(answer, []byte{0x90, 0x00}) {
		k.current = bytes.Clone(command[4:])
	}
	return answer, nil
}

// powered is such a card in a reader that can hold it and take its power away.
type powered struct{ *keepsStatus }

func (p powered) PowerOff(context.Context) error {
	p.sim.PowerOff()
	p.current = nil
	return nil
}

func (p powered) Begin(context.Context) (func() error, error) {
	return func() error { return nil }, nil
}

// foreign is another program: it selects an application and asks for what a PIN guards. It returns the status words.
func (k *keepsStatus) foreign(t *testing.T, commands ...string) string {
	t.Helper()
	var last []byte
	for _, c := range commands {
		var err error
		if last, err = k.Transmit(t.Context(), unhex(t, c[2:])); err != nil {
			t.Fatal(err)
		}
	}
	return upperHex(last[len(last)-2:])
}

// What another program sends for a signature of either key, and for the attributes.
func guarded() map[card.PIN][]string {
	digest := upperHex(make([]byte, 32))
	return map[card.PIN][]string{
		card.AuthPIN:    {selectJPKI, "> 00A4020C020017", "> 802A008020" + digest + "00"},
		card.SigningPIN: {selectJPKI, "> 00A4020C02001A", "> 802A008020" + digest + "00"},
		card.TextPIN:    {selectText, "> 00A4020C020002", "> 00B0000007"},
	}
}

// After Release, Close, ChangePIN and every use that verifies by itself, nothing is left on the card for the next
// program: seen at the card, in every personality, with a power switch and without.
func TestTheCardForgets(t *testing.T) {
	uses := map[string]func(context.Context, *card.Card, map[card.PIN]string) error{
		"release": func(ctx context.Context, c *card.Card, _ map[card.PIN]string) error { return c.Release(ctx) },
		"close":   func(ctx context.Context, c *card.Card, _ map[card.PIN]string) error { return c.Close(ctx) },
		"change a PIN": func(ctx context.Context, c *card.Card, secrets map[card.PIN]string) error {
			return c.ChangePIN(ctx, card.AuthPIN, card.Replace(secrets[card.AuthPIN], secrets[card.AuthPIN]))
		},
	}
	for _, kind := range cardsim.Kinds() {
		if kind == cardsim.BlockedPINs {
			continue // nothing can be verified
		}
		sim := newSim(t, cardsim.Plastic)
		if kind == cardsim.Child {
			sim = newSimOf(t, person.Minor, kind)
		} else if kind != cardsim.Plastic {
			sim = newSim(t, kind)
		}
		p := sim.Person().Reveal()
		secrets := map[card.PIN]string{card.AuthPIN: p.AuthPIN, card.SigningPIN: p.SigningPassword,
			card.TextPIN: p.TextPIN}
		phone := kind == cardsim.Android || kind == cardsim.IPhone
		if kind == cardsim.Child {
			delete(secrets, card.SigningPIN)
		}
		if phone {
			delete(secrets, card.TextPIN)
		}
		for name, use := range uses {
			for _, switched := range []bool{false, true} {
				k := &keepsStatus{sim: sim}
				sim.PowerOff()
				var tr card.Transport = k
				if switched {
					tr = powered{k}
				}
				c, err := card.Open(t.Context(), tr, card.Config{})
				if err != nil {
					t.Fatal(kind, err)
				}
				for _, pin := range []card.PIN{card.AuthPIN, card.SigningPIN} {
					if secrets[pin] == "" {
						continue
					}
					if err := c.Verify(t.Context(), pin, secrets[pin]); err != nil {
						t.Fatal(kind, err)
					}
					if got := k.foreign(t, guarded()[pin]...); got != "9000" {
						t.Errorf("%v: the test is blind: another program with a verified %v gets %s", kind, pin, got)
					}
				}
				if err := use(t.Context(), c, secrets); err != nil {
					t.Errorf("%v, %s: %v", kind, name, err)
				}
				for pin, commands := range guarded() {
					if got := k.foreign(t, commands...); got != "6982" && secrets[pin] != "" {
						t.Errorf("%v, %s, power switch %v: another program gets %s for the %v", kind, name, switched,
							got, pin)
					}
				}
				_ = c.Close(t.Context())
			}
		}
		if phone {
			continue
		}
		k := &keepsStatus{sim: sim}
		c := openOver(t, k, card.Config{})
		if _, err := c.Attributes(t.Context(), card.TextPIN, p.TextPIN); err != nil {
			t.Fatal(kind, err)
		}
		if got := k.foreign(t, guarded()[card.TextPIN]...); got != "6982" {
			t.Errorf("%v: another program gets %s of the attributes", kind, got)
		}
	}
}

// A card that does not let itself be left is no card that has forgotten: the error says so, and the card stays held.
func TestTheCardDoesNotForget(t *testing.T) {
	others := []string{
		"> 00A4040C0AD3921000310001010408", "> 00A4040C0AD3921000310001010402", "> 00A4040C0AD3921000310001010100",
		"> 00A4040C0AD3921000310001010401",
	}
	refusals := func(status string) []string {
		lines := []string{leave, status}
		for _, other := range others {
			lines = append(lines, other, "< 6A82")
		}
		return lines
	}
	for _, status := range []string{"< 6A82", "< 6985", "< 6E00"} {
		h := &held{script: newScript(t, opening...)}
		c, err := card.Open(t.Context(), h, card.Config{})
		if err != nil {
			t.Fatal(err)
		}
		h.add(slices.Concat([]string{selectJPKI, ok}, verifyAuth("< 63C3", "< 9000"), refusals(status))...)
		if err := c.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
			t.Fatal(err)
		}
		if err := c.Release(t.Context()); err == nil || !h.open() {
			t.Errorf("%s: released with %v, held %v", status, err, h.open())
		}
		// Later it does, and any other application is as good as the security domain.
		h.add(leave, ok)
		if err := c.Release(t.Context()); err != nil || h.open() {
			t.Errorf("%s: %v, held %v", status, err, h.open())
		}
	}
	c, s := open(t, card.Config{}, append(verifyAuth("< 63C3", "< 9000"), leave, "< 6A82", selectText, ok)...)
	if err := c.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	if err := c.Release(t.Context()); err != nil || len(s.lines) > 0 {
		t.Errorf("%v, %q", err, s.lines)
	}
}
