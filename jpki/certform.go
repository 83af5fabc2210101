package jpki

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// form is a certificate read strictly: what crypto/x509 does not keep, next to what it does.
type form struct {
	x509       *x509.Certificate
	serial     []byte // octets of the INTEGER
	algorithm  *signatureAlgorithm
	keyBits    []byte // subjectPublicKey, for the key hashes of OCSP
	extensions []extension

	policies       []asn1.ObjectIdentifier
	authorityKeyID []byte // nil when absent
	subjectKeyID   []byte // nil when absent
	points         distributionPoints
	names          generalNames
	extKeyUsages   []asn1.ObjectIdentifier
	constraints    bool // basicConstraints is present …
	critical       bool // … and critical
	// unprocessed is true when a critical extension is not understood here, in full.
	unprocessed bool
}

func malformed(step, clause string) *Error {
	return &Error{Reason: ReasonMalformed, Step: "certificate." + step, Clause: clause}
}

// readCertificate reads one DER certificate. crypto/x509 tolerates things that this package does not: bytes after the
// signature or after the extensions, serial numbers of any length, odd forms of time, unused bits in a signature.
func readCertificate(der []byte) (*form, error) {
	if len(der) > limits.Certificate {
		return nil, malformed("size", "")
	}
	der = bytes.Clone(der) // crypto/x509 keeps what it is given, and the caller may reuse it
	f := &form{}
	if err := f.walk(der); err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, &Error{Reason: ReasonMalformed, Step: "certificate.der", Clause: "RFC 5280, 4.1", Err: err}
	}
	f.x509 = cert
	if err := f.readExtensions(); err != nil {
		return nil, err
	}
	return f, nil
}

// walk reads the frame (RFC 5280, 4.1).
func (f *form) walk(der cryptobyte.String) error {
	var cert, tbs cryptobyte.String
	if !der.ReadASN1(&cert, cbasn1.SEQUENCE) || !der.Empty() || !cert.ReadASN1(&tbs, cbasn1.SEQUENCE) {
		return malformed("der", "RFC 5280, 4.1")
	}
	outer, ok := readAlgorithm(&cert)
	if !ok {
		return malformed("signature-algorithm", "RFC 5280, 4.1.1.2")
	}
	if _, ok := readBits(&cert); !ok || !cert.Empty() {
		return malformed("signature", "RFC 5280, 4.1.1.3")
	}
	var version int
	var explicit cryptobyte.String
	if !tbs.ReadASN1(&explicit, tag0c) || !explicit.ReadASN1Integer(&version) || !explicit.Empty() || version != 2 {
		return malformed("version", "RFC 5280, 4.1.2.1") // v3, because every profile has extensions
	}
	if f.serial, ok = readSerial(&tbs); !ok {
		return malformed("serial", "RFC 5280, 4.1.2.2")
	}
	inner, ok := readAlgorithm(&tbs)
	if !ok || !bytes.Equal(inner.raw, outer.raw) {
		return malformed("signature-algorithm", "RFC 5280, 4.1.1.2")
	}
	f.algorithm = inner.allowed()
	if _, ok := readName(&tbs); !ok {
		return malformed("issuer", "RFC 5280, 4.1.2.4")
	}
	var validity cryptobyte.String
	if !tbs.ReadASN1(&validity, cbasn1.SEQUENCE) {
		return malformed("validity", "RFC 5280, 4.1.2.5")
	}
	notBefore, okBefore := readTime(&validity)
	notAfter, okAfter := readTime(&validity)
	if !okBefore || !okAfter || !validity.Empty() || notAfter.Before(notBefore) {
		return malformed("validity", "RFC 5280, 4.1.2.5")
	}
	if _, ok := readName(&tbs); !ok {
		return malformed("subject", "RFC 5280, 4.1.2.6")
	}
	if f.keyBits, ok = readPublicKey(&tbs); !ok {
		return malformed("public-key", "RFC 5280, 4.1.2.7")
	}
	// The unique identifiers of 4.1.2.8 must not be generated and are not expected.
	if !tbs.ReadASN1(&explicit, tag3c) || !tbs.Empty() {
		return malformed("extensions", "RFC 5280, 4.1.2.9")
	}
	if f.extensions, ok = readExtensions(explicit); !ok {
		return malformed("extensions", "RFC 5280, 4.2")
	}
	return nil
}

// readPublicKey reads SubjectPublicKeyInfo and returns the octets of subjectPublicKey.
func readPublicKey(s *cryptobyte.String) ([]byte, bool) {
	var info cryptobyte.String
	if !s.ReadASN1(&info, cbasn1.SEQUENCE) || !info.SkipASN1(cbasn1.SEQUENCE) {
		return nil, false
	}
	key, ok := readBits(&info)
	return key, ok && info.Empty()
}

// readExtensions reads the extensions that this package decides by. Key usage, basic constraints and the key identifiers'
// values come from crypto/x509; here it is what crypto/x509 drops.
func (f *form) readExtensions() error {
	f.subjectKeyID = f.x509.SubjectKeyId
	for i := range f.extensions {
		e := &f.extensions[i]
		understood, ok, step, clause := true, true, "", ""
		switch {
		case e.ID.Equal(oidCertificatePolicies):
			step, clause = "policies", "RFC 5280, 4.2.1.4"
			f.policies, understood, ok = readPolicies(e.Value)
		case e.ID.Equal(oidSubjectAltName):
			step, clause = "subject-alt-name", "RFC 5280, 4.2.1.6"
			f.names, ok = readWholeNames(e.Value)
			understood = !f.names.foreign && !f.hasUnknownName()
		case e.ID.Equal(oidCRLDistribution):
			step, clause = "crl-distribution-points", "RFC 5280, 4.2.1.13"
			f.points, ok = readDistributionPoints(e.Value, f.x509.RawIssuer)
			understood = ok && !f.points.foreign
		case e.ID.Equal(oidAuthorityKeyID):
			step, clause = "authority-key-id", "RFC 5280, 4.2.1.1"
			f.authorityKeyID, ok = readAuthorityKeyID(e.Value)
			understood = false // 4.2.1.1: "Conforming CAs MUST mark this extension as non-critical"
		case e.ID.Equal(oidExtendedKeyUsage):
			step, clause = "extended-key-usage", "RFC 5280, 4.2.1.12"
			f.extKeyUsages, ok = readOIDs(e.Value)
		case e.ID.Equal(oidBasicConstraints):
			f.constraints, f.critical = true, e.Critical
		case e.ID.Equal(oidKeyUsage):
		default:
			understood = false
		}
		if !ok {
			return malformed(step, clause)
		}
		f.unprocessed = f.unprocessed || e.Critical && !understood
	}
	f.points.complete(f.x509.RawIssuer)
	return nil
}

// hasExtKeyUsage reports whether the extended key usages contain the purpose.
func (f *form) hasExtKeyUsage(usage x509.ExtKeyUsage) bool {
	for _, u := range f.x509.ExtKeyUsage {
		if u == usage {
			return true
		}
	}
	return false
}

// hasUnknownName reports whether there is an otherName beyond the six of personalData.
func (f *form) hasUnknownName() bool {
	for i := range f.names.other {
		if personalField(f.names.other[i].OID) == 0 {
			return true
		}
	}
	return false
}
