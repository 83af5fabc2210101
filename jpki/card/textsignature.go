package card

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"

	"github.com/kakunin-go/kakunin/internal/tlv"
)

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
	if !c.opts.SecureMessaging {
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

// parseTextSignature reads FF30 { DF31 hash of the number, DF32 hash of the attributes, DF33 signature over both objects }.
func parseTextSignature(file []byte) (textHashes, error) {
	bad := &Error{Op: "parse signature", Reason: ReasonMalformed}
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
	bad := &Error{Op: "parse internal key", Reason: ReasonMalformed}
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

// checkText verifies what was read from the text application: the hash that holds says whether the data are those that the
// municipality signed, and the chip must hold the key that it certified.
func (c *Card) checkText(ctx context.Context, op string, read fileReader, holds func(textHashes) bool) error {
	tampered := &Error{Op: op, Reason: ReasonTampered}
	issuer, err := c.s.issuerKey(ctx, op, c.opts.Roots)
	if err != nil {
		return err
	}
	file, err := read(ctx, op, efTextSignature, textSignatureGuess, objectOf(tagTextSignature))
	if err != nil {
		return err
	}
	hashes, err := parseTextSignature(file)
	if err != nil {
		return &Error{Op: op, Reason: ReasonMalformed, Err: err}
	}
	if !signedBy(issuer, hashes.signature, hashes.signed) || !holds(hashes) {
		return tampered
	}
	if file, err = read(ctx, op, efTextInternal, textInternalGuess, objectOf(tagTextInternal)); err != nil {
		return err
	}
	internal, err := parseTextInternal(file)
	if err != nil {
		return &Error{Op: op, Reason: ReasonMalformed, Err: err}
	}
	if !signedBy(issuer, internal.signature, internal.signed) {
		return tampered
	}
	return c.s.challenge(ctx, op, internal.key)
}
