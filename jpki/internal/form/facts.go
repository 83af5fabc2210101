package form

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"sync"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"github.com/kakunin-go/kakunin/jpki/internal/names"
)

// Facts are what revocation data is matched against. Packages jpki and certpath, which read certificates by different
// rules, both make them. They are shared and must not be changed.
type Facts struct {
	// DER is the certificate.
	DER []byte
	// Issuer and Subject are the DER of the names, Serial the octets of the serial number's INTEGER.
	Issuer, Subject, Serial []byte
	// KeyInfo is SubjectPublicKeyInfo, KeyBits the octets of its BIT STRING, Key what can be verified with; nil when
	// the algorithm is not known.
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
	// Points returns those of cRLDistributionPoints, and the assumed one, by the encoding of their names.
	Points func() *Points
	// Canonical returns the names in the form in which RFC 5280, 7.1 compares them.
	Canonical func() *Canonical
	// KeyHash returns the SHA-256 of KeyInfo.
	KeyHash func() [sha256.Size]byte
}

// Canonical has names in the form in which they are compared. Issuer or Subject is nil when it cannot be read so.
type Canonical struct {
	Issuer, Subject *names.Name
	Points          []names.Point // of cRLDistributionPoints
}

func canonical(raw []byte) *names.Name {
	s := cryptobyte.String(raw)
	if n, ok := names.Read(&s); ok && s.Empty() {
		return n
	}
	return nil
}

// Facts returns the facts of the certificate.
func (f *Certificate) Facts() *Facts {
	return &Facts{
		DER: f.Raw, Issuer: f.Issuer, Subject: f.Subject, Serial: f.Serial,
		KeyInfo: f.KeyInfo, KeyBits: f.KeyBits, Key: f.Key,
		SubjectKeyID: f.SubjectKeyID, AuthorityKeyID: f.AuthorityKeyID,
		CA: f.CA, SignsLists: f.KeyUsage&x509.KeyUsageCRLSign != 0,
		NotBefore: f.NotBefore, NotAfter: f.NotAfter, Policies: f.Policies,
		Points:  func() *Points { return &f.Points },
		KeyHash: sync.OnceValue(func() [sha256.Size]byte { return sha256.Sum256(f.KeyInfo) }),
		Canonical: sync.OnceValue(func() *Canonical {
			out := &Canonical{Issuer: canonical(f.Issuer), Subject: canonical(f.Subject)}
			if e := f.Find(oidCRLDistribution); e != nil {
				var ok bool
				if out.Points, ok = names.ReadPoints(e.Value); !ok {
					out.Issuer = nil // whose lists are meant is not known
				}
			}
			return out
		}),
	}
}
