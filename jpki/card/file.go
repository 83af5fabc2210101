package card

import (
	"context"

	"github.com/kakunin-go/kakunin/internal/apdu"
)

// Elementary files of the JPKI application.
const (
	efSigningCertificate   = 0x0001
	efSigningCACertificate = 0x0002
	efTokenInfo            = 0x0006
	efAuthCertificate      = 0x000A
	efAuthCACertificate    = 0x000B
	efAuthKey              = 0x0017
	efAuthPIN              = 0x0018
	efSigningKey           = 0x001A
	efSigningPIN           = 0x001B
)

// Elementary files of the text application (券面事項入力補助AP).
const (
	efAttributes = 0x0002
	efTextPIN    = 0x0011
)

// tokenLabelSize is the length of the label at the start of the token information file.
const tokenLabelSize = 32

// maxOffset is the largest offset that P1-P2 of READ BINARY can express (15 bits).
const maxOffset = 0x7FFF

// selectEF selects an elementary file of the current application. Verified PINs stay verified.
func (s *session) selectEF(ctx context.Context, op string, id uint16) (apdu.Response, error) {
	cmd := apdu.Command{INS: insSelect, P1: 0x02, P2: 0x0C, Data: []byte{byte(id >> 8), byte(id & 0xFF)}}
	r, err := s.send(ctx, op, cmd)
	if err != nil || r.Status != apdu.FileNotFound || s.end != nil || s.app == unknownApp {
		return r, err
	}
	// Without a transaction nobody tells when the card was taken away and put back, which leaves another application
	// selected and nothing verified: ask again where the file should be.
	if err := s.reselectApp(ctx, op, s.app); err != nil {
		return apdu.Response{}, err
	}
	return s.send(ctx, op, cmd)
}

// mustSelectEF is selectEF for a file that every such application has.
func (s *session) mustSelectEF(ctx context.Context, op string, id uint16) error {
	r, err := s.selectEF(ctx, op, id)
	if err != nil {
		return err
	}
	if r.Status == apdu.FileNotFound {
		// Then it is not the application that this client selected: the card has lost power in between.
		verified := s.verified != 0
		s.app, s.verified = unknownApp, 0
		if verified {
			return &Error{Op: op, Reason: NotVerified, Status: uint16(r.Status), Err: r.Status}
		}
	}
	if r.Status != apdu.OK {
		return refused(op, r.Status)
	}
	return nil
}

// readEF reads n bytes of the current elementary file from the offset, or as many as there are. Short data, 6B00 and 6282
// all mean the end of the file: cards and readers differ.
func (s *session) readEF(ctx context.Context, op string, offset, n int) ([]byte, error) {
	out := make([]byte, 0, n)
	for len(out) < n {
		at := offset + len(out)
		if at > maxOffset {
			return nil, &Error{Op: op, Reason: Malformed}
		}
		r, err := s.send(ctx, op, apdu.Command{
			INS: insReadBinary, P1: byte(at >> 8), P2: byte(at & 0xFF), Ne: min(maxShort, n-len(out)),
		})
		if err != nil {
			return nil, err
		}
		switch r.Status {
		case apdu.OK:
			if len(r.Data) == 0 {
				return out, nil
			}
			out = append(out, r.Data...)
		case apdu.EndOfFile:
			return append(out, r.Data...), nil
		case apdu.OffsetOutsideFile:
			return out, nil
		default:
			return nil, refused(op, r.Status)
		}
	}
	return out, nil
}
