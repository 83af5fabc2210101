package card_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/jpki/card"
	"github.com/kakunin-go/kakunin/jpki/internal/testca"
)

// reading is a use of the client that reads signed data.
type reading struct {
	name string
	read func(context.Context, *card.Card) error
	// app is the application, files the elementary files that decide; the last is the certificate of the issuer.
	app   byte
	files []byte
}

func readings(t testing.TB, sim *cardsim.Card) []reading {
	t.Helper()
	p := sim.Person().Reveal()
	number, err := mynumber.New(p.IndividualNumber, mynumber.PurposeReporting)
	if err != nil {
		t.Fatal(err)
	}
	numberB, birthdate := printedOn(t, sim)
	return []reading{
		{"attributes", func(ctx context.Context, c *card.Card) error {
			_, err := c.Attributes(ctx, card.TextPIN, p.TextPIN)
			return err
		}, 0x08, []byte{2, 3, 7, 4}},
		{"attributes by number B", func(ctx context.Context, c *card.Card) error {
			_, err := c.Attributes(ctx, card.TextNumberB, numberB)
			return err
		}, 0x08, []byte{2, 3, 7, 4}},
		{"individual number", func(ctx context.Context, c *card.Card) error {
			_, err := c.IndividualNumber(ctx, p.TextPIN, mynumber.PurposeReporting)
			return err
		}, 0x08, []byte{1, 3, 7, 4}},
		{"card face", func(ctx context.Context, c *card.Card) error {
			_, err := c.Face(ctx, card.FaceNumberB, numberB)
			return err
		}, 0x02, []byte{2, 4}},
		{"card face by number A", func(ctx context.Context, c *card.Card) error {
			_, err := c.Face(ctx, card.FaceNumberA, p.IndividualNumber)
			return err
		}, 0x02, []byte{2, 4}},
		{"age check", func(ctx context.Context, c *card.Card) error {
			_, err := c.AgeCheck(ctx, birthdate)
			return err
		}, 0x02, []byte{1, 4}},
		{"number image", func(ctx context.Context, c *card.Card) error {
			_, err := c.NumberImage(ctx, number, mynumber.PurposeReporting)
			return err
		}, 0x02, []byte{5, 4}},
	}
}

// printedOn returns 照合番号B and the birthdate as the card compares it, made from what is printed on the card.
func printedOn(t testing.TB, sim *cardsim.Card) (numberB, birthdate string) {
	t.Helper()
	p := sim.Person().Reveal()
	born, err := fourinfo.ParseBirthdate(p.Subject.Birthdate)
	if err != nil {
		t.Fatal(err)
	}
	day, ok := born.Reveal().Complete()
	if !ok {
		t.Fatal("a complete birthdate is needed")
	}
	var year int
	if _, err := fmt.Sscanf(p.CardExpiry[:4], "%d", &year); err != nil {
		t.Fatal(err)
	}
	printed := card.Printed{Birthdate: day, ExpiryYear: year, SecurityCode: p.SecurityCode}
	if numberB, err = printed.NumberB(); err != nil {
		t.Fatal(err)
	}
	if birthdate, err = card.EraBirthdate(day); err != nil {
		t.Fatal(err)
	}
	return numberB, birthdate
}

// Everything that is signed reads from a genuine card, with and without roots.
func TestSignedDataOfAGenuineCard(t *testing.T) {
	sim := newSim(t, cardsim.Plastic)
	for _, opts := range []card.Config{{}, {Roots: rootsOf(t, sim)}, {Roots: rootsOf(t, sim), SecureMessaging: true}} {
		c := openOver(t, sim.Transport(), opts)
		for _, r := range readings(t, sim) {
			if opts.SecureMessaging && r.name == "attributes by number B" {
				continue
			}
			if err := r.read(t.Context(), c); err != nil {
				t.Errorf("%s: %v", r.name, err)
			}
		}
		if err := c.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// forger stands between card and client and changes the answers to READ BINARY of one file.
type forger struct {
	inner card.Transport
	app   byte // last byte of the AID
	file  byte
	forge func(at int, answer []byte)

	inApp   bool
	current byte
	reached bool
}

func (f *forger) Transmit(ctx context.Context, raw []byte) ([]byte, error) {
	answer, err := f.inner.Transmit(ctx, raw)
	cmd, parseErr := apdu.ParseCommand(raw)
	if err != nil || parseErr != nil {
		return answer, err
	}
	switch cmd.INS {
	case 0xA4:
		if cmd.P1 == 0x04 {
			aid := cmd.Data
			f.inApp = bytes.HasPrefix(aid, []byte{0xD3, 0x92, 0x10, 0x00, 0x31}) && aid[len(aid)-1] == f.app
		} else {
			f.current = cmd.Data[1]
		}
	case 0xB0:
		at := int(cmd.P1)<<8 | int(cmd.P2)
		if cmd.P1&0x80 != 0 {
			f.current, at = cmd.P1&0x1F, int(cmd.P2)
		}
		if f.inApp && f.current == f.file {
			f.reached = true
			f.forge(at, answer[:len(answer)-2])
		}
	}
	return answer, nil
}

// Whatever bit of a file with signed data is changed, the client notices. Bits that no signature covers are named.
func TestTamperedData(t *testing.T) {
	sim := newSim(t, cardsim.Plastic)
	roots := rootsOf(t, sim)
	for _, r := range readings(t, sim) {
		for _, file := range r.files {
			t.Run(fmt.Sprintf("%s, file %02d", r.name, file), func(t *testing.T) {
				size := sizeOf(t, sim, r, file)
				covered := size
				if r.app == 0x02 && file == 2 {
					covered = unsignedFrom(t, sim, r)
				}
				// Every byte at the beginning, where the structure is, and then some: about 60 in all.
				for at := 0; at < covered; at += 1 + at/20*min(at/20, 7) {
					f := &forger{inner: sim.Transport(), app: r.app, file: file}
					f.forge = func(start int, answer []byte) {
						if i := at - start; i >= 0 && i < len(answer) {
							answer[i] ^= 0x01
						}
					}
					c, err := card.Open(t.Context(), f, card.Config{Roots: roots})
					if err != nil {
						t.Fatal(err)
					}
					err = r.read(t.Context(), c)
					switch reasonOf(err) {
					case card.ReasonTampered, card.ReasonMalformed, card.ReasonUnknownIssuer, card.ReasonNotGenuine:
					default:
						t.Fatalf("bit of byte %d of %d changed: %v", at, covered, err)
					}
					if !f.reached {
						t.Fatal("the file was not read")
					}
					if kakunin.FamilyOf(err) != kakunin.Untrusted {
						t.Fatalf("family %v", kakunin.FamilyOf(err))
					}
					_ = c.Close(t.Context())
				}
			})
		}
	}
}

// sizeOf returns how much of a file the client reads.
func sizeOf(t *testing.T, sim *cardsim.Card, r reading, file byte) int {
	t.Helper()
	content := contentOf(t, sim, r, file)
	if r.app == 0x08 && file == 1 {
		return 17 // two filler bytes behind the object are hashed as well
	}
	return objectSize(t, content)
}

// contentOf returns what the card answers when the client reads a file.
func contentOf(t *testing.T, sim *cardsim.Card, r reading, file byte) []byte {
	t.Helper()
	var content []byte
	f := &forger{inner: sim.Transport(), app: r.app, file: file}
	f.forge = func(at int, answer []byte) {
		content = append(content[:at:at], answer...)
	}
	c := openOver(t, f, card.Config{Roots: rootsOf(t, sim)})
	if err := r.read(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return content
}

func objectSize(t *testing.T, b []byte) int {
	t.Helper()
	i := 1
	if b[0]&0x1F == 0x1F {
		i = 2
	}
	switch b[i] {
	case 0x82:
		return i + 3 + int(b[i+1])<<8 + int(b[i+2])
	default:
		return i + 1 + int(b[i])
	}
}

// unsignedFrom returns where the expiry begins: the signature covers neither it nor the image of the security code.
func unsignedFrom(t *testing.T, sim *cardsim.Card, r reading) int {
	t.Helper()
	content := contentOf(t, sim, r, 2)
	at := bytes.Index(content, []byte{0xDF, 0x29, 0x08})
	if at < 0 {
		t.Fatal("no expiry")
	}
	// What is not covered is not noticed: that is what the documentation says.
	f := &forger{inner: sim.Transport(), app: r.app, file: 2}
	f.forge = func(start int, answer []byte) {
		if i := at + 3 - start; i >= 0 && i < len(answer) {
			copy(answer[i:], "20991231")
		}
	}
	c := openOver(t, f, card.Config{Roots: rootsOf(t, sim)})
	if err := r.read(t.Context(), c); err != nil {
		t.Errorf("the expiry is signed after all: %v", err)
	}
	return at
}

// Another valid individual number, with its check digit, is still not the one that was signed.
func TestExchangedIndividualNumber(t *testing.T) {
	sim := newSim(t, cardsim.Plastic)
	const other = "11111111111"
	digit, ok := mynumber.CheckDigit(other)
	if !ok {
		t.Fatal("no check digit")
	}
	f := &forger{inner: sim.Transport(), app: 0x08, file: 1}
	f.forge = func(_ int, answer []byte) { copy(answer[3:], other+string(digit)) }
	c := openOver(t, f, card.Config{Roots: rootsOf(t, sim)})
	_, err := c.IndividualNumber(t.Context(), sim.Person().Reveal().TextPIN, mynumber.PurposeReporting)
	wantReason(t, err, card.ReasonTampered)
}

// copied is a chip with the data of one card and the keys of another: every command goes to both, and the signatures
// come from the second.
type copied struct{ data, keys card.Transport }

func (c copied) Transmit(ctx context.Context, raw []byte) ([]byte, error) {
	signature, err := c.keys.Transmit(ctx, raw)
	if err != nil {
		return nil, err
	}
	answer, err := c.data.Transmit(ctx, raw)
	if raw[1] == 0x2A {
		return signature, err
	}
	return answer, err
}

// A copy of a card has its data and not its key.
func TestCopiedCard(t *testing.T) {
	genuine := newSim(t, cardsim.Plastic)
	other := newSimOf(t, person.Taro, cardsim.Plastic)
	for _, r := range readings(t, genuine) {
		c := openOver(t, copied{genuine.Transport(), other.Transport()}, card.Config{Roots: rootsOf(t, genuine)})
		wantReason(t, r.read(t.Context(), c), card.ReasonNotGenuine)
	}
}

// Without the issuer's root nothing is accepted, and a root of the same name with another key is none.
func TestUnknownRoots(t *testing.T) {
	sim := newSim(t, cardsim.Plastic)
	foreign := testca.TestKey("other")
	other, err := card.ParseKeyID("6999999-001")
	if err != nil {
		t.Fatal(err)
	}
	unrelated, err := card.InsecureTestRoots(card.Root{ID: other, Key: &foreign.PublicKey})
	if err != nil {
		t.Fatal(err)
	}
	var renamed []card.Root
	for id := range sim.IssuerRoots() {
		renamed = append(renamed, card.Root{ID: id, Key: &foreign.PublicKey})
	}
	forged, err := card.InsecureTestRoots(renamed...)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range readings(t, sim) {
		wantReason(t, r.read(t.Context(), openOver(t, sim.Transport(), card.Config{Roots: unrelated})),
			card.ReasonUnknownIssuer)
		wantReason(t, r.read(t.Context(), openOver(t, sim.Transport(), card.Config{Roots: &card.Roots{}})),
			card.ReasonUnknownIssuer)
		wantReason(t, r.read(t.Context(), openOver(t, sim.Transport(), card.Config{Roots: forged})),
			card.ReasonTampered)
	}
}

func TestRootsRefuse(t *testing.T) {
	good := testca.TestKey("other")
	production, err := card.ParseKeyID("5000033-001")
	if err != nil || production.String() != "5000033-001" {
		t.Fatal(production, err)
	}
	test, err := card.ParseKeyID("6000033-001")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := card.NewRoots(card.Root{ID: production, Key: &good.PublicKey}); err != nil {
		t.Error(err)
	}
	small := &rsa.PublicKey{N: good.N, E: 3}
	for name, make := range map[string]func() (*card.Roots, error){
		"none":          func() (*card.Roots, error) { return card.NewRoots() },
		"no test roots": func() (*card.Roots, error) { return card.InsecureTestRoots() },
		"test in production": func() (*card.Roots, error) {
			return card.NewRoots(
				card.Root{ID: test, Key: &good.PublicKey})
		},
		"production among test": func() (*card.Roots, error) {
			return card.InsecureTestRoots(card.Root{ID: production, Key: &good.PublicKey})
		},
		"no key":  func() (*card.Roots, error) { return card.NewRoots(card.Root{ID: production}) },
		"no name": func() (*card.Roots, error) { return card.NewRoots(card.Root{Key: &good.PublicKey}) },
		"small exponent": func() (*card.Roots, error) {
			return card.NewRoots(card.Root{ID: production, Key: small})
		},
		"none pinned":          func() (*card.Roots, error) { return card.PinnedRoots() },
		"pinned without a key": func() (*card.Roots, error) { return card.PinnedRoots(card.Root{ID: production}) },
		"pinned name, other key": func() (*card.Roots, error) {
			return card.PinnedRoots(card.Root{ID: production, Key: &good.PublicKey})
		},
	} {
		_, err := make()
		if reasonOf(err) != card.ReasonInvalidRoot || kakunin.FamilyOf(err) != kakunin.Configuration {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, s := range []string{"", "5000033001", "50000330001", "500003a-001", "5000033-01", "5000033-0012"} {
		if _, err := card.ParseKeyID(s); reasonOf(err) != card.ReasonInvalidRoot {
			t.Errorf("%q: %v", s, err)
		}
	}
	if got := (card.KeyID{}).String(); got != "invalid" {
		t.Errorf("zero value %s", got)
	}
}

func TestParseRoots(t *testing.T) {
	good := testca.TestKey("other")
	modulus := upperHex(good.N.Bytes())
	keys, err := card.ParseRoots([]byte("\uFEFF# keys\r\n\r\n5000033-001 " + strings.ToLower(modulus) +
		"\r\n5000099-002\t" + modulus))
	if err != nil || len(keys) != 2 || keys[0].ID.String() != "5000033-001" || !keys[1].Key.Equal(&good.PublicKey) {
		t.Errorf("%v, %v", keys, err)
	}
	if keys, err := card.ParseRoots(nil); err != nil || len(keys) != 0 {
		t.Errorf("%v, %v", keys, err)
	}
	for name, text := range map[string]string{
		"no modulus": "\n5000033-001", "no name": "\n" + modulus, "no hexadecimal": "\n5000033-001 XY",
		"a short key":     "\n5000033-001 C0FFEF",
		"an even modulus": "\n5000033-001 " + modulus[:len(modulus)-2] + "00",
	} {
		_, err := card.ParseRoots([]byte(text))
		var e *card.Error
		if !errors.As(err, &e) || e.Reason != card.ReasonInvalidRoot || e.Detail != "line 2" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
