// Package apdu encodes and decodes command and response APDUs (ISO/IEC 7816-3, 12.1; ISO/IEC 7816-4, 5.1).
//
// A client builds a [Command], sends [Command.Bytes] and reads the answer with [ParseResponse]; a card does the reverse
// with [ParseCommand] and [Response.Bytes]. All seven cases are covered: 1, 2S, 3S, 4S, 2E, 3E and 4E. A [Status] is an
// error, so that a refusal of the card can be returned as it is and found again by errors.As.
//
// Nothing in this package keeps state; everything may be used concurrently. A parsed command or response shares memory
// with the input.
package apdu

import (
	"encoding/binary"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// headerSize is the length of CLA INS P1 P2.
const headerSize = 4

// shortData and shortExpected are the largest Nc and Ne that short length fields can express.
const (
	shortData     = 255
	shortExpected = 256
)

// Case tells which of the seven command structures of ISO/IEC 7816-3, 12.1.3 a command has. The zero value is no case.
type Case int

// The seven cases: 1 has no data either way, 2 expects data, 3 sends data, 4 does both; S is short, E extended.
const (
	Case1 Case = iota + 1
	Case2S
	Case3S
	Case4S
	Case2E
	Case3E
	Case4E
)

// cases is indexed by Case and never written.
var cases = [...]string{
	Case1: "1", Case2S: "2S", Case3S: "3S", Case4S: "4S", Case2E: "2E", Case3E: "3E", Case4E: "4E",
}

// String returns the name used in the standard, such as "4E".
func (c Case) String() string {
	if c < Case1 || int(c) >= len(cases) {
		return "unknown"
	}
	return cases[c]
}

// Command is a command APDU.
type Command struct {
	CLA, INS, P1, P2 byte
	// Data is the command data field; empty means Nc = 0.
	Data []byte
	// Ne is the largest number of bytes expected in the answer: 0 = no Le field, 1..256 short, up to 65536 extended.
	Ne int
	// Extended forces (encoding) or reports (decoding) extended length fields. It means nothing in case 1, which has no
	// length field at all.
	Extended bool
}

// Case returns the case in which Bytes encodes the command, and 0 if it cannot be encoded.
func (c Command) Case() Case {
	if c.Ne < 0 || c.Ne > limits.APDUExpected || len(c.Data) > limits.APDUData {
		return 0
	}
	// One extended field makes the other one extended too (ISO/IEC 7816-3, 12.1.3).
	extended := c.Extended || len(c.Data) > shortData || c.Ne > shortExpected
	switch {
	case len(c.Data) == 0 && c.Ne == 0:
		return Case1
	case len(c.Data) == 0 && !extended:
		return Case2S
	case len(c.Data) == 0:
		return Case2E
	case c.Ne == 0 && !extended:
		return Case3S
	case c.Ne == 0:
		return Case3E
	case !extended:
		return Case4S
	default:
		return Case4E
	}
}

// ParseCommand decodes any of the seven cases. Data shares memory with b. The error is an *[Error].
func ParseCommand(b []byte) (Command, error) {
	if len(b) < headerSize {
		return Command{}, &Error{Reason: TooShort}
	}
	c := Command{CLA: b[0], INS: b[1], P1: b[2], P2: b[3]}
	body := b[headerSize:]
	switch {
	case len(body) == 0:
		return c, nil
	case len(body) == 1:
		// A short Le field of 00 means 256 (ISO/IEC 7816-4, 5.1).
		c.Ne = expected(int(body[0]), shortExpected)
		return c, nil
	case body[0] != 0:
		return parseShort(c, body)
	default:
		return parseExtended(c, body)
	}
}

func parseShort(c Command, body []byte) (Command, error) {
	nc, rest := int(body[0]), body[1:]
	switch len(rest) {
	case nc:
	case nc + 1:
		c.Ne = expected(int(rest[nc]), shortExpected)
	default:
		return Command{}, &Error{Reason: LengthMismatch}
	}
	c.Data = rest[:nc:nc]
	return c, nil
}

// parseExtended reads a body that starts with 00, the mark of extended length fields.
func parseExtended(c Command, body []byte) (Command, error) {
	if len(body) < 3 {
		return Command{}, &Error{Reason: LengthMismatch}
	}
	c.Extended = true
	n, rest := int(binary.BigEndian.Uint16(body[1:])), body[3:]
	if len(rest) == 0 {
		// An extended Le field of 0000 means 65536 (ISO/IEC 7816-4, 5.1).
		c.Ne = expected(n, limits.APDUExpected)
		return c, nil
	}
	if n == 0 {
		// An Lc field encodes 1..65535 (ISO/IEC 7816-4, 5.1): zero data bytes are expressed by its absence.
		return Command{}, &Error{Reason: ZeroLc}
	}
	switch len(rest) {
	case n:
	case n + 2:
		c.Ne = expected(int(binary.BigEndian.Uint16(rest[n:])), limits.APDUExpected)
	default:
		return Command{}, &Error{Reason: LengthMismatch}
	}
	c.Data = rest[:n:n]
	return c, nil
}

func expected(le, zeroMeans int) int {
	if le == 0 {
		return zeroMeans
	}
	return le
}

// Bytes encodes the command; extended length fields are used when forced or needed. The error is an *[Error] with
// reason [DataTooLong] or [BadNe].
func (c Command) Bytes() ([]byte, error) {
	if len(c.Data) > limits.APDUData {
		return nil, &Error{Reason: DataTooLong}
	}
	if c.Ne < 0 || c.Ne > limits.APDUExpected {
		return nil, &Error{Reason: BadNe}
	}
	b := make([]byte, 0, headerSize+3+len(c.Data)+2)
	b = append(b, c.CLA, c.INS, c.P1, c.P2)
	nc, ne := len(c.Data), c.Ne
	// The conversions below drop the high bits on purpose: 256 becomes 00 and 65536 becomes 0000.
	switch c.Case() {
	case Case2S:
		b = append(b, byte(ne))
	case Case3S:
		b = append(append(b, byte(nc)), c.Data...)
	case Case4S:
		b = append(append(b, byte(nc)), c.Data...)
		b = append(b, byte(ne))
	case Case2E:
		b = append(b, 0, byte(ne>>8), byte(ne))
	case Case3E:
		b = append(append(b, 0, byte(nc>>8), byte(nc)), c.Data...)
	case Case4E:
		b = append(append(b, 0, byte(nc>>8), byte(nc)), c.Data...)
		b = append(b, byte(ne>>8), byte(ne))
	case Case1:
	}
	return b, nil
}

// Response is a response APDU.
type Response struct {
	Data   []byte
	Status Status
}

// ParseResponse decodes a response APDU. Data shares memory with b. The error is an *[Error].
func ParseResponse(b []byte) (Response, error) {
	if len(b) < 2 {
		return Response{}, &Error{Reason: TooShort}
	}
	n := len(b) - 2
	if n > limits.APDUExpected {
		return Response{}, &Error{Reason: DataTooLong}
	}
	s := Status(binary.BigEndian.Uint16(b[n:]))
	// "Any value different from '6XXX' and '9XXX' is invalid; any value '60XX' is also invalid" (ISO/IEC 7816-4, 5.1).
	if sw1 := s.SW1(); sw1 == 0x60 || (sw1&0xF0 != 0x60 && sw1&0xF0 != 0x90) {
		return Response{}, &Error{Reason: BadStatus}
	}
	return Response{Data: b[:n:n], Status: s}, nil
}

// Bytes encodes the response.
func (r Response) Bytes() []byte {
	b := make([]byte, 0, len(r.Data)+2)
	b = append(b, r.Data...)
	return append(b, r.Status.SW1(), r.Status.SW2())
}

// Reason says what is wrong with an APDU.
type Reason int

// Reasons. The zero value is Unknown and is never returned.
const (
	Unknown Reason = iota
	// TooShort: a command of fewer than 4 bytes, or a response of fewer than 2.
	TooShort
	// LengthMismatch: the length fields do not agree with the number of bytes.
	LengthMismatch
	// ZeroLc: an extended Lc field says that no data follow.
	ZeroLc
	// DataTooLong: the data field exceeds what extended length fields can express.
	DataTooLong
	// BadNe: Ne is negative or exceeds 65536.
	BadNe
	// BadStatus: SW1-SW2 is no status word (not 61xx to 6Fxx, not 9xxx).
	BadStatus
)

// names is indexed by Reason and never written.
var names = [...]string{
	Unknown:        "unknown reason",
	TooShort:       "too short",
	LengthMismatch: "length fields do not match the length",
	ZeroLc:         "extended Lc field is zero",
	DataTooLong:    "data field too long",
	BadNe:          "expected length out of range",
	BadStatus:      "invalid status word",
}

// String returns a short description.
func (r Reason) String() string {
	if r < 0 || int(r) >= len(names) {
		return names[Unknown]
	}
	return names[r]
}

// Error reports an APDU that cannot be decoded or encoded. It never holds bytes of the APDU, which may be a PIN.
type Error struct{ Reason Reason }

// Error describes the reason.
func (e *Error) Error() string { return "apdu: " + e.Reason.String() }
