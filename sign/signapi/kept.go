package signapi

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/sign"
)

// Kept is a transaction as it is kept.
type Kept struct {
	Transaction *sign.Transaction
	// Reference and Note are the application's, from [Request].
	Reference, Note string
	State           State
	// Since is when the state began, by the clock of the instance that wrote it.
	Since time.Time
	// Interrupted is true in StateFetching when the instance that asked had its time and is not heard of: it ended
	// between asking and keeping, and [Keeper.AskAgain] finds out whether the service still gives the result.
	Interrupted bool
	// Reason is set in StateOver, and says why there is no answer.
	Reason Reason
}

// record is Entry.Record, as JSON.
type record struct {
	Version     int               `json:"version"`
	Transaction *sign.Transaction `json:"transaction"`
	Reference   string            `json:"reference,omitempty"`
	Note        string            `json:"note,omitempty"`
	Since       time.Time         `json:"since"`
	Claim       *claim            `json:"claim,omitempty"`   // StateFetching
	Wrapped     []byte            `json:"wrapped,omitempty"` // the key of the answer: StateFetching, StateFetched
	Token       []byte            `json:"token,omitempty"`   // the access token, under that key: StateFetching
	Reason      string            `json:"reason,omitempty"`  // StateOver
}

// claim says who is asking, and until when nobody else does.
type claim struct {
	By    string    `json:"by"`
	Until time.Time `json:"until"`
}

const recordVersion = 1

func (r record) encode() ([]byte, error) {
	r.Version = recordVersion
	b, err := json.Marshal(r)
	if err != nil || len(b) > limits.KeptRecord {
		return nil, &Error{Reason: ReasonRequest, Step: stepKeep, Detail: "record too long", Err: err}
	}
	return b, nil
}

// decodeRecord reads the record of an entry, which must be the entry's.
func decodeRecord(e Entry) (record, error) {
	tampered := func(err error) (record, error) {
		return record{}, &Error{Reason: ReasonTampered, Step: stepKeep, Detail: "record", Err: err}
	}
	var r record
	if len(e.Record) > limits.KeptRecord {
		return tampered(nil)
	}
	d := json.NewDecoder(bytes.NewReader(e.Record))
	if err := d.Decode(&r); err != nil {
		return tampered(err)
	}
	if _, err := d.Token(); err != io.EOF { //nolint:errorlint // Token returns io.EOF itself
		return tampered(err)
	}
	switch {
	case r.Version != recordVersion:
		return record{}, &Error{Reason: ReasonTampered, Step: stepKeep, Detail: "record of another version"}
	case r.Transaction == nil || r.Transaction.ID != e.ID,
		e.State <= StateUnknown || e.State > StateOver,
		e.State == StateFetching && r.Claim == nil,
		e.State == StateFetched && len(r.Wrapped) == 0,
		e.State == StateOver && reasonNamed(r.Reason) == ReasonUnknown:
		return tampered(nil)
	}
	return r, nil
}

// kept is what an application sees of an entry.
func (r record) kept(state State, now time.Time) Kept {
	k := Kept{
		Transaction: r.Transaction, Reference: r.Reference, Note: r.Note, State: state, Since: r.Since,
		Interrupted: state == StateFetching && !now.Before(r.Claim.Until),
	}
	if state == StateOver {
		k.Reason = reasonNamed(r.Reason)
	}
	return k
}

// KeyWrapper encrypts the keys of kept answers: a key management service, a hardware module, or keys of the program,
// such as evidence.LocalKeys, whose methods are the same. Safe for concurrent use.
type KeyWrapper interface {
	// WrapKey encrypts a key of 32 bytes so that UnwrapKey finds by itself which key it was encrypted with. label says
	// what the key is for; UnwrapKey gets the same.
	WrapKey(ctx context.Context, key []byte, label string) (wrapped []byte, err error)
	// UnwrapKey decrypts what WrapKey returned.
	UnwrapKey(ctx context.Context, wrapped []byte, label string) (key []byte, err error)
}

const keySize = 32

// label binds key and answer to what was asked for: in the place of another transaction, or beside another digest or
// mode, they do not open.
func label(tx *sign.Transaction) string {
	sum := sha256.Sum256([]byte("kakunin kept answer v1\x00" + tx.Mode.String() + "\x00" +
		hex.EncodeToString(tx.Digest[:]) + "\x00" + tx.ID))
	return hex.EncodeToString(sum[:])
}

// answerKey is the key of one answer, in memory and as it is stored.
type answerKey struct {
	aead    cipher.AEAD
	label   string
	wrapped []byte
}

// newKey makes a key and has it wrapped: before the service is asked, so that nothing can fail afterwards but the
// store.
func (k *Keeper) newKey(ctx context.Context, tx *sign.Transaction) (*answerKey, error) {
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails
	l := label(tx)
	wrapped, err := k.keys.WrapKey(ctx, key, l)
	if err != nil || len(wrapped) == 0 || len(wrapped) > limits.WrappedKey {
		return nil, &Error{Reason: ReasonKeys, Step: stepKeep, Detail: "wrap", Err: err}
	}
	aead, err := aeadOf(key)
	if err != nil {
		return nil, &Error{Reason: ReasonKeys, Step: stepKeep, Detail: "wrap", Err: err}
	}
	return &answerKey{aead, l, wrapped}, nil
}

func aeadOf(key []byte) (cipher.AEAD, error) {
	if len(key) != keySize {
		return nil, errKeySize
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

var errKeySize = errors.New("signapi: a key has 32 bytes")

// seal encrypts an answer: its status in two bytes, then its body.
func (a *answerKey) seal(r reply) []byte {
	plain := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(r.body)), uint16(r.status)) //nolint:gosec // of HTTP
	//nolint:gosec // the AEAD makes the nonce itself (NewGCMWithRandomNonce)
	return a.aead.Seal(nil, nil, append(plain, r.body...), []byte(a.label))
}

// tokenLabel keeps a token from being taken for an answer.
const tokenLabel = " token"

// sealToken encrypts the access token, nil for one that is too long to be kept.
func (a *answerKey) sealToken(bearer string) []byte {
	if len(bearer) > limits.KeptToken {
		return nil
	}
	//nolint:gosec // the AEAD makes the nonce itself (NewGCMWithRandomNonce)
	return a.aead.Seal(nil, nil, []byte(bearer), []byte(a.label+tokenLabel))
}

// unwrap has the key of a record unwrapped.
func (k *Keeper) unwrap(ctx context.Context, r record) (*answerKey, error) {
	l := label(r.Transaction)
	key, err := k.keys.UnwrapKey(ctx, r.Wrapped, l)
	if err != nil {
		return nil, &Error{Reason: ReasonKeys, Step: stepKeep, Detail: "unwrap", Err: err}
	}
	aead, err := aeadOf(key)
	if err != nil {
		return nil, &Error{Reason: ReasonKeys, Step: stepKeep, Detail: "unwrap", Err: err}
	}
	return &answerKey{aead, l, r.Wrapped}, nil
}

// open decrypts the answer of an entry.
func (k *Keeper) open(ctx context.Context, e Entry, r record) (reply, error) {
	key, err := k.unwrap(ctx, r)
	if err != nil {
		return reply{}, err
	}
	plain, err := key.aead.Open(nil, nil, e.Answer, []byte(key.label))
	if err != nil || len(plain) < 2 {
		return reply{}, &Error{Reason: ReasonTampered, Step: stepKeep, Detail: "answer", Err: err}
	}
	return reply{status: int(binary.BigEndian.Uint16(plain)), body: plain[2:]}, nil
}
