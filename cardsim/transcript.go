package cardsim

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// Record returns a transport that does what another one does and writes a transcript of it, in the form of Config.Trace:
// values of PINs and session keys masked, what the card answers not. With a real card in a reader the transcript holds the
// holder's data.
//
// It is a card.Transactor and passes transactions on to a transport that has them; it is a card.PowerCycler if the other
// one is. Not safe for concurrent use, unless both the transport and the writer are.
func Record(t card.Transport, w io.Writer) card.Transport {
	r := recorder{inner: t, w: w}
	if power, ok := t.(card.PowerCycler); ok {
		return powerRecorder{r, power}
	}
	return r
}

type recorder struct {
	inner card.Transport
	w     io.Writer
}

type powerRecorder struct {
	recorder
	card.PowerCycler
}

// Transmit passes the command on and records it when it was answered.
func (r recorder) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	response, err := r.inner.Transmit(ctx, command)
	if err == nil {
		writeTrace(r.w, command, response)
	}
	return response, err
}

// Begin implements card.Transactor.
func (r recorder) Begin(ctx context.Context) (func() error, error) {
	if t, ok := r.inner.(card.Transactor); ok {
		return t.Begin(ctx)
	}
	return func() error { return nil }, ctx.Err()
}

// Replay is a transport that answers from a transcript: the commands must come as they stand there, one after the other.
// A masked command stands for any command with the same header and data behind it, so a transcript plays with any PIN.
// What a program draws at random, such as a challenge or a session key, differs from the transcript unless it is drawn
// again from the same source. It implements card.Transport, card.Transactor and card.PowerCycler, the latter two without
// any effect, and is safe for concurrent use.
type Replay struct {
	mu        sync.Mutex
	exchanges []exchange
	next      int
}

// exchange is one command and its response.
type exchange struct {
	line     int
	command  []byte
	header   string // instead of command, if the transcript masks it
	response []byte
}

var (
	_ card.Transactor  = (*Replay)(nil)
	_ card.PowerCycler = (*Replay)(nil)
)

// NewReplay reads a transcript: lines "> command" and "< response" in hexadecimal, in turn; empty lines and those that
// begin with # are skipped. The error is an *[Error] with [InvalidTranscript].
func NewReplay(r io.Reader) (*Replay, error) {
	p := &Replay{}
	lines := bufio.NewScanner(io.LimitReader(r, limits.Transcript+1))
	lines.Buffer(nil, limits.TranscriptLine)
	pending := false // a command waits for its response
	read := 0
	for n := 1; lines.Scan(); n++ {
		read += len(lines.Bytes()) + 1
		line := strings.ToUpper(strings.Join(strings.Fields(lines.Text()), ""))
		ok := true
		switch {
		case read > limits.Transcript:
			ok = false
		case line == "" || line[0] == '#':
		case line[0] == '>' && !pending:
			var e exchange
			if e, ok = parseCommandLine(line[1:]); ok {
				e.line, pending = n, true
				p.exchanges = append(p.exchanges, e)
			}
		case line[0] == '<' && pending:
			response, err := hex.DecodeString(line[1:])
			ok = err == nil && len(response) >= 2
			p.exchanges[len(p.exchanges)-1].response, pending = response, false
		default:
			ok = false
		}
		if !ok {
			return nil, invalidTranscript(n)
		}
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			return nil, &Error{Reason: InvalidTranscript, Field: "line too long"}
		}
		return nil, &Error{Reason: InvalidTranscript, Field: "read", Err: err}
	}
	if pending {
		return nil, invalidTranscript(p.exchanges[len(p.exchanges)-1].line)
	}
	return p, nil
}

func invalidTranscript(line int) error {
	return &Error{Reason: InvalidTranscript, Field: "line " + strconv.Itoa(line)}
}

func parseCommandLine(s string) (exchange, bool) {
	if header, ok := maskedHeader(s); ok {
		b, err := hex.DecodeString(header)
		return exchange{header: header}, err == nil && secretive(b[1])
	}
	command, err := hex.DecodeString(s)
	return exchange{command: command}, err == nil && len(command) > 0
}

// is reports whether a command is the one of the exchange.
func (e exchange) is(command []byte) bool {
	if e.header != "" {
		return maskCommand(command) == e.header+masked
	}
	return bytes.Equal(e.command, command)
}

// Transmit answers the command that comes next in the transcript. Another command, or one after the end, is an *[Error]
// with [TranscriptDiffers], which names the line; the transcript stays where it is.
func (p *Replay) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next == len(p.exchanges) {
		return nil, &Error{Reason: TranscriptDiffers, Field: "no command is left"}
	}
	e := p.exchanges[p.next]
	if !e.is(command) {
		return nil, &Error{Reason: TranscriptDiffers, Field: "line " + strconv.Itoa(e.line)}
	}
	p.next++
	return bytes.Clone(e.response), nil
}

// Begin implements card.Transactor; a transcript has no other programs to keep out. The error is the context's.
func (p *Replay) Begin(ctx context.Context) (end func() error, err error) {
	return func() error { return nil }, ctx.Err()
}

// PowerOff implements card.PowerCycler and does nothing. The error is the context's.
func (p *Replay) PowerOff(ctx context.Context) error { return ctx.Err() }

// Left returns how many commands of the transcript were not sent yet.
func (p *Replay) Left() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.exchanges) - p.next
}
