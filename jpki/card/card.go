package card

import (
	"bytes"
	"context"
	"time"

	"github.com/kakunin-go/kakunin/internal/apdu"
)

// closeTimeout is how long Close may take after its context has ended: power must go also when a request was cancelled.
const closeTimeout = 5 * time.Second

// TokenKind says on what the application lives, read from the token label.
type TokenKind int

// Kinds of token. A label that is not listed reads as UnknownToken.
const (
	UnknownToken TokenKind = iota
	Plastic
	AndroidPhone
	IPhone
	Juki
)

// String returns a stable lower-case name for logs.
func (k TokenKind) String() string {
	switch k {
	case Plastic:
		return "plastic"
	case AndroidPhone:
		return "android"
	case IPhone:
		return "iphone"
	case Juki:
		return "juki"
	case UnknownToken:
	}
	return "unknown"
}

// tokenKind reads the label of the token information file, padded with spaces to 32 bytes (PKCS #11, CK_TOKEN_INFO).
func tokenKind(label []byte) TokenKind {
	switch string(bytes.TrimRight(label, " ")) {
	case "JPKIAPICCTOKEN2":
		return Plastic
	case "JPKIAPGPSETOKEN":
		return AndroidPhone
	case "JPKIAPIOSTOKEN":
		return IPhone
	case "JPKIAPICCTOKEN":
		return Juki
	default:
		return UnknownToken
	}
}

// Options tune a client. The zero value is fit for use.
type Options struct {
	// AllowLastTry lets a VERIFY spend the last remaining try; the default refuses with a PINError.
	AllowLastTry bool
}

// Card is a client for one card; safe for concurrent use (commands are serialised).
type Card struct {
	s       *session
	lastTry bool
}

// Open selects the JPKI application and reads the token label. Detection is by AID, never by ATR. A card without the
// application is an *[Error] with reason [NotMyNumberCard].
func Open(ctx context.Context, t Transport, opts Options) (*Card, error) {
	s := newSession(t)
	c := &Card{s: s, lastTry: opts.AllowLastTry}
	err := s.do(ctx, "open", jpkiApp, 0, func(ctx context.Context) error {
		kind, err := s.readTokenKind(ctx)
		s.kind = kind
		return err
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// readTokenKind reads the label. A card that does not show it is of unknown kind, which is no reason to refuse it.
func (s *session) readTokenKind(ctx context.Context) (TokenKind, error) {
	const op = "read token information"
	r, err := s.selectEF(ctx, op, efTokenInfo)
	if err != nil || r.Status != apdu.OK {
		return UnknownToken, err
	}
	label, err := s.readEF(ctx, op, 0, tokenLabelSize)
	if reason := ReasonOf(err); err == nil || (reason != Refused && reason != NotVerified) {
		return tokenKind(label), err
	}
	return UnknownToken, nil
}

// Kind returns the kind of token.
func (c *Card) Kind() TokenKind { return c.s.kind }

// AllowLastTry returns a view of the same card that may spend the last try of a PIN, for use after the person was warned
// and agreed. The receiver goes on refusing.
func (c *Card) AllowLastTry() *Card { return &Card{s: c.s, lastTry: true} }

// Release makes the card forget what was verified, by selecting the application anew, and ends the transaction, so that
// other programs may use the card. The Card stays usable. Only [Card.Close] with a transport that is a [PowerCycler] is
// certain to clear the card.
func (c *Card) Release(ctx context.Context) error {
	if err := c.s.lock(ctx); err != nil {
		return err
	}
	defer c.s.unlock()
	if c.s.closed {
		return nil
	}
	return c.s.release(ctx)
}

// Close removes power where the transport can, so that no verified PIN stays behind, and otherwise does what
// [Card.Release] does. It works also when ctx has already ended, and then takes at most five seconds. Every later call of
// another method fails with reason [Closed]; a second Close does nothing. The transport stays open.
func (c *Card) Close(ctx context.Context) error {
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
	}
	if err := c.s.lock(ctx); err != nil {
		return err
	}
	defer c.s.unlock()
	if c.s.closed {
		return nil
	}
	c.s.closed = true
	return c.s.powerOff(ctx)
}
