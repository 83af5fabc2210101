package card_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/jpki/card"
)

func TestOpenReadsTheKind(t *testing.T) {
	label := func(s string) string { return "< " + upperHex([]byte(s+strings.Repeat(" ", 32-len(s)))) + "9000" }
	tests := []struct {
		name  string
		lines []string
		want  card.TokenKind
	}{
		{"plastic", []string{label("JPKIAPICCTOKEN2")}, card.Plastic},
		{"android", []string{label("JPKIAPGPSETOKEN")}, card.AndroidPhone},
		{"iphone", []string{label("JPKIAPIOSTOKEN")}, card.IPhone},
		{"juki", []string{label("JPKIAPICCTOKEN")}, card.Juki},
		{"a later label", []string{label("JPKIAPICCTOKEN3")}, card.UnknownToken},
		{"no such file", []string{"< 6A82", "> 00A4020C020006", "< 6A82", selectJPKI, ok, "> 00A4020C020006", "< 6A82"},
			card.UnknownToken},
		{"no short identifiers", []string{"< 6A86", "> 00A4020C020006", ok, "> 00B0000020", label("JPKIAPICCTOKEN2")},
			card.Plastic},
		{"file not readable", []string{"< 6982"}, card.UnknownToken},
		{"label in pieces", []string{
			"< 4A504B4941509000", "> 00B000061A", "< 4943434F4B454E32" + "9000", "> 00B0000E12", "< 6B00",
		}, card.UnknownToken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t, append([]string{selectJPKI, ok, "> 00B0860020"}, tt.lines...)...)
			c, err := card.Open(t.Context(), s, card.Config{})
			if err != nil {
				t.Fatal(err)
			}
			if c.Kind() != tt.want {
				t.Errorf("kind %v, want %v", c.Kind(), tt.want)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	tests := []struct {
		name   string
		lines  []string
		want   card.Reason
		family kakunin.Family
	}{
		{"another card", []string{selectJPKI, "< 6A82"}, card.ReasonNotMyNumberCard, kakunin.User},
		{"locked application", []string{selectJPKI, "< 6283"}, card.ReasonDeactivated, kakunin.Account},
		{"an unexpected status", []string{selectJPKI, "< 6581"}, card.ReasonRefused, kakunin.Account},
		{"6F00 for ever", []string{selectJPKI, "< 6F00", selectJPKI, "< 6F00", selectJPKI, "< 6F00"},
			card.ReasonRefused, kakunin.Account},
		{"no status word", []string{selectJPKI, "< 90"}, card.ReasonMalformed, kakunin.Untrusted},
		{"invalid status word", []string{selectJPKI, "< 1234"}, card.ReasonMalformed, kakunin.Untrusted},
		{
			"more data than asked for",
			[]string{selectJPKI, ok, "> 00B0860020", "< " + strings.Repeat("20", 33) + "9000"},
			card.ReasonMalformed, kakunin.Untrusted,
		},
		{"broken transport", []string{selectJPKI, "! broken"}, card.ReasonTransportFailed, kakunin.Unavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := card.Open(t.Context(), newScript(t, tt.lines...), card.Config{})
			wantReason(t, err, tt.want)
			if c != nil {
				t.Error("a client came with the error")
			}
			if got := kakunin.FamilyOf(err); got != tt.family {
				t.Errorf("family %v, want %v", got, tt.family)
			}
			if strings.Contains(err.Error(), errBroken.Error()) {
				t.Error("the text of the transport's error shows")
			}
		})
	}
}

// Some cards answer 6F00 to the first command after power-up, and some readers to the first two.
func TestFirstCommandRepeatedAfter6F00(t *testing.T) {
	for n := range 3 {
		s := newScript(t, slices.Concat(slices.Repeat([]string{selectJPKI, "< 6F00"}, n), opening)...)
		if _, err := card.Open(t.Context(), s, card.Config{}); err != nil {
			t.Fatal(n, err)
		}
	}
}

func TestTransportErrorKeepsItsReasonAndCause(t *testing.T) {
	_, err := card.Open(t.Context(), failing{&card.Error{Step: "transmit", Reason: card.ReasonCardAbsent}},
		card.Config{})
	wantReason(t, err, card.ReasonCardAbsent)
	_, err = card.Open(t.Context(), failing{errBroken}, card.Config{})
	if !errors.Is(err, errBroken) {
		t.Error("the cause is lost")
	}
}

type failing struct{ err error }

func (f failing) Transmit(context.Context, []byte) ([]byte, error) { return nil, f.err }

func TestEndedContext(t *testing.T) {
	c, _ := open(t, card.Config{}) // no further command may be sent
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Tries(ctx, card.AuthPIN)
	wantReason(t, err, card.ReasonInterrupted)
	if !errors.Is(err, context.Canceled) || kakunin.FamilyOf(err) != kakunin.Unavailable {
		t.Errorf("got %v", err)
	}
}

// A caller waits for its turn no longer than its context lets it.
func TestWaitingForTheCardHonoursTheContext(t *testing.T) {
	b := &blocking{started: make(chan struct{}), release: make(chan struct{})}
	c, err := card.Open(t.Context(), b, card.Config{})
	if err != nil {
		t.Fatal(err)
	}
	b.block = true
	finished := make(chan error)
	go func() {
		_, err := c.Tries(context.Background(), card.AuthPIN)
		finished <- err
	}()
	<-b.started
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Tries(ctx, card.AuthPIN)
	wantReason(t, err, card.ReasonInterrupted)
	close(b.release)
	if err := <-finished; err != nil {
		t.Error(err)
	}
}

// blocking answers every command, once told only after release.
type blocking struct {
	block            bool
	once             sync.Once
	started, release chan struct{}
}

func (b *blocking) Transmit(_ context.Context, cmd []byte) ([]byte, error) {
	if b.block {
		b.once.Do(func() { close(b.started) })
		<-b.release
	}
	if cmd[1] == 0x20 {
		return []byte{0x63, 0xC3}, nil
	}
	return []byte{0x90, 0x00}, nil
}

func TestCloseRemovesPowerBeforeTheTransactionEnds(t *testing.T) {
	h := &held{script: newScript(t, opening...)}
	c, err := card.Open(t.Context(), h, card.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if h.begun != 1 || h.open() {
		t.Fatalf("after Open: begun %d, ended %d", h.begun, h.ended)
	}
	h.add(selectJPKI, ok)
	h.add(verifyAuth("< 63C3", "< 9000")...)
	if err := c.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	if !h.open() {
		t.Error("the transaction ended with a PIN verified")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // a request that was cancelled must not leave the PIN behind
	h.add(leave, ok)
	if err := c.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if h.off != 1 || h.open() {
		t.Errorf("after Close: power off %d, begun %d, ended %d", h.off, h.begun, h.ended)
	}
	if err := c.Close(t.Context()); err != nil || h.off != 1 {
		t.Errorf("second Close: %v, power off %d", err, h.off)
	}
	_, err = c.Tries(t.Context(), card.AuthPIN)
	wantReason(t, err, card.ReasonClosed)
}

// endsMeanwhile ends the caller's context while power is being removed.
type endsMeanwhile struct {
	*held
	end context.CancelFunc
}

func (e endsMeanwhile) PowerOff(ctx context.Context) error {
	e.off++
	e.end()
	return ctx.Err()
}

// A request that is cancelled while its card is being closed leaves no PIN behind either: there is no second Close.
func TestCloseOutlastsTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	h := &held{script: newScript(t, opening...)}
	c, err := card.Open(ctx, endsMeanwhile{h, cancel}, card.Config{})
	if err != nil {
		t.Fatal(err)
	}
	h.add(selectJPKI, ok)
	h.add(verifyAuth("< 63C3", "< 9000")...)
	if err := c.Verify(ctx, card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	h.add(leave, ok)
	if err := c.Close(ctx); err != nil {
		t.Error(err)
	}
	if h.off != 1 || h.open() {
		t.Errorf("power off %d, begun %d, ended %d", h.off, h.begun, h.ended)
	}
}

func TestCloseWithoutPowerSwitchClearsBySelecting(t *testing.T) {
	c, s := open(t, card.Config{}, verifyAuth("< 63C3", "< 9000")...)
	if err := c.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	s.add(leave, ok)
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// An iPhone is told that no command follows; other cards, which do not know that command, are not.
func TestCloseTellsAnIPhone(t *testing.T) {
	label := "< " + upperHex([]byte("JPKIAPIOSTOKEN"+strings.Repeat(" ", 18))) + "9000"
	for _, answer := range []string{ok, "< 6700", "! gone"} {
		h := &held{script: newScript(t, selectJPKI, ok, "> 00B0860020", label, selectJPKI, ok, "> 80FC0000", answer)}
		c, err := card.Open(t.Context(), h, card.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(t.Context()); err != nil || h.off != 1 || h.open() {
			t.Errorf("%s: %v, power off %d times", answer, err, h.off)
		}
	}
	sim := newSim(t, cardsim.IPhone)
	wire := &wiretap{Transport: sim.Transport()}
	c := openOver(t, wire, card.Config{})
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	last := wire.passed[len(wire.passed)-2:]
	if upperHex(last[0]) != "80FC0000" || upperHex(last[1]) != "9000" {
		t.Errorf("the last exchange was %X", last)
	}
}

func TestCloseWhenPowerCannotBeRemoved(t *testing.T) {
	h := &held{script: newScript(t, opening...), offErr: errBroken}
	c, err := card.Open(t.Context(), h, card.Config{})
	if err != nil {
		t.Fatal(err)
	}
	h.add(selectJPKI, ok)
	h.add(verifyAuth("< 63C3", "< 9000")...)
	if err := c.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	h.add(leave, ok) // at least it has forgotten
	wantReason(t, c.Close(t.Context()), card.ReasonTransportFailed)
	if h.open() {
		t.Error("the transaction was not given back")
	}
}

func TestReleaseForgetsAndGivesTheCardBack(t *testing.T) {
	h := &held{script: newScript(t, opening...)}
	c, err := card.Open(t.Context(), h, card.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Release(t.Context()); err != nil { // nothing to forget: no command
		t.Fatal(err)
	}
	h.add(selectJPKI, ok)
	h.add(verifyAuth("< 63C3", "< 9000")...)
	if err := c.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	h.add(leave, ok)
	if err := c.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h.open() || h.off != 0 {
		t.Errorf("begun %d, ended %d, power off %d", h.begun, h.ended, h.off)
	}
	_, err = c.SigningCertificate(t.Context()) // decided without a command
	wantReason(t, err, card.ReasonNotVerified)
}

// An answer to VERIFY that got lost may have left the PIN verified: the card is not given to others until it is clear.
func TestInterruptedVerifyKeepsTheCardUntilItIsClear(t *testing.T) {
	h := &held{script: newScript(t, opening...)}
	c, err := card.Open(t.Context(), h, card.Config{})
	if err != nil {
		t.Fatal(err)
	}
	h.add(selectJPKI, ok)
	h.add(verifyAuth("< 63C3", "! lost")...)
	wantReason(t, c.Verify(t.Context(), card.AuthPIN, "1234"), card.ReasonTransportFailed)
	if !h.open() {
		t.Error("the transaction ended although the PIN may be verified")
	}
	h.add(leave, ok, selectJPKI, ok, "> 00A4020C020018", ok, "> 00200080", "< 63C3")
	if n, err := c.Tries(t.Context(), card.AuthPIN); err != nil || n != 3 {
		t.Fatal(n, err)
	}
	if h.open() {
		t.Error("the transaction goes on although the card is clear")
	}
}

// Outside a transaction other programs may have selected something else.
func TestEveryUseSelectsAnewInsideATransaction(t *testing.T) {
	h := &held{script: newScript(t, opening...)}
	c, err := card.Open(t.Context(), h, card.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		h.add(selectJPKI, ok, "> 00A4020C020018", ok, "> 00200080", "< 63C3")
		if _, err := c.Tries(t.Context(), card.AuthPIN); err != nil {
			t.Fatal(err)
		}
	}
	if h.begun != 3 || h.open() {
		t.Errorf("begun %d, ended %d", h.begun, h.ended)
	}
}

type busy struct{ *script }

func (busy) Begin(context.Context) (func() error, error) {
	return nil, &card.Error{Step: "begin", Reason: card.ReasonCardBusy}
}

func TestBusyCard(t *testing.T) {
	_, err := card.Open(t.Context(), busy{newScript(t)}, card.Config{})
	wantReason(t, err, card.ReasonCardBusy)
}

type deadline struct{ *script }

func (deadline) Begin(ctx context.Context) (func() error, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestWaitingForATransactionEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := card.Open(ctx, deadline{newScript(t)}, card.Config{})
	wantReason(t, err, card.ReasonInterrupted)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
