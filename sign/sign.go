// Package sign verifies signatures that people make with their My Number Card or phone, and holds what a signature
// request is made of. It speaks to nobody: the client of the 署名API is package sign/signapi.
//
// Platform operators (PF事業者), government relying parties and certified signature verifiers (署名検証者) call two functions:
// [Opener.Open] on what the service sealed to them, and [Verifier.Verify] with what is expected this time. One Verifier
// holds the standing policy, and a [Report] exists only when every step held. See the examples of [Opener] and
// [Verifier]. A private business gets a [Sealed] JWE that only its platform operator opens; it hands it over through a
// [PlatformVerifier].
//
// # Modes
//
// The card pads exactly the bytes it is given (PKCS#1 v1.5, block type 01). Which bytes is the caller's choice, and a
// signature made in one mode never verifies in the other:
//
//   - [ModeBareHash]: the 32-byte SHA-256 itself. The signature does not name its hash algorithm, so the algorithm
//     must be kept beside it; this package fixes SHA-256 and writes it into the evidence.
//   - [ModeDigestInfo]: the 51-byte DER DigestInfo, i.e. RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2). Needed for
//     XML and CMS signatures and wherever the signature is submitted to J-LIS.
//
// The mode is never detected from a signature: it is part of what was asked for. When a signature fails, the other mode
// is tried only to name the cause ([ReasonOtherMode]); the signature is refused all the same.
//
// # One signature, one transaction
//
// A signature is over the document alone: it fits every transaction of the same document and mode. Whoever must tell
// two of them apart puts a line into the document that no other one has, such as a number and the time (see the example
// of [Prepare]); package sign/evidence refuses a signature value that is already recorded under another transaction.
//
// # CMS, and what stays out
//
// [ParseCMS] reads a detached CMS (PKCS #7) signature, as card tools and OpenSSL make it, into an [Opened] that the
// Verifier takes like any other one; [CMS] writes one from a report. Signatures inside of PDF and XML stay out: for PDF
// (PAdES) use pyHanko or the EU's DSS, for XML (XAdES, XML-Signature) DSS or Apache Santuario, and hand the signed
// bytes, the signature value and the certificate to [NewOpened] if the certificate is to be judged here.
//
// # What is kept out
//
// The package computes the digest itself; it never signs or verifies a digest that somebody else computed. [Sealed] and
// [Opened] show nothing when printed, logged or marshalled, a [Report] only what is not personal, and nothing of them
// appears in an error.
//
// # Examples
//
// There are examples of [Opener], [ParseCMS], [Prepare], [Verifier] and [Verifier.VerifyAll].
//
// # Compatibility
//
// The JSON form of [Transaction] and the text of [Mode] are stored by applications, in sessions and evidence: what one
// version wrote, later ones read.
package sign

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"mime"
	"slices"
	"strings"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/signeddata"
)

// Mode is what the card pads; it is never detected. The zero value is refused.
type Mode int

// Modes. The constant of package jpki/card with which a card is asked to do the first one is a crypto.Hash, not a Mode.
const (
	ModeUnknown Mode = iota
	// ModeBareHash is the 32-byte SHA-256 itself, the service's plain form.
	ModeBareHash
	// ModeDigestInfo is the DER DigestInfo of the SHA-256 value, i.e. RSASSA-PKCS1-v1_5 (RFC 8017, 9.2).
	ModeDigestInfo
)

var modeNames = [...]string{"unknown", "bare-hash", "digest-info"}

// String returns "bare-hash", "digest-info" or, for anything else, "unknown".
func (m Mode) String() string {
	if !m.Valid() {
		m = ModeUnknown
	}
	return modeNames[m]
}

// Valid reports whether m is one of the two modes.
func (m Mode) Valid() bool { return m == ModeBareHash || m == ModeDigestInfo }

// MarshalText encodes the mode as String does; it refuses a mode that is not one of the two.
func (m Mode) MarshalText() ([]byte, error) {
	if !m.Valid() {
		return nil, &Error{Reason: ReasonRequest, Step: "mode"}
	}
	return []byte(m.String()), nil
}

// UnmarshalText decodes what MarshalText wrote and refuses everything else with an [*Error] of [ReasonRequest].
func (m *Mode) UnmarshalText(b []byte) error {
	parsed := Mode(slices.Index(modeNames[:], string(b)))
	if !parsed.Valid() {
		return &Error{Reason: ReasonRequest, Step: "mode"}
	}
	*m = parsed
	return nil
}

// digestInfoPrefix is the DER of DigestInfo up to the hash value, for SHA-256 with the NULL parameter present (RFC
// 8017, 9.2, note 1). Only this encoding exists here: BER lengths or a missing NULL are never produced or accepted.
const digestInfoPrefix = "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"

// padded returns T, the bytes that the card puts behind the padding in this mode.
func (m Mode) padded(digest [sha256.Size]byte) []byte {
	if m == ModeDigestInfo {
		return append([]byte(digestInfoPrefix), digest[:]...)
	}
	return digest[:]
}

// other is the mode that m is not.
func (m Mode) other() Mode {
	if m == ModeBareHash {
		return ModeDigestInfo
	}
	return ModeBareHash
}

// Document is what the person signs. The package hashes it itself, once, in constant memory; a document larger than 1
// GiB is refused.
type Document struct {
	Reader io.Reader
	// MediaType is recorded with the signature, e.g. "text/plain; charset=utf-8". Empty means
	// application/octet-stream. It must not carry personal data such as a file name.
	MediaType string
}

// Text returns a plain-text document, the form in which a person can read what is signed.
func Text(s string) Document {
	return Document{Reader: strings.NewReader(s), MediaType: "text/plain; charset=utf-8"}
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
		return digest, &Error{Reason: ReasonRequest, Step: step, Detail: "no document"}
	}
	h := sha256.New()
	var head start
	n, err := feed(ctx, r, func(p []byte) {
		_, _ = h.Write(p) // a hash takes everything
		head.add(p)
	})
	switch {
	case ctx.Err() != nil:
		return digest, &Error{Reason: ReasonInterrupted, Step: step, Err: ctx.Err()}
	case err != nil:
		return digest, &Error{Reason: ReasonDocumentRead, Step: step, Err: err}
	case n > limits.Document:
		return digest, &Error{Reason: ReasonDocumentSize, Step: step}
	case n <= limits.SignedData && signeddata.AreAttributes(head.bytes):
		return digest, &Error{Reason: ReasonDocument, Step: step,
			Detail: "the document has the form of CMS signed attributes"}
	}
	h.Sum(digest[:0])
	return digest, nil
}

// start keeps the beginning of a document that may be the DER of CMS signed attributes. A signature over such a
// document would be one over whatever document has the digest inside (RFC 5652, section 14 has the like): it is
// refused.
type start struct {
	bytes        []byte
	looked, kept bool
}

func (s *start) add(p []byte) {
	if !s.looked {
		s.looked, s.kept = true, p[0] == 0x31 // SET
	}
	if s.kept {
		s.bytes = append(s.bytes, p[:min(len(p), limits.SignedData-len(s.bytes))]...)
	}
}

// feed reads a document to its end, or one byte beyond the largest size, and ends between two chunks when the context
// ends. Most documents are short texts: the buffer grows with the first chunk that fills it.
func feed(ctx context.Context, r io.Reader, each func([]byte)) (n int64, err error) {
	const first, later = 1 << 10, 64 << 10
	buffer := make([]byte, first)
	for empty := 0; n <= limits.Document; {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		got, err := r.Read(buffer[:min(int64(len(buffer)), limits.Document+1-n)])
		if got < 0 || got > len(buffer) {
			return n, errReader
		}
		if got > 0 {
			empty = 0
			each(buffer[:got])
			n += int64(got)
		} else if empty++; err == nil && empty >= 100 {
			return n, io.ErrNoProgress
		}
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		if got == first && len(buffer) == first {
			buffer = make([]byte, later)
		}
	}
	return n, nil
}

var errReader = errors.New("sign: the document's reader returned an impossible count")
