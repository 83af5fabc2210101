package evidence

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

// Marshal encodes the record as indented JSON, for a download. [Parse] reads it. Errors are [*Error].
func (r *Record) Marshal() ([]byte, error) {
	line, err := r.marshalLine()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, line, "", "  "); err != nil {
		return nil, &Error{Reason: ReasonRequest, Step: "record", Err: err}
	}
	return out.Bytes(), nil
}

// marshalLine encodes the record on one line ending in a newline.
func (r *Record) marshalLine() ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(r.stored()); err != nil {
		return nil, &Error{Reason: ReasonRequest, Step: "record", Err: err}
	}
	if out.Len() > limits.Evidence {
		return nil, &Error{Reason: ReasonRequest, Step: "record"}
	}
	return out.Bytes(), nil
}

// Parse reads one record strictly: size limit, no duplicate or unknown members, this version, well-formed fields, and a
// hash that fits, in the one spelling that [Record.Marshal] writes. It does not check Previous, which only
// [Log.ImportChain] can. Errors are [*Error].
func Parse(b []byte) (*Record, error) {
	if len(b) > limits.Evidence {
		return nil, &Error{Reason: ReasonFormat, Step: "size"}
	}
	if _, err := strictjson.Object(b); err != nil {
		return nil, &Error{Reason: ReasonFormat, Step: "record", Err: err}
	}
	var r Record
	read := stored{plainRecord: (*plainRecord)(&r)}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&read); err != nil {
		return nil, &Error{Reason: ReasonFormat, Step: "record", Err: err}
	}
	if read.Held != nil {
		r.Held = hold(*read.Held)
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	hash, err := r.computeHash()
	if err != nil || hash != r.Hash {
		return nil, &Error{Reason: ReasonHash, Step: "hash", Err: err}
	}
	if !r.spelled(b) {
		return nil, &Error{Reason: ReasonFormat, Step: "record"}
	}
	return &r, nil
}

// spelled reports whether b says the record as this package writes it, white space and the order of members aside.
// encoding/json also takes names in another case, null for absent members and several forms of a time or of base64;
// another reader would see another record under the same hash.
func (r *Record) spelled(b []byte) bool {
	plain, err := json.Marshal(r.stored())
	if err != nil {
		return false
	}
	want, err := canonicalJSON(plain, "")
	if err != nil {
		return false
	}
	got, err := canonicalJSON(b, "")
	return err == nil && bytes.Equal(got, want)
}

// check validates every field.
func (r *Record) check() error {
	refuse := func(field string) error { return &Error{Reason: ReasonFormat, Step: field} }
	switch {
	case r.Version != Version:
		return refuse("version")
	case r.Document.Algorithm != "SHA-256" || !hexHash(r.Document.Hash):
		return refuse("document")
	case !plainText(r.Document.MediaType):
		return refuse("media_type")
	case !r.Mode.Valid():
		return refuse("mode")
	case !visibleASCII(r.TransactionID, true):
		return refuse("transaction_id")
	case !wholeSeconds(&r.RecordedAt) || !wholeSeconds(&r.VerifiedAt) || !wholeSeconds(&r.At) ||
		(r.RetainUntil != nil && !wholeSeconds(r.RetainUntil)):
		return refuse("time")
	case !plainText(r.Basis):
		return refuse("basis")
	case !plainText(r.Clock):
		return refuse("clock")
	case !r.checkPerson():
		return refuse("person")
	case r.Previous != "" && !hexHash(r.Previous):
		return refuse("previous")
	case !hexHash(r.Hash):
		return refuse("hash")
	case (r.Certificate == nil) == (r.Operator == nil): // verified here or by an operator, never both or neither
		return refuse("certificate")
	case r.Operator != nil:
		return r.checkOperator()
	}
	return r.checkCertificate()
}

func (r *Record) checkOperator() error {
	refuse := func(field string) error { return &Error{Reason: ReasonFormat, Step: field} }
	o := r.Operator
	switch {
	case !visibleASCII(o.VerificationID, false) || !visibleASCII(o.Method, true):
		return refuse("operator")
	case o.SourceUpdatedAt != nil && !wholeSeconds(o.SourceUpdatedAt):
		return refuse("time")
	case !hexHash(r.SealedSHA256) || r.SignatureSHA256 != "" || r.Revocation != nil || len(r.Steps) != 0 || r.Held != nil:
		return refuse("operator")
	}
	return nil
}

func (r *Record) checkCertificate() error {
	refuse := func(field string) error { return &Error{Reason: ReasonFormat, Step: field} }
	c, v := r.Certificate, r.Revocation
	switch {
	case c.Environment != "production" && c.Environment != "test",
		c.Kind != "signing-card" && c.Kind != "signing-phone",
		!hexHash(c.SHA256) || !hexHash(c.AnchorSHA256) || !hexText(c.IssuerKeyID):
		return refuse("certificate")
	case !hexHash(r.SignatureSHA256) || r.SealedSHA256 != "":
		return refuse("signature_sha256")
	case v == nil || !visibleASCII(v.Method, false) || !visibleASCII(v.Status, false) || (v.SHA256 != "" && !hexHash(v.SHA256)):
		return refuse("revocation")
	case len(v.Lists) > limits.EvidenceLists || slices.ContainsFunc(v.Lists, func(s string) bool { return !hexHash(s) }):
		return refuse("revocation")
	case (v.ThisUpdate != nil && !wholeSeconds(v.ThisUpdate)) || (v.NextUpdate != nil && !wholeSeconds(v.NextUpdate)):
		return refuse("time")
	case len(r.Steps) == 0 || len(r.Steps) > limits.EvidenceSteps:
		return refuse("steps")
	}
	for _, s := range r.Steps {
		// A step that did not hold is no evidence, however the record came to hold it.
		if !s.OK || s.Name == "" || !printable(s.Name) || !printable(s.Clause) {
			return refuse("steps")
		}
	}
	if h := r.Held.Reveal(); r.Held != nil &&
		(fingerprint(h.Certificate) != c.SHA256 || fingerprint(h.Signature) != r.SignatureSHA256 ||
			len(h.Revocation) > 0 && fingerprint(h.Revocation) != v.SHA256) {
		return &Error{Reason: ReasonHash, Step: "held"}
	}
	return nil
}

// hexHash accepts one spelling of a SHA-256 value.
func hexHash(s string) bool { return len(s) == 64 && hexText(s) }

func hexText(s string) bool {
	if len(s) > 128 || strings.ToLower(s) != s {
		return false
	}
	_, err := hex.DecodeString(s)
	return err == nil
}

func visibleASCII(s string, empty bool) bool {
	if s == "" {
		return empty
	}
	if len(s) > limits.AuthorizationParameter {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// wholeSeconds accepts the times that this package writes; others would not survive being encoded again.
func wholeSeconds(t *time.Time) bool {
	_, offset := t.Zone()
	return !t.IsZero() && offset == 0 && t.Nanosecond() == 0 && t.Year() > 0 && t.Year() < 10000
}
