package card

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"slices"
	"strconv"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/internal/redact"
	"github.com/kakunin-go/kakunin/internal/tlv"
)

// Tags of the card-face file.
const (
	tagFace             tlv.Tag = 0xFF20
	tagFaceOffsets      tlv.Tag = 0xDF21
	tagFaceBirthdate    tlv.Tag = 0xDF22
	tagFaceGender       tlv.Tag = 0xDF23
	tagFaceKey          tlv.Tag = 0xDF24
	tagFaceName         tlv.Tag = 0xDF25
	tagFaceAddress      tlv.Tag = 0xDF26
	tagFacePortrait     tlv.Tag = 0xDF27
	tagFaceSignature    tlv.Tag = 0xDF28
	tagFaceExpiry       tlv.Tag = 0xDF29
	tagFaceSecurityCode tlv.Tag = 0xDF2A
)

// faceGuess is how much of the card-face file is asked for at first; it has 6 to 9 KB.
const faceGuess = 10 << 10

// Face is what is printed on the card, as the card holds it.
type Face struct {
	Birthdate fourinfo.Birthdate
	Gender    fourinfo.Gender
	// Name and Address are PNG images of the text: they also show characters that Unicode lacks.
	Name, Address Image
	// Portrait is a grey JPEG 2000 image.
	Portrait Image
	// Expiry is the card's last day, and SecurityCode a PNG image of four digits. The issuer's signature does not cover
	// these two. Expiry is the zero Date if the card has no date there.
	Expiry       fourinfo.Date
	SecurityCode Image
}

// Face reads the card face, opened by [FaceNumberB] (14 digits, see [Printed.NumberB]) or [FaceNumberA] (the individual
// number). Another reference is an *[Error] with reason [ReasonBadReference], a wrong number a *[PINError].
//
// With Config.Roots everything but expiry and security code is what the municipality signed, on the chip for which it
// did: otherwise the error is an *[Error] with reason [ReasonTampered], [ReasonUnknownIssuer] or [ReasonNotGenuine].
//
// The card forgets every verified PIN before Face returns.
func (c *Card) Face(ctx context.Context, by PIN, number string, options ...Option) (Face, error) {
	const op = "read card face"
	if by != FaceNumberA && by != FaceNumberB {
		return Face{}, &Error{Step: op, Reason: ReasonBadReference}
	}
	var f faceFields
	err := c.open(ctx, op, by, number, options, func(ctx context.Context) error {
		file, err := c.s.readFile(ctx, op, efFace, faceGuess, objectOf(tagFace))
		if err != nil {
			return err
		}
		if f, err = parseFace(file); err != nil {
			return &Error{Step: op, Reason: ReasonMalformed, Err: err}
		}
		return c.checkFace(ctx, op, f.key, f.authentic)
	})
	if err != nil {
		return Face{}, err
	}
	return f.face, nil
}

// checkFace verifies a record of the card-face application, if there are roots: the municipality's signature, and that
// the chip holds the key inside of the record.
func (c *Card) checkFace(
	ctx context.Context, op string, internal *rsa.PublicKey, authentic func(issuer *rsa.PublicKey) bool,
) error {
	if c.cfg.Roots == nil {
		return nil
	}
	issuer, err := c.s.issuerKey(ctx, op, c.cfg.Roots)
	if err != nil {
		return err
	}
	if !authentic(issuer) {
		return &Error{Step: op, Reason: ReasonTampered}
	}
	return c.s.challenge(ctx, op, internal)
}

// faceFields is the card-face file.
type faceFields struct {
	face Face
	// key is the public half of the internal key.
	key *rsa.PublicKey
	// digest is what is signed: three hashes, of birthdate to key, of the texts, and of the portrait.
	digest    [3 * sha256.Size]byte
	signature []byte
}

// parseFace reads FF20 { DF21 offsets, DF22 to DF2A } without filler.
func parseFace(file []byte) (faceFields, error) {
	bad := &Error{Step: "parse card face", Reason: ReasonMalformed}
	root, ok := object(file, tagFace)
	if !ok || !checkOffsets(file, root, tagFaceOffsets, tagFaceBirthdate, tagFaceGender, tagFaceKey, tagFaceName,
		tagFaceAddress, tagFacePortrait, tagFaceSignature, tagFaceExpiry, tagFaceSecurityCode) {
		return faceFields{}, bad
	}
	at := func(tag tlv.Tag) tlv.Node { return root.Children[tag-tagFaceOffsets] }
	key, err := parsePublicKey(at(tagFaceKey).Value)
	if err != nil {
		return faceFields{}, bad
	}
	person, _ := fourinfo.FromCard(fourinfo.CardFields{
		Birthdate: string(at(tagFaceBirthdate).Value), Gender: string(at(tagFaceGender).Value),
	})
	f := faceFields{
		face: Face{
			Birthdate: person.Birthdate, Gender: person.Gender,
			Name: newImage(at(tagFaceName).Value), Address: newImage(at(tagFaceAddress).Value),
			Portrait: newImage(at(tagFacePortrait).Value), SecurityCode: newImage(at(tagFaceSecurityCode).Value),
			Expiry: cardDate(at(tagFaceExpiry).Value),
		},
		key: key, signature: slices.Clone(at(tagFaceSignature).Value),
	}
	for i, part := range [][]byte{
		slices.Concat(at(tagFaceBirthdate).Raw, at(tagFaceGender).Raw, at(tagFaceKey).Raw),
		slices.Concat(at(tagFaceName).Raw, at(tagFaceAddress).Raw),
		at(tagFacePortrait).Raw,
	} {
		sum := sha256.Sum256(part)
		copy(f.digest[i*sha256.Size:], sum[:])
	}
	return f, nil
}

// authentic checks the signature: one DigestInfo that names SHA-256 and has a digest of 96 bytes.
func (f faceFields) authentic(issuer *rsa.PublicKey) bool {
	info := digestInfoHead(1, byte(len(f.digest)))
	return signsBlock(issuer, f.signature, append(info, f.digest[:]...))
}

// cardDate reads YYYYMMDD; anything else is the zero Date.
func cardDate(b []byte) fourinfo.Date {
	if len(b) != 8 {
		return fourinfo.Date{}
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return fourinfo.Date{}
		}
	}
	number := func(part []byte) int {
		n, _ := strconv.Atoi(string(part)) // digits only
		return n
	}
	d := fourinfo.Date{Year: number(b[:4]), Month: time.Month(number(b[4:6])), Day: number(b[6:])}
	if !d.Valid() {
		return fourinfo.Date{}
	}
	return d
}

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
// With Config.Roots it is what the municipality signed, on the chip for which it did, with the errors of [Card.Face].
// The card forgets every verified PIN before AgeCheck returns.
func (c *Card) AgeCheck(ctx context.Context, birthdate string, options ...Option) (fourinfo.Birthdate, error) {
	const op = "check age"
	var out fourinfo.Birthdate
	err := c.open(ctx, op, FaceBirthdate, birthdate, options, func(ctx context.Context) error {
		r, err := c.faceRecord(ctx, op, efAgeCheck, tagAgeCheck, tagAgeBirthdate, tagAgeKey, tagAgeSignature)
		if err != nil {
			return err
		}
		if out, err = parseCardBirthdate(r.value); err != nil {
			return &Error{Step: op, Reason: ReasonMalformed, Err: err}
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
		return fourinfo.Birthdate{}, &Error{Step: "parse birthdate", Reason: ReasonMalformed}
	}
	return fourinfo.ParseBirthdate(string(b))
}

// NumberImage reads the picture of the individual number (個人番号), opened by [FaceNumberA]. The picture is the number, so
// the law and [Card.IndividualNumber] say the same: an invalid purpose is an *[Error] with reason
// [ReasonPurposeMissing].
//
// With Config.Roots the picture is what the municipality signed, with the errors of [Card.Face]. The card forgets
// every verified PIN before NumberImage returns.
func (c *Card) NumberImage(
	ctx context.Context, number mynumber.Number, purpose mynumber.Purpose, options ...Option,
) (Image, error) {
	const op = "read number image"
	digits, err := number.Reveal(purpose)
	if err != nil {
		return Image{}, &Error{Step: op, Reason: ReasonPurposeMissing, Err: err}
	}
	var out Image
	err = c.open(ctx, op, FaceNumberA, digits, options, func(ctx context.Context) error {
		r, err := c.faceRecord(
			ctx,
			op,
			efNumberImage,
			tagNumberImage,
			tagNumberPicture,
			tagNumberKey,
			tagNumberSignature,
		)
		out = newImage(r.value)
		return err
	})
	if err != nil {
		return Image{}, err
	}
	return out, nil
}

// faceRecord reads and checks a record { value, public key, signature over the two objects before }.
func (c *Card) faceRecord(
	ctx context.Context, op string, ef uint16, tag, value, key, signature tlv.Tag,
) (faceRecord, error) {
	file, err := c.s.readFile(ctx, op, ef, recordGuess, objectOf(tag))
	if err != nil {
		return faceRecord{}, err
	}
	r, err := parseFaceRecord(file, tag, value, key, signature)
	if err != nil {
		return faceRecord{}, &Error{Step: op, Reason: ReasonMalformed, Err: err}
	}
	return r, c.checkFace(ctx, op, r.key, func(issuer *rsa.PublicKey) bool {
		return signedBy(issuer, r.signature, r.signed)
	})
}

type faceRecord struct {
	value             []byte
	key               *rsa.PublicKey
	signed, signature []byte
}

func parseFaceRecord(file []byte, tag, value, key, signature tlv.Tag) (faceRecord, error) {
	bad := &Error{Step: "parse record", Reason: ReasonMalformed}
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

// redacted keeps the mark out of the documentation.
type redacted = redact.Mark

// Image is a picture from the card. It shows name, address, face or number of a person, so printing, logging or
// marshalling it shows "[redacted]". The zero value is no picture.
type Image struct {
	redacted
	content redact.Value[[]byte]
}

func newImage(b []byte) Image {
	if len(b) == 0 {
		return Image{}
	}
	return Image{content: redact.Seal(bytes.Clone(b))}
}

// Reveal returns a copy of the file: PNG for texts, JPEG 2000 for the portrait. It is as the card has it and was not
// decoded: what decodes it must bear malformed input.
func (i Image) Reveal() []byte { return bytes.Clone(i.content.Reveal()) }

// Present reports whether there is a picture.
func (i Image) Present() bool { return !i.content.Empty() }

// MediaType returns image/png, image/jp2 or, for anything else, application/octet-stream; "" without a picture.
func (i Image) MediaType() string {
	b := i.content.Reveal()
	switch {
	case len(b) == 0:
		return ""
	case bytes.HasPrefix(b, []byte("\x00\x00\x00\x0CjP  \r\n\x87\n")): // ISO/IEC 15444-1, I.5.1
		return "image/jp2"
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")): // PNG, 5.2
		return "image/png"
	default:
		return "application/octet-stream"
	}
}
