package cardsim

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"math/big"

	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/internal/tlv"
)

// Data objects of secure messaging (ISO/IEC 7816-4, table 27).
const (
	objectCryptogram tlv.Tag = 0x86 // "Padding-content indicator byte followed by cryptogram"
	// "Le in the unsecured command APDU", which the odd sibling 97 authenticates as well
	objectLe tlv.Tag = 0x96
	// paddedContent is the padding-content indicator 01: "padding according to 6.2.3.1".
	paddedContent = 0x01
)

// seedSize is the key material that SET SESSION KEY delivers; AES-128 takes its first half.
const seedSize = 32

// secureSession is what SET SESSION KEY sets up. It gives confidentiality only: there is no checksum.
type secureSession struct {
	block cipher.Block
	// counter is the number of the next command; the command and its response are enciphered with the same one.
	counter uint64
}

func newSecureSession(seed []byte) (*secureSession, error) {
	block, err := aes.NewCipher(seed[:aes.BlockSize])
	if err != nil {
		return nil, err
	}
	return &secureSession{block: block, counter: 1}, nil
}

// iv is the counter as a block, enciphered: the one-block CBC with a zero initial value is the cipher itself.
func (s *secureSession) iv() []byte {
	iv := make([]byte, aes.BlockSize)
	binary.BigEndian.PutUint64(iv[aes.BlockSize-8:], s.counter)
	s.block.Encrypt(iv, iv)
	return iv
}

// encipher pads and enciphers a response: "one byte set to '80' followed by 0 to k-1 bytes set to '00'" (ISO/IEC
// 7816-4, 6.2.3.1), always, so that a full block grows by one.
func (s *secureSession) encipher(plain []byte) []byte {
	size := len(plain)/aes.BlockSize*aes.BlockSize + aes.BlockSize
	out := make([]byte, size)
	copy(out, plain)
	out[len(plain)] = 0x80
	cipher.NewCBCEncrypter(s.block, s.iv()).CryptBlocks(out, out)
	return out
}

// decipher undoes encipher; ok is false if the length or the padding is wrong, as it is with the wrong counter.
func (s *secureSession) decipher(cryptogram []byte) (plain []byte, ok bool) {
	if len(cryptogram) == 0 || len(cryptogram)%aes.BlockSize != 0 {
		return nil, false
	}
	out := make([]byte, len(cryptogram))
	cipher.NewCBCDecrypter(s.block, s.iv()).CryptBlocks(out, cryptogram)
	out = bytes.TrimRight(out, "\x00")
	n := len(out) - 1
	if n < len(cryptogram)-aes.BlockSize || out[n] != 0x80 {
		return nil, false
	}
	return out[:n], true
}

// unwrap makes the plain command of a secured one, which has exactly one data object: the length expected for READ
// BINARY, the enciphered data for the others.
func (s *secureSession) unwrap(cmd apdu.Command) (apdu.Command, apdu.Status) {
	plain := apdu.Command{CLA: cmd.CLA &^ secureClass, INS: cmd.INS, P1: cmd.P1, P2: cmd.P2, Ne: cmd.Ne}
	if len(cmd.Data) == 0 {
		return plain, apdu.SMObjectMissing
	}
	object, rest, err := tlv.Next(cmd.Data)
	if err != nil || len(rest) > 0 {
		return plain, apdu.SMObjectIncorrect
	}
	if cmd.INS == insReadBinary {
		// Always the extended form of Le, 00 and two bytes: 0000 is everything from the offset on.
		if object.Tag != objectLe || len(object.Value) != 3 || object.Value[0] != 0 {
			return plain, apdu.SMObjectIncorrect
		}
		if plain.Ne = int(binary.BigEndian.Uint16(object.Value[1:])); plain.Ne == 0 {
			plain.Ne = 1 << 16
		}
		return plain, apdu.OK
	}
	if object.Tag != objectCryptogram || len(object.Value) == 0 || object.Value[0] != paddedContent {
		return plain, apdu.SMObjectIncorrect
	}
	var ok bool
	if plain.Data, ok = s.decipher(object.Value[1:]); !ok {
		return plain, apdu.SMObjectIncorrect
	}
	return plain, apdu.OK
}

// secureClass is the bit of CLA for secure messaging without a header that is authenticated.
const secureClass = 0x08

// processSecured executes a command in the secure messaging class. Whatever is wrong with its data objects ends the
// session: nobody knows any more which counter the other side has.
func (c *Card) processSecured(cmd apdu.Command) apdu.Response {
	s := c.session.secure
	if s == nil {
		// Where there never was a session SELECT has another status word.
		if cmd.INS == insSelect && !c.session.broken {
			return status(apdu.SMNotSupported)
		}
		return status(apdu.SMNotEstablished)
	}
	// Also a command that the application refuses counts.
	defer func() { s.counter++ }()
	h := securedHandler(cmd)
	if h == nil {
		return status(apdu.SMNotSupported)
	}
	plain, problem := s.unwrap(cmd)
	if problem != apdu.OK {
		c.session.secure, c.session.broken = nil, true
		return status(problem)
	}
	response := h(c, plain)
	if response.Status != apdu.OK || len(response.Data) == 0 {
		return response
	}
	wrapped := tlv.Append(nil, objectCryptogram, append([]byte{paddedContent}, s.encipher(response.Data)...))
	if cmd.Ne < len(wrapped) {
		return status(apdu.WrongLength)
	}
	return success(wrapped)
}

// securedHandler is the handler of a command that may be secured: those of the published measurements. SELECT of an
// application is not among them, it would end the session.
func securedHandler(cmd apdu.Command) handler {
	switch {
	case cmd.CLA != secureClass:
		return nil
	case cmd.INS == insSelect && cmd.P1 == 0x02:
		return (*Card).selectFile
	case cmd.INS == insVerify:
		return (*Card).verify
	case cmd.INS == insReadBinary:
		return (*Card).readBinary
	default:
		return nil
	}
}

// setSessionKey is SET SESSION KEY, 80 AE 00 00: RSAES-OAEP with SHA-256 (RFC 8017, 7.1) of A0 { 80 seed }. The
// references are looked at before the cryptogram, so that nobody can try keys without having verified.
func (c *Card) setSessionKey(cmd apdu.Command) apdu.Response {
	m := c.session.app.messaging
	if m.key == nil {
		if m.refusal == 0 {
			return status(apdu.SecurityNotSatisfied)
		}
		return status(m.refusal)
	}
	if cmd.P1 != 0 || cmd.P2 != 0 {
		return status(apdu.IncorrectP1P2)
	}
	if !m.access.grants(c.session.verified) {
		return status(apdu.SecurityNotSatisfied)
	}
	key := m.key()
	if len(cmd.Data) != key.Size() || cmd.Ne != 0 {
		return status(apdu.WrongLength)
	}
	// "If the ciphertext representative c is not between 0 and n - 1, output 'ciphertext representative out of range'"
	// (RFC 8017, 5.1.2).
	if new(big.Int).SetBytes(cmd.Data).Cmp(key.N) >= 0 {
		return status(apdu.NoDiagnosis)
	}
	message, err := rsa.DecryptOAEP(sha256.New(), nil, key, cmd.Data, nil)
	if err != nil {
		return status(apdu.IncorrectData)
	}
	seed, ok := bytes.CutPrefix(message, []byte{0xA0, 2 + seedSize, 0x80, seedSize})
	if !ok || len(seed) != seedSize {
		return status(apdu.IncorrectData)
	}
	session, err := newSecureSession(seed)
	if err != nil {
		return status(apdu.ExecutionError)
	}
	c.session.secure = session
	return status(apdu.OK)
}
