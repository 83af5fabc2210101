package cardsim

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// Config configures a card. Only Person and JPKI are required.
type Config struct {
	// Person is whom the card is for.
	Person Person
	// JPKI issues the two certificates, and its seed gives the card its keys: same seed and person, same keys.
	JPKI *issuer.JPKI
	// ATR is the answer to reset, 2 to 33 bytes. Default 3BF59100FF918171FE400042000100D1D6. With 3BE000FF8131FE4514
	// OpenSC takes the card by its ATR, with any other it looks for the JPKI application.
	ATR []byte
	// StickyReset keeps selection and verified references over a warm reset, as the real contactless card does. The
	// default is to clear them.
	StickyReset bool
	// BlockedStatus answers VERIFY with data on a blocked reference: 0x6984 (default) or 0x6983.
	BlockedStatus uint16
	// Now is read once, when the card is made: certificates and card are issued at that time. Default time.Now.
	Now func() time.Time
	// Trace receives every exchange as lines "> command" and "< response" in hexadecimal; the values of PINs are
	// masked, what is read from the card is not. It is written to with the card locked. Default none.
	Trace io.Writer
}

// Card is one card; safe for concurrent use: commands are executed one after the other. Programs that need several
// commands without another one in between take a transaction on a [Card.Transport].
type Card struct {
	person        Person
	jpki          *issuer.JPKI
	atr           []byte
	sticky        bool
	blockedStatus apdu.Status
	trace         io.Writer
	signing, auth []byte // DER certificates

	// applications starts with the issuer security domain.
	applications []*application

	// hold has room for one element, which whoever owns the card exclusively puts in.
	hold chan struct{}

	mu      sync.Mutex
	session session
}

// NewCard personalises a card: it derives the keys, has the certificates issued and fills the files. The card has power
// and its issuer security domain is selected. The error is an *[Error].
func NewCard(c Config) (*Card, error) {
	if c.JPKI == nil {
		return nil, &Error{Reason: InvalidConfig, Field: "JPKI"}
	}
	if err := c.Person.validate(); err != nil {
		return nil, err
	}
	atr, err := checkATR(c.ATR)
	if err != nil {
		return nil, err
	}
	blocked, err := checkBlockedStatus(c.BlockedStatus)
	if err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	out := &Card{
		person:        c.Person,
		jpki:          c.JPKI,
		atr:           atr,
		sticky:        c.StickyReset,
		blockedStatus: blocked,
		trace:         c.Trace,
		hold:          make(chan struct{}, 1),
	}
	if err := out.personalise(c.Now()); err != nil {
		return nil, err
	}
	out.powerUp()
	return out, nil
}

// defaultATR is one seen on real cards in a contact reader; OpenSC does not know it and detects the card by its AID.
func defaultATR() []byte {
	return []byte{
		0x3B, 0xF5, 0x91, 0x00, 0xFF, 0x91, 0x81, 0x71, 0xFE, 0x40, 0x00, 0x42, 0x00, 0x01, 0x00, 0xD1, 0xD6,
	}
}

func checkATR(atr []byte) ([]byte, error) {
	if len(atr) == 0 {
		return defaultATR(), nil
	}
	// ISO/IEC 7816-3, 8.1 and 8.2.1: TS is 3B or 3F, at most 32 characters follow it.
	if len(atr) < 2 || len(atr) > 33 || (atr[0] != 0x3B && atr[0] != 0x3F) {
		return nil, &Error{Reason: InvalidConfig, Field: "ATR"}
	}
	return append([]byte(nil), atr...), nil
}

func checkBlockedStatus(s uint16) (apdu.Status, error) {
	switch apdu.Status(s) {
	case 0:
		return apdu.ReferenceDataLocked, nil
	case apdu.ReferenceDataLocked, apdu.AuthMethodBlocked:
		return apdu.Status(s), nil
	default:
		return 0, &Error{Reason: InvalidConfig, Field: "BlockedStatus"}
	}
}

// Transmit executes one command APDU and always returns a response APDU; whatever the bytes are, it neither panics nor
// blocks. The response belongs to the caller, the command is not kept.
func (c *Card) Transmit(command []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	response := c.process(command).Bytes()
	if c.trace != nil {
		writeTrace(c.trace, command, response)
	}
	return response
}

// powerUp puts the card into the state after power-up: the issuer security domain, no file, nothing verified.
func (c *Card) powerUp() { c.session = session{app: c.applications[0]} }

// PowerOn gives power, or takes it away and gives it back: selection and verified references are gone, counters stay.
func (c *Card) PowerOn() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.powerUp()
}

// PowerOff removes power: selection and verified references are gone, counters stay. The next command finds the card as
// after PowerOn, because a reader gives power before it sends one.
func (c *Card) PowerOff() { c.PowerOn() }

// Reset is a warm reset. It clears selection and verified references unless the card was configured with StickyReset.
func (c *Card) Reset() {
	if !c.sticky {
		c.PowerOn()
	}
}

// ATR returns the answer to reset.
func (c *Card) ATR() []byte { return append([]byte(nil), c.atr...) }

// Person returns the person for whom the card was made, with the PINs that it had then.
func (c *Card) Person() Person { return c.person }

// JPKI returns the test JPKI that issued the certificates: its Trust verifies them.
func (c *Card) JPKI() *issuer.JPKI { return c.jpki }

// Certificates returns the DER certificates on the card.
func (c *Card) Certificates() (signing, authentication []byte) {
	return append([]byte(nil), c.signing...), append([]byte(nil), c.auth...)
}

// Client opens the card with jpki/card over a transport of its own.
func (c *Card) Client(ctx context.Context) (*card.Card, error) {
	return card.Open(ctx, c.Transport(), card.Options{})
}

// TB is the part of testing.TB that New needs.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// New makes a card for a ready person, issued now by a test JPKI of its own; [Card.JPKI] returns that. All test JPKIs
// with the default seed have the same keys, so certificates of one verify under the trust of another.
func New(tb TB, p Persona) *Card {
	tb.Helper()
	now := time.Now
	person, err := LookupAt(p, now())
	if err != nil {
		tb.Fatalf("cardsim: %v", err)
		return nil
	}
	j, err := issuer.New(issuer.Config{Now: now})
	if err != nil {
		tb.Fatalf("cardsim: test JPKI: %v", err)
		return nil
	}
	c, err := NewCard(Config{Person: person, JPKI: j, Now: now})
	if err != nil {
		tb.Fatalf("cardsim: %v", err)
		return nil
	}
	return c
}
