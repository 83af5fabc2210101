package sign

import (
	"bytes"
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
	// ID is the service's identifier of the transaction.
	ID string
	// Mode is what the card was asked to pad.
	Mode Mode
	// Digest is the SHA-256 of the document, computed by this package.
	Digest [sha256.Size]byte
	// MediaType is the document's.
	MediaType string
	// Started is when the service accepted the transaction, Expires when it stops waiting for the person; the
	// client's clock.
	Started, Expires time.Time
}

// TransactionID implements authn.Transaction.
func (t *Transaction) TransactionID() string {
	if t == nil {
		return ""
	}
	return t.ID
}

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
	return json.Marshal(transactionJSON{t.ID, t.Mode, hex.EncodeToString(t.Digest[:]), t.MediaType, t.Started, t.Expires})
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
	if !ok || !j.Mode.Valid() || !opaqueID(j.ID) {
		return refuse(nil)
	}
	*t = Transaction{ID: j.ID, Mode: j.Mode, MediaType: mediaType, Started: j.Started, Expires: j.Expires}
	copy(t.Digest[:], digest)
	return nil
}

// uuidShaped checks 8-4-4-4-12 hexadecimal digits and nothing more: a published sample has the version nibble "e",
// which a check of RFC 9562's versions would refuse.
func uuidShaped(id string) bool {
	if len(id) != 36 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return false
			}
		}
	}
	return true
}

// opaqueID checks that id can be one path segment and one query value: visible ASCII, and not a relative path segment
// (RFC 3986, 3.3), which a proxy could resolve.
func opaqueID(id string) bool {
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
