package jpki

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"time"
)

// Anchor describes one trusted authority.
type Anchor struct {
	// Name is the published file name without its ending, e.g. "signca03"; "" for a test anchor.
	Name string
	// Fingerprint is the SHA-256 of the certificate's DER.
	Fingerprint [32]byte
	// KeyID is the subject key identifier.
	KeyID []byte
	// NotBefore and NotAfter bound the validity period, both inclusive.
	NotBefore, NotAfter time.Time
}

// DaysToExpiry returns the whole days from now to the end of the validity period; negative when it is past. Watch it:
// new generations are published every few years. An expired anchor is still needed for verification at earlier times.
func (a Anchor) DaysToExpiry(now time.Time) int {
	left := a.NotAfter.Sub(now)
	if left < 0 {
		return -1 - int(-left/(24*time.Hour))
	}
	return int(left / (24 * time.Hour))
}

// anchor is a trusted authority and the checks that it passed.
type anchor struct {
	form        *form
	fingerprint [32]byte
	name        string
}

// readAnchor reads an authority's certificate and checks that it can be one. The checks are made once, when the anchor
// is loaded; a certificate that fails one is never an anchor.
func readAnchor(der []byte) (*anchor, error) {
	f, err := readCertificate(der)
	if err != nil {
		return nil, err
	}
	c := f.x509
	var accepted bool
	for _, key := range anchorKeys {
		accepted = accepted || key.accepts(c.PublicKey) && f.algorithm == key.signature
	}
	var r record
	for _, check := range [...]struct {
		rule rule
		ok   bool
	}{
		{ruleAnchorSelfIssued, bytes.Equal(c.RawSubject, c.RawIssuer) && len(c.Subject.Names) > 0},
		{ruleAnchorConstraints, f.constraints && f.critical && c.IsCA},
		{ruleAnchorKeyUsage, c.KeyUsage&x509.KeyUsageCertSign != 0},
		{ruleAnchorKeyID, len(f.subjectKeyID) > 0},
		{ruleAnchorCritical, !f.unprocessed},
		{ruleAnchorKey, accepted},
		{ruleAnchorSignature, f.algorithm.verify(c.PublicKey, c.RawTBSCertificate, c.Signature) == nil},
	} {
		if err := r.require(check.rule, check.ok); err != nil {
			return nil, err
		}
	}
	return &anchor{form: f, fingerprint: sha256.Sum256(c.Raw)}, nil
}

func (a *anchor) describe() Anchor {
	return Anchor{
		Name: a.name, Fingerprint: a.fingerprint, KeyID: bytes.Clone(a.form.subjectKeyID),
		NotBefore: a.form.x509.NotBefore, NotAfter: a.form.x509.NotAfter,
	}
}
