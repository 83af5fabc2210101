package evidence

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
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
	r, _, err := parse(b)
	return r, err
}

// parse also returns what the hash covers.
func parse(b []byte) (_ *Record, canonical []byte, err error) {
	if len(b) > limits.Evidence {
		return nil, nil, &Error{Reason: ReasonFormat, Step: "size"}
	}
	if _, err := strictjson.Object(b); err != nil {
		return nil, nil, &Error{Reason: ReasonFormat, Step: "record", Err: err}
	}
	var r Record
	read := stored{plainRecord: (*plainRecord)(&r)}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&read); err != nil {
		return nil, nil, &Error{Reason: ReasonFormat, Step: "record", Err: err}
	}
	if read.Held != nil {
		r.Held = hold(*read.Held)
	}
	if err := r.check(); err != nil {
		return nil, nil, err
	}
	canonical, err = r.canonical()
	if err != nil || fingerprint(canonical) != r.Hash {
		return nil, nil, &Error{Reason: ReasonHash, Step: "hash", Err: err}
	}
	if !r.spelled(b) {
		return nil, nil, &Error{Reason: ReasonFormat, Step: "record"}
	}
	return &r, canonical, nil
}

// spelled reports whether b says the record as this package writes it, white space and the order of members aside.
// encoding/json also takes names in another case, null for absent members and several forms of a time or of base64;
// another reader would see another record under the same hash.
func (r *Record) spelled(b []byte) bool {
	plain, err := r.marshalLine()
	if err != nil {
		return false
	}
	if bytes.Equal(bytes.TrimSpace(plain), bytes.TrimSpace(b)) { // written by this version
		return true
	}
	want, err := canonicalJSON(plain, "")
	if err != nil {
		return false
	}
	got, err := canonicalJSON(b, "")
	return err == nil && bytes.Equal(got, want)
}

// clockSkew is how far the clock of a verification, which may be an operator's, can be ahead of the log's: a record
// that was made before its verification is none.
const clockSkew = 24 * time.Hour

// statusOf is the only status of evidence: good, or what a policy that asks nobody says.
func statusOf(method string) string {
	if method == revocation.MethodNone {
		return revocation.Unknown.String()
	}
	return revocation.Good.String()
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
		(r.RetainUntil != nil && !wholeSeconds(r.RetainUntil)), r.VerifiedAt.After(r.RecordedAt.Add(clockSkew)):
		return refuse("time")
	case !plainText(r.Basis):
		return refuse("basis")
	case !plainText(r.Clock):
		return refuse("clock")
	case r.Retention != nil && !r.Retention.valid():
		return refuse("retention")
	case !r.checkPerson():
		return refuse("person")
	case !r.checkTimestamps():
		return refuse("timestamps")
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
	case !hexHash(r.SealedSHA256) || r.SignatureSHA256 != "" || r.Revocation != nil || len(r.Steps) != 0 ||
		r.Held != nil,
		r.KeepsHeld, r.AttributesSHA256 != "":
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
	case r.AttributesSHA256 != "" && (!hexHash(r.AttributesSHA256) || r.Mode != sign.ModeDigestInfo):
		return refuse("attributes_sha256")
	case v == nil || !visibleASCII(v.Method, false) || v.Status != statusOf(v.Method) ||
		(v.SHA256 != "" && !hexHash(v.SHA256)):
		return refuse("revocation")
	case len(v.Lists) > limits.EvidenceLists || slices.ContainsFunc(v.Lists,
		func(s string) bool { return !hexHash(s) }):
		return refuse("revocation")
	case (v.ThisUpdate != nil && !wholeSeconds(v.ThisUpdate)) || (v.NextUpdate != nil && !wholeSeconds(v.NextUpdate)),
		v.ThisUpdate != nil && v.NextUpdate != nil && v.NextUpdate.Before(*v.ThisUpdate):
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
	return r.checkHeld()
}

// checkHeld checks that the held part of a verification by certificate, if it is there, is the one that the record
// stands for. An operator's record has none.
func (r *Record) checkHeld() error {
	if r.Held == nil {
		return nil
	}
	c, v := r.Certificate, r.Revocation
	h := r.Held.shared()
	if c == nil || v == nil ||
		fingerprint(h.Certificate) != c.SHA256 || fingerprint(h.Signature) != r.SignatureSHA256 ||
		(len(h.Attributes) > 0) != (r.AttributesSHA256 != "") ||
		len(h.Attributes) > 0 && fingerprint(h.Attributes) != r.AttributesSHA256 ||
		len(h.Revocation) > 0 && fingerprint(h.Revocation) != v.SHA256 {
		return &Error{Reason: ReasonHash, Step: "held"}
	}
	return nil
}

// hexHash accepts one spelling of a SHA-256 value.
func hexHash(s string) bool { return len(s) == 64 && hexText(s) }

func hexText(s string) bool {
	if len(s) > 128 || len(s)%2 != 0 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
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
