package jpki

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"
)

// A signing certificate holds the four attributes and its serial number identifies a person, so everything that could
// print one of these types prints a summary instead. Format catches every verb of package fmt. The receivers are values,
// because a pointer receiver would let a dereferenced value print everything.

// String returns kind and environment, nothing of the holder.
func (c Certificate) String() string {
	return "jpki.Certificate{" + c.Kind.String() + " " + c.Environment.String() + "}"
}

// GoString returns String.
func (c Certificate) GoString() string { return c.String() }

// Format writes String for every verb.
func (c Certificate) Format(f fmt.State, _ rune) { writeState(f, c.String()) }

// MarshalText returns String.
func (c Certificate) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// MarshalJSON returns kind and environment, nothing of the holder. The certificate itself is Raw.
func (c Certificate) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"kind": c.Kind.String(), "environment": c.Environment.String()})
}

// LogValue returns String.
func (c Certificate) LogValue() slog.Value { return slog.StringValue(c.String()) }

// String returns the OID; the value is personal data.
func (n OtherName) String() string { return "jpki.OtherName{" + n.OID.String() + "}" }

// GoString returns String.
func (n OtherName) GoString() string { return n.String() }

// Format writes String for every verb.
func (n OtherName) Format(f fmt.State, _ rune) { writeState(f, n.String()) }

// MarshalText returns String.
func (n OtherName) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// LogValue returns String.
func (n OtherName) LogValue() slog.Value { return slog.StringValue(n.String()) }

// String returns status, method and reason.
func (a RevocationAnswer) String() string {
	return fmt.Sprintf("jpki.RevocationAnswer{%s by %s, reason %d}", a.Status, a.Method, a.Reason)
}

// GoString returns String.
func (a RevocationAnswer) GoString() string { return a.String() }

// Format writes String for every verb.
func (a RevocationAnswer) Format(f fmt.State, _ rune) { writeState(f, a.String()) }

// LogValue returns String.
func (a RevocationAnswer) LogValue() slog.Value { return slog.StringValue(a.String()) }

type answerJSON struct {
	Status         Status     `json:"status"`
	Method         string     `json:"method,omitempty"`
	Reason         *int       `json:"reason,omitempty"`
	RevokedAt      *time.Time `json:"revoked_at,omitempty"`
	ThisUpdate     *time.Time `json:"this_update,omitempty"`
	NextUpdate     *time.Time `json:"next_update,omitempty"`
	EvidenceSHA256 string     `json:"evidence_sha256,omitempty"`
	EvidenceSize   int        `json:"evidence_size,omitempty"`
}

// MarshalJSON writes the answer with times in UTC and the SHA-256 of the evidence instead of the evidence.
func (a RevocationAnswer) MarshalJSON() ([]byte, error) {
	out := answerJSON{
		Status: a.Status, Method: a.Method, RevokedAt: utc(a.RevokedAt), ThisUpdate: utc(a.ThisUpdate),
		NextUpdate: utc(a.NextUpdate), EvidenceSize: len(a.Evidence),
	}
	if a.Reason >= 0 && !a.RevokedAt.IsZero() {
		out.Reason = &a.Reason
	}
	if len(a.Evidence) > 0 {
		sum := sha256.Sum256(a.Evidence)
		out.EvidenceSHA256 = hex.EncodeToString(sum[:])
	}
	return json.Marshal(out)
}

func utc(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// String returns status, kind and time.
func (r Result) String() string {
	return fmt.Sprintf("jpki.Result{%s %s at %s}", r.Status, r.Kind, r.At.UTC().Format(time.RFC3339))
}

// GoString returns String.
func (r Result) GoString() string { return r.String() }

// Format writes String for every verb.
func (r Result) Format(f fmt.State, _ rune) { writeState(f, r.String()) }

// LogValue returns String.
func (r Result) LogValue() slog.Value { return slog.StringValue(r.String()) }

type resultJSON struct {
	Status            Status           `json:"status"`
	At                time.Time        `json:"at"`
	Kind              Kind             `json:"kind"`
	AnchorFingerprint string           `json:"anchor_sha256,omitempty"`
	AnchorKeyID       string           `json:"anchor_key_id,omitempty"`
	Steps             []Step           `json:"steps"`
	Revocation        RevocationAnswer `json:"revocation"`
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

func writeState(f fmt.State, s string) {
	_, _ = f.Write([]byte(s)) // fmt keeps its own errors
}
