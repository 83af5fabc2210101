// Package form reads certificates of JPKI, and of those who answer for its authorities, strictly into what packages
// jpki and revocation decide by.
package form

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/sigalg"
)

// Certificate is a certificate read strictly. The parts as encoded share one copy of it.
type Certificate struct {
	Raw, TBS, Issuer, Subject []byte // as encoded
	KeyInfo                   []byte // SubjectPublicKeyInfo as encoded
	Signature                 []byte
	Serial                    []byte            // octets of the INTEGER
	Algorithm                 *sigalg.Algorithm // nil when it is not on the allow-list
	KeyBits                   []byte            // subjectPublicKey, for the key hashes of OCSP
	Key                       crypto.PublicKey  // nil when the algorithm is not known
	NotBefore, NotAfter       time.Time
	Extensions                []der.Extension

	KeyUsage x509.KeyUsage // 0 when absent
	CA       bool          // cA of basicConstraints

	Policies       []asn1.ObjectIdentifier
	AuthorityKeyID []byte // nil when absent
	SubjectKeyID   []byte // nil when absent
	Points         Points
	OtherNames     []OtherName // of subjectAltName
	ExtKeyUsages   []asn1.ObjectIdentifier
	Constraints    bool // basicConstraints is present …
	Critical       bool // … and critical
	// Unprocessed is true when a critical extension is not understood here, in full.
	Unprocessed bool

	plain bool // the names have the usual types and texts, see [der.ReadText]
}

// Malformed says which rule of its form a certificate breaks.
type Malformed struct {
	Step, Clause string
	Err          error
}

// Error names step and clause.
func (m *Malformed) Error() string { return m.Step + " (" + m.Clause + ")" }

// Unwrap returns the cause.
func (m *Malformed) Unwrap() error { return m.Err }

func malformed(step, clause string) error {
	return &Malformed{Step: "certificate." + step, Clause: clause}
}

// Read reads one DER certificate, which is copied. Errors are [*Malformed]. crypto/x509 tolerates things that this
// package does not: bytes after the signature or after the extensions, serial numbers of any length, odd forms of time,
// unused bits in a signature.
func Read(raw []byte) (*Certificate, error) {
	if len(raw) > limits.Certificate {
		return nil, malformed("size", "")
	}
	f := &Certificate{Raw: bytes.Clone(raw)} // the caller may reuse it
	if err := f.walk(f.Raw); err != nil {
		return nil, err
	}
	own := f.own()
	if !own {
		if err := f.ask(); err != nil {
			return nil, err
		}
	}
	foreign, err := f.readExtensions()
	if err != nil {
		return nil, err
	}
	if own && foreign {
		if err := f.ask(); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// X509 returns what crypto/x509 makes of the certificate, anew at each call: for the text of its names.
func (f *Certificate) X509() *x509.Certificate {
	c, err := x509.ParseCertificate(bytes.Clone(f.Raw))
	if err != nil {
		return &x509.Certificate{} // cannot be: what is read here, crypto/x509 reads
	}
	return c
}

// walk reads the frame (RFC 5280, 4.1).
func (f *Certificate) walk(input cryptobyte.String) error {
	var cert, tbs cryptobyte.String
	if !input.ReadASN1(&cert, cbasn1.SEQUENCE) || !input.Empty() || !cert.ReadASN1Element(&tbs, cbasn1.SEQUENCE) {
		return malformed("der", "RFC 5280, 4.1")
	}
	f.TBS = tbs
	if !tbs.ReadASN1(&tbs, cbasn1.SEQUENCE) {
		return malformed("der", "RFC 5280, 4.1")
	}
	outer, ok := sigalg.Read(&cert)
	if !ok {
		return malformed("signature-algorithm", "RFC 5280, 4.1.1.2")
	}
	if f.Signature, ok = der.ReadBits(&cert); !ok || !cert.Empty() {
		return malformed("signature", "RFC 5280, 4.1.1.3")
	}
	var version int
	var explicit cryptobyte.String
	if !tbs.ReadASN1(&explicit, der.Tag0C) || !explicit.ReadASN1Integer(&version) || !explicit.Empty() || version != 2 {
		return malformed("version", "RFC 5280, 4.1.2.1") // v3, because every profile has extensions
	}
	if f.Serial, ok = der.ReadSerial(&tbs); !ok {
		return malformed("serial", "RFC 5280, 4.1.2.2")
	}
	inner, ok := sigalg.Read(&tbs)
	if !ok || !bytes.Equal(inner.Raw, outer.Raw) {
		return malformed("signature-algorithm", "RFC 5280, 4.1.1.2")
	}
	f.Algorithm = Allowed(inner)
	var plain bool
	if f.Issuer, f.plain, ok = der.ReadText(&tbs); !ok {
		return malformed("issuer", "RFC 5280, 4.1.2.4")
	}
	var validity cryptobyte.String
	if !tbs.ReadASN1(&validity, cbasn1.SEQUENCE) {
		return malformed("validity", "RFC 5280, 4.1.2.5")
	}
	var okBefore, okAfter bool
	f.NotBefore, okBefore = der.ReadTime(&validity)
	f.NotAfter, okAfter = der.ReadTime(&validity)
	if !okBefore || !okAfter || !validity.Empty() || f.NotAfter.Before(f.NotBefore) {
		return malformed("validity", "RFC 5280, 4.1.2.5")
	}
	if f.Subject, plain, ok = der.ReadText(&tbs); !ok {
		return malformed("subject", "RFC 5280, 4.1.2.6")
	}
	f.plain = f.plain && plain
	before := tbs
	if f.KeyBits, ok = ReadPublicKey(&tbs); !ok {
		return malformed("public-key", "RFC 5280, 4.1.2.7")
	}
	f.KeyInfo = before[:len(before)-len(tbs)]
	// The unique identifiers of 4.1.2.8 must not be generated and are not expected.
	if !tbs.ReadASN1(&explicit, der.Tag3C) || !tbs.Empty() {
		return malformed("extensions", "RFC 5280, 4.1.2.9")
	}
	if f.Extensions, ok = der.ReadExtensions(explicit); !ok {
		return malformed("extensions", "RFC 5280, 4.2")
	}
	return nil
}

// ReadPublicKey reads SubjectPublicKeyInfo and returns the octets of subjectPublicKey.
func ReadPublicKey(s *cryptobyte.String) ([]byte, bool) {
	var info cryptobyte.String
	if !s.ReadASN1(&info, cbasn1.SEQUENCE) || !info.SkipASN1(cbasn1.SEQUENCE) {
		return nil, false
	}
	key, ok := der.ReadBits(&info)
	return key, ok && info.Empty()
}

// readExtensions reads the extensions that this package decides by, but for key usage, basic constraints and the
// subject's key identifier. foreign is true when there is a name that crypto/x509 looks into and this package does not.
func (f *Certificate) readExtensions() (foreign bool, err error) {
	for i := range f.Extensions {
		e := &f.Extensions[i]
		understood, ok, step, clause := true, true, "", ""
		switch {
		case e.ID.Equal(oidCertificatePolicies):
			step, clause = "policies", "RFC 5280, 4.2.1.4"
			f.Policies, understood, ok = readPolicies(e.Value)
		case e.ID.Equal(oidSubjectAltName):
			step, clause = "subject-alt-name", "RFC 5280, 4.2.1.6"
			var names generalNames
			names, ok = readWholeNames(e.Value)
			f.OtherNames = names.other
			understood = !names.foreign && !f.hasUnknownName()
			foreign = foreign || names.foreign
		case e.ID.Equal(oidCRLDistribution):
			step, clause = "crl-distribution-points", "RFC 5280, 4.2.1.13"
			f.Points, ok = ReadPoints(e.Value, f.Issuer)
			understood = ok && !f.Points.Foreign
			foreign = foreign || f.Points.Relative
		case e.ID.Equal(oidAuthorityKeyID):
			step, clause = "authority-key-id", "RFC 5280, 4.2.1.1"
			f.AuthorityKeyID, ok = readAuthorityKeyID(e.Value)
			understood = false // 4.2.1.1: "Conforming CAs MUST mark this extension as non-critical"
		case e.ID.Equal(oidExtendedKeyUsage):
			step, clause = "extended-key-usage", "RFC 5280, 4.2.1.12"
			f.ExtKeyUsages, ok = readOIDs(e.Value)
		case e.ID.Equal(oidBasicConstraints):
			f.Constraints, f.Critical = true, e.Critical
		case e.ID.Equal(oidKeyUsage):
		default:
			understood = false
		}
		if !ok {
			return false, malformed(step, clause)
		}
		f.Unprocessed = f.Unprocessed || e.Critical && !understood
	}
	f.Points.Complete(f.Issuer)
	return foreign, nil
}

// HasExtKeyUsage reports whether the extended key usages contain the purpose, one of the two that anybody asks for.
func (f *Certificate) HasExtKeyUsage(usage x509.ExtKeyUsage) bool {
	return containsOID(f.ExtKeyUsages, purposes[usage])
}

// purposes are those of RFC 5280, 4.2.1.12 that anybody asks for; no certificate has another one.
var purposes = map[x509.ExtKeyUsage]asn1.ObjectIdentifier{
	x509.ExtKeyUsageClientAuth:  {1, 3, 6, 1, 5, 5, 7, 3, 2},
	x509.ExtKeyUsageOCSPSigning: {1, 3, 6, 1, 5, 5, 7, 3, 9},
}

// hasUnknownName reports whether there is an otherName beyond the six of personalData.
func (f *Certificate) hasUnknownName() bool {
	for i := range f.OtherNames {
		if PersonalField(f.OtherNames[i].OID) == 0 {
			return true
		}
	}
	return false
}

// Find returns the extension with the OID, or nil.
func (f *Certificate) Find(id asn1.ObjectIdentifier) *der.Extension {
	return der.Find(f.Extensions, id)
}

// SignedBy reports whether the key signed the certificate.
func (f *Certificate) SignedBy(key crypto.PublicKey) bool {
	return VerifySignature(f.Algorithm, key, f.TBS, f.Signature) == nil
}
