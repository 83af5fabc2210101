package form

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"time"
)

// Facts are what revocation data is matched against. Packages jpki and certpath, which read certificates by different rules,
// both make them. They are shared and must not be changed.
type Facts struct {
	// DER is the certificate.
	DER []byte
	// Issuer and Subject are the DER of the names, Serial the octets of the serial number's INTEGER.
	Issuer, Subject, Serial []byte
	// KeyInfo is SubjectPublicKeyInfo, KeyBits the octets of its BIT STRING, Key what can be verified with; nil when the
	// algorithm is not known.
	KeyInfo, KeyBits []byte
	Key              crypto.PublicKey
	// SubjectKeyID and AuthorityKeyID are nil when absent.
	SubjectKeyID, AuthorityKeyID []byte
	// CA is cA of basicConstraints; SignsLists is whether keyUsage permits it.
	CA, SignsLists bool
	// NotBefore and NotAfter bound the validity period, both inclusive.
	NotBefore, NotAfter time.Time
	// Policies are the certificate policies.
	Policies []asn1.ObjectIdentifier
	// Points are those of cRLDistributionPoints, and the assumed one.
	Points *Points
}

// Facts returns the facts of the certificate.
func (f *Certificate) Facts() *Facts {
	c := f.X509
	return &Facts{
		DER: c.Raw, Issuer: c.RawIssuer, Subject: c.RawSubject, Serial: f.Serial,
		KeyInfo: c.RawSubjectPublicKeyInfo, KeyBits: f.KeyBits, Key: c.PublicKey,
		SubjectKeyID: f.SubjectKeyID, AuthorityKeyID: f.AuthorityKeyID,
		CA: c.IsCA, SignsLists: c.KeyUsage&x509.KeyUsageCRLSign != 0,
		NotBefore: c.NotBefore, NotAfter: c.NotAfter, Policies: f.Policies, Points: &f.Points,
	}
}
