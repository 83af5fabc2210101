package issuer

import (
	"crypto/sha256"
	"math/big"
	"slices"
	"time"
)

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

// Revoke revokes a certificate with a CRLReason; [CertificateHold] puts it on hold. A time at in the future takes effect
// then. A certificate on hold can be revoked for good; one revoked for good cannot be revoked again. The error is an
// *[Error] with ReasonNotIssued, ReasonAlreadyRevoked or ReasonBadRevocationReason.
func (c *CA) Revoke(serial *big.Int, reason int, at time.Time) error {
	// 7 is not used, and 8 (removeFromCRL) is for delta lists only (RFC 5280, 5.3.1).
	if !slices.Contains([]int{0, 1, 2, 3, 4, 5, 6, 9, 10}, reason) {
		return &Error{Reason: ReasonBadRevocationReason}
	}
	return c.update(serial, func(r *record) error {
		if r.revoked && r.reason != CertificateHold {
			return &Error{Reason: ReasonAlreadyRevoked}
		}
		r.revoked, r.reason, r.at = true, reason, at.Truncate(time.Second)
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
