package vpcd

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"time"
)

// Control codes.
const (
	powerOff   = 0x00
	powerOn    = 0x01
	reset      = 0x02
	atrRequest = 0x04
)

// lengthSize is the size of the length in front of each message.
const lengthSize = 2

// connect serves one connection. served reports whether at least one message was answered or obeyed. The error is an
// *Error.
func (c Config) connect(ctx context.Context) (served bool, err error) {
	conn, err := c.DialContext(ctx, "tcp", c.Address)
	if err != nil {
		return false, &Error{Reason: ReasonUnreachable, Err: err}
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		if stop() {
			_ = conn.Close()
		}
		c.Card.PowerOff()
	}()
	c.Logger.InfoContext(ctx, "virtual reader: card inserted")

	l := newLink(conn, c)
	for {
		if err := l.serveOne(); err != nil {
			return served, err
		}
		served = true
	}
}

// link is one connection.
type link struct {
	config Config
	conn   net.Conn
	reader *bufio.Reader
	reply  []byte
	frame  []byte
}

func newLink(conn net.Conn, c Config) *link {
	return &link{config: c, conn: conn, reader: bufio.NewReader(&promptReader{conn: conn, ack: quickAck(conn)})}
}

// promptReader acknowledges what it has read at once. The driver sends length and content in two pieces, and the second
// waits for the acknowledgement of the first (RFC 896, RFC 9293, 3.7.4): with the usual delayed acknowledgement each
// command would take 40 ms and more. The kernel takes the setting back by itself, so it is renewed around each read.
type promptReader struct {
	conn net.Conn
	ack  func()
}

func (r *promptReader) Read(b []byte) (int, error) {
	r.ack()
	n, err := r.conn.Read(b)
	r.ack()
	return n, err
}

// serveOne reads one message and obeys or answers it.
func (l *link) serveOne() error {
	message, err := l.read()
	if err != nil {
		return err
	}
	if len(message) > 1 {
		return l.answer(l.config.Card.Transmit(message))
	}
	switch message[0] {
	case powerOff:
		l.config.Card.PowerOff()
	case powerOn:
		l.config.Card.PowerOn()
	case reset:
		l.config.Card.Reset()
	case atrRequest:
		return l.answer(l.config.Card.ATR())
	default:
		// A code of a later version of the driver: like the other ones it expects no answer.
	}
	return nil
}

// read returns the next message. It is valid until the next call.
//
// The deadlines are real time on purpose: they are those of the operating system's socket.
func (l *link) read() ([]byte, error) {
	_ = l.conn.SetReadDeadline(time.Now().Add(l.config.IdleTimeout))
	if _, err := l.reader.Peek(1); err != nil {
		return nil, betweenFrames(err)
	}
	// From here on a message is under way. Some versions of the driver now and then send a length and never the
	// content: without this watchdog, every program at the reader would hang.
	_ = l.conn.SetReadDeadline(time.Now().Add(l.config.FrameTimeout))
	message, err := readFrame(l.reader, l.frame)
	if err != nil {
		return nil, err
	}
	l.frame = message
	return message, nil
}

// readFrame reads one message into buffer, which it enlarges if it has to. Frames may arrive in any pieces. The error
// is an *Error.
func readFrame(r io.Reader, buffer []byte) ([]byte, error) {
	var length [lengthSize]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, &Error{Reason: ReasonHalfFrame, Err: err}
	}
	n := int(binary.BigEndian.Uint16(length[:]))
	if n == 0 {
		return nil, &Error{Reason: ReasonMalformed}
	}
	if n > cap(buffer) {
		buffer = make([]byte, n)
	}
	buffer = buffer[:n]
	if _, err := io.ReadFull(r, buffer); err != nil {
		return nil, &Error{Reason: ReasonHalfFrame, Err: err}
	}
	return buffer, nil
}

func betweenFrames(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return &Error{Reason: ReasonClosed, Err: err}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &Error{Reason: ReasonSilent, Err: err}
	default:
		return &Error{Reason: ReasonUnreachable, Err: err}
	}
}

// answer sends length and content in one write, so that the driver never waits for a second packet.
func (l *link) answer(content []byte) error {
	if len(content) > math.MaxUint16 {
		content = []byte{0x6F, 0x00} // cannot be framed; the reader learns that it got no answer
	}
	l.reply = binary.BigEndian.AppendUint16(l.reply[:0], uint16(len(content)))
	l.reply = append(l.reply, content...)
	_ = l.conn.SetWriteDeadline(time.Now().Add(l.config.FrameTimeout))
	if _, err := l.conn.Write(l.reply); err != nil {
		return &Error{Reason: ReasonUnreachable, Err: err}
	}
	return nil
}
