package form

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
)

// What JPKI's certificates are made of is read here, in the only form in which DER has it, because crypto/x509 takes a
// fifth of a whole verification for what nobody asks for, such as the names as text. Whatever has another form, or is
// not read here, is left to crypto/x509 to read or to refuse: what this file reads, crypto/x509 reads the same
// (FuzzRead).

// rsaAlgorithm is the AlgorithmIdentifier of an RSA key: rsaEncryption with NULL (RFC 3279, 2.3.1).
const rsaAlgorithm = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"

// ownKey reads an RSA key from SubjectPublicKeyInfo and the octets of its BIT STRING.
func ownKey(info cryptobyte.String, bits cryptobyte.String) (crypto.PublicKey, bool) {
	var content, algorithm, key, n cryptobyte.String
	var e int
	if !info.ReadASN1(&content, cbasn1.SEQUENCE) || !content.ReadASN1Element(&algorithm, cbasn1.SEQUENCE) ||
		string(algorithm) != rsaAlgorithm || !bits.ReadASN1(&key, cbasn1.SEQUENCE) || !bits.Empty() ||
		!key.ReadASN1(&n, cbasn1.INTEGER) || !der.Positive(n) || !key.ReadASN1Integer(&e) || e <= 0 || !key.Empty() {
		return nil, false
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: e}, true
}

// ownExtension reads an extension that [Certificate.readExtensions] has from here, or checks the form of one that says
// nothing to it. It returns false for one that crypto/x509 has to be asked about.
func (f *Certificate) ownExtension(e *der.Extension) bool {
	value := e.Value
	switch {
	case e.ID.Equal(oidKeyUsage):
		var bits asn1.BitString
		if !value.ReadASN1BitString(&bits) || !value.Empty() {
			return false
		}
		for i := range 9 {
			f.KeyUsage |= x509.KeyUsage(bits.At(i) << i)
		}
		return true
	case e.ID.Equal(oidBasicConstraints):
		// A number of certificates below is left to crypto/x509.
		var list cryptobyte.String
		return value.ReadASN1(&list, cbasn1.SEQUENCE) && value.Empty() &&
			der.ReadFlag(&list, &f.CA, cbasn1.BOOLEAN) && list.Empty()
	case e.ID.Equal(oidSubjectKeyID):
		var id cryptobyte.String
		if e.Critical || !value.ReadASN1(&id, cbasn1.OCTET_STRING) || !value.Empty() {
			return false
		}
		f.SubjectKeyID = id
		return true
	case e.ID.Equal(oidAuthorityInfo):
		return !e.Critical && ownAccess(value)
	case e.ID.Equal(oidAuthorityKeyID):
		return !e.Critical // 4.2.1.1: "Conforming CAs MUST mark this extension as non-critical"
	case e.ID.Equal(oidCertificatePolicies), e.ID.Equal(oidSubjectAltName), e.ID.Equal(oidCRLDistribution),
		e.ID.Equal(oidExtendedKeyUsage), e.ID.Equal(oidIssuerAltName):
		return true // read by readExtensions, or by nobody
	}
	// nameConstraints, policyMappings and what else crypto/x509 reads is not JPKI's.
	return false
}

// ownAccess checks the form of authorityInfoAccess (RFC 5280, 4.2.2.1).
func ownAccess(value cryptobyte.String) bool {
	var list cryptobyte.String
	if !value.ReadASN1(&list, cbasn1.SEQUENCE) || !value.Empty() {
		return false
	}
	for !list.Empty() {
		var one, location cryptobyte.String
		var method asn1.ObjectIdentifier
		var tag cbasn1.Tag
		if !list.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&method) ||
			!one.ReadAnyASN1(&location, &tag) || !one.Empty() {
			return false
		}
	}
	return true
}

// own reads the certificate's key and extensions without crypto/x509; false: ask it.
func (f *Certificate) own() bool {
	key, ok := ownKey(f.KeyInfo, f.KeyBits)
	if !ok || !f.plain {
		return false
	}
	f.Key = key
	for i := range f.Extensions {
		if !f.ownExtension(&f.Extensions[i]) {
			return false
		}
	}
	return true
}

// ask takes from crypto/x509 what own could not read.
func (f *Certificate) ask() error {
	c, err := x509.ParseCertificate(f.Raw)
	if err != nil {
		return &Malformed{Step: "certificate.der", Clause: "RFC 5280, 4.1", Err: err}
	}
	f.Key, f.KeyUsage, f.CA, f.SubjectKeyID = c.PublicKey, c.KeyUsage, c.IsCA, c.SubjectKeyId
	return nil
}
