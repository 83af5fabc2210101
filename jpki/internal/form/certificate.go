// Package form reads certificates of JPKI, and of those who answer for its authorities, strictly into what packages
// jpki and revocation decide by.
package form

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/sigalg"
)

// Certificate is a certificate read strictly: what crypto/x509 does not keep, next to what it does.
type Certificate struct {
	X509       *x509.Certificate
	Serial     []byte            // octets of the INTEGER
	Algorithm  *sigalg.Algorithm // nil when it is not on the allow-list
	KeyBits    []byte            // subjectPublicKey, for the key hashes of OCSP
	Extensions []der.Extension

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
	raw = bytes.Clone(raw) // crypto/x509 keeps what it is given, and the caller may reuse it
	f := &Certificate{}
	if err := f.walk(raw); err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, &Malformed{Step: "certificate.der", Clause: "RFC 5280, 4.1", Err: err}
	}
	f.X509 = cert
	if err := f.readExtensions(); err != nil {
		return nil, err
	}
	return f, nil
}

// walk reads the frame (RFC 5280, 4.1).
func (f *Certificate) walk(input cryptobyte.String) error {
	var cert, tbs cryptobyte.String
	if !input.ReadASN1(&cert, cbasn1.SEQUENCE) || !input.Empty() || !cert.ReadASN1(&tbs, cbasn1.SEQUENCE) {
		return malformed("der", "RFC 5280, 4.1")
	}
	outer, ok := sigalg.Read(&cert)
	if !ok {
		return malformed("signature-algorithm", "RFC 5280, 4.1.1.2")
	}
	if _, ok := der.ReadBits(&cert); !ok || !cert.Empty() {
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
	if _, ok := der.ReadName(&tbs); !ok {
		return malformed("issuer", "RFC 5280, 4.1.2.4")
	}
	var validity cryptobyte.String
	if !tbs.ReadASN1(&validity, cbasn1.SEQUENCE) {
		return malformed("validity", "RFC 5280, 4.1.2.5")
	}
	notBefore, okBefore := der.ReadTime(&validity)
	notAfter, okAfter := der.ReadTime(&validity)
	if !okBefore || !okAfter || !validity.Empty() || notAfter.Before(notBefore) {
		return malformed("validity", "RFC 5280, 4.1.2.5")
	}
	if _, ok := der.ReadName(&tbs); !ok {
		return malformed("subject", "RFC 5280, 4.1.2.6")
	}
	if f.KeyBits, ok = ReadPublicKey(&tbs); !ok {
		return malformed("public-key", "RFC 5280, 4.1.2.7")
	}
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

// readExtensions reads the extensions that this package decides by. Key usage, basic constraints and the key
// identifiers' values come from crypto/x509; here it is what crypto/x509 drops.
func (f *Certificate) readExtensions() error {
	f.SubjectKeyID = f.X509.SubjectKeyId
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
		case e.ID.Equal(oidCRLDistribution):
			step, clause = "crl-distribution-points", "RFC 5280, 4.2.1.13"
			f.Points, ok = ReadPoints(e.Value, f.X509.RawIssuer)
			understood = ok && !f.Points.Foreign
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
			return malformed(step, clause)
		}
		f.Unprocessed = f.Unprocessed || e.Critical && !understood
	}
	f.Points.Complete(f.X509.RawIssuer)
	return nil
}

// HasExtKeyUsage reports whether the extended key usages contain the purpose.
func (f *Certificate) HasExtKeyUsage(usage x509.ExtKeyUsage) bool {
	for _, u := range f.X509.ExtKeyUsage {
		if u == usage {
			return true
		}
	}
	return false
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
	return VerifySignature(f.Algorithm, key, f.X509.RawTBSCertificate, f.X509.Signature) == nil
}
