// Package evidence keeps what proves a verification later (証跡).
//
// Most users open a [Log] over a store (package filestore keeps it in files) and call [Log.Append] with each
// sign.Report; [Log.Verify] checks everything years later, against signed checkpoints that were kept elsewhere.
// [FromVerdict] makes the record of a platform operator's verdict. See the examples of [Log] and [Proof].
//
// By default a record holds neither the certificate nor the signature value nor any personal data: hashes and
// references are enough to show which document, which certificate and which revocation data were verified, and when.
// Whoever must keep the certificate and signature themselves — certified signature verifiers (署名検証者) under the Act on
// Prevention of Transfer of Criminal Proceeds (犯収法), for example — asks for them with [WithCertificate]. They go into a
// part of the record that its hash does not cover directly, so that they can be deleted at the end of the retention
// period ([Log.DeleteHeld]) while the log stays provable; the hashes that it does cover still prove what they were.
//
// # What is provable
//
// Each record is a leaf of a Merkle tree (RFC 6962, section 2.1), hashed over its canonical JSON (RFC 8785) without the
// members "hash" and "held". A checkpoint is size and root of the tree, signed ([Log.Checkpoint]). Against any earlier
// checkpoint [Log.Verify] finds every record that was changed, removed, moved or inserted, and that the newest ones
// were cut off; a [Proof] shows for a single record that it stood in the log. Without a checkpoint kept elsewhere,
// whoever can write to the store can make the whole log anew.
//
// # How long
//
// Package evidence decides nothing about how long to keep what: the law does. A [Retention], of a profile of package
// fourinfo/law or of the caller, is kept with the record ([WithRetention]); [Log.Purge] deletes the held parts whose
// time is over and reports why.
//
// # Examples
//
// There are examples of [Log], [Log.DeleteHeld] and [Proof].
//
// # Compatibility
//
// Records of version 1 stay readable, in stores and one by one ([Parse]). Logs of the form before there were stores,
// JSON lines chained by hashes, are taken over by [Log.ImportChain]. Checkpoints are notes in a published format: tools
// that read those of transparency logs read them.
package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
)

// Version is the version of the JSON form that this package writes and reads.
const Version = 1

// Record is one piece of evidence. Times are UTC in whole seconds, hashes lower-case hexadecimal. Change nothing in a
// record: its hash would no longer fit.
type Record struct {
	// Version is [Version].
	Version int `json:"version"`
	// RecordedAt is when the record was made.
	RecordedAt time.Time `json:"recorded_at"`
	// Document says what was signed.
	Document DocumentRef `json:"document"`
	// Mode is what the card padded.
	Mode sign.Mode `json:"mode"`
	// TransactionID is the service's; empty when none was expected.
	TransactionID string `json:"transaction_id,omitempty"`
	// SignatureSHA256 is the hash of the signature value.
	SignatureSHA256 string `json:"signature_sha256,omitempty"`
	// AttributesSHA256 is the hash of the signed attributes of a CMS signature, which the signature is over; empty when
	// it is over the document itself.
	AttributesSHA256 string `json:"attributes_sha256,omitempty"`
	// SealedSHA256 is the hash of the sealed result that was handed to a platform operator.
	SealedSHA256 string `json:"sealed_sha256,omitempty"`
	// Certificate identifies the signing certificate without naming anybody.
	Certificate *CertificateRef `json:"certificate,omitempty"`
	// Revocation says on which data "not revoked" rests.
	Revocation *RevocationRef `json:"revocation,omitempty"`
	// Operator is the platform operator's assertion, when an operator verified.
	Operator *OperatorRef `json:"operator,omitempty"`
	// VerifiedAt is when the verification was done, At the time for which certificate and revocation were judged.
	VerifiedAt time.Time `json:"verified_at"`
	At         time.Time `json:"at"`
	// PersonCompared is true when the certificate was compared with an expected person.
	PersonCompared bool `json:"person_compared"`
	// Person says how each expected attribute compared; in records made before it was kept it is absent.
	Person []PersonMatch `json:"person,omitempty"`
	// Steps are the checks that held, in their order.
	Steps []jpki.Step `json:"steps,omitempty"`
	// Clock, Basis and RetainUntil come from the options.
	Clock       string     `json:"clock,omitempty"`
	Basis       string     `json:"basis,omitempty"`
	RetainUntil *time.Time `json:"retain_until,omitempty"`
	// Timestamps are those of the signature value.
	Timestamps []TimestampRef `json:"timestamps,omitempty"`
	// Retention says by which law and how long the held part is kept.
	Retention *Retention `json:"retention,omitempty"`
	// Previous is the hash of the record before, in records of the form before there were stores; empty in others.
	Previous string `json:"previous,omitempty"`
	// KeepsHeld: the record was made with a held part. Absent in records made before this was said.
	KeepsHeld bool `json:"keeps_held,omitempty"`
	// Hash covers everything but itself and Held.
	Hash string `json:"hash"`
	// Held is the part that may be deleted alone; nil by default.
	Held *Held `json:"held,omitempty"`

	made *made // by this package, so that Log.Append need not encode it again; nil in a record that was read
}

// DocumentRef is the signed document's hash. The algorithm is recorded because a bare-hash signature does not name it.
type DocumentRef struct {
	Algorithm string `json:"algorithm"` // always "SHA-256"
	Hash      string `json:"hash"`
	MediaType string `json:"media_type,omitempty"`
}

// CertificateRef refers to a certificate. The serial number is left out: it is an identifier of a person.
type CertificateRef struct {
	// Environment is "production" or "test".
	Environment string `json:"environment"`
	// Kind is "signing-card" or "signing-phone".
	Kind string `json:"kind"`
	// IssuerKeyID is the subject key identifier of the anchor that issued it. CA generations share one name, so the
	// name would not tell which.
	IssuerKeyID string `json:"issuer_key_id,omitempty"`
	// SHA256 is the fingerprint of the certificate, AnchorSHA256 that of the trust anchor.
	SHA256       string `json:"sha256"`
	AnchorSHA256 string `json:"anchor_sha256"`
}

// RevocationRef refers to the CRL or OCSP response that was used.
type RevocationRef struct {
	// Method is "CRL", "OCSP" or "none": the policy of the verifier was to skip the check.
	Method     string     `json:"method"`
	Status     string     `json:"status"`
	ThisUpdate *time.Time `json:"this_update,omitempty"`
	NextUpdate *time.Time `json:"next_update,omitempty"`
	// SHA256 is the hash of the evidence of the answer: the DER of a response, or what revocation.ListEvidence keeps of
	// lists.
	SHA256 string `json:"sha256,omitempty"`
	// Lists are the SHA-256 of the revocation lists that were heard. Archive each published list once, under its hash.
	Lists []string `json:"lists,omitempty"`
}

// OperatorRef is what a platform operator (PF事業者) asserted.
type OperatorRef struct {
	VerificationID  string     `json:"verification_id"`
	Method          string     `json:"method,omitempty"`
	SourceUpdatedAt *time.Time `json:"source_updated_at,omitempty"`
}

// stored is a record as it is written: with the held part in clear.
type stored struct {
	*plainRecord
	Held *HeldParts `json:"held,omitempty"`
}

type plainRecord Record

func (r *Record) stored() stored {
	s := stored{plainRecord: (*plainRecord)(r)}
	if r.Held != nil {
		parts := r.Held.shared()
		s.Held = &parts
	}
	return s
}

// FromReport makes a record of a verified signature. It refuses a report in which any step did not hold. Errors are
// [*Error].
func FromReport(r *sign.Report, now time.Time, opts ...Option) (*Record, error) {
	if err := checkReport(r); err != nil {
		return nil, err
	}
	o, err := apply(opts)
	if err != nil {
		return nil, err
	}
	rec := &Record{
		Version:    Version,
		RecordedAt: seconds(now),
		Document: DocumentRef{
			Algorithm: "SHA-256",
			Hash:      hex.EncodeToString(r.Digest[:]),
			MediaType: recordable(r.MediaType),
		},
		Mode:            r.Mode,
		TransactionID:   r.TransactionID,
		SignatureSHA256: fingerprint(r.Opened.RevealSignature()),
		Certificate: &CertificateRef{
			Environment:  hierarchyOf(r.Certificate),
			Kind:         r.Chain.Kind.String(),
			IssuerKeyID:  hex.EncodeToString(r.Chain.AnchorKeyID),
			SHA256:       fingerprint(r.Opened.RevealCertificate()),
			AnchorSHA256: hex.EncodeToString(r.Chain.AnchorFingerprint[:]),
		},
		Revocation:     revocationOf(r.Chain.Revocation),
		VerifiedAt:     seconds(r.VerifiedAt),
		At:             seconds(r.At),
		PersonCompared: r.PersonCompared,
		Person:         personOf(r),
		Steps:          append([]jpki.Step(nil), r.Steps...),
	}
	if attributes := r.Opened.RevealAttributes(); attributes != nil {
		rec.AttributesSHA256 = fingerprint(attributes)
	}
	if o.certificate {
		rec.KeepsHeld = true
		rec.Held = hold(HeldParts{
			Certificate: r.Opened.RevealCertificate(), Signature: r.Opened.RevealSignature(),
			Attributes: r.Opened.RevealAttributes(), Revocation: bytes.Clone(r.Chain.Revocation.Evidence),
		})
	}
	return finish(rec, o)
}

// Judged is what a platform operator judged, and how: all of it is required.
type Judged struct {
	Verdict     *sign.Verdict
	Sealed      *sign.Sealed
	Transaction *sign.Transaction
}

// FromVerdict makes a record of a platform operator's verdict on a sealed result. Only a good verdict is evidence.
// Errors are [*Error].
func FromVerdict(j Judged, now time.Time, opts ...Option) (*Record, error) {
	v, s, tx := j.Verdict, j.Sealed, j.Transaction
	if v == nil || s == nil || tx == nil || v.VerificationID == "" || !tx.Mode.Valid() {
		return nil, &Error{Reason: ReasonRequest, Step: "verdict"}
	}
	if v.Status != jpki.Good {
		return nil, &Error{Reason: ReasonNotVerified, Step: "verdict"}
	}
	o, err := apply(opts)
	if err != nil {
		return nil, err
	}
	if o.certificate {
		return nil, &Error{Reason: ReasonRequest, Step: "certificate"} // a verdict has none
	}
	rec := &Record{
		Version:    Version,
		RecordedAt: seconds(now),
		Document: DocumentRef{
			Algorithm: "SHA-256",
			Hash:      hex.EncodeToString(tx.Digest[:]),
			MediaType: recordable(tx.MediaType),
		},
		Mode:          tx.Mode,
		TransactionID: tx.ID,
		SealedSHA256:  fingerprint([]byte(s.RevealJWE())),
		Operator: &OperatorRef{
			VerificationID: v.VerificationID, Method: v.Method, SourceUpdatedAt: optionalSeconds(v.SourceUpdatedAt),
		},
		VerifiedAt: seconds(v.VerifiedAt),
		At:         seconds(v.VerifiedAt),
	}
	return finish(rec, o)
}

func finish(rec *Record, o options) (*Record, error) {
	if err := rec.stamp(o.timestamps); err != nil {
		return nil, err
	}
	rec.Clock, rec.Basis, rec.RetainUntil, rec.Retention = o.clock, o.basis, optionalSeconds(o.retainUntil), o.retention
	canonical, err := rec.canonical()
	if err != nil {
		return nil, err
	}
	rec.Hash = fingerprint(canonical)
	if err := rec.check(); err != nil {
		return nil, err
	}
	return rec, rec.remember(canonical)
}

func checkReport(r *sign.Report) error {
	if r == nil || r.Certificate == nil || r.Chain == nil || !r.Mode.Valid() || len(r.Opened.RevealSignature()) == 0 ||
		len(r.Steps) == 0 {
		return &Error{Reason: ReasonRequest, Step: "report"}
	}
	if r.Chain.Status != jpki.Good {
		return &Error{Reason: ReasonNotVerified, Step: "report"}
	}
	for _, s := range r.Steps {
		if !s.OK {
			return &Error{Reason: ReasonNotVerified, Step: "report"}
		}
	}
	return nil
}

func revocationOf(a revocation.Answer) *RevocationRef {
	rev := &RevocationRef{
		Method: a.Method, Status: a.Status.String(),
		ThisUpdate: optionalSeconds(a.ThisUpdate), NextUpdate: optionalSeconds(a.NextUpdate),
	}
	if len(a.Evidence) > 0 {
		rev.SHA256 = fingerprint(a.Evidence)
	}
	// A source of the application may call itself "CRL" and keep evidence of another form: it has no lists to name.
	var heard []revocation.ListEvidence
	if a.Method == revocation.MethodCRL && json.Unmarshal(a.Evidence, &heard) == nil {
		for _, list := range heard {
			rev.Lists = append(rev.Lists, list.SHA256)
		}
	}
	return rev
}

// hierarchyOf is the word of a record for where a certificate belongs.
func hierarchyOf(c *jpki.Certificate) string {
	if c.IsTest() {
		return "test"
	}
	return "production"
}

func fingerprint(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func seconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

func optionalSeconds(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	s := seconds(t)
	return &s
}

// Covered returns the canonical JSON (RFC 8785) that the record's hash is over, and its leaf in the tree: everything
// but the hash itself and the held part. Errors are [*Error].
func (r *Record) Covered() ([]byte, error) {
	canonical, err := r.canonical()
	if err != nil {
		return nil, &Error{Reason: ReasonRequest, Step: "record", Err: err}
	}
	return canonical, nil
}

// canonical is what the record's hash and its leaf in the tree cover: everything but the hash and the held part.
func (r *Record) canonical() ([]byte, error) {
	line, err := r.Detach().marshalLine()
	if err != nil {
		return nil, err
	}
	canonical, err := canonicalJSON(line, "hash")
	if err != nil {
		return nil, &Error{Reason: ReasonRequest, Step: "record", Err: err}
	}
	return canonical, nil
}

// Detach returns a copy without the certificate and signature value. Its hash and its place in the chain stay valid.
func (r *Record) Detach() *Record {
	c := *r
	c.Held = nil
	return &c
}
