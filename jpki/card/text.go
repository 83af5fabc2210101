package card

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
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

// attributesGuess is how much of the file is asked for at first. It is larger than almost any content, and a card that
// has less gives less.
const attributesGuess = maxShort

// Attributes reads the four attributes from the text application, opened by [TextPIN] or by [TextNumberB] (14 digits,
// which are printed on the card, see [Printed.NumberB]). Another reference is an *[Error] with reason
// [ReasonBadReference], a wrong secret [ReasonWrongPIN]; a phone answers [ReasonApplicationMissing]. Secure messaging
// needs the PIN: number B is [ReasonChannelRefused] then. An attribute that the card holds in a form unknown to package
// fourinfo is absent from the result.
//
// With Config.Roots the attributes are those that the municipality signed, and the chip is one that it made: otherwise
// the error has the reason [ReasonTampered], [ReasonUnknownIssuer] or [ReasonNotGenuine]. Without, they are what the
// card says. The signatures do not bind the attributes to the chip: the certificates and the card face do.
//
// Another application than that of the keys is used, so the card forgets a verified authentication PIN and signing
// password; what opened the attributes is forgotten before Attributes returns.
func (c *Card) Attributes(ctx context.Context, by PIN, secret string, options ...Option) (fourinfo.Person, error) {
	const op = "read attributes"
	switch {
	case by != TextPIN && by != TextNumberB:
		return fourinfo.Person{}, &Error{Step: op, Reason: ReasonBadReference}
	case by != TextPIN && c.cfg.SecureMessaging:
		return fourinfo.Person{}, &Error{Step: op, Reason: ReasonChannelRefused}
	}
	var f attributeFields
	err := c.open(ctx, op, by, secret, options, func(ctx context.Context) error {
		read, err := c.textReader(ctx, op)
		if err != nil {
			return err
		}
		file, err := read(ctx, op, efAttributes, attributesGuess, objectOf(tagAttributes))
		if err != nil {
			return err
		}
		if f, err = parseAttributes(file); err != nil {
			return &Error{Step: op, Reason: ReasonMalformed, Err: err}
		}
		if c.cfg.Roots == nil {
			return nil
		}
		return c.checkText(ctx, op, read, func(h textHashes) bool { return h.attributes == sha256.Sum256(f.signed) })
	})
	if err != nil {
		return fourinfo.Person{}, err
	}
	person, _ := fourinfo.FromCard(fourinfo.CardFields{
		Name: f.name, Address: f.address, Birthdate: f.birthdate, Gender: f.gender,
	})
	return person, nil
}

// birthdate reads the birthdate where the text PIN is verified, as digits, and selects the PIN again. It is "" on a
// card that has none in this form.
func (s *session) birthdate(ctx context.Context, op string) (string, error) {
	file, err := s.readFile(ctx, op, efAttributes, attributesGuess, objectOf(tagAttributes))
	var fields attributeFields
	if err == nil {
		fields, err = parseAttributes(file)
	}
	var slip slipped
	switch reason := reasonOf(err); {
	case errors.As(err, &slip):
		return "", err
	case reason == ReasonMalformed, reason == ReasonRefused, reason == ReasonFileMissing:
	case err != nil:
		return "", err
	}
	return fields.birthdate, s.mustSelectEF(ctx, op, efTextPIN)
}

// attributeFields are the values of the file, as they are.
type attributeFields struct {
	name, address, birthdate, gender string
	// signed is what the issuer's hash covers: the objects behind the offset table.
	signed []byte
}

// parseAttributes reads FF20 { DF21 offsets, DF22 name, DF23 address, DF24 birthdate, DF25 gender } without filler.
// Objects behind these five are left for later revisions of the card.
func parseAttributes(file []byte) (attributeFields, error) {
	bad := &Error{Step: "parse attributes", Reason: ReasonMalformed}
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

const (
	tagNumber tlv.Tag = 0xFF10
	// numberSize is the physical size of the individual number's file: the object and two filler bytes, over which the
	// signed hash runs as well.
	numberSize = 17
)

// IndividualNumber verifies the text PIN and reads the individual number (個人番号). The law allows to obtain it only for
// the purposes that package fourinfo names; the result can be used for that purpose alone and shows itself nowhere. An
// invalid purpose is an *[Error] with reason [ReasonPurposeMissing], and nothing is sent.
//
// Config.SecureMessaging keeps the number from whoever listens to reader or radio. Config.Roots checks that it is the
// number that the municipality signed, with the errors of [Card.Attributes].
//
// The card forgets every verified PIN, the text PIN included, before IndividualNumber returns.
func (c *Card) IndividualNumber(
	ctx context.Context, pin string, purpose mynumber.Purpose, options ...Option,
) (mynumber.Number, error) {
	const op = "read individual number"
	if !purpose.Valid() {
		return mynumber.Number{}, &Error{Step: op, Reason: ReasonPurposeMissing}
	}
	var number mynumber.Number
	err := c.open(ctx, op, TextPIN, pin, options, func(ctx context.Context) error {
		read, err := c.textReader(ctx, op)
		if err != nil {
			return err
		}
		file, err := read(ctx, op, efNumber, numberSize, exactly(numberSize))
		if err != nil {
			return err
		}
		defer clear(file)
		if number, err = parseNumber(file, purpose); err != nil {
			return &Error{Step: op, Reason: ReasonMalformed, Err: err}
		}
		if c.cfg.Roots == nil {
			return nil
		}
		return c.checkText(ctx, op, read, func(h textHashes) bool { return h.number == sha256.Sum256(file) })
	})
	if err != nil {
		return mynumber.Number{}, err
	}
	return number, nil
}

// parseNumber reads FF10 { 12 digits } and the filler behind it.
func parseNumber(file []byte, purpose mynumber.Purpose) (mynumber.Number, error) {
	el, _, err := tlv.Next(file)
	if err != nil {
		return mynumber.Number{}, err
	}
	if el.Tag != tagNumber || len(file) != numberSize {
		return mynumber.Number{}, &Error{Step: "parse individual number", Reason: ReasonMalformed}
	}
	for _, b := range el.Value {
		if b < '0' || b > '9' { // the card has half-width digits only
			return mynumber.Number{}, &Error{Step: "parse individual number", Reason: ReasonMalformed}
		}
	}
	return mynumber.New(string(el.Value), purpose)
}

// ConfirmIndividualNumber lets the card compare an individual number with its own, so that none is read. A number that
// differs is a *[PINError] about [TextNumberA] and costs one of its ten tries, which nobody but the municipality
// restores once they are spent.
//
// The number travels encrypted, whatever Config say; the card wants the text PIN before it offers that. The card
// forgets every verified PIN before ConfirmIndividualNumber returns.
func (c *Card) ConfirmIndividualNumber(
	ctx context.Context, pin string, number mynumber.Number, options ...Option,
) error {
	const op = "confirm individual number"
	digits, err := number.Reveal(number.Purpose())
	if err != nil {
		return &Error{Step: op, Reason: ReasonPurposeMissing, Err: err}
	}
	value := []byte(digits)
	defer clear(value)
	return c.open(ctx, op, TextPIN, pin, options, func(ctx context.Context) error {
		ch, err := c.s.openChannel(ctx, op)
		if err != nil {
			return err
		}
		return ch.verify(ctx, op, TextNumberA, value, callOf(options).lastTry)
	})
}

// Tags of the signature file and of the internal key's file of the text application.
const (
	tagTextSignature  tlv.Tag = 0xFF30
	tagNumberHash     tlv.Tag = 0xDF31
	tagAttributesHash tlv.Tag = 0xDF32
	tagHashSignature  tlv.Tag = 0xDF33

	tagTextInternal      tlv.Tag = 0xFF50
	tagInternalKey       tlv.Tag = 0xDF51
	tagInternalSignature tlv.Tag = 0xDF52
)

// Sizes of those files, asked for at first.
const (
	textSignatureGuess = 336
	textInternalGuess  = 536
)

// fileReader reads the content of a file of the selected application, see session.readFile.
type fileReader func(ctx context.Context, op string, ef uint16, first int, size sizing) ([]byte, error)

// textReader returns how the files of the text application are read.
func (c *Card) textReader(ctx context.Context, op string) (fileReader, error) {
	if !c.cfg.SecureMessaging {
		return c.s.readFile, nil
	}
	ch, err := c.s.openChannel(ctx, op)
	if err != nil {
		return nil, err
	}
	return ch.readFile, nil
}

// textHashes are the signed hashes of the text application.
type textHashes struct {
	number, attributes [sha256.Size]byte
	signed, signature  []byte
}

// parseTextSignature reads FF30 { DF31 hash of the number, DF32 hash of the attributes, DF33 signature over both
// objects }.
func parseTextSignature(file []byte) (textHashes, error) {
	bad := &Error{Step: "parse signature", Reason: ReasonMalformed}
	root, ok := object(file, tagTextSignature)
	if !ok || !inOrder(root, tagNumberHash, tagAttributesHash, tagHashSignature) {
		return textHashes{}, bad
	}
	a, b := root.Children[0], root.Children[1]
	if len(a.Value) != sha256.Size || len(b.Value) != sha256.Size {
		return textHashes{}, bad
	}
	h := textHashes{signed: root.Value[:len(a.Raw)+len(b.Raw)], signature: root.Children[2].Value}
	copy(h.number[:], a.Value)
	copy(h.attributes[:], b.Value)
	return h, nil
}

// certifiedKey is a public key with the issuer's signature.
type certifiedKey struct {
	key               *rsa.PublicKey
	signed, signature []byte
}

// parseTextInternal reads FF50 { DF51 public key, DF52 signature over DF51 }.
func parseTextInternal(file []byte) (certifiedKey, error) {
	bad := &Error{Step: "parse internal key", Reason: ReasonMalformed}
	root, ok := object(file, tagTextInternal)
	if !ok || !inOrder(root, tagInternalKey, tagInternalSignature) {
		return certifiedKey{}, bad
	}
	key, err := parsePublicKey(root.Children[0].Value)
	if err != nil {
		return certifiedKey{}, bad
	}
	return certifiedKey{key, root.Children[0].Raw, root.Children[1].Value}, nil
}

// checkText verifies what was read from the text application: the hash that holds says whether the data are those that
// the municipality signed, and the chip must hold the key that it certified.
func (c *Card) checkText(ctx context.Context, op string, read fileReader, holds func(textHashes) bool) error {
	tampered := &Error{Step: op, Reason: ReasonTampered}
	issuer, err := c.s.issuerKey(ctx, op, c.cfg.Roots)
	if err != nil {
		return err
	}
	file, err := read(ctx, op, efTextSignature, textSignatureGuess, objectOf(tagTextSignature))
	if err != nil {
		return err
	}
	hashes, err := parseTextSignature(file)
	if err != nil {
		return &Error{Step: op, Reason: ReasonMalformed, Err: err}
	}
	if !signedBy(issuer, hashes.signature, hashes.signed) || !holds(hashes) {
		return tampered
	}
	if file, err = read(ctx, op, efTextInternal, textInternalGuess, objectOf(tagTextInternal)); err != nil {
		return err
	}
	internal, err := parseTextInternal(file)
	if err != nil {
		return &Error{Step: op, Reason: ReasonMalformed, Err: err}
	}
	if !signedBy(issuer, internal.signature, internal.signed) {
		return tampered
	}
	return c.s.challenge(ctx, op, internal.key)
}
