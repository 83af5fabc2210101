package quirks_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/cardsim/quirks"
	"github.com/kakunin-go/kakunin/jpki/card"
)

var testJPKI = sync.OnceValues(func() (*issuer.JPKI, error) { return issuer.New(issuer.Config{}) })

func hanako() (*cardsim.Card, error) {
	authority, err := testJPKI()
	if err != nil {
		return nil, err
	}
	holder, err := person.Lookup(person.Hanako, time.Now())
	if err != nil {
		return nil, err
	}
	return cardsim.NewCard(cardsim.Config{Person: holder, JPKI: authority})
}

// A reader that cuts answers: reading works, signing says that it is the reader.
func ExampleTransport() {
	ctx := context.Background()
	sim, err := hanako()
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := card.Open(ctx, quirks.Transport(sim.Transport(), quirks.Cut64), card.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close(ctx) }()
	person, err := c.Attributes(ctx, card.TextPIN, "1234")
	fmt.Println(person.Attributes(), err)
	if err := c.Verify(ctx, card.AuthPIN, "1234"); err != nil {
		fmt.Println(err)
		return
	}
	key, err := c.AuthKey(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = key.SignContext(ctx, make([]byte, 32), card.WithoutDigestInfo)
	fmt.Println(kakunin.MessageFor(err, kakunin.English))
	// Output:
	// [name address birthdate gender] <nil>
	// This card reader does not carry what this function needs. Please use another reader.
}

func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for _, q := range quirks.Quirks() {
		if seen[q.String()] || q.String() == "none" {
			t.Errorf("quirk %d is called %q", q, q)
		}
		seen[q.String()] = true
		if got, err := quirks.Parse(q.String()); err != nil || len(got) != 1 || got[0] != q {
			t.Errorf("%v: %v, %v", q, got, err)
		}
	}
	if got, err := quirks.Parse(" Short, cut64,"); err != nil || len(got) != 2 || got[0] != quirks.Short ||
		got[1] != quirks.Cut64 {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := quirks.Parse(""); err != nil || got != nil {
		t.Errorf("%v, %v", got, err)
	}
	_, err := quirks.Parse("short,shrot")
	if !errors.Is(err, &quirks.Error{Reason: quirks.ReasonUnknownQuirk}) ||
		kakunin.FamilyOf(err) != kakunin.Configuration {
		t.Errorf("got %v", err)
	}
	if quirks.Quirk(0).String() != "none" || quirks.Quirk(99).String() != "none" {
		t.Error("a number that is no quirk has a name")
	}
}

// bytesCard answers READ BINARY with as many bytes as are asked for, up to what it has.
type bytesCard struct {
	content     []byte
	on, off     int
	transmitted int
}

func (b *bytesCard) Transmit(command []byte) []byte {
	b.transmitted++
	n := len(b.content)
	if len(command) == 5 && command[4] != 0 {
		n = min(n, int(command[4]))
	}
	return append(bytes.Clone(b.content[:n]), 0x90, 0x00)
}
func (b *bytesCard) PowerOn()    { b.on++ }
func (b *bytesCard) PowerOff()   { b.off++ }
func (b *bytesCard) Reset()      {}
func (b *bytesCard) ATR() []byte { return []byte{0x3B, 0x00} }

func TestOver(t *testing.T) {
	content := bytes.Repeat([]byte{1, 2, 3, 4, 5}, 40) // 200 bytes
	read, readLong := []byte{0, 0xB0, 0, 0, 0}, []byte{0, 0xB0, 0, 0, 0, 1, 0}
	for name, tt := range map[string]struct {
		quirks   []quirks.Quirk
		commands [][]byte
		answers  [][]byte
	}{
		"none":  {nil, [][]byte{read, readLong}, [][]byte{join(content, 0x90, 0), join(content, 0x90, 0)}},
		"short": {[]quirks.Quirk{quirks.Short}, [][]byte{readLong, read}, [][]byte{{0x67, 0}, join(content, 0x90, 0)}},
		"cut":   {[]quirks.Quirk{quirks.Cut255, quirks.Cut64}, [][]byte{read}, [][]byte{join(content[:64], 0x90, 0)}},
		"pieces": {
			[]quirks.Quirk{quirks.Pieces64}, [][]byte{read, {0, 0xC0, 0, 0, 0x40}, {0, 0xC0, 0, 0, 0x20},
				{0, 0xC0, 0, 0, 0}, {0, 0xC0, 0, 0, 0}},
			[][]byte{
				join(content[:64], 0x61, 0x40), join(content[64:128], 0x61, 0x40), join(content[128:160], 0x61, 0x28),
				join(content[160:], 0x90, 0), join(content, 0x61, 0x40)[:64+2],
			},
		},
		"exact": {[]quirks.Quirk{quirks.Exact}, [][]byte{read, {0, 0xB0, 0, 0, 200}},
			[][]byte{{0x6C, 200}, join(content, 0x90, 0)}},
		"waking": {
			[]quirks.Quirk{quirks.WakeUp2}, [][]byte{read, read, read},
			[][]byte{{0x6F, 0}, {0x6F, 0}, join(content, 0x90, 0)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := quirks.Over(&bytesCard{content: content}, tt.quirks...)
			d.PowerOn()
			for i, command := range tt.commands {
				got := d.Transmit(command)
				if name == "pieces" && i == 4 {
					continue // nothing is left: the command reaches the card
				}
				if !bytes.Equal(got, tt.answers[i]) {
					t.Errorf("command %d: %X, want %X", i, got, tt.answers[i])
				}
			}
		})
	}
}

// A quirk that makes the exchange fail has no way to say so over a virtual reader: it is 6F00, and the power goes.
func TestOverFails(t *testing.T) {
	c := &bytesCard{content: []byte{1}}
	d := quirks.Over(c, quirks.ShortResets)
	if got := d.Transmit([]byte{0, 0xB0, 0, 0, 0, 1, 0}); !bytes.Equal(got, []byte{0x6F, 0}) || c.off != 1 ||
		c.on != 1 || c.transmitted != 0 {
		t.Errorf("%X, off %d, on %d, transmitted %d", got, c.off, c.on, c.transmitted)
	}
	tr := quirks.Transport(&failing{}, quirks.ShortFails)
	if _, err := tr.Transmit(t.Context(), []byte{0, 0xB0, 0, 0, 0, 1, 0}); !errors.Is(err,
		&quirks.Error{Reason: quirks.ReasonNoAnswer}) {
		t.Errorf("got %v", err)
	}
}

type failing struct{}

func (*failing) Transmit(context.Context, []byte) ([]byte, error) { return nil, errors.New("broken") }

func join(data []byte, sw ...byte) []byte { return append(bytes.Clone(data), sw...) }
