// Package vpcd plugs a software card into pcscd through vsmartcard's virtual reader driver "vpcd".
//
//	err := vpcd.Run(ctx, vpcd.Config{Card: card})    // until ctx ends; any PC/SC program now sees the card
//
// The driver listens, the card connects: a connected card is a card in the reader. [Run] reconnects whenever the
// connection ends, for instance because pcscd was restarted.
//
// The protocol is that of vsmartcard's vpcd: every message is a two-byte big-endian length and that many bytes. From
// the driver a message of one byte is a control code (00 power off, 01 power on, 02 reset, 04 ATR request) of which
// only the ATR request is answered; any longer message is a command APDU and answered by a response APDU. The driver
// asks for the ATR several times a second to see whether the card is still there.
//
// The driver listens on all interfaces and knows no authentication: keep it in a network namespace of its own or behind
// a firewall.
//
// Package cardsim/quirks puts a reader with a habit in between: Config.Card is then quirks.Over(card, quirks.Short).
//
// # Examples
//
// There are examples of [NewSlot] and [Run].
//
// # Compatibility
//
// The package stores nothing. It speaks the protocol of vpcd as of version 3.3, and ignores control codes of later
// ones.
package vpcd

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
)

// DefaultAddress is where the driver listens for the card of its first reader ("Virtual PCD 00 00"); the second reader
// has the next port.
const DefaultAddress = "127.0.0.1:35963"

// Defaults of Config.
const (
	defaultFrameTimeout = 2 * time.Second
	defaultIdleTimeout  = 30 * time.Second
	defaultBackoff      = 50 * time.Millisecond
	defaultMaxBackoff   = 2 * time.Second
	dialTimeout         = 5 * time.Second
)

// Card is what vpcd drives; *cardsim.Card implements it. Run calls the methods from one goroutine at a time.
type Card interface {
	// Transmit executes a command APDU and returns the response APDU; it does not keep the command.
	Transmit(command []byte) []byte
	PowerOn()
	PowerOff()
	Reset()
	ATR() []byte
}

// Config configures a connection. Only Card is required.
type Config struct {
	// Address is host:port of the driver. Default 127.0.0.1:35963.
	Address string
	Card    Card
	// Logger gets connection events, never an APDU. Default: discard.
	Logger *slog.Logger

	// FrameTimeout is how long a message may be incomplete, and how long a reply may take to be accepted, before the
	// connection is given up. Default 2 s.
	FrameTimeout time.Duration
	// IdleTimeout is how long the driver may be silent between messages; it normally asks for the ATR several times a
	// second. Default 30 s.
	IdleTimeout time.Duration
	// Backoff is the first wait before connecting again; it doubles with every failure up to MaxBackoff. Defaults 50 ms
	// and 2 s.
	Backoff, MaxBackoff time.Duration
	// DialContext opens the connection. Default: a net.Dialer with a timeout of 5 s.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
}

func (c Config) withDefaults() Config {
	if c.Address == "" {
		c.Address = DefaultAddress
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&c.FrameTimeout, defaultFrameTimeout},
		{&c.IdleTimeout, defaultIdleTimeout},
		{&c.Backoff, defaultBackoff},
		{&c.MaxBackoff, defaultMaxBackoff},
	} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
	if c.DialContext == nil {
		c.DialContext = (&net.Dialer{Timeout: dialTimeout}).DialContext
	}
	return c
}

// Reason says what ended a connection, or why there was none.
type Reason int

// Reasons. The zero value is ReasonUnknown and is never returned.
const (
	ReasonUnknown Reason = iota
	// ReasonInvalidConfig: Config.Card is missing.
	ReasonInvalidConfig
	// ReasonUnreachable: nobody listens at the address, or the connection broke.
	ReasonUnreachable
	// ReasonClosed: the driver closed the connection between two messages.
	ReasonClosed
	// ReasonHalfFrame: a message began and did not end in time, or the connection ended inside it.
	ReasonHalfFrame
	// ReasonSilent: the driver sent nothing for the idle timeout.
	ReasonSilent
	// ReasonMalformed: a message of length zero.
	ReasonMalformed
)

// reasons has the reasons in their order and is never written.
var reasons = [...]fault.Row{
	ReasonUnknown:       fault.Unknown(),
	ReasonInvalidConfig: {Name: "invalid configuration", Family: kakunin.Configuration},
	ReasonUnreachable:   {Name: "reader driver not reachable", Family: kakunin.Unavailable},
	ReasonClosed:        {Name: "closed by the reader driver", Family: kakunin.Unavailable},
	ReasonHalfFrame:     {Name: "incomplete message", Family: kakunin.Unavailable},
	ReasonSilent:        {Name: "reader driver is silent", Family: kakunin.Unavailable},
	ReasonMalformed:     {Name: "malformed message", Family: kakunin.Unavailable},
}

func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a stable phrase in lower case.
func (r Reason) String() string { return r.row().Name }

// Error is the error type of this package. Its text never holds bytes from the network.
type Error struct {
	Reason Reason
	// Err is the cause, nil if there is none.
	Err error
}

// Error names the reason.
func (e *Error) Error() string { return fault.Text("vpcd", e.Reason.String(), "", "", "") }

// Unwrap returns the cause, if any.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an *Error with the same reason.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error) //nolint:errorlint // this method is what errors.Is asks
	return ok && t.Reason == e.Reason
}

// Family is Configuration for an invalid configuration and Unavailable otherwise.
func (e *Error) Family() kakunin.Family { return e.Reason.row().Family }

// UserMessage is empty: the family's message is used.
func (e *Error) UserMessage() kakunin.Message { return e.Reason.row().Message }

// Run connects, serves and reconnects until ctx ends; it returns ctx's error then, and an *[Error] only for an invalid
// configuration. When a connection ends the card loses power, as a card taken out of a reader does. Run holds no
// goroutine beyond its return.
func Run(ctx context.Context, c Config) error {
	if c.Card == nil {
		return &Error{Reason: ReasonInvalidConfig}
	}
	c = c.withDefaults()
	wait := c.Backoff
	for ctx.Err() == nil {
		served, err := c.connect(ctx)
		if ctx.Err() != nil {
			break
		}
		if served {
			wait = c.Backoff
		}
		c.Logger.LogAttrs(ctx, level(err), "virtual reader: not connected",
			slog.String("reason", reasonOf(err).String()), slog.Duration("retry", wait))
		if !sleep(ctx, wait) {
			break
		}
		wait = min(2*wait, c.MaxBackoff)
	}
	return ctx.Err()
}

// level is Debug for the driver not being there, which is normal while pcscd starts, and Warn for everything else.
func level(err error) slog.Level {
	if reasonOf(err) == ReasonUnreachable {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

func reasonOf(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ReasonUnknown
}

// sleep waits and reports whether ctx is still alive.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
