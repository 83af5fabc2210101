package card

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/tlv"
)

// Elementary files of the JPKI application.
const (
	efSigningCertificate   = 0x0001
	efSigningCACertificate = 0x0002
	efTokenInfo            = 0x0006
	efAvailability         = 0x0008
	efAuthCertificate      = 0x000A
	efAuthCACertificate    = 0x000B
	efAuthKey              = 0x0017
	efAuthPIN              = 0x0018
	efSigningKey           = 0x001A
	efSigningPIN           = 0x001B
)

// Elementary files of the text application (券面事項入力補助AP).
const (
	efNumber        = 0x0001
	efAttributes    = 0x0002
	efTextSignature = 0x0003
	efTextInfo      = 0x0005
	efChannelKey    = 0x0006
	efTextInternal  = 0x0007
	efTextPIN       = 0x0011
	efTextNumberA   = 0x0014
	efTextNumberB   = 0x0015
	efIssuer        = 0x0004 // CV certificate of the municipality, in the text and in the card-face application
)

// Elementary files of the card-face application (券面事項確認AP).
const (
	efAgeCheck      = 0x0001
	efFace          = 0x0002
	efFaceInfo      = 0x0003
	efNumberImage   = 0x0005
	efFaceBirthdate = 0x0011
	efFaceNumberB   = 0x0012
	efFaceNumberA   = 0x0013
)

// Elementary files of the common-card and resident-register applications.
const (
	efCardRecord  = 0x0001
	efCommonKey   = 0x0019
	efCommonPIN   = 0x001C
	efResidentPIN = 0x001C
)

const (
	// tokenLabelSize is the length of the label at the start of the token information file.
	tokenLabelSize = 32
	// objectHeader is how many bytes a tag and a length field can take, see package tlv, and a byte more.
	objectHeader = 8
	// maxOffset is the largest offset that P1-P2 of READ BINARY can express (15 bits).
	maxOffset = 0x7FFF
	// byShortID in P1 of READ BINARY says that bits 5 to 1 are a short identifier and P2 the offset.
	byShortID = 0x80
)

// sizing tells from the first bytes of a file how long its content is; filler follows. The error is an *[Error].
type sizing func(op string, head []byte) (int, error)

// exactly is the size of a file whose content has no length of its own.
func exactly(n int) sizing {
	return func(string, []byte) (int, error) { return n, nil }
}

// objectOf is the size of a file that holds one data object.
func objectOf(want tlv.Tag) sizing {
	return func(op string, head []byte) (int, error) {
		tag, header, size, err := tlv.Header(head)
		if err != nil {
			return 0, &Error{Step: op, Reason: ReasonMalformed, Err: err}
		}
		if tag != want || header+size > limits.CardFile {
			return 0, &Error{Step: op, Reason: ReasonMalformed}
		}
		return header + size, nil
	}
}

// readFile reads the content of an elementary file of the current application. It asks for first bytes before it knows
// the size: with a guess that is large enough the whole file takes one command.
func (s *session) readFile(ctx context.Context, op string, ef uint16, first int, size sizing) ([]byte, error) {
	content, end, err := s.readStart(ctx, op, ef, first)
	if err != nil {
		return nil, err
	}
	if len(content) < objectHeader && !end {
		// Cards may give less than was asked for.
		more, err := s.readEF(ctx, op, len(content), min(objectHeader, first)-len(content))
		if err != nil {
			return nil, err
		}
		content = append(content, more...)
	}
	total, err := size(op, content)
	if err != nil {
		return nil, err
	}
	if total > len(content) && !end {
		// Only as much as the content has: filler behind it stays on the card.
		rest, err := s.readEF(ctx, op, len(content), total-len(content))
		if err != nil {
			return nil, err
		}
		content = append(content, rest...)
	}
	if len(content) < total {
		return nil, &Error{Step: op, Reason: ReasonMalformed}
	}
	return content[:total:total], nil
}

// readStart reads up to n bytes from the beginning of a file, which becomes the current one. end says that there are no
// more. The short identifier saves a SELECT; a card that does not know it is asked in two commands.
func (s *session) readStart(ctx context.Context, op string, ef uint16, n int) (content []byte, end bool, err error) {
	r, err := s.readBlock(ctx, op, byShortID|byte(ef&0x1F), 0, n)
	if err != nil {
		return nil, false, err
	}
	if !answersShortID(r) {
		if err := s.mustSelectEF(ctx, op, ef); err != nil {
			return nil, false, err
		}
		if r, err = s.readBlock(ctx, op, 0, 0, n); err != nil {
			return nil, false, err
		}
	}
	switch r.Status {
	case apdu.OK:
		return r.Data, len(r.Data) == 0, nil
	case apdu.EndOfFile:
		return r.Data, true, nil
	case apdu.OffsetOutsideFile:
		return nil, true, nil
	default:
		return nil, false, s.refused(op, r.Status)
	}
}

// answersShortID reports whether an answer to a READ BINARY by short identifier is one that the selected file would
// give, too: data, or that a PIN is missing. Whatever else is said, and be it that the file is empty, SELECT tells
// whether there is such a file.
func answersShortID(r apdu.Response) bool {
	switch sw1 := r.Status.SW1(); {
	case len(r.Data) > 0, r.Status == apdu.SecurityNotSatisfied, r.Status == apdu.FileDeactivated:
		return true
	default:
		return sw1 == 0x61 || sw1 == 0x6C // gone on for too long already
	}
}

// readEF reads n bytes of the current elementary file from the offset, or as many as there are. Short data, 6B00 and
// 6282 all mean the end of the file: cards and readers differ.
func (s *session) readEF(ctx context.Context, op string, offset, n int) ([]byte, error) {
	out := make([]byte, 0, max(n, 0))
	for len(out) < n {
		at := offset + len(out)
		if at > maxOffset {
			return nil, &Error{Step: op, Reason: ReasonMalformed}
		}
		r, err := s.readBlock(ctx, op, byte(at>>8), byte(at&0xFF), n-len(out))
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
			return nil, s.refused(op, r.Status)
		}
	}
	return out, nil
}

// readBlock is one READ BINARY for at most n bytes: with an extended Le field where everything between here and the
// card carries it, otherwise for at most 256.
func (s *session) readBlock(ctx context.Context, op string, p1, p2 byte, n int) (apdu.Response, error) {
	cmd := apdu.Command{INS: insReadBinary, P1: p1, P2: p2, Ne: n}
	if n <= maxShort {
		return s.send(ctx, op, cmd)
	}
	if s.short {
		cmd.Ne = maxShort
		return s.send(ctx, op, cmd)
	}
	long, longErr := s.exchange(ctx, op, cmd)
	switch {
	case longErr == nil && answersExtended(long, p1):
		return long, nil
	case longErr != nil && reasonOf(longErr) != ReasonTransportFailed && reasonOf(longErr) != ReasonMalformed:
		s.app, s.verified = unknownApp, 0
		return apdu.Response{}, longErr
	}
	// Not every card, reader and relay carries extended lengths, and they say so in many ways. Reading again changes
	// nothing on the card, and what a short command answers is the truth.
	s.short = true
	cmd.Ne = maxShort
	r, err := s.send(ctx, op, cmd)
	var slip slipped
	switch given := err == nil && (r.Status == apdu.OK || r.Status == apdu.EndOfFile && len(r.Data) > 0); {
	case given:
		s.rememberShort()
	case longErr != nil && (err == nil || errors.As(err, &slip)):
		// The reader lost not only the command but also the card's state: the next attempt spares it that.
	default:
		s.short = false // it was not the length
	}
	return r, err
}

// answersExtended reports whether an answer to a READ BINARY with an extended Le field is one that a short one would
// get, too. Of a refusal nobody knows that, whatever it says: a short read says whether there is a file and whether it
// is behind a PIN.
func answersExtended(r apdu.Response, p1 byte) bool {
	switch r.Status {
	case apdu.OK, apdu.EndOfFile:
		return len(r.Data) > 0
	case apdu.FileNotFound, apdu.IncorrectP1P2, apdu.FunctionNotSupported, apdu.NoCurrentEF:
		return p1&byShortID != 0 // perhaps it is the short identifier
	default:
		sw1 := r.Status.SW1()
		return sw1 == 0x61 || sw1 == 0x6C // gone on for too long already
	}
}

// rememberShort notes for the cards that come after this one that the reader does not carry extended lengths.
func (s *session) rememberShort() {
	if m, ok := s.t.(LengthMemory); ok {
		m.RememberShort()
	}
}

// selectEF selects an elementary file of the current application. Verified PINs stay verified.
func (s *session) selectEF(ctx context.Context, op string, id uint16) (apdu.Response, error) {
	cmd := apdu.Command{INS: insSelect, P1: 0x02, P2: 0x0C, Data: []byte{byte(id >> 8), byte(id & 0xFF)}}
	r, err := s.send(ctx, op, cmd)
	if _, more := r.Status.Available(); more {
		r.Status = apdu.OK // 61xx announces data that nobody asked for
	}
	if err != nil || !lost(r.Status) || s.app == unknownApp {
		return r, err
	}
	// Nobody tells when the card lost power or was taken away and put back, which leaves another application selected
	// and nothing verified: ask again where the file should be.
	app, verified := s.app, s.verified != 0
	s.app, s.verified = unknownApp, 0
	if err := s.selectApp(ctx, op, app); err != nil {
		return apdu.Response{}, err
	}
	again, err := s.send(ctx, op, cmd)
	if err == nil && again.Status == apdu.OK && verified {
		// The file is there, and what was verified for it is not.
		return apdu.Response{}, slipped{
			&Error{Step: op, Reason: ReasonRefused, Status: uint16(r.Status), Err: r.Status},
		}
	}
	return again, err
}

// mustSelectEF is selectEF for a file that every such application has.
func (s *session) mustSelectEF(ctx context.Context, op string, id uint16) error {
	r, err := s.selectEF(ctx, op, id)
	switch {
	case err != nil:
		return err
	case r.Status == apdu.FileNotFound:
		return &Error{Step: op, Reason: ReasonFileMissing, Status: uint16(r.Status), Err: r.Status}
	case r.Status != apdu.OK:
		return refused(op, r.Status)
	}
	return nil
}

// checkOffsets checks the offset table, the first object of a file, against the fields that follow it: it holds the
// offset of each field's tag from the first byte of the file. Two readings of one file, by tag and by offset, must not
// differ.
func checkOffsets(file []byte, root tlv.Node, table tlv.Tag, fields ...tlv.Tag) bool {
	if len(root.Children) < 1+len(fields) || root.Children[0].Tag != table {
		return false
	}
	offsets := root.Children[0].Value
	if len(offsets) < 2*len(fields) || len(offsets)%2 != 0 {
		return false
	}
	at := len(file) - len(root.Value) + len(root.Children[0].Raw)
	for i, want := range fields {
		child := root.Children[i+1]
		if child.Tag != want || int(binary.BigEndian.Uint16(offsets[2*i:])) != at {
			return false
		}
		at += len(child.Raw)
	}
	return true
}

// cutShort reports whether data objects end before their lengths say.
func cutShort(b []byte) bool {
	_, err := tlv.ParseAll(b)
	var e *tlv.Error
	return errors.As(err, &e) && e.Reason == tlv.Truncated
}

// object reads a file that holds one data object and returns it with those inside.
func object(file []byte, want tlv.Tag) (tlv.Node, bool) {
	nodes, err := tlv.ParseTree(file)
	if err != nil || len(nodes) != 1 || nodes[0].Tag != want {
		return tlv.Node{}, false
	}
	return nodes[0], true
}

// inOrder reports whether the objects inside begin with these tags.
func inOrder(n tlv.Node, tags ...tlv.Tag) bool {
	if len(n.Children) < len(tags) {
		return false
	}
	for i, want := range tags {
		if n.Children[i].Tag != want {
			return false
		}
	}
	return true
}
