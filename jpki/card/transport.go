package card

import (
	"context"

	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// Transport carries one command APDU to a card and brings back the response APDU. An error is a broken transport, never
// a status word. Implementations need not be safe for concurrent use; Card serialises.
//
// An implementation should return ctx's error when ctx ends first, and must then not deliver that answer to a later
// command. It must not keep command after it returns: Card overwrites the bytes of a PIN. It may return an *[Error] to
// choose the reason, such as [ReasonCardAbsent]; any other error becomes [ReasonTransportFailed]. A signature takes a
// real card seconds: an implementation that has a time limit of its own must allow at least five.
type Transport interface {
	Transmit(ctx context.Context, command []byte) (response []byte, err error)
}

// Transactor is optionally implemented by a transport that can hold the card exclusively (PC/SC transactions). Begin
// waits until the card is free or ctx ends; end gives it back. What other programs left selected is unknown after
// Begin.
type Transactor interface {
	Begin(ctx context.Context) (end func() error, err error)
}

// PowerCycler is optionally implemented by a transport that can remove power, which alone clears verified PINs: a real
// card keeps them over a warm reset and over a new connection. An open transaction may end with it; the end function of
// Begin must then do nothing.
type PowerCycler interface {
	PowerOff(ctx context.Context) error
}

// LengthMemory is optionally implemented by a transport that serves one card after the other, such as a reader: what
// one client learned about it the next need not find out again.
type LengthMemory interface {
	// RememberShort notes that the reader does not carry extended lengths.
	RememberShort()
	// ShortOnly reports whether that was noted.
	ShortOnly() bool
}

// Classes and instructions (ISO/IEC 7816-4, 5.4; class 80: JICSAP V1.1).
const (
	claCard        = 0x80
	claSecure      = 0x08 // secure messaging, the header is not authenticated
	insVerify      = 0x20
	insChange      = 0x24
	insSign        = 0x2A
	insChangeKey   = 0x32 // in class 80
	insInternal    = 0x88
	insSelect      = 0xA4
	insSetSession  = 0xAE // in class 80
	insReadBinary  = 0xB0
	insReadRecord  = 0xB2
	insGetResponse = 0xC0
	insGetData     = 0xCA
	insLastCommand = 0xFC // in class 80, iPhone only
)

// currentEF is the P2 of VERIFY and COMPUTE DIGITAL SIGNATURE that means the selected elementary file.
const currentEF = 0x80

// maxShort is the largest Ne of a short command: the one length that every reader carries.
const maxShort = 256

// send exchanges one command, follows 61xx and 6Cxx, and returns whatever final status the card gave. An error means
// that the transport failed or the answer is no APDU; what the card has selected and verified is then unknown.
func (s *session) send(ctx context.Context, op string, cmd apdu.Command) (apdu.Response, error) {
	r, err := s.exchange(ctx, op, cmd)
	if err != nil {
		s.app, s.verified = unknownApp, 0
		return apdu.Response{}, err
	}
	return r, nil
}

func (s *session) exchange(ctx context.Context, op string, cmd apdu.Command) (apdu.Response, error) {
	r, err := s.transmit(ctx, op, cmd)
	// A command that asks for nothing is never repeated: a VERIFY sent twice could cost two tries.
	if err != nil || cmd.Ne == 0 {
		return r, err
	}
	ne := cmd.Ne
	var data []byte
	for range limits.GetResponses {
		if n, ok := r.Status.CorrectLe(); ok {
			// "SW2 encodes the exact number of available data bytes" (ISO/IEC 7816-4, 5.6).
			cmd.Ne = n
		} else if n, ok := r.Status.Available(); ok {
			data = append(data, r.Data...)
			cmd = apdu.Command{INS: insGetResponse, Ne: n}
		} else {
			break
		}
		if r, err = s.transmit(ctx, op, cmd); err != nil {
			return apdu.Response{}, err
		}
	}
	if data != nil {
		r.Data = append(data, r.Data...)
	}
	if len(r.Data) > ne {
		return apdu.Response{}, &Error{Step: op, Reason: ReasonMalformed, Status: uint16(r.Status)}
	}
	return r, nil
}

func (s *session) transmit(ctx context.Context, op string, cmd apdu.Command) (apdu.Response, error) {
	if ctx.Err() != nil {
		return apdu.Response{}, &Error{Step: op, Reason: ReasonInterrupted, Err: context.Cause(ctx)}
	}
	raw, err := cmd.Bytes()
	if err != nil {
		return apdu.Response{}, &Error{Step: op, Reason: ReasonMalformed, Err: err}
	}
	// The command may hold a PIN; nothing needs it once it has been sent.
	defer clear(raw)
	answer, err := s.t.Transmit(ctx, raw)
	if err != nil {
		err = transportError(ctx, op, err)
		if reasonOf(err) == ReasonCardReset {
			return apdu.Response{}, slipped{err}
		}
		return apdu.Response{}, err
	}
	r, err := apdu.ParseResponse(answer)
	if err != nil {
		return apdu.Response{}, &Error{Step: op, Reason: ReasonMalformed, Err: err}
	}
	return r, nil
}
