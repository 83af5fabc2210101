package card

import (
	"context"
	"crypto/rsa"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/tlv"
)

// Tags of the two smaller signed records of the card-face application.
const (
	tagAgeCheck     tlv.Tag = 0xFF10
	tagAgeBirthdate tlv.Tag = 0xDF11
	tagAgeKey       tlv.Tag = 0xDF12
	tagAgeSignature tlv.Tag = 0xDF13

	tagNumberImage     tlv.Tag = 0xFF40
	tagNumberPicture   tlv.Tag = 0xDF41
	tagNumberKey       tlv.Tag = 0xDF42
	tagNumberSignature tlv.Tag = 0xDF43
)

// recordGuess is how much of such a file is asked for at first.
const recordGuess = 1 << 10

// AgeCheck reads the birthdate from the file for age checks (年齢確認), opened by the birthdate itself in the form of
// [EraBirthdate]: who knows it gets it confirmed. A wrong one is a *[PINError] and costs one of ten tries.
//
// With Options.Roots it is what the municipality signed, on the chip for which it did, with the errors of [Card.CardFace].
// The card forgets every verified PIN before AgeCheck returns.
func (c *Card) AgeCheck(ctx context.Context, birthdate string) (fourinfo.Birthdate, error) {
	const op = "check age"
	var out fourinfo.Birthdate
	err := c.open(ctx, op, FaceBirthdate, birthdate, func(ctx context.Context) error {
		r, err := c.faceRecord(ctx, op, efAgeCheck, tagAgeCheck, tagAgeBirthdate, tagAgeKey, tagAgeSignature)
		if err != nil {
			return err
		}
		if out, err = parseCardBirthdate(r.value); err != nil {
			return &Error{Op: op, Reason: ReasonMalformed, Err: err}
		}
		return nil
	})
	if err != nil {
		return fourinfo.Birthdate{}, err
	}
	return out, nil
}

func parseCardBirthdate(b []byte) (fourinfo.Birthdate, error) {
	if len(b) != 8 {
		return fourinfo.Birthdate{}, &Error{Op: "parse birthdate", Reason: ReasonMalformed}
	}
	return fourinfo.ParseBirthdate(string(b))
}

// NumberImage reads the picture of the individual number (個人番号), opened by [FaceNumberA]. The picture is the number, so
// the law and [Card.IndividualNumber] say the same: an invalid purpose is an *[Error] with reason [ReasonPurposeMissing].
//
// With Options.Roots the picture is what the municipality signed, with the errors of [Card.CardFace]. The card forgets
// every verified PIN before NumberImage returns.
func (c *Card) NumberImage(ctx context.Context, number fourinfo.IndividualNumber, purpose fourinfo.Purpose) (Image, error) {
	const op = "read number image"
	digits, err := number.Reveal(purpose)
	if err != nil {
		return Image{}, &Error{Op: op, Reason: ReasonPurposeMissing, Err: err}
	}
	var out Image
	err = c.open(ctx, op, FaceNumberA, digits, func(ctx context.Context) error {
		r, err := c.faceRecord(ctx, op, efNumberImage, tagNumberImage, tagNumberPicture, tagNumberKey, tagNumberSignature)
		out = newImage(r.value)
		return err
	})
	if err != nil {
		return Image{}, err
	}
	return out, nil
}

// faceRecord reads and checks a record { value, public key, signature over the two objects before }.
func (c *Card) faceRecord(ctx context.Context, op string, ef uint16, tag, value, key, signature tlv.Tag) (faceRecord, error) {
	file, err := c.s.readFile(ctx, op, ef, recordGuess, objectOf(tag))
	if err != nil {
		return faceRecord{}, err
	}
	r, err := parseFaceRecord(file, tag, value, key, signature)
	if err != nil {
		return faceRecord{}, &Error{Op: op, Reason: ReasonMalformed, Err: err}
	}
	return r, c.checkFace(ctx, op, r.key, func(issuer *rsa.PublicKey) bool { return signedBy(issuer, r.signature, r.signed) })
}

type faceRecord struct {
	value             []byte
	key               *rsa.PublicKey
	signed, signature []byte
}

func parseFaceRecord(file []byte, tag, value, key, signature tlv.Tag) (faceRecord, error) {
	bad := &Error{Op: "parse record", Reason: ReasonMalformed}
	root, ok := object(file, tag)
	if !ok || !inOrder(root, value, key, signature) {
		return faceRecord{}, bad
	}
	public, err := parsePublicKey(root.Children[1].Value)
	if err != nil {
		return faceRecord{}, bad
	}
	signed := root.Value[:len(root.Children[0].Raw)+len(root.Children[1].Raw)]
	return faceRecord{root.Children[0].Value, public, signed, root.Children[2].Value}, nil
}
