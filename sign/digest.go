package sign

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"mime"
	"strings"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// digestInfoPrefix is the DER of ModeDigestInfo up to the hash value, for SHA-256 with the NULL parameter present
// (RFC 8017, 9.2, note 1). Only this encoding exists here: BER lengths or a missing NULL are never produced or accepted.
const digestInfoPrefix = "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"

// padded returns T, the bytes that the card puts behind the padding in this mode.
func (m Mode) padded(digest [sha256.Size]byte) []byte {
	if m == ModeDigestInfo {
		return append([]byte(digestInfoPrefix), digest[:]...)
	}
	return digest[:]
}

// encodedInput is the value of the start request: padded standard base64 of T.
func (m Mode) encodedInput(digest [sha256.Size]byte) string {
	return base64.StdEncoding.EncodeToString(m.padded(digest))
}

const defaultMediaType = "application/octet-stream"

// mediaTypeOf checks that s is a media type (RFC 9110, 8.3.1) short enough to be recorded.
func mediaTypeOf(s string) (string, bool) {
	if s == "" {
		return defaultMediaType, true
	}
	if len(s) > limits.MediaType {
		return "", false
	}
	// mime also reads disposition types, which have no subtype.
	if kind, _, err := mime.ParseMediaType(s); err != nil || !strings.Contains(kind, "/") {
		return "", false
	}
	return s, true
}

// hashDocument reads the document to its end and returns its SHA-256.
func hashDocument(ctx context.Context, r io.Reader, step string) (digest [sha256.Size]byte, err error) {
	if r == nil {
		return digest, &Error{Reason: ReasonRequest, Step: step}
	}
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(contextReader{ctx, r}, limits.Document+1))
	switch {
	case ctx.Err() != nil:
		return digest, &Error{Reason: ReasonTransport, Step: step, Err: ctx.Err()}
	case err != nil:
		return digest, &Error{Reason: ReasonDocumentRead, Step: step, Err: err}
	case n > limits.Document:
		return digest, &Error{Reason: ReasonDocumentSize, Step: step}
	}
	h.Sum(digest[:0])
	return digest, nil
}

// contextReader ends a long read between two chunks when the context ends.
type contextReader struct {
	ctx context.Context //nolint:containedctx // lives only inside one call of hashDocument
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
