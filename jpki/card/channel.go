package card

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"

	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/tlv"
)

// Tags of the secure messaging (ISO/IEC 7816-4, 10.2) and of its key.
const (
	tagChannelKey tlv.Tag = 0xA1
	tagCryptogram tlv.Tag = 0x86 // padding-content indicator followed by cryptogram
	tagExpected   tlv.Tag = 0x96 // Le
	tagSeed       tlv.Tag = 0xA0
	tagSeedValue  tlv.Tag = 0x80

	// paddedISO is the padding-content indicator of the padding 80 00 … 00.
	paddedISO = 0x01

	seedSize = 32
	// channelGuess is the size of the key's file.
	channelGuess = 269
)

// channel is the secure messaging of the text application: confidentiality with AES-128 and no integrity, because the
// card offers none. It hides content from whoever listens; it does not stop who can change what is sent. The key to
// which the session key is encrypted is not signed either.
type channel struct {
	s     *session
	block cipher.Block
	// counter is that of the last command. Command and answer share it.
	counter uint64
}

// openChannel agrees on a session key. The text PIN must be verified: the card refuses before it.
func (s *session) openChannel(ctx context.Context, op string) (*channel, error) {
	file, err := s.readFile(ctx, op, efChannelKey, channelGuess, objectOf(tagChannelKey))
	if err != nil {
		return nil, err
	}
	el, _, err := tlv.Next(file)
	if err != nil {
		return nil, &Error{Step: op, Reason: ReasonMalformed, Err: err}
	}
	public, err := parsePublicKey(el.Value)
	if err != nil {
		return nil, &Error{Step: op, Reason: ReasonMalformed, Err: err}
	}
	var seed [seedSize]byte
	defer clear(seed[:])
	_, _ = rand.Read(seed[:]) // never fails, see crypto/rand
	message := tlv.Append(nil, tagSeed, tlv.Append(nil, tagSeedValue, seed[:]))
	defer clear(message)
	// RSAES-OAEP with SHA-256 and an empty label (RFC 8017, 7.1).
	cryptogram, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, public, message, nil)
	if err != nil {
		return nil, &Error{Step: op, Reason: ReasonUnsupportedKey, Err: err}
	}
	r, err := s.send(ctx, op, apdu.Command{CLA: claCard, INS: insSetSession, Data: cryptogram, Extended: true})
	if err := gotThrough(op, r, err); err != nil {
		return nil, err
	}
	switch r.Status {
	case apdu.OK:
	case apdu.SecurityNotSatisfied:
		return nil, s.slip(channelRefused(op, r.Status)) // the PIN was verified a moment ago
	default:
		return nil, channelRefused(op, r.Status)
	}
	block, err := aes.NewCipher(seed[:16])
	if err != nil {
		return nil, &Error{Step: op, Reason: ReasonUnsupportedKey, Err: err}
	}
	return &channel{s: s, block: block}, nil
}

func channelRefused(op string, status apdu.Status) error {
	return &Error{Step: op, Reason: ReasonChannelRefused, Status: statusUnlessOK(status), Err: status.Err()}
}

// iv is the encryption of the counter: CBC of one block with an IV of zeros.
func (c *channel) iv() []byte {
	iv := make([]byte, aes.BlockSize)
	binary.BigEndian.PutUint64(iv[aes.BlockSize-8:], c.counter)
	c.block.Encrypt(iv, iv)
	return iv
}

// encrypt pads with 80 00 … 00, always, and returns the data object with the cryptogram.
func (c *channel) encrypt(plain []byte) []byte {
	padded := make([]byte, len(plain)+aes.BlockSize-len(plain)%aes.BlockSize)
	defer clear(padded)
	padded[copy(padded, plain)] = 0x80
	out := make([]byte, 1+len(padded))
	out[0] = paddedISO
	cipher.NewCBCEncrypter(c.block, c.iv()).CryptBlocks(out[1:], padded)
	return tlv.Append(nil, tagCryptogram, out)
}

// decrypt opens the data object of an answer.
func (c *channel) decrypt(op string, object []byte) ([]byte, error) {
	bad := &Error{Step: op, Reason: ReasonMalformed}
	el, rest, err := tlv.Next(object)
	if err != nil || len(rest) > 0 || el.Tag != tagCryptogram || len(el.Value) < 1+aes.BlockSize ||
		el.Value[0] != paddedISO {
		return nil, bad
	}
	ciphertext := el.Value[1:]
	if len(ciphertext)%aes.BlockSize != 0 {
		return nil, bad
	}
	plain := make([]byte, len(ciphertext))
	cipher.NewCBCDecrypter(c.block, c.iv()).CryptBlocks(plain, ciphertext)
	end := len(bytes.TrimRight(plain, "\x00")) - 1
	if end < len(plain)-aes.BlockSize || plain[end] != 0x80 {
		clear(plain)
		return nil, bad
	}
	return plain[:end:end], nil
}

// exchange sends a command of the secure messaging class. It counts whatever becomes of it.
func (c *channel) exchange(ctx context.Context, op string, cmd apdu.Command) (apdu.Response, error) {
	cmd.CLA = claSecure
	r, err := c.s.send(ctx, op, cmd)
	if err != nil {
		return apdu.Response{}, err
	}
	switch r.Status {
	case apdu.SMNotEstablished, apdu.SMNotSupported:
		return apdu.Response{}, c.s.slip(channelRefused(op, r.Status)) // perhaps it has lost the session
	case apdu.SMObjectMissing, apdu.SMObjectIncorrect, apdu.SecurityIssue:
		return apdu.Response{}, channelRefused(op, r.Status)
	default:
		return r, nil
	}
}

// readFile is session.readFile through the channel. SELECT is sent in the clear, which tells nothing and does not
// count.
func (c *channel) readFile(ctx context.Context, op string, ef uint16, _ int, size sizing) ([]byte, error) {
	if err := c.s.mustSelectEF(ctx, op, ef); err != nil {
		return nil, err
	}
	c.counter++
	// An Le of 0000 inside asks for the whole file; the one outside is for the answer with its padding and header.
	r, err := c.exchange(ctx, op, apdu.Command{
		INS:      insReadBinary,
		Data:     tlv.Append(nil, tagExpected, []byte{0, 0, 0}),
		Ne:       limits.APDUExpected,
		Extended: true,
	})
	if err := gotThrough(op, r, err); err != nil {
		return nil, err
	}
	if r.Status != apdu.OK && r.Status != apdu.EndOfFile {
		return nil, c.s.refused(op, r.Status)
	}
	if len(r.Data) == 0 {
		return nil, answerCut(op)
	}
	if tag, header, size, err := tlv.Header(r.Data); err == nil && tag == tagCryptogram && header+size > len(r.Data) {
		return nil, answerCut(op)
	}
	content, err := c.decrypt(op, r.Data)
	if err != nil {
		return nil, err
	}
	total, err := size(op, content)
	if err != nil {
		return nil, err
	}
	if total > len(content) {
		return nil, &Error{Step: op, Reason: ReasonMalformed}
	}
	return content[:total:total], nil
}

// verify is session.verify through the channel.
func (c *channel) verify(ctx context.Context, op string, p PIN, value []byte, lastTry bool) error {
	if err := c.s.mayTry(ctx, op, p, lastTry); err != nil {
		return err
	}
	c.counter++
	c.s.dirty = true
	r, err := c.exchange(ctx, op, apdu.Command{INS: insVerify, P2: currentEF, Data: c.encrypt(value)})
	if err != nil {
		return err
	}
	return c.s.judge(ctx, op, p, r.Status)
}
