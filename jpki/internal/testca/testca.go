// Package testca is a test JPKI that can encode anything, faults included: crypto/x509 refuses to make most of them.
package testca

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
)

// Now is the time of every test.
var Now = time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC)

// Durations.
const (
	Day  = 24 * time.Hour
	Year = 365 * Day
)

// Object identifiers.
var (
	OIDKeyUsage                 = asn1.ObjectIdentifier{2, 5, 29, 15}
	OIDSubjectAltName           = asn1.ObjectIdentifier{2, 5, 29, 17}
	OIDBasicConstraints         = asn1.ObjectIdentifier{2, 5, 29, 19}
	OIDCRLNumber                = asn1.ObjectIdentifier{2, 5, 29, 20}
	OIDReasonCode               = asn1.ObjectIdentifier{2, 5, 29, 21}
	OIDInvalidityDate           = asn1.ObjectIdentifier{2, 5, 29, 24}
	OIDDeltaCRLIndicator        = asn1.ObjectIdentifier{2, 5, 29, 27}
	OIDIssuingDistribution      = asn1.ObjectIdentifier{2, 5, 29, 28}
	OIDCertificateIssuer        = asn1.ObjectIdentifier{2, 5, 29, 29}
	OIDCRLDistribution          = asn1.ObjectIdentifier{2, 5, 29, 31}
	OIDCertificatePolicies      = asn1.ObjectIdentifier{2, 5, 29, 32}
	OIDAuthorityKeyID           = asn1.ObjectIdentifier{2, 5, 29, 35}
	OIDExtendedKeyUsage         = asn1.ObjectIdentifier{2, 5, 29, 37}
	OIDQualifierCPS             = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 1}
	OIDPersonalData             = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 5}
	OIDPolicyTestSigning        = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 0, 20}
	OIDPolicyTestAuthentication = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 0, 30}
)

// Attributes of names.
var (
	OIDC  = asn1.ObjectIdentifier{2, 5, 4, 6}
	OIDO  = asn1.ObjectIdentifier{2, 5, 4, 10}
	OIDOU = asn1.ObjectIdentifier{2, 5, 4, 11}
	OIDCN = asn1.ObjectIdentifier{2, 5, 4, 3}
	OIDL  = asn1.ObjectIdentifier{2, 5, 4, 7}
)

// JpkiName encodes the Name of an authority.
func JpkiName(organization string, units ...string) []byte {
	list := []Attribute{{OIDC, cbasn1.PrintableString, "JP"}, {OIDO, cbasn1.UTF8String, organization}}
	for _, unit := range units {
		list = append(list, Attribute{OIDOU, cbasn1.UTF8String, unit})
	}
	return Name(list...)
}

// Units of the authorities.
const (
	UnitSigning = "JPKI for digital signature"
	UnitAuth    = "JPKI for user authentication"
	UnitLASDEC  = "Japan Agency for Local Authority Information Systems"
)

// PointName encodes the name of a municipality's distribution point.
func PointName(city string) []byte {
	return Name(
		Attribute{OIDC, cbasn1.PrintableString, "JP"},
		Attribute{OIDO, cbasn1.UTF8String, "JPKI-TEST"},
		Attribute{
			OIDOU,
			cbasn1.UTF8String,
			UnitSigning,
		},
		Attribute{OIDOU, cbasn1.UTF8String, "CRL Distribution Points"},
		Attribute{OIDOU, cbasn1.UTF8String, "Tokyo-to"},
		Attribute{OIDCN, cbasn1.UTF8String, city + " CRLDP"},
	)
}

// CertSpec is a certificate to be; every part is encoded as given.
type CertSpec struct {
	Version             []byte // content of [0]; nil: v3
	Serial              []byte // octets
	Algorithm           []byte
	Issuer, Subject     []byte
	NotBefore, NotAfter []byte
	Key                 []byte // SubjectPublicKeyInfo
	Extensions          [][]byte
	AfterExtensions     []byte // faults
	AfterSignature      []byte
}

// Sign encodes the certificate.
func (s *CertSpec) Sign(key crypto.Signer) []byte {
	version := s.Version
	if version == nil {
		version = Integer(2)
	}
	tbs := Sequence(
		Wrap(der.Tag0C, version),
		Wrap(cbasn1.INTEGER, s.Serial),
		s.Algorithm,
		s.Issuer,
		Sequence(
			s.NotBefore,
			s.NotAfter,
		),
		s.Subject,
		s.Key,
		Wrap(der.Tag3C, Sequence(s.Extensions...)),
		s.AfterExtensions,
	)
	return Sequence(tbs, s.Algorithm, BitString(SignSHA256(key, tbs)), s.AfterSignature)
}

// Replace swaps the extension with the OID, or removes it when with is nil.
func (s *CertSpec) Replace(id asn1.ObjectIdentifier, with []byte) {
	var out [][]byte
	for _, e := range s.Extensions {
		if in := cryptobyte.String(e); func() bool {
			var one cryptobyte.String
			var got asn1.ObjectIdentifier
			return in.ReadASN1(&one, cbasn1.SEQUENCE) && one.ReadASN1ObjectIdentifier(&got) && got.Equal(id)
		}() {
			if with != nil {
				out = append(out, with)
			}
			continue
		}
		out = append(out, e)
	}
	s.Extensions = out
}

// Add appends an extension.
func (s *CertSpec) Add(e []byte) { s.Extensions = append(s.Extensions, e) }

// Authority is a CA of the test JPKI.
type Authority struct {
	Key  *rsa.PrivateKey
	Name []byte
	ID   []byte // SKI
	Cert *x509.Certificate
}

// KeyUsage encodes the extension.
func KeyUsage(bits byte) []byte {
	unused := byte(0)
	for bits>>unused&1 == 0 && unused < 7 {
		unused++
	}
	return Ext(OIDKeyUsage, true, []byte{3, 2, unused, bits})
}

// CaSpec returns a certificate to be of an authority, and its key identifier.
func CaSpec(label string, subject []byte) (CertSpec, []byte) {
	id := sha256.Sum256(SPKI(TestKey(label)))
	return CertSpec{
		Serial: []byte{1}, Algorithm: AlgorithmSHA256RSA, Issuer: subject, Subject: subject,
		NotBefore: UtcTime(Now.Add(-3 * Year)), NotAfter: UtcTime(Now.Add(7 * Year)), Key: SPKI(TestKey(label)),
		Extensions: [][]byte{
			KeyUsage(0x06),
			Ext(OIDBasicConstraints, true, Sequence(Build(func(b *cryptobyte.Builder) { b.AddASN1Boolean(true) }))),
			Ext(asn1.ObjectIdentifier{2, 5, 29, 14}, false, Wrap(cbasn1.OCTET_STRING, id[:20])),
		},
	}, id[:20]
}

// Parsed reads a certificate with crypto/x509.
func Parsed(t testing.TB, der []byte) *x509.Certificate {
	t.Helper()
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// NewAuthority makes a CA with the subject; mutate may spoil it.
func NewAuthority(t testing.TB, label string, subject []byte, mutate ...func(*CertSpec)) *Authority {
	t.Helper()
	spec, id := CaSpec(label, subject)
	for _, m := range mutate {
		m(&spec)
	}
	return &Authority{TestKey(label), subject, id, Parsed(t, spec.Sign(TestKey(label)))}
}

// SigningAuthority makes an authority for signing certificates.
func SigningAuthority(t testing.TB, label string) *Authority {
	t.Helper()
	return NewAuthority(t, label, JpkiName("JPKI-TEST", UnitSigning, UnitLASDEC))
}

// PoliciesExt encodes certificatePolicies with one policy.
func PoliciesExt(id asn1.ObjectIdentifier) []byte {
	cps := Sequence(OID(OIDQualifierCPS), Wrap(cbasn1.IA5String, []byte("http://www.jpki.go.jp/cps.html")))
	return Ext(OIDCertificatePolicies, true, Sequence(Sequence(OID(id), Sequence(cps))))
}

// OtherName encodes an otherName of personalData.
func OtherName(n int, tag cbasn1.Tag, text string) []byte {
	id := append(append(asn1.ObjectIdentifier(nil), OIDPersonalData...), n)
	return Wrap(der.Tag0C, OID(id), Wrap(der.Tag0C, Wrap(tag, []byte(text))))
}

// A synthetic person.
const (
	PersonName    = "黒桐　幹也"
	PersonAddress = "東京都清瀬市観布子南１２－７－２０２"
)

// PersonNames are the otherNames of a synthetic person in the order of a card.
func PersonNames() [][]byte {
	return [][]byte{
		OtherName(1, cbasn1.UTF8String, PersonName), OtherName(4, cbasn1.UTF8String, "319800217"),
		OtherName(3, cbasn1.UTF8String, "1"), OtherName(5, cbasn1.UTF8String, PersonAddress),
		OtherName(2, cbasn1.UTF8String, "00000"), OtherName(6, cbasn1.UTF8String, "000000000000000000"),
	}
}

// SanExt encodes subjectAltName.
func SanExt(names ...[]byte) []byte { return Ext(OIDSubjectAltName, false, Sequence(names...)) }

// PointExt encodes cRLDistributionPoints.
func PointExt(names ...[]byte) []byte {
	var points [][]byte
	for _, n := range names {
		points = append(points, Sequence(Wrap(der.Tag0C, Wrap(der.Tag0C, Wrap(der.Tag4C, n)))))
	}
	return Ext(OIDCRLDistribution, false, Sequence(points...))
}

// KeyIDExt encodes authorityKeyIdentifier.
func (a *Authority) KeyIDExt() []byte {
	return Ext(OIDAuthorityKeyID, false, Sequence(Wrap(der.Tag0, a.ID)))
}

// SigningSpec is a well-formed signing certificate of the test profile.
func (a *Authority) SigningSpec(serial ...byte) CertSpec {
	return CertSpec{
		Serial: serial, Algorithm: AlgorithmSHA256RSA, Issuer: a.Name,
		Subject: Name(
			Attribute{OIDC, cbasn1.PrintableString, "JP"},
			Attribute{OIDL, cbasn1.UTF8String, "Tokyo-to"},
			Attribute{
				OIDL,
				cbasn1.UTF8String,
				"Kiyose-shi",
			},
			Attribute{OIDCN, cbasn1.UTF8String, "2025102712000012345SPECIMEN0"},
		),
		NotBefore: UtcTime(Now.Add(-Year)), NotAfter: UtcTime(Now.Add(4 * Year)), Key: SPKI(TestKey("leaf")),
		Extensions: [][]byte{
			KeyUsage(0xc0), PoliciesExt(OIDPolicyTestSigning), SanExt(PersonNames()...),
			PointExt(PointName("Kiyose-shi")), a.KeyIDExt(),
		},
	}
}

// AuthSpec is a well-formed authentication certificate of the test profile.
func (a *Authority) AuthSpec(serial ...byte) CertSpec {
	return CertSpec{
		Serial:    serial,
		Algorithm: AlgorithmSHA256RSA,
		Issuer:    a.Name,
		Subject: Name(
			Attribute{OIDC, cbasn1.PrintableString, "JP"},
			Attribute{OIDCN, cbasn1.UTF8String, "000000E9AGCIEG13221003A"},
		),
		NotBefore: UtcTime(Now.Add(-Year)),
		NotAfter:  UtcTime(Now.Add(4 * Year)),
		Key:       SPKI(TestKey("leaf")),
		Extensions: [][]byte{
			KeyUsage(0x80), PoliciesExt(OIDPolicyTestAuthentication), PointExt(PointName("Kiyose-shi")), a.KeyIDExt(),
		},
	}
}
