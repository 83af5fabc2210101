package middleware

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// SealKeys are AES-256-GCM keys for the cookies of pending logins: the first seals, all open. To rotate, put a new key
// in front, deploy, and drop the old one when the pending logins of the old deployment have expired (15 minutes by
// default). All instances behind one address need the same keys. At most 8 keys.
//
// The nonce of each cookie is random, therefore a key should be replaced before it has sealed 2^32 cookies
// (NIST SP 800-38D, section 8.3).
type SealKeys [][32]byte

// NewSealKeys makes one random key: pending logins then survive neither a restart nor a second instance.
func NewSealKeys() SealKeys {
	keys := make(SealKeys, 1)
	// crypto/rand.Read never returns an error since Go 1.24: it crashes the program instead of giving weak keys.
	_, _ = rand.Read(keys[0][:])
	return keys
}

// String shows only how many keys there are.
func (k SealKeys) String() string { return fmt.Sprintf("[%d seal keys]", len(k)) }

// GoString shows only how many keys there are.
func (k SealKeys) GoString() string { return k.String() }

// Format shows only how many keys there are, whatever the verb.
func (k SealKeys) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(k.String())) }

// MarshalText shows only how many keys there are.
func (k SealKeys) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// LogValue shows only how many keys there are.
func (k SealKeys) LogValue() slog.Value { return slog.StringValue(k.String()) }

// errSealed is the one answer for every cookie that does not open, so that nothing can be learned from the difference.
var errSealed = errors.New("middleware: the sealed value does not open")

// sealVersion is bound into every sealed value, so that a later format cannot be taken for this one.
const sealVersion = "kakunin pending login v1\x00"

// sealer seals values for one place: the associated data is the name of the cookie, so that a value that is moved to
// another cookie does not open.
type sealer struct{ aeads []cipher.AEAD }

func newSealer(keys SealKeys) (*sealer, error) {
	if len(keys) == 0 {
		return nil, &Error{Reason: ReasonConfiguration, Detail: "SealKeys is empty; see NewSealKeys"}
	}
	if len(keys) > limits.SealKeys {
		return nil, &Error{Reason: ReasonConfiguration, Detail: "SealKeys holds too many keys"}
	}
	s := &sealer{}
	for i := range keys {
		if keys[i] == ([32]byte{}) {
			return nil, &Error{Reason: ReasonConfiguration, Detail: "a seal key is all zero"}
		}
		block, err := aes.NewCipher(keys[i][:])
		if err != nil {
			return nil, &Error{Reason: ReasonConfiguration, Err: err}
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, &Error{Reason: ReasonConfiguration, Err: err}
		}
		s.aeads = append(s.aeads, aead)
	}
	return s, nil
}

// seal returns base64url text, fit for a cookie value.
func (s *sealer) seal(name string, plain []byte) string {
	sealed := s.aeads[0].Seal(nil, nil, plain, []byte(sealVersion+name)) //nolint:gosec // this AEAD makes its own random nonce
	return base64.RawURLEncoding.EncodeToString(sealed)
}

// open returns what seal was given for the same name, or errSealed.
func (s *sealer) open(name, value string) ([]byte, error) {
	if len(value) > limits.Cookie {
		return nil, errSealed
	}
	// Strict: trailing bits of the last character must be zero, so that there is one text for one value.
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(value)
	if err != nil {
		return nil, errSealed
	}
	for _, aead := range s.aeads {
		if plain, err := aead.Open(nil, nil, sealed, []byte(sealVersion+name)); err == nil {
			return plain, nil
		}
	}
	return nil, errSealed
}
