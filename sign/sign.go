// Package sign gets documents signed with the 署名API of the service and verifies those signatures.
//
// Most relying parties call two functions: [Client.Start] before the person is sent to the service (the returned
// transaction goes into authn.Request.Sign), and [Client.Result] after authn.Client.Finish. What comes back is a
// [Sealed] JWE that only the platform operator (PF事業者) can open; hand it over with [Sealed.RevealJWE] or through a
// [PlatformVerifier].
//
// Platform operators, government relying parties and certified signature verifiers (署名検証者) open it with an
// [Opener] and check it with a [Verifier]: one Verifier holds the standing policy, each [Verifier.Verify] takes what is
// expected this time, and a [Report] exists only when every step held.
//
// # Modes
//
// The card pads exactly the bytes it is given (PKCS#1 v1.5, block type 01). Which bytes is the caller's choice, and a
// signature made in one mode never verifies in the other:
//
//   - [ModeBareHash]: the 32-byte SHA-256 itself. The signature does not name its hash algorithm, so the algorithm must be
//     kept beside it; this package fixes SHA-256 and writes it into the evidence.
//   - [ModeDigestInfo]: the 51-byte DER DigestInfo, i.e. RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2). Needed for XML and
//     CMS signatures and wherever the signature is submitted to J-LIS.
//
// The mode is never detected from a signature: it is part of what was asked for.
//
// # What is kept out
//
// The package computes the digest itself; it never signs or verifies a digest that somebody else computed. [Sealed],
// [Opened] and [Report] redact themselves when printed, logged or marshalled, and nothing of them appears in an error.
package sign

import (
	"fmt"
	"io"
	"strings"
)

// Mode is what the card pads; it is never detected. The zero value is refused.
type Mode int

// Modes.
const (
	ModeUnknown Mode = iota
	// ModeBareHash is the 32-byte SHA-256 itself, the service's plain form.
	ModeBareHash
	// ModeDigestInfo is the DER DigestInfo of the SHA-256 value, i.e. RSASSA-PKCS1-v1_5 (RFC 8017, 9.2).
	ModeDigestInfo
)

// String returns "bare-hash", "digest-info" or, for anything else, "unknown".
func (m Mode) String() string {
	switch m {
	case ModeBareHash:
		return "bare-hash"
	case ModeDigestInfo:
		return "digest-info"
	default:
		return "unknown"
	}
}

// Valid reports whether m is one of the two modes.
func (m Mode) Valid() bool { return m == ModeBareHash || m == ModeDigestInfo }

// ParseMode reads what String returns; "unknown" and everything else is an [*Error] with [ReasonRequest].
func ParseMode(s string) (Mode, error) {
	switch s {
	case "bare-hash":
		return ModeBareHash, nil
	case "digest-info":
		return ModeDigestInfo, nil
	default:
		return ModeUnknown, &Error{Reason: ReasonRequest, Step: "mode"}
	}
}

// MarshalText encodes the mode as String does; it refuses a mode that is not one of the two.
func (m Mode) MarshalText() ([]byte, error) {
	if !m.Valid() {
		return nil, &Error{Reason: ReasonRequest, Step: "mode"}
	}
	return []byte(m.String()), nil
}

// UnmarshalText decodes what MarshalText wrote.
func (m *Mode) UnmarshalText(b []byte) error {
	parsed, err := ParseMode(string(b))
	if err != nil {
		return err
	}
	*m = parsed
	return nil
}

// Document is what the person signs. The package hashes it itself, once; a document larger than 1 GiB is refused.
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

// redacted is what a value that must not be printed prints as.
func redacted(what string) string { return fmt.Sprintf("sign.%s(redacted)", what) }
