package jpki

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/jpki/revocation"
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

var statusNames = [...]string{"unknown", "good", "revoked", "hold", "expired", "not-yet-valid"}

// String returns "unknown", "good", "revoked", "hold", "expired" or "not-yet-valid".
func (s Status) String() string {
	if s < 0 || int(s) >= len(statusNames) {
		return statusNames[Unknown]
	}
	return statusNames[s]
}

// MarshalText returns String.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote and refuses anything else.
func (s *Status) UnmarshalText(text []byte) error {
	i := slices.Index(statusNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("jpki: not a status")
	}
	*s = Status(i)
	return nil
}

// Step is one check with the clause it enforces.
type Step = revocation.Step

// Result says what was found. Status is Good only when every step held; the steps end with the first that did not. Its
// text and JSON forms hold no data of the certificate's holder: not the serial number, and of the revocation evidence
// only its hash. The JSON form is for records and screens; it is not read back, because only Verify makes results.
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
	Revocation revocation.Answer
}

// String returns status, kind and time.
func (r Result) String() string {
	return fmt.Sprintf("jpki.Result{%s %s at %s}", r.Status, r.Kind, r.At.UTC().Format(time.RFC3339))
}

type resultJSON struct {
	Status            Status            `json:"status"`
	At                time.Time         `json:"at"`
	Kind              Kind              `json:"kind"`
	AnchorFingerprint string            `json:"anchor_sha256,omitempty"`
	AnchorKeyID       string            `json:"anchor_key_id,omitempty"`
	Steps             []Step            `json:"steps"`
	Revocation        revocation.Answer `json:"revocation"`
}

// MarshalJSON writes the result with times in UTC (RFC 3339) and identifiers in lower-case hex.
func (r Result) MarshalJSON() ([]byte, error) {
	out := resultJSON{
		Status: r.Status, At: r.At.UTC(), Kind: r.Kind, AnchorKeyID: hex.EncodeToString(r.AnchorKeyID),
		Steps: r.Steps, Revocation: r.Revocation,
	}
	if r.AnchorFingerprint != [32]byte{} {
		out.AnchorFingerprint = hex.EncodeToString(r.AnchorFingerprint[:])
	}
	if out.Steps == nil {
		out.Steps = []Step{}
	}
	return json.Marshal(out)
}

// rule is one check: its stable name, the clause it enforces and the reason when it fails.
type rule struct {
	name, clause string
	reason       Reason
}

var (
	ruleAnchorSelfIssued  = rule{"anchor.self-issued", "RFC 5280, 3.2", ReasonTrust}
	ruleAnchorConstraints = rule{"anchor.basic-constraints", "RFC 5280, 4.2.1.9", ReasonTrust}
	ruleAnchorKeyUsage    = rule{"anchor.key-usage", "RFC 5280, 4.2.1.3", ReasonTrust}
	ruleAnchorKeyID       = rule{"anchor.key-id", "RFC 5280, 4.2.1.2", ReasonTrust}
	ruleAnchorCritical    = rule{"anchor.critical-extensions", "RFC 5280, 4.2", ReasonTrust}
	ruleAnchorKey         = rule{"anchor.key", "JPKI certificate profile, authority key", ReasonTrust}
	ruleAnchorSignature   = rule{"anchor.signature", "RFC 5280, 3.2", ReasonTrust}

	ruleForm        = rule{"certificate.form", "RFC 5280, 4.1", ReasonMalformed}
	rulePolicy      = rule{"profile.policy", "RFC 5280, 4.2.1.4", ReasonProfile}
	ruleHierarchy   = rule{"profile.environment", "JPKI certificate profile, certificatePolicies", ReasonHierarchy}
	ruleKind        = rule{"profile.kind", "JPKI certificate profile, certificatePolicies", ReasonKind}
	ruleKeyUsage    = rule{"profile.key-usage", "RFC 5280, 4.2.1.3", ReasonProfile}
	ruleExtKeyUsage = rule{"profile.extended-key-usage", "RFC 5280, 4.2.1.12", ReasonProfile}
	ruleNotCA       = rule{"profile.basic-constraints", "RFC 5280, 4.2.1.9", ReasonProfile}
	ruleKey         = rule{"profile.key", "JPKI certificate profile, subjectPublicKeyInfo", ReasonProfile}
	ruleAlgorithm   = rule{"profile.signature-algorithm", "JPKI certificate profile, signature", ReasonProfile}
	ruleCritical    = rule{"profile.critical-extensions", "RFC 5280, 4.2", ReasonProfile}

	ruleIssuerName     = rule{"chain.issuer-name", "RFC 5280, 6.1.3 (a)(4)", ReasonIssuer}
	ruleIssuerKeyID    = rule{"chain.key-id", "RFC 5280, 4.2.1.1", ReasonIssuer}
	ruleSignature      = rule{"chain.signature", "RFC 5280, 6.1.3 (a)(1)", ReasonSignature}
	ruleAnchorValidity = rule{"chain.anchor-validity", "RFC 5280, 4.1.2.5", ReasonAnchorValidity}
	ruleNotBefore      = rule{"chain.not-before", "RFC 5280, 6.1.3 (a)(2)", ReasonNotYetValid}
	ruleNotAfter       = rule{"chain.not-after", "RFC 5280, 6.1.3 (a)(2)", ReasonExpired}

	ruleRevocation        = rule{"revocation.status", "RFC 5280, 6.1.3 (a)(3)", ReasonRevoked}
	ruleRevocationTime    = rule{"revocation.time", "RFC 5280, 6.3.3", ReasonRevocationUnknown}
	ruleRevocationSkipped = rule{"revocation.skipped", "", ReasonRevocationUnknown}
)

// record collects the steps of one verification.
type record struct{ steps []Step }

// require notes a check and returns its error when it does not hold.
func (r *record) require(check rule, ok bool) error {
	r.steps = append(r.steps, Step{Name: check.name, Clause: check.clause, OK: ok})
	if ok {
		return nil
	}
	return &Error{Reason: check.reason, Step: check.name, Clause: check.clause}
}
