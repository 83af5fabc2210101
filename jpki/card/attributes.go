package card

import (
	"context"
	"encoding/binary"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/tlv"
)

// Tags of the attributes file of the text application.
const (
	tagAttributes tlv.Tag = 0xFF20
	tagOffsets    tlv.Tag = 0xDF21
	tagName       tlv.Tag = 0xDF22
	tagAddress    tlv.Tag = 0xDF23
	tagBirthdate  tlv.Tag = 0xDF24
	tagGender     tlv.Tag = 0xDF25
)

// attributesHeader is how much is read to learn the size: FF20 with a length field of at most four bytes, and a byte more.
const attributesHeader = 7

// Attributes verifies the text PIN and reads the four attributes from the text application. A wrong PIN is a *PINError, a
// phone answers [ApplicationMissing]. An attribute that the card holds in a form unknown to package fourinfo is absent
// from the result.
//
// The data are what the card says. That they are those of the issuer is not checked here.
//
// Another application than that of the keys is used, so the card forgets a verified authentication PIN and signing
// password; the text PIN is forgotten before Attributes returns.
func (c *Card) Attributes(ctx context.Context, pin string) (fourinfo.Person, error) {
	const op = "read attributes"
	value, err := TextPIN.encode(pin)
	if err != nil {
		return fourinfo.Person{}, err
	}
	defer clear(value)
	var f attributeFields
	err = c.s.do(ctx, op, textApp, 0, func(ctx context.Context) error {
		if err := c.s.verify(ctx, op, TextPIN, value, c.lastTry); err != nil {
			return err
		}
		var err error
		f, err = c.s.readAttributes(ctx, op)
		// If this fails the transaction stays until the card can be cleared; what was read is good all the same.
		_ = c.s.reselectApp(ctx, op, jpkiApp)
		return nameReference(err, TextPIN)
	})
	if err != nil {
		return fourinfo.Person{}, err
	}
	person, _ := fourinfo.FromCard(f.name, f.address, f.birthdate, f.gender)
	return person, nil
}

func (s *session) readAttributes(ctx context.Context, op string) (attributeFields, error) {
	if err := s.mustSelectEF(ctx, op, efAttributes); err != nil {
		return attributeFields{}, err
	}
	file, err := s.readEF(ctx, op, 0, attributesHeader)
	if err != nil {
		return attributeFields{}, err
	}
	tag, header, size, err := tlv.Header(file)
	if err != nil {
		return attributeFields{}, &Error{Op: op, Reason: Malformed, Err: err}
	}
	total := header + size
	if tag != tagAttributes || total < len(file) || total > limits.CardFile {
		return attributeFields{}, &Error{Op: op, Reason: Malformed}
	}
	rest, err := s.readEF(ctx, op, len(file), total-len(file))
	if err != nil {
		return attributeFields{}, err
	}
	f, err := parseAttributes(append(file, rest...))
	if err != nil {
		return attributeFields{}, &Error{Op: op, Reason: Malformed, Err: err}
	}
	return f, nil
}

// attributeFields are the values of the file, as they are.
type attributeFields struct{ name, address, birthdate, gender string }

// parseAttributes reads FF20 { DF21 offsets, DF22 name, DF23 address, DF24 birthdate, DF25 gender } without filler. Objects
// behind these five are left for later revisions of the card.
func parseAttributes(file []byte) (attributeFields, error) {
	bad := &Error{Op: "parse attributes", Reason: Malformed}
	nodes, err := tlv.ParseTree(file)
	if err != nil {
		return attributeFields{}, err
	}
	if len(nodes) != 1 || nodes[0].Tag != tagAttributes || len(nodes[0].Children) < 5 {
		return attributeFields{}, bad
	}
	children := nodes[0].Children
	offsets := children[0].Value
	if children[0].Tag != tagOffsets || len(offsets) < 8 || len(offsets)%2 != 0 {
		return attributeFields{}, bad
	}
	var values [4]string
	at := len(file) - len(nodes[0].Value) + len(children[0].Raw)
	for i, want := range []tlv.Tag{tagName, tagAddress, tagBirthdate, tagGender} {
		field := children[i+1]
		// DF21 holds the offset of each field's tag from the first byte of the file. Two readings of one file, by tag and
		// by offset, must not differ.
		if field.Tag != want || int(binary.BigEndian.Uint16(offsets[2*i:])) != at {
			return attributeFields{}, bad
		}
		if len(field.Value) > limits.Attribute || !utf8.Valid(field.Value) {
			return attributeFields{}, bad
		}
		values[i] = string(field.Value)
		at += len(field.Raw)
	}
	return attributeFields{name: values[0], address: values[1], birthdate: values[2], gender: values[3]}, nil
}
