package card

import (
	"context"
	"crypto/sha256"
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

// attributesGuess is how much of the file is asked for at first. It is larger than almost any content, and a card that has
// less gives less.
const attributesGuess = maxShort

// Attributes verifies the text PIN and reads the four attributes from the text application. A wrong PIN is a *PINError, a
// phone answers [ReasonApplicationMissing]. An attribute that the card holds in a form unknown to package fourinfo is absent
// from the result.
//
// With Options.Roots the attributes are those that the municipality signed, and the chip is one that it made: otherwise
// the error is an *[Error] with reason [ReasonTampered], [ReasonUnknownIssuer] or [ReasonNotGenuine]. Without, they are what the card says.
// The signatures do not bind the attributes to the chip: the certificates and the card face do.
//
// Another application than that of the keys is used, so the card forgets a verified authentication PIN and signing
// password; the text PIN is forgotten before Attributes returns.
func (c *Card) Attributes(ctx context.Context, pin string) (fourinfo.Person, error) {
	return c.attributes(ctx, TextPIN, pin)
}

// AttributesByNumberB is [Card.Attributes] with 照合番号B, which is printed on the card, instead of a PIN; see [NumberB].
// Secure messaging needs the PIN: with that option the error is an *[Error] with reason [ReasonChannelRefused].
func (c *Card) AttributesByNumberB(ctx context.Context, number string) (fourinfo.Person, error) {
	return c.attributes(ctx, TextNumberB, number)
}

func (c *Card) attributes(ctx context.Context, p PIN, secret string) (fourinfo.Person, error) {
	const op = "read attributes"
	if p != TextPIN && c.opts.SecureMessaging {
		return fourinfo.Person{}, &Error{Op: op, Reason: ReasonChannelRefused}
	}
	var f attributeFields
	err := c.open(ctx, op, p, secret, func(ctx context.Context) error {
		read, err := c.textReader(ctx, op)
		if err != nil {
			return err
		}
		file, err := read(ctx, op, efAttributes, attributesGuess, objectOf(tagAttributes))
		if err != nil {
			return err
		}
		if f, err = parseAttributes(file); err != nil {
			return &Error{Op: op, Reason: ReasonMalformed, Err: err}
		}
		if c.opts.Roots == nil {
			return nil
		}
		return c.checkText(ctx, op, read, func(h textHashes) bool { return h.attributes == sha256.Sum256(f.signed) })
	})
	if err != nil {
		return fourinfo.Person{}, err
	}
	person, _ := fourinfo.FromCard(f.name, f.address, f.birthdate, f.gender)
	return person, nil
}

// attributeFields are the values of the file, as they are.
type attributeFields struct {
	name, address, birthdate, gender string
	// signed is what the issuer's hash covers: the objects behind the offset table.
	signed []byte
}

// parseAttributes reads FF20 { DF21 offsets, DF22 name, DF23 address, DF24 birthdate, DF25 gender } without filler. Objects
// behind these five are left for later revisions of the card.
func parseAttributes(file []byte) (attributeFields, error) {
	bad := &Error{Op: "parse attributes", Reason: ReasonMalformed}
	root, ok := object(file, tagAttributes)
	if !ok || !checkOffsets(file, root, tagOffsets, tagName, tagAddress, tagBirthdate, tagGender) {
		return attributeFields{}, bad
	}
	var values [4]string
	for i := range values {
		value := root.Children[i+1].Value
		if len(value) > limits.Attribute || !utf8.Valid(value) {
			return attributeFields{}, bad
		}
		values[i] = string(value)
	}
	signed := root.Value[len(root.Children[0].Raw):]
	return attributeFields{values[0], values[1], values[2], values[3], signed}, nil
}
