package vpcd_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/vpcd"
)

// guard ends a test that hangs; nothing waits for it when all is well.
const guard = 20 * time.Second

// recorder is a card that says what was done to it and answers a command with its bytes reversed.
type recorder struct {
	events   chan string
	response func(command []byte) []byte
}

func newRecorder() *recorder { return &recorder{events: make(chan string, 1000)} }

func (r *recorder) PowerOn()    { r.events <- "on" }
func (r *recorder) PowerOff()   { r.events <- "off" }
func (r *recorder) Reset()      { r.events <- "reset" }
func (r *recorder) ATR() []byte { return []byte{0x3B, 0x00} }
func (r *recorder) Transmit(command []byte) []byte {
	if r.response != nil {
		return r.response(command)
	}
	return reversed(command)
}

func reversed(b []byte) []byte {
	out := make([]byte, len(b))
	for i, c := range b {
		out[len(b)-1-i] = c
	}
	return out
}

func (r *recorder) expect(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		select {
		case got := <-r.events:
			if got != w {
				t.Fatalf("card saw %q, want %q", got, w)
			}
		case <-time.After(guard):
			t.Fatalf("card never saw %q", w)
		}
	}
}

// driver is the listening side.
type driver struct {
	t *testing.T
	net.Listener
}

func listen(t *testing.T) driver {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return driver{t, l}
}

func (d driver) accept() *peer {
	d.t.Helper()
	if err := d.Listener.(*net.TCPListener).SetDeadline(time.Now().Add(guard)); err != nil {
		d.t.Fatal(err)
	}
	conn, err := d.Accept()
	if err != nil {
		d.t.Fatalf("the card did not connect: %v", err)
	}
	d.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(guard)); err != nil {
		d.t.Fatal(err)
	}
	return &peer{d.t, conn}
}

type peer struct {
	t *testing.T
	net.Conn
}

func frame(content ...byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(content))), content...)
}

func (p *peer) send(raw []byte) {
	p.t.Helper()
	if _, err := p.Write(raw); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) expect(want []byte) {
	p.t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(p, got); err != nil {
		p.t.Fatalf("answer: %v", err)
	}
	if !bytes.Equal(got, want) {
		p.t.Fatalf("answer %x, want %x", got, want)
	}
}

// expectClosed waits until the card has closed the connection without another byte.
func (p *peer) expectClosed() {
	p.t.Helper()
	n, err := p.Read(make([]byte, 1))
	if n != 0 || err == nil || isTimeout(err) {
		p.t.Fatalf("the connection must be closed: %d bytes, %v", n, err)
	}
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

func (p *peer) exchangeATR() {
	p.t.Helper()
	p.send(frame(0x04))
	p.expect(frame(0x3B, 0x00))
}

// start runs the card until the test ends.
func start(t *testing.T, c vpcd.Config) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- vpcd.Run(ctx, c) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Run returned %v, want the context's error", err)
			}
		case <-time.After(guard):
			t.Error("Run did not return after its context ended")
		}
	})
}

func config(d driver, card vpcd.Card) vpcd.Config {
	return vpcd.Config{Address: d.Addr().String(), Card: card, Backoff: time.Millisecond,
		MaxBackoff: 2 * time.Millisecond}
}

func TestControlCodesAndCommands(t *testing.T) {
	d, card := listen(t), newRecorder()
	start(t, config(d, card))
	p := d.accept()
	p.exchangeATR()
	// Only the ATR request has an answer: the bytes that follow are those of the next question.
	p.send(frame(0x01))
	p.send(frame(0x02))
	p.send(frame(0x00))
	p.send(frame(0x7E)) // a code that nobody has defined
	p.exchangeATR()
	card.expect(t, "on", "reset", "off")
	p.send(frame(0x00, 0xA4, 0x04, 0x0C))
	p.expect(frame(0x0C, 0x04, 0xA4, 0x00))
	p.send(frame(0x00, 0x01)) // two bytes are no control code
	p.expect(frame(0x01, 0x00))
}

func TestFramesInPieces(t *testing.T) {
	d, card := listen(t), newRecorder()
	start(t, config(d, card))
	p := d.accept()
	for _, b := range frame(1, 2, 3, 4, 5) {
		p.send([]byte{b})
	}
	p.expect(frame(5, 4, 3, 2, 1))
	// Several frames at once, cut in the middle of a length.
	stream := append(append(frame(1, 2), frame(0x04)...), frame(3, 4)...)
	p.send(stream[:5])
	p.send(stream[5:])
	p.expect(append(append(frame(2, 1), frame(0x3B, 0x00)...), frame(4, 3)...))
}

func TestLargestFrame(t *testing.T) {
	d, card := listen(t), newRecorder()
	start(t, config(d, card))
	p := d.accept()
	command := make([]byte, 65535)
	for i := range command {
		command[i] = byte(i * 7)
	}
	p.send(frame(command...))
	p.expect(frame(reversed(command)...))
}

func TestOversizeResponseBecomesAStatusWord(t *testing.T) {
	d, card := listen(t), newRecorder()
	card.response = func([]byte) []byte { return make([]byte, 65536) }
	start(t, config(d, card))
	p := d.accept()
	p.send(frame(1, 2, 3, 4))
	p.expect(frame(0x6F, 0x00))
}

func TestBrokenConnectionsEndInAReconnect(t *testing.T) {
	for name, spoil := range map[string]func(*peer){
		"length without content": func(p *peer) { p.send([]byte{0x00, 0x05}); p.expectClosed() },
		"half a length":          func(p *peer) { p.send([]byte{0x00}); p.expectClosed() },
		"half a command":         func(p *peer) { p.send(frame(0x00, 0xB0, 0x00, 0x00, 0x00)[:4]); p.expectClosed() },
		"length zero":            func(p *peer) { p.send([]byte{0x00, 0x00}); p.expectClosed() },
		"closed":                 func(p *peer) { _ = p.Close() },
		"closed inside a frame":  func(p *peer) { p.send([]byte{0x00, 0x05, 0x01}); _ = p.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			d, card := listen(t), newRecorder()
			c := config(d, card)
			c.FrameTimeout = 20 * time.Millisecond
			start(t, c)
			p := d.accept()
			p.exchangeATR()
			spoil(p)
			card.expect(t, "off") // a card out of the reader has no power
			d.accept().exchangeATR()
		})
	}
}

func TestSilentDriverEndsInAReconnect(t *testing.T) {
	d, card := listen(t), newRecorder()
	c := config(d, card)
	c.IdleTimeout = 20 * time.Millisecond
	start(t, c)
	d.accept().expectClosed()
	card.expect(t, "off")
	d.accept().exchangeATR()
}

// A driver that accepts commands and never takes the answers must not hold the card for ever.
func TestPeerThatDoesNotReadEndsInAReconnect(t *testing.T) {
	d, card := listen(t), newRecorder()
	card.response = func([]byte) []byte { return make([]byte, 65535) }
	c := config(d, card)
	c.FrameTimeout = 50 * time.Millisecond
	start(t, c)
	p := d.accept()
	flood := bytes.Repeat(frame(1, 2, 3, 4), 2000)
	_, _ = p.Write(flood) // may end early: the card closes
	card.expect(t, "off")
	d.accept()
}

func TestWaitsForTheDriver(t *testing.T) {
	d, card := listen(t), newRecorder()
	c := config(d, card)
	var attempts atomic.Int32
	var dialer net.Dialer
	c.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if attempts.Add(1) <= 5 {
			return nil, errors.New("connection refused")
		}
		return dialer.DialContext(ctx, network, address)
	}
	start(t, c)
	d.accept().exchangeATR()
	if n := attempts.Load(); n != 6 {
		t.Errorf("%d attempts, want 6", n)
	}
}

// countingConn counts writes.
type countingConn struct {
	net.Conn
	writes *atomic.Int32
}

func (c countingConn) Write(b []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(b)
}

func TestReplyIsOneWrite(t *testing.T) {
	d, card := listen(t), newRecorder()
	c := config(d, card)
	var writes atomic.Int32
	var dialer net.Dialer
	c.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		return countingConn{conn, &writes}, err
	}
	start(t, c)
	p := d.accept()
	for range 3 {
		p.send(frame(1, 2, 3))
		p.expect(frame(3, 2, 1))
	}
	if n := writes.Load(); n != 3 {
		t.Errorf("%d writes for 3 replies", n)
	}
}

func TestRunRefusesAMissingCard(t *testing.T) {
	err := vpcd.Run(t.Context(), vpcd.Config{})
	var e *vpcd.Error
	if !errors.As(err, &e) || e.Reason != vpcd.ReasonInvalidConfig || e.Family() != kakunin.Configuration {
		t.Errorf("%v", err)
	}
}

func TestRunReturnsAtOnceWhenTheContextHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := vpcd.Config{Card: newRecorder(), DialContext: func(context.Context, string, string) (net.Conn, error) {
		t.Error("dialled")
		return nil, io.EOF
	}}
	if err := vpcd.Run(ctx, c); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestReasonsHaveWords(t *testing.T) {
	for r := vpcd.ReasonInvalidConfig; r <= vpcd.ReasonMalformed; r++ {
		e := &vpcd.Error{Reason: r, Err: io.EOF}
		if strings.Contains(e.Error(), "unknown") || strings.Contains(e.Error(), "EOF") ||
			kakunin.FamilyOf(e) == kakunin.Unclassified {
			t.Errorf("reason %d: %q", r, e)
		}
	}
}
