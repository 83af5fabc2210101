package jpki

import (
	"fmt"
	"time"
)

// Status is the answer; the zero value is Unknown.
type Status int

// Statuses.
const (
	// Unknown: it cannot be decided, or something else than validity or revocation failed. Treat it as not valid.
	Unknown Status = iota
	// Good: every check held at the time.
	Good
	// Revoked: the certificate was revoked at the time, for good.
	Revoked
	// Hold: the certificate was suspended (一時保留) at the time; it may become good again.
	Hold
	// Expired: the time lies after the validity period.
	Expired
	// NotYetValid: the time lies before the validity period.
	NotYetValid
)

func statusNames() [6]string {
	return [...]string{"unknown", "good", "revoked", "hold", "expired", "not-yet-valid"}
}

// String returns "unknown", "good", "revoked", "hold", "expired" or "not-yet-valid".
func (s Status) String() string {
	names := statusNames()
	if s < 0 || int(s) >= len(names) {
		return names[Unknown]
	}
	return names[s]
}

// MarshalText returns String.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote and refuses anything else.
func (s *Status) UnmarshalText(text []byte) error {
	for i, name := range statusNames() {
		if name == string(text) {
			*s = Status(i)
			return nil
		}
	}
	return fmt.Errorf("jpki: not a status")
}

// Step is one check with the clause it enforces.
type Step struct {
	Name   string `json:"name"`   // stable, e.g. "chain.signature"
	Clause string `json:"clause"` // e.g. "RFC 5280, 6.1.3 (a)(1)"
	OK     bool   `json:"ok"`
}

// Result says what was found. Status is Good only when every step held; the steps end with the first that did not.
// Its text and JSON forms hold no data of the certificate's holder: not the serial number, and of the revocation
// evidence only its hash. The JSON form is for records and screens; it is not read back, because only Verify makes results.
type Result struct {
	// Status is the answer for the time At.
	Status Status
	// At is the verification time.
	At time.Time
	// Kind is what the certificate is for; UnknownKind when its profile was not accepted.
	Kind Kind
	// AnchorFingerprint is the SHA-256 of the anchor's DER; all zero when no anchor was found.
	AnchorFingerprint [32]byte
	// AnchorKeyID is the subject key identifier of the anchor; nil when no anchor was found.
	AnchorKeyID []byte
	// Steps are the checks in the order in which they were made.
	Steps []Step
	// Revocation is the answer of the source that decided. Its Method is "none" when the check was switched off.
	Revocation RevocationAnswer
}
