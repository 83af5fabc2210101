package card

import (
	"context"

	"github.com/kakunin-go/kakunin/internal/tlv"
)

// Tags of the basic information files.
const (
	tagFaceInfo          tlv.Tag = 0xFF30
	tagFaceSpecification tlv.Tag = 0xDF31
	tagFaceKeyID         tlv.Tag = 0xDF32
	tagFaceVersion       tlv.Tag = 0xDF33
	tagFaceMunicipality  tlv.Tag = 0xDF34

	tagTextInfo          tlv.Tag = 0xFF40
	tagTextSpecification tlv.Tag = 0xDF41
	tagTextKeyID         tlv.Tag = 0xDF42
)

// informationGuess is how much of such a file is asked for at first.
const informationGuess = 512

// Information is how an application of the card describes itself. It says nothing of the holder but, in the card-face
// application, the municipality. Nothing signs it.
type Information struct {
	// Specification is four bytes: version of the specification, support of extended lengths, and two for the vendor.
	Specification [4]byte
	// Key names the issuer's key of the application.
	Key KeyID
	// Municipality is the code of the municipality, five digits; "" in the text application, which does not tell.
	Municipality string
}

// FaceInformation reads the basic information of the card-face application; no PIN is needed. A phone answers
// [ReasonApplicationMissing]. The card forgets a verified authentication PIN and signing password.
func (c *Card) FaceInformation(ctx context.Context) (Information, error) {
	return c.information(ctx, faceApp, efFaceInfo, tagFaceInfo, parseFaceInformation)
}

// TextInformation reads the basic information of the text application; no PIN is needed. A phone answers
// [ReasonApplicationMissing]. The card forgets a verified authentication PIN and signing password.
func (c *Card) TextInformation(ctx context.Context) (Information, error) {
	return c.information(ctx, textApp, efTextInfo, tagTextInfo, parseTextInformation)
}

func (c *Card) information(
	ctx context.Context, app application, ef uint16, tag tlv.Tag, parse func([]byte) (Information, bool),
) (Information, error) {
	const op = "read basic information"
	var out Information
	err := c.s.do(ctx, op, app, 0, func(ctx context.Context) error {
		file, err := c.s.readFile(ctx, op, ef, informationGuess, objectOf(tag))
		if err != nil {
			return err
		}
		var ok bool
		if out, ok = parse(file); !ok {
			return &Error{Op: op, Reason: ReasonMalformed}
		}
		return nil
	})
	return out, err
}

// parseFaceInformation reads FF30 { DF31 specification, DF32 key identifier, DF33 version, DF34 municipality, … }.
func parseFaceInformation(file []byte) (Information, bool) {
	root, ok := object(file, tagFaceInfo)
	if !ok || !inOrder(root, tagFaceSpecification, tagFaceKeyID, tagFaceVersion, tagFaceMunicipality) {
		return Information{}, false
	}
	out, ok := describe(root.Children[0].Value, root.Children[1].Value)
	municipality := root.Children[3].Value
	if !ok || len(municipality) != 5 {
		return Information{}, false
	}
	for _, c := range municipality {
		if c < '0' || c > '9' {
			return Information{}, false
		}
	}
	out.Municipality = string(municipality)
	return out, true
}

// parseTextInformation reads FF40 { DF41 specification, DF42 key identifier, … }.
func parseTextInformation(file []byte) (Information, bool) {
	root, ok := object(file, tagTextInfo)
	if !ok || !inOrder(root, tagTextSpecification, tagTextKeyID) {
		return Information{}, false
	}
	return describe(root.Children[0].Value, root.Children[1].Value)
}

func describe(specification, key []byte) (out Information, ok bool) {
	if len(specification) != len(out.Specification) || len(key) != keyIDSize {
		return Information{}, false
	}
	copy(out.Specification[:], specification)
	copy(out.Key[:], key)
	return out, true
}
