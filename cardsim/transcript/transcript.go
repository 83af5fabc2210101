// Package transcript writes down what goes to and fro between a program and a card, and plays it back without any card.
//
//	t := transcript.Record(reader, file)                  // a card.Transport that writes a transcript of what it does
//	replay, err := transcript.NewReplay(file)             // a card.Transport that answers from it
//
// A transcript is text: lines "> command" and "< response" in hexadecimal, in turn, and comments that begin with #. The
// values of PINs and the keys of secure messaging are masked, what the card answers is not: with a real card in a
// reader it holds the holder's data. See the example of [NewReplay].
//
// # Examples
//
// There is an example of [NewReplay].
//
// # Compatibility
//
// Transcripts that this package has written stay playable.
package transcript

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// Record returns a transport that does what another one does and writes a transcript of it: values of PINs and session
// keys masked, what the card answers not. With a real card in a reader the transcript holds the holder's data.
//
// It is a card.Transactor and passes transactions on to a transport that has them; it is a card.PowerCycler if the
// other one is. Not safe for concurrent use, unless both the transport and the writer are.
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
		Write(r.w, Exchange{Command: command, Response: response})
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

// Replay is a transport that answers from a transcript: the commands must come as they stand there, one after the
// other. A masked command stands for any command with the same header and data behind it, so a transcript plays with
// any PIN. What a program draws at random, such as a challenge or a session key, differs from the transcript unless it
// is drawn again from the same source. It implements card.Transport, card.Transactor and card.PowerCycler, the latter
// two without any effect, and is safe for concurrent use.
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
// begin with # are skipped. The error is an *[Error] with [ReasonInvalid].
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
			return nil, &Error{Reason: ReasonInvalid, Detail: "line too long"}
		}
		return nil, &Error{Reason: ReasonInvalid, Detail: "read", Err: err}
	}
	if pending {
		return nil, invalidTranscript(p.exchanges[len(p.exchanges)-1].line)
	}
	return p, nil
}

func invalidTranscript(line int) error {
	return &Error{Reason: ReasonInvalid, Detail: "line " + strconv.Itoa(line)}
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
// with [ReasonDiffers], which names the line; the transcript stays where it is.
func (p *Replay) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next == len(p.exchanges) {
		return nil, &Error{Reason: ReasonDiffers, Detail: "no command is left"}
	}
	e := p.exchanges[p.next]
	if !e.is(command) {
		return nil, &Error{Reason: ReasonDiffers, Detail: "line " + strconv.Itoa(e.line)}
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

// masked ends a command of which only the header is shown.
const masked = "**"

// Exchange is one command of a card's and its response.
type Exchange struct{ Command, Response []byte }

// Write records one exchange as "> command" and "< response" in hexadecimal, in one call of the writer. A transcript
// that cannot be written is no reason for a card to stop.
func Write(w io.Writer, x Exchange) {
	_, _ = fmt.Fprintf(w, "> %s\n< %X\n", maskCommand(x.Command), x.Response)
}

// maskCommand shows a command in hexadecimal. Of a command that carries a PIN, another reference (of which one is the
// individual number) or a session key it shows the header only, in any class and however malformed it is: not even the
// length, which for a password is worth knowing.
func maskCommand(command []byte) string {
	if len(command) > 5 && secretive(command[1]) {
		return fmt.Sprintf("%X", command[:4]) + masked
	}
	return fmt.Sprintf("%X", command)
}

// secretive reports whether the data of an instruction are a secret. The odd codes are the same instructions with data
// in BER-TLV (ISO/IEC 7816-4, 5.4.2); 2C is RESET RETRY COUNTER, which this card does not have and a program may try.
func secretive(ins byte) bool {
	const verify, changeReferenceData, resetRetryCounter, changeKey, setSessionKey = 0x20, 0x24, 0x2C, 0x32, 0xAE
	switch ins {
	case verify, verify | 1, changeReferenceData, changeReferenceData | 1, resetRetryCounter, resetRetryCounter | 1,
		changeKey, setSessionKey:
		return true
	default:
		return false
	}
}

// maskedHeader returns the header of a masked command, upper case, and whether it is one.
func maskedHeader(s string) (string, bool) {
	header, ok := strings.CutSuffix(s, masked)
	return header, ok && len(header) == 8
}

// Reason says what is wrong with a transcript.
type Reason int

// Reasons. The zero value is ReasonUnknown and is never returned.
const (
	ReasonUnknown Reason = iota
	// ReasonInvalid: a transcript is not one; Detail names the line.
	ReasonInvalid
	// ReasonDiffers: a program sent another command than the transcript has; Detail names the line.
	ReasonDiffers
)

// reasons has the reasons in their order.
var reasons = [...]fault.Row{
	ReasonInvalid: {Name: "invalid transcript", Family: kakunin.Configuration},
	ReasonDiffers: {Name: "the command differs from the transcript", Family: kakunin.Configuration},
}

// row is what there is to say about the reason.
func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a stable phrase in lower case.
func (r Reason) String() string { return r.row().Name }

// Error is every error of this package. It never holds personal data, PINs or what an outsider sent.
type Error struct {
	Reason Reason
	// Detail is a line; it is never a value.
	Detail string
	// Err is the cause; it may be nil.
	Err error
}

// Error names the reason and the detail.
func (e *Error) Error() string { return fault.Text("transcript", e.Reason.String(), "", "", e.Detail) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether the target is an *Error with the same reason.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Reason == e.Reason
}

// Family is [kakunin.Configuration] for every reason: whoever sets up the simulator has to correct it.
func (e *Error) Family() kakunin.Family { return e.Reason.row().Family }

// UserMessage is empty: the family's message is used.
func (e *Error) UserMessage() kakunin.Message { return e.Reason.row().Message }
