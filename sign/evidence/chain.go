package evidence

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// Chain is what a log of the form before there were stores holds; see [Log.ImportChain].
type Chain struct {
	// Records is the number of records, Head the hash of the newest.
	Records int
	Head    string
}

// readChain reads JSON lines and checks every record and every link. An empty file is a valid chain of 0 records.
func readChain(r io.Reader, each func(*Record) error) (Chain, error) {
	var c Chain
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
		if err := each(rec); err != nil {
			return c, at(err, position)
		}
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
