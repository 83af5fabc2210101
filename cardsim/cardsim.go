package cardsim

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/cardsim/transcript"
	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// Config configures a card. Only Person and JPKI are required.
type Config struct {
	// Person is whom the card is for.
	Person person.Person
	// JPKI issues the two certificates, and its seed gives the card its keys: same seed and person, same keys.
	JPKI *issuer.JPKI
	// Kind is what sort of card it is. Default Plastic, and Child for a holder under 15 years of age.
	Kind Kind
	// Issue is which of the person's cards it is: 0 is the first; a reissued one has another number, and with it keys
	// of its own.
	Issue int
	// ATR is the answer to reset, 2 to 33 bytes; [ATRs] has the published ones. Default
	// 3BF59100FF918171FE400042000100D1D6. With 3BE000FF8131FE4514 OpenSC takes the card by its ATR, with any other it
	// looks for the JPKI application.
	ATR []byte
	// ResetClears lets a warm reset take selection and verified references away, as a reader does that takes the power
	// away for it. The real card keeps them, which is the default.
	ResetClears bool
	// ShortLengths writes the length of the file with the four attributes as 81 LL where it has 128 to 255 bytes, as
	// that of [person.Midori] has. The default is 82 00 LL, as in all published files. Which of both real cards have is
	// not known: programs in the field read both.
	ShortLengths bool
	// BlockedStatus answers VERIFY with data on a blocked reference: 0x6984 (default) or 0x6983.
	BlockedStatus uint16
	// SlowStart answers the first command after power-up with 6F00 whatever it is, as one published card does.
	SlowStart bool
	// Now is read once, when the card is made: certificates and card are issued at that time, for the expired kinds
	// some years before. Default time.Now.
	Now func() time.Time
	// SaveTo is a file that holds the image of the card (see [Card.Save]) from the beginning and is brought up to date
	// before a command that changes a retry counter or a PIN is answered: a program that dies in the middle of a VERIFY
	// leaves no more tries than before. While it cannot be written, such commands are answered 6581. NewCard refuses a
	// file that exists, because a new card would have all tries again: [Load] goes on with it. A file is for one card
	// in one program at a time. Default none.
	SaveTo string
	// Trace receives every exchange as lines "> command" and "< response" in hexadecimal, a transcript that package
	// cardsim/transcript can play. The values of PINs and the keys of secure messaging are masked, what is read from
	// the card is not. Each exchange is one Write, with the card locked. Default none.
	Trace io.Writer
}

// Card is one card; safe for concurrent use: commands are executed one after the other. Programs that need several
// commands without another one in between take a transaction on a [Card.Transport].
type Card struct {
	holder        person.Person // with CardExpiry
	kind          Kind
	issue         int
	issued        time.Time
	version       imageVersion
	jpki          *issuer.JPKI // of the generation that issued the certificates
	atr           []byte
	resetClears   bool
	shortLengths  bool
	slowStart     bool
	blockedStatus apdu.Status
	trace         io.Writer
	signing, auth []byte // DER certificates; a child has no signing certificate

	// applications starts with the issuer security domain.
	applications []*application
	// state has the references of the applications.
	state state
	// persist keeps a snapshot of the state; nil keeps none. It is called with the lock held, before a command that
	// changes the state goes on: for VERIFY with the try already spent and before the values are compared.
	persist func(state) error

	// hold has room for one element, which whoever owns the card exclusively puts in.
	hold chan struct{}

	mu      sync.Mutex
	session session
	asleep  bool // until the first command after power-up, with slowStart
}

// NewCard personalises a card: it derives the keys, has the certificates issued and fills the files. The card has power
// and its issuer security domain is selected. The error is an *[Error].
func NewCard(c Config) (*Card, error) {
	if c.JPKI == nil {
		return nil, &Error{Reason: ReasonInvalidConfig, Detail: "JPKI"}
	}
	holder := c.Person.Reveal()
	if holder.ID == "" {
		return nil, &Error{Reason: ReasonInvalidConfig, Detail: "Person"}
	}
	now := time.Now
	if c.Now != nil {
		now = c.Now
	}
	at := now()
	kind, err := kindFor(c.Kind, holder, at)
	if err != nil {
		return nil, err
	}
	issued, err := kind.issuedFor(holder, at)
	if err != nil {
		return nil, err
	}
	out, err := c.card(kind, issued, imagePresent)
	if err != nil {
		return nil, err
	}
	if c.SaveTo != "" {
		if err := out.keepIn(c.SaveTo, false); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// card makes the card that the configuration describes as it was on the day of its issue.
func (c Config) card(kind Kind, issued time.Time, version imageVersion) (*Card, error) {
	if c.Issue < 0 {
		return nil, &Error{Reason: ReasonInvalidConfig, Detail: "Issue"}
	}
	atr, err := checkATR(c.ATR)
	if err != nil {
		return nil, err
	}
	blocked, err := checkBlockedStatus(c.BlockedStatus)
	if err != nil {
		return nil, err
	}
	authorities, err := kind.authorities(c.JPKI, issued)
	if err != nil {
		return nil, err
	}
	out := &Card{
		holder:        c.Person,
		kind:          kind,
		issue:         c.Issue,
		issued:        issued,
		version:       version,
		jpki:          authorities,
		atr:           atr,
		resetClears:   c.ResetClears,
		shortLengths:  c.ShortLengths,
		slowStart:     c.SlowStart,
		blockedStatus: blocked,
		trace:         c.Trace,
		hold:          make(chan struct{}, 1),
	}
	if err := out.personalise(); err != nil {
		return nil, err
	}
	out.powerUp()
	return out, nil
}

func checkBlockedStatus(s uint16) (apdu.Status, error) {
	switch apdu.Status(s) {
	case 0:
		return apdu.ReferenceDataLocked, nil
	case apdu.ReferenceDataLocked, apdu.AuthMethodBlocked:
		return apdu.Status(s), nil
	default:
		return 0, &Error{Reason: ReasonInvalidConfig, Detail: "BlockedStatus"}
	}
}

// Transmit executes one command APDU and always returns a response APDU; whatever the bytes are, it neither panics nor
// blocks. The response belongs to the caller, the command is not kept.
func (c *Card) Transmit(command []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	response := c.process(command).Bytes()
	if c.trace != nil {
		transcript.Write(c.trace, transcript.Exchange{Command: command, Response: response})
	}
	return response
}

// powerUp puts the card into the state after power-up: the issuer security domain, no file, nothing verified.
func (c *Card) powerUp() { c.session, c.asleep = session{app: c.applications[0]}, c.slowStart }

// PowerOn gives power, or takes it away and gives it back: selection and verified references are gone, counters stay.
func (c *Card) PowerOn() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.powerUp()
}

// PowerOff removes power: selection and verified references are gone, counters stay. The next command finds the card as
// after PowerOn, because a reader gives power before it sends one.
func (c *Card) PowerOff() { c.PowerOn() }

// Reset is a warm reset. It changes nothing, unless the card was configured with ResetClears.
func (c *Card) Reset() {
	if c.resetClears {
		c.PowerOn()
	}
}

// ATR returns the answer to reset.
func (c *Card) ATR() []byte { return append([]byte(nil), c.atr...) }

// Person returns the person for whom the card was made, with the PINs that it had then and the day on which it expires.
func (c *Card) Person() person.Person { return c.holder }

// Issue returns which of the person's cards it is, see [Config].
func (c *Card) Issue() int { return c.issue }

// Kind returns what sort of card it is, never [DefaultKind].
func (c *Card) Kind() Kind { return c.kind }

// JPKI returns the test JPKI that issued the certificates: its Trust verifies them. For [OlderCA], [NewerCA] and cards
// that were issued before the last change of keys it is another generation of the one that the card was configured
// with.
func (c *Card) JPKI() *issuer.JPKI { return c.jpki }

// Certificates returns the DER certificates on the card; signing is nil for a [Child].
func (c *Card) Certificates() (signing, authentication []byte) {
	return bytes.Clone(c.signing), bytes.Clone(c.auth)
}

// Client opens the card with jpki/card over a transport of its own.
func (c *Card) Client(ctx context.Context) (*card.Card, error) {
	return card.Open(ctx, c.Transport(), card.Config{})
}

// TB is the part of testing.TB that New needs.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// New makes a card for a ready person, issued now by a test JPKI of its own; [Card.JPKI] returns that. All test JPKIs
// with the default seed have the same keys, so certificates of one verify under the trust of another.
func New(tb TB, p person.Persona) *Card {
	tb.Helper()
	now := time.Now
	holder, err := person.Lookup(p, now())
	if err != nil {
		tb.Fatalf("cardsim: %v", err)
		return nil
	}
	j, err := issuer.New(issuer.Config{Now: now})
	if err != nil {
		tb.Fatalf("cardsim: test JPKI: %v", err)
		return nil
	}
	c, err := NewCard(Config{Person: holder, JPKI: j, Now: now})
	if err != nil {
		tb.Fatalf("cardsim: %v", err)
		return nil
	}
	return c
}
