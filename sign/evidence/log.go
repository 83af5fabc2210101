package evidence

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/sign"
)

// Log appends records to a writer as JSON lines, each chained to the one before. It is safe for concurrent use; the
// writer must have no other user.
type Log struct {
	mu     sync.Mutex
	w      io.Writer
	now    func() time.Time
	head   string
	broken bool
	// signatures says for each recorded signature value, by its hash, to which transaction it belongs.
	signatures map[string]string
}

// NewLog starts a new log. now is the clock of Record.RecordedAt; nil means time.Now.
func NewLog(w io.Writer, now func() time.Time) *Log {
	if now == nil {
		now = time.Now
	}
	return &Log{w: w, now: now, signatures: map[string]string{}}
}

// ResumeLog verifies the existing log and continues it. w must append behind what existing holds. Errors are [*Error].
func ResumeLog(w io.Writer, existing io.Reader, now func() time.Time) (*Log, error) {
	l := NewLog(w, now)
	chain, err := readLog(existing, l.remember)
	if err != nil {
		return nil, err
	}
	l.head = chain.Head
	return l, nil
}

// Append makes a record of a verified signature and writes it. The record is returned only when it was written in
// full. After a failed write the log refuses to go on: what reached the medium is unknown, so it must be looked at and
// resumed. A signature value that is recorded under another transaction is refused with [ReasonReused]. Errors are [*Error].
func (l *Log) Append(r *sign.Report, opts ...Option) (*Record, error) {
	rec, err := FromReport(r, l.now(), opts...)
	if err != nil {
		return nil, err
	}
	return l.AppendRecord(rec)
}

// AppendRecord writes a copy of a record made by [FromReport] or [FromVerdict], linked to the head of the log.
func (l *Log) AppendRecord(rec *Record) (*Record, error) {
	if rec == nil {
		return nil, &Error{Reason: ReasonRequest, Step: "record"}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken {
		return nil, &Error{Reason: ReasonIO, Step: "log"}
	}
	linked := *rec
	if err := linked.link(l.head); err != nil {
		return nil, err
	}
	if err := linked.check(); err != nil {
		return nil, err
	}
	// A signature is over the document alone. The same value under another transaction is either the same words signed
	// twice, which then prove one transaction only, or an old signature handed in again.
	if tx, recorded := l.signatures[linked.SignatureSHA256]; recorded && tx != linked.TransactionID {
		return nil, &Error{Reason: ReasonReused, Step: "signature"}
	}
	line, err := linked.marshalLine()
	if err != nil {
		return nil, err
	}
	n, err := l.w.Write(line)
	if err == nil && n != len(line) {
		err = io.ErrShortWrite
	}
	if err != nil {
		l.broken = true
		return nil, &Error{Reason: ReasonIO, Step: "log", Err: err}
	}
	l.head = linked.Hash
	l.remember(&linked)
	return &linked, nil
}

func (l *Log) remember(r *Record) {
	if r.SignatureSHA256 != "" {
		l.signatures[r.SignatureSHA256] = r.TransactionID
	}
}

// Head is the hash of the newest record, empty for an empty log. Keep a copy where the log's keeper cannot write:
// without it nobody can tell that the newest records were cut off.
func (l *Log) Head() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head
}

// LogState is the result of [VerifyChain].
type LogState struct {
	// Records is the number of records, Head the hash of the newest.
	Records int
	Head    string
}

// VerifyChain reads a whole log and checks every record and every link. An empty log is a valid chain of 0 records.
// Compare LogState.Head with a copy kept elsewhere to notice a log that was cut off. Errors are [*Error] with the position
// of the first bad record.
func VerifyChain(r io.Reader) (LogState, error) { return readLog(r, func(*Record) {}) }

func readLog(r io.Reader, each func(*Record)) (LogState, error) {
	var c LogState
	lines := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := readLine(lines)
		if errors.Is(err, io.EOF) {
			return c, nil
		}
		position := c.Records + 1
		if err != nil {
			return c, at(err, position)
		}
		rec, err := Parse(line)
		if err != nil {
			return c, at(err, position)
		}
		if rec.Previous != c.Head {
			return c, &Error{Reason: ReasonChain, Step: "previous", Record: position}
		}
		c.Records, c.Head = position, rec.Hash
		each(rec)
	}
}

// readLine returns one line without its newline, within the size limit. A last line without a newline was not written
// in full.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > limits.Evidence {
			return nil, &Error{Reason: ReasonFormat, Step: "size"}
		}
		line = append(line, part...)
		switch {
		case err == nil:
			return bytes.TrimSuffix(line, []byte("\n")), nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil, io.EOF
		case errors.Is(err, io.EOF):
			return nil, &Error{Reason: ReasonFormat, Step: "last line"}
		default:
			return nil, &Error{Reason: ReasonIO, Step: "log", Err: err}
		}
	}
}

// at puts the position into an error of this package.
func at(err error, position int) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	placed := *e
	placed.Record = position
	return &placed
}
