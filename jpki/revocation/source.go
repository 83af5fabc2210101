package revocation

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/kakunin-go/kakunin/internal/redact"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
)

// Status is what a source says; the zero value is Unknown.
type Status int

// Statuses.
const (
	// Unknown: it cannot be decided.
	Unknown Status = iota
	// Good: not revoked at the time.
	Good
	// Revoked: revoked at the time, for good.
	Revoked
	// Hold: suspended (一時保留) at the time; it may become good again.
	Hold
)

var statusNames = [...]string{"unknown", "good", "revoked", "hold"}

// String returns "unknown", "good", "revoked" or "hold".
func (s Status) String() string {
	if s < 0 || int(s) >= len(statusNames) {
		return statusNames[Unknown]
	}
	return statusNames[s]
}

// MarshalText returns String.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// decided reports whether the status is an answer.
func (s Status) decided() bool { return s == Good || s == Revoked || s == Hold }

// Source is a set of revocation lists, an OCSP client or a platform operator.
//
// Check answers Good only if the certificate was not revoked at q.At, and Unknown whenever it cannot tell. An error
// means Unknown too, whatever the answer says; it should be classified like the errors of this package, because an
// Untrusted one raises an alarm when no other source decides. Check must be safe for concurrent use and must respect
// ctx.
type Source interface {
	Check(ctx context.Context, q Query) (Answer, error)
}

// Query asks about one certificate whose issuer is already verified.
type Query struct {
	// Certificate is asked about, Issuer is the authority that signed it.
	Certificate, Issuer *Certificate
	// At is the time for which the status is asked.
	At time.Time
	// Signers knows who, besides the issuer, may sign lists; nil: nobody. It is for [Lists].
	Signers Signers
}

const stepQuery = "revocation.query"

// valid reports whether the query can be answered at all.
func (q *Query) valid() bool {
	c, issuer := q.Certificate.known(), q.Issuer.known()
	return c != nil && issuer != nil && issuer.Key != nil && !q.At.IsZero() && len(c.Serial) > 0
}

// keyed reports whether the certificate names this issuer and its key, by which generations of an authority of one name
// are told apart. It guards sources that are asked without a verifier.
func (q *Query) keyed() bool {
	if !q.valid() {
		return false
	}
	c, issuer := q.Certificate.known(), q.Issuer.known()
	return len(issuer.SubjectKeyID) > 0 && bytes.Equal(c.AuthorityKeyID, issuer.SubjectKeyID) &&
		bytes.Equal(c.Issuer, issuer.Subject)
}

// Certificate is what a source needs to know of a certificate. It is immutable, and its serial number may identify a
// person: printing, logging or marshalling it shows nothing.
type Certificate struct {
	redacted
	sealed redact.Value[*form.Facts]
}

type redacted = redact.Mark

// ParseCertificate reads one DER certificate, with the strictness that JPKI's have: version 3, a positive serial
// number. Nothing in it is trusted. Errors are [*Error] with [ReasonMalformed].
func ParseCertificate(der []byte) (*Certificate, error) {
	f, err := form.Read(der)
	if err != nil {
		return nil, malformedCertificate(err)
	}
	return Of(f.Facts()), nil
}

// Of is for the packages of this module that read certificates by rules of their own.
func Of(facts *form.Facts) *Certificate { return &Certificate{sealed: redact.Seal(facts)} }

// known returns the facts, or nil.
func (c *Certificate) known() *form.Facts {
	if c == nil {
		return nil
	}
	return c.sealed.Reveal()
}

// Facts is for the packages of this module, see [Of].
func (c *Certificate) Facts() *form.Facts { return c.known() }

// Raw returns a copy of the DER.
func (c *Certificate) Raw() []byte { return bytes.Clone(c.known().DER) }

// Issuer returns a copy of the DER of the issuer's Name.
func (c *Certificate) Issuer() []byte { return bytes.Clone(c.known().Issuer) }

// Serial returns a copy of the octets of the serial number's INTEGER (発行番号), which may identify a person.
func (c *Certificate) Serial() []byte { return bytes.Clone(c.known().Serial) }

// Answer is a source's answer; Status Unknown when it cannot decide. Its text and JSON forms leave the evidence out.
type Answer struct {
	// Status is Good, Revoked, Hold or Unknown.
	Status Status
	// Method is "CRL", "OCSP", "none" when the check was switched off, or what a source of the application calls
	// itself.
	Method string
	// Reason is the CRLReason, [crl.ReasonCodeAbsent] when there is none. It is also set with Status Good when the
	// certificate was revoked after the time that was asked for.
	Reason crl.ReasonCode
	// RevokedAt is the revocation date; the zero time when not revoked.
	RevokedAt time.Time
	// ThisUpdate and NextUpdate bound the time that the evidence covers.
	ThisUpdate, NextUpdate time.Time
	// Steps are the checks of the data that decided, for people who want to follow them.
	Steps []Step
	// Evidence is the DER of the OCSP response, or what is kept of the lists: a JSON array of [ListEvidence]. It is
	// shared, not copied: do not change it.
	Evidence []byte
}

// Methods of the sources of this package; MethodNone is that of an answer when the check was switched off.
const (
	MethodCRL  = "CRL"
	MethodOCSP = "OCSP"
	MethodNone = "none"
)

// Step is one check with the clause that it enforces.
type Step struct {
	Name   string `json:"name"`   // stable, e.g. "chain.signature"
	Clause string `json:"clause"` // e.g. "RFC 5280, 6.1.3 (a)(1)"
	OK     bool   `json:"ok"`
}

// undecided is the answer of a source that cannot tell.
func undecided(method string) Answer { return Answer{Method: method, Reason: crl.ReasonCodeAbsent} }

// String returns status, method and reason.
func (a Answer) String() string {
	return fmt.Sprintf("revocation.Answer{%s by %s, reason %d}", a.Status, a.Method, a.Reason)
}

// GoString returns String.
func (a Answer) GoString() string { return a.String() }

// Format writes String for every verb.
func (a Answer) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(a.String())) } // fmt keeps its own errors

// LogValue returns String.
func (a Answer) LogValue() slog.Value { return slog.StringValue(a.String()) }

type answerJSON struct {
	Status         Status          `json:"status"`
	Method         string          `json:"method,omitempty"`
	Reason         *crl.ReasonCode `json:"reason,omitempty"`
	RevokedAt      *time.Time      `json:"revoked_at,omitempty"`
	ThisUpdate     *time.Time      `json:"this_update,omitempty"`
	NextUpdate     *time.Time      `json:"next_update,omitempty"`
	EvidenceSHA256 string          `json:"evidence_sha256,omitempty"`
	EvidenceSize   int             `json:"evidence_size,omitempty"`
}

// MarshalJSON writes the answer with times in UTC and the SHA-256 of the evidence instead of the evidence.
func (a Answer) MarshalJSON() ([]byte, error) {
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
