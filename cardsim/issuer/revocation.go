package issuer

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// A list is dated at the beginning of the day in Japan, or at its latest change if that is later, and is to be replaced
// two days after: JPKI lists are updated daily, and a reader that fetches once a day must not find a gap.
const listValidity = 48 * time.Hour

// CRL returns the current revocation list for the distribution point that the leaf names, in DER. It has a critical
// issuingDistributionPoint with that name and onlyContainsUserCerts, an authorityKeyIdentifier and a growing cRLNumber,
// and lists the serial numbers in ascending order. Each change takes effect at once. The error is an *[Error] with
// ReasonUnknownPartition when no certificate of the CA names that distribution point: neither one that it issued nor
// the leaf itself, which another process with the same seed may have issued.
func (c *CA) CRL(leaf *x509.Certificate) ([]byte, error) {
	partition, ok := distributionPoint(leaf)
	if !ok {
		return nil, &Error{Reason: ReasonUnknownPartition}
	}
	c.recognise(leaf, partition)
	return c.list(partition)
}

// recognise makes a partition known that another process issued a certificate of: the same seed makes the same CA.
func (c *CA) recognise(leaf *x509.Certificate, partition []byte) {
	c.mu.Lock()
	_, known := c.changed[string(partition)]
	c.mu.Unlock()
	if known || leaf.IsCA ||
		c.certificate.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.changed[string(partition)]; !known {
		c.changed[string(partition)] = change{}
	}
}

// distributionPoint returns the DER name in the leaf's cRLDistributionPoints, which crypto/x509 does not report.
func distributionPoint(leaf *x509.Certificate) (name []byte, ok bool) {
	if leaf == nil {
		return nil, false
	}
	for _, e := range leaf.Extensions {
		if !e.Id.Equal(oidCRLDP()) {
			continue
		}
		s := cryptobyte.String(e.Value)
		for _, tag := range []casn1.Tag{casn1.SEQUENCE, casn1.SEQUENCE, context(0), context(0), context(4)} {
			if !s.ReadASN1(&s, tag) {
				return nil, false
			}
		}
		return s, true
	}
	return nil, false
}

// list makes the current list of a partition.
func (c *CA) list(partition []byte) ([]byte, error) {
	now := c.now()
	c.mu.Lock()
	latest, known := c.changed[string(partition)]
	var revoked []record
	for _, r := range c.records {
		if r.partition == string(partition) && r.revokedBy(now) {
			revoked = append(revoked, *r)
		}
	}
	c.mu.Unlock()
	if !known {
		return nil, &Error{Reason: ReasonUnknownPartition}
	}
	slices.SortFunc(revoked, func(a, b record) int { return a.serial.Cmp(b.serial) })
	thisUpdate := updateTime(now, latest.at, revoked)
	number := listNumber(thisUpdate, latest.count)
	// Nothing in a list changes before the state of its partition or the day does. Only revocations that were dated
	// into one second of the future come into force under one number.
	c.mu.Lock()
	last := c.signed[string(partition)]
	c.mu.Unlock()
	if last.number != nil && last.number.Cmp(number) == 0 && last.entries == len(revoked) {
		return bytes.Clone(last.der), nil
	}

	var e extensions
	e.authorityKeyID(c.keyID)
	e.add(oidCRLNumber(), false, func(b *cryptobyte.Builder) { b.AddASN1BigInt(number) })
	e.issuingDistributionPoint(partition)
	if e.err != nil {
		return nil, e.err
	}
	tbs, err := build(func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { // RFC 5280, 5.1
			b.AddASN1Int64(1) // version 2
			addAlgorithm(b)
			b.AddBytes(c.name)
			addTime(b, thisUpdate)
			addTime(b, thisUpdate.Add(listValidity))
			if len(revoked) > 0 { // an empty list must be absent (RFC 5280, 5.1.2.6)
				b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
					for _, r := range revoked {
						addEntry(b, r)
					}
				})
			}
			b.AddASN1(context(0), func(b *cryptobyte.Builder) { addExtensions(b, e.list) })
		})
	})
	if err != nil {
		return nil, err
	}
	der, err := signDER(c.key, tbs, nil)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.signed[string(partition)] = signedList{number: number, entries: len(revoked), der: bytes.Clone(der)}
	return der, nil
}

// signedList is a list as it was signed last.
type signedList struct {
	number  *big.Int
	entries int
	der     []byte
}

// updateTime returns the time of the state: the beginning of the day in Japan, or the latest change after it. A
// revocation that was dated into the future changes the state when its time comes. A change after now was made before
// the clock was put back: no list may be from the future.
func updateTime(now, changed time.Time, revoked []record) time.Time {
	const japan = 9 * time.Hour
	latest := now.Add(japan).Truncate(24 * time.Hour).Add(-japan)
	for _, t := range append([]time.Time{changed}, revocationTimes(revoked)...) {
		if t.After(latest) && !t.After(now) {
			latest = t
		}
	}
	return latest.UTC().Truncate(time.Second)
}

func revocationTimes(revoked []record) []time.Time {
	times := make([]time.Time, len(revoked))
	for i, r := range revoked {
		times[i] = r.at
	}
	return times
}

// listNumber grows with the time of the list and with each change within the same second, also over restarts.
func listNumber(thisUpdate time.Time, changes int64) *big.Int {
	n := new(big.Int).Lsh(big.NewInt(thisUpdate.Unix()), 24)
	return n.Add(n, big.NewInt(changes))
}

// addEntry adds a revoked certificate. The reason code "unspecified" should be absent (RFC 5280, 5.3.1).
func addEntry(b *cryptobyte.Builder, r record) {
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(r.serial)
		addTime(b, r.at)
		if r.reason == 0 {
			return
		}
		var e extensions
		e.add(oidReasonCode(), false, func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(r.reason)) })
		if e.err != nil {
			b.SetError(e.err)
		}
		addExtensions(b, e.list)
	})
}

// issuingDistributionPoint adds the critical extension that ties the list to its municipality and to end-entity
// certificates (RFC 5280, 5.2.5).
func (e *extensions) issuingDistributionPoint(name []byte) {
	e.add(oidIssuingDP(), true, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			addFullName(b, name)
			b.AddASN1(primitive(1), func(b *cryptobyte.Builder) { b.AddUint8(0xFF) }) // onlyContainsUserCerts TRUE
		})
	})
}

// Reasons of revocation (CRLReason, RFC 5280, 5.3.1) that the JPKI is known to use, and the one for key compromise.
const (
	KeyCompromise        = 1
	AffiliationChanged   = 3
	Superseded           = 4
	CessationOfOperation = 5
	// CertificateHold is the only one that Unrevoke can undo.
	CertificateHold = 6
)

// record is what the CA knows of a certificate.
type record struct {
	serial    *big.Int
	content   [sha256.Size]byte // of the TBSCertificate with serial number 0
	partition string            // DER of the distribution point's name
	revoked   bool
	reason    int
	at        time.Time
}

// revokedBy reports whether the certificate is revoked, or on hold, at the time.
func (r *record) revokedBy(t time.Time) bool { return r.revoked && !r.at.After(t) }

// change counts the changes of a partition and remembers the latest.
type change struct {
	count int64
	at    time.Time
}

// Revocation says why and since when a certificate is revoked.
type Revocation struct {
	// Reason is a CRLReason (RFC 5280, 5.3.1); [CertificateHold] puts the certificate on hold.
	Reason int
	// At is when it takes effect, also in the future; fractions of a second are cut off.
	At time.Time
}

// Revoke revokes a certificate. One on hold can be revoked for good; one revoked for good cannot be revoked again. The
// error is an *[Error] with ReasonNotIssued, ReasonAlreadyRevoked or ReasonBadRevocationReason.
func (c *CA) Revoke(serial *big.Int, why Revocation) error {
	// 7 is not used, and 8 (removeFromCRL) is for delta lists only (RFC 5280, 5.3.1).
	if !slices.Contains([]int{0, 1, 2, 3, 4, 5, 6, 9, 10}, why.Reason) {
		return &Error{Reason: ReasonBadRevocationReason}
	}
	return c.update(serial, func(r *record) error {
		if r.revoked && r.reason != CertificateHold {
			return &Error{Reason: ReasonAlreadyRevoked}
		}
		r.revoked, r.reason, r.at = true, why.Reason, why.At.Truncate(time.Second)
		return nil
	})
}

// Unrevoke releases a certificate on hold. The error is an *[Error] with ReasonNotIssued or ReasonNotOnHold.
func (c *CA) Unrevoke(serial *big.Int) error {
	return c.update(serial, func(r *record) error {
		if !r.revoked || r.reason != CertificateHold {
			return &Error{Reason: ReasonNotOnHold}
		}
		r.revoked, r.reason, r.at = false, 0, time.Time{}
		return nil
	})
}

// Reinstate takes any revocation back, as no real authority does: for simulators that start over. The error is an
// *[Error] with ReasonNotIssued or ReasonNotOnHold when there is nothing to take back.
func (c *CA) Reinstate(serial *big.Int) error {
	return c.update(serial, func(r *record) error {
		if !r.revoked {
			return &Error{Reason: ReasonNotOnHold}
		}
		r.revoked, r.reason, r.at = false, 0, time.Time{}
		return nil
	})
}

func (c *CA) update(serial *big.Int, f func(*record) error) error {
	if serial == nil {
		return &Error{Reason: ReasonNotIssued}
	}
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.records[serial.Text(16)]
	if r == nil {
		return &Error{Reason: ReasonNotIssued}
	}
	if err := f(r); err != nil {
		return err
	}
	latest := c.changed[r.partition]
	c.changed[r.partition] = change{count: latest.count + 1, at: now}
	return nil
}
