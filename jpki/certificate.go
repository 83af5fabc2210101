package jpki

import (
	"crypto/x509"
	"encoding/asn1"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
)

// Certificate is a certificate of a person as [ParseCertificate] read it. Nothing in it is trusted before
// [Verifier.Verify] said so. It is immutable, safe for concurrent use, and holds personal data: printing, logging or
// marshalling it shows only kind and environment.
type Certificate struct {
	// Raw is the DER.
	Raw []byte
	// X509 is what crypto/x509 makes of it. It does not redact itself.
	X509 *x509.Certificate
	// Kind is what the certificate claims to be for, by its policy and key usage; UnknownKind when no profile matches.
	Kind Kind
	// Environment is where the policy belongs; meaningful only when Kind is known.
	Environment Environment
	// Policies are the certificate policies, in order.
	Policies []asn1.ObjectIdentifier
	// Person has the four attributes of a certificate that carries them, which only signing certificates do.
	Person fourinfo.Person
	// PersonProblems are attributes that were present but could not be read, and warnings. They hold no values.
	PersonProblems []fourinfo.Problem
	// DistributionPoints has the DER of each directoryName of cRLDistributionPoints.
	DistributionPoints [][]byte
	// OtherNames are the otherNames beyond those of the four attributes.
	OtherNames []OtherName

	// form is what Verify decides by, so that a Certificate that was not parsed, or changed after, gains nothing. It has an
	// x509.Certificate of its own.
	form *form
}

// ParseCertificate parses one DER certificate (X.509 v3) of at most 16 KiB, without trailing bytes. It validates form
// only, not trust: a certificate that matches no profile passes and has UnknownKind. Errors are [*Error] with
// [ReasonMalformed]. The input is copied.
func ParseCertificate(der []byte) (*Certificate, error) {
	f, err := readCertificate(der)
	if err != nil {
		return nil, err
	}
	shown := *f.x509
	c := &Certificate{
		Raw: f.x509.Raw, X509: &shown, Policies: f.policies, DistributionPoints: f.points.all, form: f,
	}
	fields, found, rest, err := readPerson(f.names.other)
	if err != nil {
		return nil, err
	}
	c.OtherNames = rest
	if found {
		c.Person, c.PersonProblems = fourinfo.FromCertificate(fields)
	}
	if row := profileOf(f.policies, f.x509.PublicKey); row != nil && f.x509.KeyUsage == row.keyUsage {
		c.Kind, c.Environment = row.kind, row.environment
	}
	return c, nil
}

// ValidFrom returns the first moment of the validity period; the zero time for a Certificate that was not parsed.
func (c *Certificate) ValidFrom() time.Time {
	if c.form == nil {
		return time.Time{}
	}
	return c.form.x509.NotBefore
}

// ValidUntil returns the last moment of the validity period, at which the certificate is still valid (RFC 5280,
// 4.1.2.5); the zero time for a Certificate that was not parsed.
func (c *Certificate) ValidUntil() time.Time {
	if c.form == nil {
		return time.Time{}
	}
	return c.form.x509.NotAfter
}
