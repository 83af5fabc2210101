package cardsim

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
)

// testTime is the clock of the cards in these tests.
var testTime = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

func testNow() time.Time { return testTime }

// sharedJPKI and sharedCard spare each test the making of keys, which takes far longer than the test itself.
var (
	sharedJPKI = sync.OnceValues(func() (*issuer.JPKI, error) { return issuer.New(issuer.Config{Now: testNow}) })
	// otherJPKI has another seed.
	otherJPKI = sync.OnceValues(func() (*issuer.JPKI, error) {
		return issuer.New(issuer.Config{Now: testNow, Seed: "another"})
	})
	sharedCard = sync.OnceValues(func() (*Card, error) { return NewCard(testConfig()) })
	// factoryState is the state of sharedCard before anyone used it.
	factoryState = sync.OnceValues(func() (state, error) {
		c, err := NewCard(testConfig())
		if err != nil {
			return nil, err
		}
		return c.state.snapshot(), nil
	})
)

// SharedJPKI is sharedJPKI for the tests outside of the package.
func SharedJPKI() (*issuer.JPKI, error) { return sharedJPKI() }

// ready is a person of the library on the day of these tests.
func ready(name person.Persona) person.Person {
	p, err := person.Lookup(name, testTime)
	if err != nil {
		panic(err)
	}
	return p
}

func hanako() person.Person { return ready(person.Hanako) }

// like is a person with other details.
func like(p person.Person, change func(*person.Details)) person.Person {
	d := p.Reveal()
	change(&d)
	out, err := person.New(d)
	if err != nil {
		panic(err)
	}
	return out
}

// withHanakosKeys is a person whose cards have Hanako's keys: making keys takes long.
func withHanakosKeys(p person.Person) person.Person {
	return like(p, func(d *person.Details) { d.ID = string(person.Hanako) })
}

func reason(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ReasonUnknown
}

func testConfig() Config {
	j, err := sharedJPKI()
	if err != nil {
		return Config{} // NewCard reports that the JPKI is missing
	}
	return Config{Person: hanako(), JPKI: j, Now: testNow}
}

// newCard is Hanako's card as it left the factory. The same card serves one test after the other.
func newCard(tb testing.TB) *Card {
	tb.Helper()
	c, err := sharedCard()
	if err != nil {
		tb.Fatal(err)
	}
	fresh, err := factoryState()
	if err != nil || !c.state.restore(fresh) {
		tb.Fatal("the card has lost a reference")
	}
	c.PowerOn()
	return c
}

// customCard is a new card with another configuration.
func customCard(tb testing.TB, change func(*Config)) *Card {
	tb.Helper()
	config := testConfig()
	change(&config)
	c, err := NewCard(config)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// Abbreviations in scripts.
var names = strings.NewReplacer(
	"{JPKI}", "00A4040C0AD392F000260100000001",
	"{TEXT}", "00A4040C0AD3921000310001010408",
	"{SURFACE}", "00A4040C0AD3921000310001010402",
	"{COMMON}", "00A4040C0AD3921000310001010100",
	"{RESIDENT}", "00A4040C0AD3921000310001010401",
	"{ISD}", "00A4040C07A0000001510000",
	"{AUTH}", "00200098 04 31323334",
	"{SIGN}", "0020009B 06 414243313233",
	"{PIN}", "00200091 04 31323334",
	"{A}", "00200094 0C 373031323334303030303130",
	"{B}", "00200095 0E 3633303732333230333632323835",
	" ", "",
)

// run sends the commands of a script and compares the answers. Each line is "command = answer". An answer is the whole
// response in hexadecimal; "…9000" with any data in front; "#17 9000" with 17 bytes in front; "FF10…9000" with data
// that starts so. Lines "on", "off" and "reset" are power events.
func run(t testing.TB, c *Card, script string) {
	t.Helper()
	for line := range strings.Lines(script) {
		line, _, _ = strings.Cut(line, "//")
		switch line = strings.TrimSpace(line); line {
		case "":
			continue
		case "on":
			c.PowerOn()
			continue
		case "off":
			c.PowerOff()
			continue
		case "reset":
			c.Reset()
			continue
		}
		command, want, ok := strings.Cut(line, "=")
		if !ok {
			t.Fatalf("script: %q", line)
		}
		got := transmit(t, c, names.Replace(command))
		if err := match(got, strings.TrimSpace(want)); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
}

func transmit(t testing.TB, c *Card, command string) []byte {
	t.Helper()
	return c.Transmit(unhex(t, names.Replace(command)))
}

func match(got []byte, want string) error {
	text := strings.ToUpper(hex.EncodeToString(got))
	if size, status, ok := strings.Cut(want, " "); ok && strings.HasPrefix(want, "#") {
		n, err := strconv.Atoi(size[1:])
		if err != nil {
			return err
		}
		if len(got) != n+2 || text[2*n:] != status {
			return fmt.Errorf("got %d bytes and %s", len(got)-2, text[max(0, len(text)-4):])
		}
		return nil
	}
	want = strings.ReplaceAll(want, " ", "")
	if head, tail, ok := strings.Cut(want, "…"); ok {
		if !strings.HasPrefix(text, head) || !strings.HasSuffix(text, tail) || len(text) < len(head)+len(tail) {
			return fmt.Errorf("got %s", text)
		}
		return nil
	}
	if text != want {
		return fmt.Errorf("got %s", text)
	}
	return nil
}

// data returns the response data of a command that must succeed.
func data(t *testing.T, c *Card, command string) []byte {
	t.Helper()
	got := transmit(t, c, command)
	if !bytes.HasSuffix(got, []byte{0x90, 0x00}) {
		t.Fatalf("%s: %X", command, got)
	}
	return got[:len(got)-2]
}
