package middleware

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// finished is what came out of a callback.
type finished struct {
	identity *authn.Identity
	signed   *Signed // nil: a login
}

// resultTTL is how long a result waits for the same browser to come back.
const resultTTL = 5 * time.Minute

// storedResult is a result as it waits, sealed, in the shared store. It IS personal data. The reference and the
// transaction of a signature are not in it: the browser holds them, sealed, in the cookie without which nobody gets the
// result. Nor are access tokens: what one is for has been fetched.
type storedResult struct {
	Identity    json.RawMessage `json:"id"` // of encodeIdentity; of a signature, the signer's
	Sealed      string          `json:"jwe,omitempty"`
	Signature   []byte          `json:"sig,omitempty"`
	Certificate []byte          `json:"cert,omitempty"`
}

var errStoredResult = errors.New("middleware: the stored result is not this callback's")

func encodeResult(f *finished, at time.Time) ([]byte, error) {
	var r storedResult
	id := f.identity
	if f.signed != nil {
		id = f.signed.Identity
		r.Sealed = f.signed.Unverified.Sealed.RevealJWE()
		r.Signature = f.signed.Unverified.Opened.RevealSignature()
		r.Certificate = f.signed.Unverified.Opened.RevealCertificate()
	}
	text, err := encodeIdentity(id, at)
	if err != nil {
		return nil, err
	}
	r.Identity = json.RawMessage(text)
	return json.Marshal(r)
}

// decodeResult reads what encodeResult wrote, for the pending login that it came out of.
func decodeResult(b []byte, p pending) (*finished, error) {
	var r storedResult
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, errStoredResult
	}
	id, _, err := decodeIdentity(string(r.Identity))
	if err != nil {
		return nil, err
	}
	if p.Sign == nil {
		if r.Sealed != "" || r.Signature != nil {
			return nil, errStoredResult
		}
		return &finished{identity: id}, nil
	}
	if subtle.ConstantTimeCompare(subjectHash(id.Subject), p.Sign.Subject) != 1 ||
		id.TransactionID != p.Sign.Transaction.TransactionID() {
		return nil, errStoredResult
	}
	got := &signapi.Unverified{Transaction: p.Sign.Transaction}
	switch {
	case r.Sealed != "":
		if got.Sealed, err = sign.ParseSealed(r.Sealed); err != nil {
			return nil, errStoredResult
		}
	case r.Signature != nil && r.Certificate != nil:
		got.Opened = sign.NewOpened(r.Signature, r.Certificate)
	default:
		return nil, errStoredResult
	}
	return &finished{signed: &Signed{
		Reference: p.Sign.Reference, Unverified: got, Identity: id, Terms: p.Sign.Terms,
	}}, nil
}

// keepResult stores, sealed, the result whose browser went away. It reports whether the store took it.
func (l *Login) keepResult(ctx context.Context, state string, f *finished) bool {
	plain, err := encodeResult(f, l.now())
	if err != nil {
		return false
	}
	key := l.sharedKey("result", state)
	sealed := l.seal.sealBytes(key, plain)
	if len(sealed) > limits.SharedValue {
		return false
	}
	if err := l.shared.Put(ctx, key, sealed, resultTTL); err != nil {
		l.log.LogAttrs(ctx, slog.LevelError, "shared store failed")
		return false
	}
	return true
}

// takeResult returns what keepResult stored, once; nil for nothing.
func (l *Login) takeResult(ctx context.Context, c callback) (*finished, error) {
	key := l.sharedKey("result", c.state)
	sealed, err := l.shared.Take(ctx, key)
	if err != nil {
		return nil, &Error{Reason: ReasonSession, Err: err}
	}
	if sealed == nil {
		return nil, nil //nolint:nilnil // nothing is no error
	}
	plain, err := l.seal.openBytes(key, sealed)
	if err != nil {
		return nil, &Error{Reason: ReasonTampered, Err: err}
	}
	f, err := decodeResult(plain, c.pending)
	if err != nil {
		return nil, &Error{Reason: ReasonTampered, Err: err}
	}
	return f, nil
}
