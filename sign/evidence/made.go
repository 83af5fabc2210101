package evidence

import (
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// made is a record as this package made it: what is checked, encoded and hashed then need not be again when it is
// appended, as long as nobody changed it.
type made struct {
	record Record // it shares nothing with the caller's
	line   []byte // the entry
	leaf   tlog.Hash
	held   *Held // checked
}

// remember notes how the record is written; canonical is what its hash covers.
func (r *Record) remember(canonical []byte) error {
	line, err := r.Detach().marshalLine()
	if err != nil {
		return err
	}
	r.made = &made{record: r.copied(), line: line[:len(line)-1], leaf: tlog.RecordHash(canonical), held: r.Held}
	return nil
}

// asMade returns how the record is written, if it is known and the record is still what it was.
func (r *Record) asMade() (*made, bool) { return r.made, r.made != nil && r.same(&r.made.record) }

// copied returns a copy, without the held part, that shares nothing.
func (r *Record) copied() Record {
	c := *r
	c.Held, c.made = nil, nil
	c.Certificate, c.RetainUntil, c.Retention = clone(r.Certificate), clone(r.RetainUntil), clone(r.Retention)
	if c.Revocation = clone(r.Revocation); c.Revocation != nil {
		c.Revocation.ThisUpdate = clone(r.Revocation.ThisUpdate)
		c.Revocation.NextUpdate = clone(r.Revocation.NextUpdate)
		c.Revocation.Lists = slices.Clone(r.Revocation.Lists)
	}
	if c.Operator = clone(r.Operator); c.Operator != nil {
		c.Operator.SourceUpdatedAt = clone(r.Operator.SourceUpdatedAt)
	}
	c.Steps, c.Timestamps, c.Person = slices.Clone(r.Steps), slices.Clone(r.Timestamps), slices.Clone(r.Person)
	for i := range c.Person {
		c.Person[i].Findings = slices.Clone(c.Person[i].Findings)
	}
	return c
}

// same compares everything but the held part. Times are compared with their location, because it decides how they are
// written.
func (r *Record) same(o *Record) bool {
	//nolint:staticcheck // QF1009: see above
	return r.Version == o.Version && r.RecordedAt == o.RecordedAt && r.Document == o.Document && r.Mode == o.Mode &&
		r.TransactionID == o.TransactionID && r.SignatureSHA256 == o.SignatureSHA256 &&
		r.AttributesSHA256 == o.AttributesSHA256 && r.SealedSHA256 == o.SealedSHA256 &&
		alike(r.Certificate, o.Certificate) && r.Revocation.same(o.Revocation) && r.Operator.same(o.Operator) &&
		r.VerifiedAt == o.VerifiedAt && r.At == o.At && r.PersonCompared == o.PersonCompared &&
		slices.EqualFunc(r.Person, o.Person, PersonMatch.same) && slices.Equal(r.Steps, o.Steps) &&
		r.Clock == o.Clock && r.Basis == o.Basis && alike(r.RetainUntil, o.RetainUntil) &&
		slices.Equal(r.Timestamps, o.Timestamps) && alike(r.Retention, o.Retention) && r.Previous == o.Previous &&
		r.KeepsHeld == o.KeepsHeld && r.Hash == o.Hash
}

func (r *RevocationRef) same(o *RevocationRef) bool {
	if r == nil || o == nil {
		return r == o
	}
	return r.Method == o.Method && r.Status == o.Status && alike(r.ThisUpdate, o.ThisUpdate) &&
		alike(r.NextUpdate, o.NextUpdate) && r.SHA256 == o.SHA256 && slices.Equal(r.Lists, o.Lists)
}

func (r *OperatorRef) same(o *OperatorRef) bool {
	if r == nil || o == nil {
		return r == o
	}
	return r.VerificationID == o.VerificationID && r.Method == o.Method && alike(r.SourceUpdatedAt, o.SourceUpdatedAt)
}

func (m PersonMatch) same(o PersonMatch) bool {
	return m.Attribute == o.Attribute && m.Outcome == o.Outcome && slices.Equal(m.Findings, o.Findings)
}

// copyable are the parts of a record that hold no pointers of their own.
type copyable interface {
	CertificateRef | RevocationRef | OperatorRef | Retention | time.Time
}

func clone[T copyable](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

func alike[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }
