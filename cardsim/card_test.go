package cardsim

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/jpki/card"
)

func TestNewCardRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		reason Reason
	}{
		"no JPKI":        {func(c *Config) { c.JPKI = nil }, ReasonInvalidConfig},
		"no person":      {func(c *Config) { c.Person = person.Person{} }, ReasonInvalidConfig},
		"ATR too short":  {func(c *Config) { c.ATR = []byte{0x3B} }, ReasonInvalidConfig},
		"ATR too long":   {func(c *Config) { c.ATR = bytes.Repeat([]byte{0x3B}, 34) }, ReasonInvalidConfig},
		"ATR without TS": {func(c *Config) { c.ATR = []byte{0x00, 0x00} }, ReasonInvalidConfig},
		"blocked status": {func(c *Config) { c.BlockedStatus = 0x9000 }, ReasonInvalidConfig},
		"unissuable dates": {func(c *Config) {
			c.Now = func() time.Time {
				return time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
			}
		}, ReasonIssuanceFailed},
	} {
		config := testConfig()
		c.change(&config)
		got, err := NewCard(config)
		if got != nil || reason(err) != c.reason || kakunin.FamilyOf(err) != kakunin.Configuration {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "unknown reason") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEachReadyPersonGetsACard(t *testing.T) {
	for _, name := range person.Personas() {
		c := customCard(t, func(c *Config) { c.Person = withHanakosKeys(ready(name)) })
		signing, authentication := c.Certificates()
		want := Plastic
		if name == person.Pupil || name == person.Rei { // under 15
			want, signing = Child, nil
		}
		if c.Kind() != want {
			t.Errorf("%s has a %s card", name, c.Kind())
		}
		for _, der := range [][]byte{signing, authentication} {
			if der != nil && (!bytes.HasPrefix(der, []byte{0x30, 0x82}) || len(der) != derSize(der)) {
				t.Errorf("%s: certificate starts %x", name, der[:4])
			}
		}
		if signing != nil && certificateKey(t, signing).Equal(certificateKey(t, authentication)) {
			t.Errorf("%s: the two keys must differ", name)
		}
		if end, ok := c.Person().Reveal().CardEnd(); !ok || !end.After(testTime) {
			t.Errorf("%s: card expires %v", name, end)
		}
	}
}

// A certificate ends on the fifth birthday, or with the card if that is earlier.
func TestCertificatesEndWithTheCard(t *testing.T) {
	for _, tc := range []struct{ birthdate, expiry, card, last string }{
		{"19880723", "", "20360723", "2031-07-23"},
		{"19880723", "20280331", "20280331", "2028-03-31"},
		{"20000229", "", "20360229", "2031-02-28"},
		{"20120229", "", "20310228", "2031-02-28"}, // 14 years old
		{"20120200", "", "20310201", "2031-02-01"},
	} {
		c := customCard(t, func(c *Config) {
			c.Kind = Plastic
			c.Person = like(c.Person, func(d *person.Details) {
				d.Subject.Birthdate, d.CardExpiry = tc.birthdate, tc.expiry
			})
		})
		signing, authentication := c.Certificates()
		for _, der := range [][]byte{signing, authentication} {
			cert, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			if got := cert.NotAfter.Format(time.RFC3339); got != tc.last+"T14:59:59Z" ||
				c.Person().Reveal().CardExpiry != tc.card {
				t.Errorf("born %s: card until %s, certificate until %s, want %v", tc.birthdate,
					c.Person().Reveal().CardExpiry, got, tc)
			}
		}
		// The same card can be made again from what the first one tells.
		customCard(t, func(config *Config) { config.Person, config.Kind = c.Person(), Plastic })
	}
	config := testConfig()
	until := func(day string) person.Person {
		return like(hanako(), func(d *person.Details) { d.CardExpiry = day })
	}
	config.Person = until("20261120") // the day before
	if _, err := NewCard(config); reason(err) != ReasonInvalidPerson {
		t.Errorf("a card that has expired was issued: %v", err)
	}
	customCard(t, func(c *Config) { c.Person = until("20261121") })
}

// The same seed and person give the same keys, another seed others.
func TestKeysComeFromTheSeed(t *testing.T) {
	_, first := newCard(t).Certificates()
	_, second := customCard(t, func(*Config) {}).Certificates()
	if !certificateKey(t, first).Equal(certificateKey(t, second)) {
		t.Error("a second card of the same person has other keys")
	}
	j, err := otherJPKI()
	if err != nil {
		t.Fatal(err)
	}
	_, third := customCard(t, func(c *Config) { c.JPKI = j }).Certificates()
	if certificateKey(t, first).Equal(certificateKey(t, third)) {
		t.Error("another seed gives the same keys")
	}
}

func TestATR(t *testing.T) {
	c := newCard(t)
	if got := fmt.Sprintf("%X", c.ATR()); got != "3BF59100FF918171FE400042000100D1D6" {
		t.Error(got)
	}
	c.ATR()[0] = 0
	if c.ATR()[0] != 0x3B {
		t.Error("the caller can change the card's ATR")
	}
	want := unhex(t, "3BE000FF8131FE4514")
	if got := customCard(t, func(c *Config) { c.ATR = want }).ATR(); !bytes.Equal(got, want) {
		t.Errorf("%X", got)
	}
}

// What a caller does with a response or a certificate must not reach the card.
func TestResponsesBelongToTheCaller(t *testing.T) {
	c := newCard(t)
	run(t, c, "{JPKI}=9000")
	first := transmit(t, c, "00B0860000")
	clear(first)
	signing, authentication := c.Certificates()
	clear(signing)
	clear(authentication)
	run(t, c, "00B0860004=4A504B49 9000 \n 00B08A0002=3082 9000 \n {SIGN}=9000 \n 00B0810002=3082 9000")
}

func TestTraceMasksPINs(t *testing.T) {
	var trace bytes.Buffer
	c := customCard(t, func(c *Config) { c.Trace = &trace })
	run(t, c, `{JPKI}=9000
		00200098=63C3
		00200098 04 39393939=63C2
		00200098 04 31323334=9000
		00240198 04 39393939=9000
		08200098 04 31323334=69FC
		00200098 000004 39393939=9000
		00200098 07 39393939=6700`)
	got := trace.String()
	if strings.Contains(got, "31323334") || strings.Contains(got, "39393939") {
		t.Errorf("a PIN is in the trace:\n%s", got)
	}
	want := `> 00A4040C0AD392F000260100000001
< 9000
> 00200098
< 63C3
> 00200098**
< 63C2
`
	if !strings.HasPrefix(got, want) {
		t.Errorf("trace:\n%s", got)
	}
}

func TestTransactionsExclude(t *testing.T) {
	c := newCard(t)
	ctx := t.Context()
	one, other := c.Transport(), c.Transport()
	end, err := one.(card.Transactor).Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	nested, err := one.(card.Transactor).Begin(ctx)
	if err != nil {
		t.Fatal("transactions of one connection nest")
	}
	if _, err := one.Transmit(ctx, unhex(t, "00A40000")); err != nil {
		t.Errorf("inside the transaction: %v", err)
	}
	expired, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	if _, err := other.Transmit(expired, unhex(t, "00A40000")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("command of another connection: %v", err)
	}
	if _, err := other.(card.Transactor).Begin(expired); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("transaction of another connection: %v", err)
	}
	if err := other.(card.PowerCycler).PowerOff(expired); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("power off by another connection: %v", err)
	}
	for _, f := range []func() error{nested, nested, end, end} {
		if err := f(); err != nil {
			t.Error(err)
		}
	}
	if _, err := other.Transmit(ctx, unhex(t, "00A40000")); err != nil {
		t.Errorf("after the transaction: %v", err)
	}
	again, err := other.(card.Transactor).Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_ = again()
}

// One connection used by several goroutines (run with -race, which widens the window): the card is held as long as any
// of its transactions is open, and given back with the last.
func TestTransactionsOfOneConnection(t *testing.T) {
	c := newCard(t)
	one, other := c.Transport(), c.Transport()
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			for range 20000 {
				end, err := one.(card.Transactor).Begin(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if len(c.hold) == 0 {
					t.Error("a transaction is open and the card is free")
				}
				_ = end()
			}
		})
	}
	group.Wait()
	end, err := other.(card.Transactor).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = end()
}

func TestPowerOffThroughTheTransport(t *testing.T) {
	c := newCard(t)
	run(t, c, "{JPKI}=9000 \n {AUTH}=9000")
	if err := c.Transport().(card.PowerCycler).PowerOff(t.Context()); err != nil {
		t.Fatal(err)
	}
	run(t, c, "00A40000=6A86 \n {JPKI}=9000 \n 802A0097 01 AA 00=6982")
}

// Two programs with transactions never see each other's selections; run with -race.
func TestConcurrentUse(t *testing.T) {
	c := newCard(t)
	sequences := [][2]string{
		{"00A4040C0AD392F000260100000001", "00B0860004"}, // JPKI, token information
		{"00A4040C0AD3921000310001010408", "00B0850004"}, // text, information
	}
	want := []string{"4A504B499000", "FF4082009000"}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			connection := c.Transport()
			for range 50 {
				end, err := connection.(card.Transactor).Begin(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				var last []byte
				for _, command := range sequences[i%2] {
					if last, err = connection.Transmit(t.Context(), unhex(t, command)); err != nil {
						t.Error(err)
					}
				}
				if got := fmt.Sprintf("%X", last); got != want[i%2] {
					t.Errorf("sequence %d read %s", i%2, got)
				}
				_ = end()
				_ = c.ATR()
			}
		})
	}
	group.Wait()
}

type fakeTB struct{ failed string }

func (f *fakeTB) Helper()                           {}
func (f *fakeTB) Cleanup(func())                    {}
func (f *fakeTB) Fatalf(format string, args ...any) { f.failed = fmt.Sprintf(format, args...) }

func TestNew(t *testing.T) {
	c := New(t, person.Hanako)
	run(t, c, "{JPKI}=9000 \n {AUTH}=9000")
	if c.JPKI() == nil {
		t.Error("no JPKI")
	}
	var tb fakeTB
	if New(&tb, "nobody") != nil || tb.failed == "" {
		t.Error("an unknown person must fail the test")
	}
}
