package sign

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// Transaction is one signature request (署名トランザクション). It carries no secret and no personal data, but it must be
// kept where the person cannot change it: Digest and Mode are what the result is later verified against.
type Transaction struct {
	// ID is the service's identifier of the transaction; empty before the service has registered it.
	ID string
	// Mode is what the card was asked to pad.
	Mode Mode
	// Digest is the SHA-256 of the document, computed by this package.
	Digest [sha256.Size]byte
	// MediaType is the document's.
	MediaType string
	// Started is when the service accepted the transaction, Expires when it stops waiting for the person; the
	// client's clock. A zero time is not judged by [Verifier.Verify].
	Started, Expires time.Time
}

// Prepare hashes the document, which is read to its end, and returns a transaction that the service does not know yet:
// sign/signapi registers it. Platform operators use it for documents whose signature comes another way. Errors are
// [*Error].
func Prepare(ctx context.Context, d Document, m Mode) (*Transaction, error) {
	if !m.Valid() {
		return nil, &Error{Reason: ReasonRequest, Step: "prepare", Detail: "no mode"}
	}
	mediaType, ok := mediaTypeOf(d.MediaType)
	if !ok {
		return nil, &Error{Reason: ReasonRequest, Step: "prepare", Detail: "not a media type"}
	}
	digest, err := hashDocument(ctx, d.Reader, "prepare")
	if err != nil {
		return nil, err
	}
	return &Transaction{Mode: m, Digest: digest, MediaType: mediaType}, nil
}

// TransactionID implements authn.Transaction.
func (t *Transaction) TransactionID() string {
	if t == nil {
		return ""
	}
	return t.ID
}

// Padded returns the bytes that the card is asked to pad: the 32-byte digest or the 51-byte DER DigestInfo.
func (t *Transaction) Padded() []byte { return t.Mode.padded(t.Digest) }

type transactionJSON struct {
	ID        string    `json:"id"`
	Mode      Mode      `json:"mode"`
	Digest    string    `json:"sha256"`
	MediaType string    `json:"media_type"`
	Started   time.Time `json:"started"`
	Expires   time.Time `json:"expires"`
}

// MarshalJSON encodes the transaction with the digest in hexadecimal and times in RFC 3339.
func (t Transaction) MarshalJSON() ([]byte, error) {
	return json.Marshal(
		transactionJSON{t.ID, t.Mode, hex.EncodeToString(t.Digest[:]), t.MediaType, t.Started, t.Expires},
	)
}

// UnmarshalJSON decodes what MarshalJSON wrote and refuses anything else with an [*Error] of [ReasonRequest].
func (t *Transaction) UnmarshalJSON(b []byte) error {
	refuse := func(err error) error { return &Error{Reason: ReasonRequest, Step: "transaction", Err: err} }
	var j transactionJSON
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return refuse(err)
	}
	if _, err := d.Token(); err != io.EOF { //nolint:errorlint // Token returns io.EOF itself
		return refuse(err)
	}
	digest, err := hex.DecodeString(j.Digest)
	if err != nil || len(digest) != sha256.Size {
		return refuse(err)
	}
	mediaType, ok := mediaTypeOf(j.MediaType)
	if !ok || !j.Mode.Valid() || !ValidTransactionID(j.ID) {
		return refuse(nil)
	}
	*t = Transaction{ID: j.ID, Mode: j.Mode, MediaType: mediaType, Started: j.Started, Expires: j.Expires}
	copy(t.Digest[:], digest)
	return nil
}

// ValidTransactionID checks that id can be one path segment and one query value: visible ASCII of bounded length, and
// not a relative path segment (RFC 3986, 3.3), which a proxy could resolve. The service's own ids are UUIDs.
func ValidTransactionID(id string) bool {
	if id == "" || len(id) > limits.AuthorizationParameter || id == "." || id == ".." {
		return false
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return false
		}
	}
	return true
}
