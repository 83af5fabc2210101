package middleware

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"sync"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/redact"
)

type redacted = redact.Mark

// SealKey is one AES-256 key. It redacts itself.
type SealKey struct {
	redacted
	v redact.Value[[sealKeySize]byte]
}

const sealKeySize = 32

// SealKeys are AES-256-GCM keys for the cookies of pending logins: the first seals, all open. All instances behind one
// address need the same keys. To rotate, deploy with the new key behind the old one, then in front of it, then alone,
// the last when the pending logins of before have expired (15 minutes by default): docs/instances.md. At most 8 keys.
//
// The nonce of each cookie is random, therefore a key should be replaced before it has sealed 2^32 cookies
// (NIST SP 800-38D, section 8.3).
type SealKeys []SealKey

// NewSealKeys makes one random key: pending logins then survive neither a restart nor a second instance.
func NewSealKeys() SealKeys {
	var key [sealKeySize]byte
	// crypto/rand.Read never returns an error since Go 1.24: it crashes the program instead of giving weak keys.
	_, _ = rand.Read(key[:])
	return SealKeys{{v: redact.Seal(key)}}
}

// ParseSealKeys reads keys of 32 random bytes in base64 (as "openssl rand -base64 32" prints one), separated by commas
// or white space, from where the program keeps its secrets. The error is an [*Error] with ReasonConfiguration and does
// not show the text.
func ParseSealKeys(text string) (SealKeys, error) {
	var keys SealKeys
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool {
		return r == ',' || r == ' ' || r == '\n' || r == '\r' || r == '\t'
	}) {
		b, err := base64.StdEncoding.DecodeString(part)
		if err != nil || len(b) != sealKeySize {
			return nil, &Error{Reason: ReasonConfiguration, Detail: "a seal key is not 32 bytes in base64"}
		}
		keys = append(keys, SealKey{v: redact.Seal([sealKeySize]byte(b))})
	}
	if _, problem := newSealer(keys); problem != "" {
		return nil, &Error{Reason: ReasonConfiguration, Detail: problem}
	}
	return keys, nil
}

// errSealed is the one answer for every value that does not open, so that nothing can be learned from the difference.
var errSealed = errors.New("middleware: the sealed value does not open")

// sealVersion is bound into every sealed value, so that another format cannot be taken for this one.
const sealVersion = "kakunin pending login v3\x00"

// strictBase64 refuses bits after the last octet, so that there is one text for one value.
var strictBase64 = base64.RawURLEncoding.Strict()

// sealer seals values for one place: the associated data is the name of the cookie, so that a value that is moved to
// another cookie does not open.
type sealer struct{ aeads []cipher.AEAD }

func newSealer(keys SealKeys) (s *sealer, problem string) {
	if len(keys) == 0 {
		return nil, "SealKeys is empty; see NewSealKeys"
	}
	if len(keys) > limits.SealKeys {
		return nil, "SealKeys holds too many keys"
	}
	s = &sealer{}
	for _, k := range keys {
		key := k.v.Reveal()
		if key == ([sealKeySize]byte{}) {
			return nil, "a seal key is all zero"
		}
		block, err := aes.NewCipher(key[:])
		if err != nil {
			return nil, "a seal key is no AES key"
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, "a seal key cannot be used"
		}
		s.aeads = append(s.aeads, aead)
	}
	return s, ""
}

// sealBytes seals plain for the name.
func (s *sealer) sealBytes(name string, plain []byte) []byte {
	// What is bound and what comes out share one piece of memory: a pending login costs more in allocations than in
	// AES.
	room := make([]byte, 0, len(sealVersion)+len(name)+len(plain)+s.aeads[0].Overhead())
	bound := append(append(room, sealVersion...), name...)
	//nolint:gosec // the AEAD makes the nonce itself (NewGCMWithRandomNonce)
	return s.aeads[0].Seal(bound[len(bound):], nil, plain, bound)
}

// openBytes returns what sealBytes was given for the same name, or errSealed.
func (s *sealer) openBytes(name string, sealed []byte) ([]byte, error) {
	return s.openBound(sealed, []byte(sealVersion+name))
}

// openBound tries the keys in their order.
func (s *sealer) openBound(sealed, bound []byte) ([]byte, error) {
	room := make([]byte, 0, len(sealed))
	for _, aead := range s.aeads {
		if plain, err := aead.Open(room, nil, sealed, bound); err == nil {
			return plain, nil
		}
	}
	return nil, errSealed
}

// sealedSize is the length of what seal returns for a plain text of the given length.
func (s *sealer) sealedSize(plain int) int {
	return base64.RawURLEncoding.EncodedLen(plain + s.aeads[0].Overhead())
}

// scratch is memory for what is bound and sealed, and never for plain text: a pending login costs more in allocations
// than in AES.
var scratch = sync.Pool{New: func() any { return new([2048]byte) }}

// seal returns base64url text, fit for a cookie value.
func (s *sealer) seal(name string, plain []byte) string {
	room := scratch.Get().(*[2048]byte) //nolint:forcetypeassert // the pool holds nothing else
	defer scratch.Put(room)
	bound := append(append(room[:0], sealVersion...), name...)
	//nolint:gosec // the AEAD makes the nonce itself (NewGCMWithRandomNonce)
	all := s.aeads[0].Seal(bound, nil, plain, bound)
	text := base64.RawURLEncoding.AppendEncode(all, all[len(bound):])
	return string(text[len(all):])
}

// open returns what seal was given for the same name, or errSealed.
func (s *sealer) open(name, value string) ([]byte, error) {
	if len(value) > limits.Cookie {
		return nil, errSealed
	}
	room := scratch.Get().(*[2048]byte) //nolint:forcetypeassert // the pool holds nothing else
	defer scratch.Put(room)
	bound := append(append(room[:0], sealVersion...), name...)
	all, err := strictBase64.AppendDecode(bound, []byte(value))
	if err != nil {
		return nil, errSealed
	}
	return s.openBound(all[len(bound):], bound)
}
