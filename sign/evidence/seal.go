package evidence

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"

	"github.com/kakunin-go/kakunin/internal/redact"
)

// KeyWrapper encrypts and decrypts the keys of records: a key management service, a hardware module, or [LocalKeys].
// Every held part has a key of its own, which is stored in wrapped form, apart from the part; whoever has copies of the
// held parts and not the wrapped key has nothing. Implementations are safe for concurrent use.
type KeyWrapper interface {
	// WrapKey encrypts the key of a record, 32 bytes, so that UnwrapKey finds by itself which key it was. label is the
	// record's hash; a service that takes a context or associated data gets it there, and UnwrapKey gets the same.
	WrapKey(ctx context.Context, key []byte, label string) (wrapped []byte, err error)
	// UnwrapKey decrypts what WrapKey returned. An error that is an [*Error] with [ReasonHash], or that wraps
	// [ErrDamaged], says that the wrapped key is not what WrapKey returned; any other that it could not be asked.
	UnwrapKey(ctx context.Context, wrapped []byte, label string) (key []byte, err error)
}

// sealedVersion is the first byte of an encrypted held part: AES-256-GCM, nonce of 12 bytes, ciphertext and tag; the
// record's hash is the associated data.
const sealedVersion = 1

const (
	keySize   = 32
	nonceSize = 12
	// maxWrapped is the longest wrapped key: services answer a few hundred bytes.
	maxWrapped = 4096
)

// holds reports whether the log takes held parts.
func (l *Log) holds() bool { return l.keys != nil || l.plainHeld }

func errNoKeys() error {
	return &Error{Reason: ReasonRequest, Step: "held", Detail: "the log has no Keys to encrypt it with"}
}

// seal encrypts a held part with a fresh key.
func (l *Log) seal(ctx context.Context, part *Held, hash string) (held, wrapped []byte, err error) {
	p := part.shared()
	switch {
	case !l.holds():
		return nil, nil, errNoKeys()
	case l.keys == nil:
		return p.appendJSON(make([]byte, 0, p.sizeJSON())), nil, nil
	}
	var random [keySize + nonceSize]byte
	if _, err := io.ReadFull(rand.Reader, random[:]); err != nil {
		return nil, nil, &Error{Reason: ReasonIO, Step: "random", Err: err}
	}
	key := random[:keySize]
	wrapped, err = l.keys.WrapKey(ctx, key, hash)
	if err != nil || len(wrapped) == 0 || len(wrapped) > maxWrapped {
		return nil, nil, &Error{Reason: ReasonKeys, Step: "wrap", Err: err}
	}
	aead, err := gcm(key)
	if err != nil {
		return nil, nil, &Error{Reason: ReasonIO, Step: "held", Err: err}
	}
	// Encrypted where it is encoded, behind version and nonce.
	held = make([]byte, 1, 1+nonceSize+p.sizeJSON()+aead.Overhead())
	held[0] = sealedVersion
	held = append(held, random[keySize:]...)
	encoded := p.appendJSON(held)
	return aead.Seal(held, held[1:], encoded[len(held):], []byte(hash)), wrapped, nil
}

// open decrypts what seal encrypted. That the key service fails says nothing about the record; that the ciphertext is
// another does.
func (l *Log) open(ctx context.Context, e Entry, hash string) ([]byte, error) {
	if len(e.Key) > maxWrapped {
		return nil, &Error{Reason: ReasonHash, Step: "held"}
	}
	key, err := l.keys.UnwrapKey(ctx, e.Key, hash)
	switch {
	case errors.Is(err, ErrDamaged) || errors.Is(err, &Error{Reason: ReasonHash}):
		return nil, &Error{Reason: ReasonHash, Step: "held key", Err: err}
	case err != nil || len(key) != keySize:
		return nil, &Error{Reason: ReasonKeys, Step: "unwrap", Err: err}
	}
	aead, err := gcm(key)
	if err != nil {
		return nil, &Error{Reason: ReasonKeys, Step: "unwrap", Err: err}
	}
	plain, err := decrypt(aead, e.Held, hash)
	if err != nil {
		return nil, &Error{Reason: ReasonHash, Step: "held", Err: err}
	}
	return plain, nil
}

var errSealed = errors.New("evidence: not what was encrypted")

func encrypt(aead cipher.AEAD, plain []byte, label string) ([]byte, error) {
	out := make([]byte, 1+nonceSize, 1+nonceSize+len(plain)+aead.Overhead())
	out[0] = sealedVersion
	if _, err := io.ReadFull(rand.Reader, out[1:]); err != nil {
		return nil, err
	}
	return aead.Seal(out, out[1:], plain, []byte(label)), nil
}

func decrypt(aead cipher.AEAD, sealed []byte, label string) ([]byte, error) {
	if len(sealed) < 1+nonceSize+aead.Overhead() || sealed[0] != sealedVersion {
		return nil, errSealed
	}
	return aead.Open(nil, sealed[1:1+nonceSize], sealed[1+nonceSize:], []byte(label))
}

func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// LocalKeys wraps the keys of records with AES-256-GCM keys of this program: for those who have no key service. It
// shows nothing when printed, logged or marshalled. It is safe for concurrent use.
type LocalKeys struct {
	redacted
	keys redact.Value[[]localKey] // the first wraps
}

// localKey is a key with the name under which wrapped keys find it: what the key makes of the empty text, cut.
type localKey struct {
	aead cipher.AEAD
	id   [8]byte
}

// NewLocalKeys makes a wrapper of keys of 32 random bytes: the current one, and older ones that only unwrap. Keep them
// apart from the store and its copies. Errors are [*Error].
func NewLocalKeys(current []byte, older ...[]byte) (*LocalKeys, error) {
	var all []localKey
	for _, key := range append([][]byte{current}, older...) {
		if len(key) != keySize {
			return nil, &Error{Reason: ReasonRequest, Step: "keys", Detail: "a key has 32 bytes"}
		}
		aead, err := gcm(key)
		if err != nil {
			return nil, &Error{Reason: ReasonRequest, Step: "keys", Err: err}
		}
		k := localKey{aead: aead}
		sum := sha256.Sum256(append([]byte("kakunin evidence key "), key...))
		copy(k.id[:], sum[:])
		all = append(all, k)
	}
	return &LocalKeys{keys: redact.Seal(all)}, nil
}

// WrapKey implements KeyWrapper.
func (k *LocalKeys) WrapKey(_ context.Context, key []byte, label string) ([]byte, error) {
	current := k.keys.Reveal()[0]
	sealed, err := encrypt(current.aead, key, label)
	if err != nil {
		return nil, &Error{Reason: ReasonKeys, Step: "wrap", Err: err}
	}
	return append(current.id[:], sealed...), nil
}

// UnwrapKey implements KeyWrapper. A key that was wrapped with another is [ReasonKeys], one that was changed or is
// another record's [ReasonHash].
func (k *LocalKeys) UnwrapKey(_ context.Context, wrapped []byte, label string) ([]byte, error) {
	for _, known := range k.keys.Reveal() {
		if len(wrapped) > len(known.id) && [8]byte(wrapped[:8]) == known.id {
			key, err := decrypt(known.aead, wrapped[8:], label)
			if err != nil {
				return nil, &Error{Reason: ReasonHash, Step: "held key", Err: err}
			}
			return key, nil
		}
	}
	return nil, &Error{Reason: ReasonKeys, Step: "unwrap", Detail: "wrapped with another key"}
}
