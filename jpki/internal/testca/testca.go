// Package testca is a test JPKI that can encode anything, faults included: crypto/x509 refuses to make most of them.
package testca

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/sigalg"
)

// Now is the time of every test.
var Now = time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC)

// Durations.
const (
	Day  = 24 * time.Hour
	Year = 365 * Day
)

var keys sync.Map // label → func() *rsa.PrivateKey

// TestKey returns the key of a label. It follows from the label alone, so that the workers of a fuzz run, which are
// processes of their own, have the same authority.
func TestKey(label string) *rsa.PrivateKey {
	once, _ := keys.LoadOrStore(label, sync.OnceValue(func() *rsa.PrivateKey {
		e, one := big.NewInt(65537), big.NewInt(1)
		p, q := testPrime(label+" p", e), testPrime(label+" q", e)
		n := new(big.Int).Mul(p, q)
		d := new(big.Int).ModInverse(e, new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one)))
		key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: int(e.Int64())}, D: d, Primes: []*big.Int{p, q}}
		key.Precompute()
		if err := key.Validate(); err != nil || n.BitLen() != 2048 {
			panic(err)
		}
		return key
	}))
	return once.(func() *rsa.PrivateKey)()
}

// testPrime returns the first 1024-bit prime after the hashes of the label that suits the exponent.
func testPrime(label string, e *big.Int) *big.Int {
	var octets []byte
	for i := range byte(4) {
		part := sha256.Sum256(append([]byte(label), i))
		octets = append(octets, part[:]...)
	}
	octets[0] |= 0xc0
	octets[len(octets)-1] |= 1
	one, two, gcd := big.NewInt(1), big.NewInt(2), new(big.Int)
	for p := new(big.Int).SetBytes(octets); ; p.Add(p, two) {
		if p.ProbablyPrime(20) && gcd.GCD(nil, nil, e, new(big.Int).Sub(p, one)).Cmp(one) == 0 {
			return p
		}
	}
}

// SPKI returns the SubjectPublicKeyInfo of the key.
func SPKI(key *rsa.PrivateKey) []byte {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		panic(err)
	}
	return der
}

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

// Attribute is an attribute of a name.
type Attribute struct {
	ID    asn1.ObjectIdentifier
	Tag   cbasn1.Tag
	Value string
}

// Attributes of names.
var (
	OIDC  = asn1.ObjectIdentifier{2, 5, 4, 6}
	OIDO  = asn1.ObjectIdentifier{2, 5, 4, 10}
	OIDOU = asn1.ObjectIdentifier{2, 5, 4, 11}
	OIDCN = asn1.ObjectIdentifier{2, 5, 4, 3}
	OIDL  = asn1.ObjectIdentifier{2, 5, 4, 7}
)

// Attr is one attribute of a name.
func Attr(id asn1.ObjectIdentifier, tag cbasn1.Tag, value string) Attribute {
	return Attribute{id, tag, value}
}

// Name encodes a Name.
func Name(attributes ...Attribute) []byte {
	return Build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, a := range attributes {
				b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(a.ID)
						b.AddASN1(a.Tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(a.Value)) })
					})
				})
			}
		})
	})
}

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

// Build returns what f builds.
func Build(f func(b *cryptobyte.Builder)) []byte {
	var b cryptobyte.Builder
	f(&b)
	return b.BytesOrPanic()
}

// Sequence encodes a SEQUENCE.
func Sequence(parts ...[]byte) []byte { return Wrap(cbasn1.SEQUENCE, parts...) }

// Wrap encodes an element with the tag.
func Wrap(tag cbasn1.Tag, parts ...[]byte) []byte {
	return Build(func(b *cryptobyte.Builder) {
		b.AddASN1(tag, func(b *cryptobyte.Builder) {
			for _, p := range parts {
				b.AddBytes(p)
			}
		})
	})
}

// OID encodes an OBJECT IDENTIFIER.
func OID(id asn1.ObjectIdentifier) []byte {
	return Build(func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(id) })
}

// Ext encodes one Extension.
func Ext(id asn1.ObjectIdentifier, critical bool, value []byte) []byte {
	return Build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(id)
			if critical {
				b.AddASN1Boolean(true)
			}
			b.AddASN1OctetString(value)
		})
	})
}

// UtcTime encodes a UTCTime.
func UtcTime(t time.Time) []byte {
	return Build(func(b *cryptobyte.Builder) { b.AddASN1UTCTime(t.UTC()) })
}

// GeneralizedTime encodes a GeneralizedTime.
func GeneralizedTime(t time.Time) []byte {
	return Build(func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(t.UTC()) })
}

// RawTime encodes any text as a time.
func RawTime(tag cbasn1.Tag, text string) []byte { return Wrap(tag, []byte(text)) }

// Integer encodes an INTEGER.
func Integer(n int64) []byte { return Build(func(b *cryptobyte.Builder) { b.AddASN1Int64(n) }) }

// AlgorithmSHA256RSA is the AlgorithmIdentifier.
var AlgorithmSHA256RSA = Sequence(OID(sigalg.SHA256WithRSA.ID), []byte{5, 0})

// SignSHA256 signs the message under SHA-256.
func SignSHA256(key crypto.Signer, message []byte) []byte {
	digest := sha256.Sum256(message)
	sig, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		panic(err)
	}
	return sig
}

// Signed encodes what is signed with its algorithm and signature.
func Signed(tbs, algorithm []byte, key crypto.Signer) []byte {
	return Sequence(tbs, algorithm, BitString(SignSHA256(key, tbs)))
}

// BitString encodes a BIT STRING of whole octets.
func BitString(octets []byte) []byte {
	return Build(func(b *cryptobyte.Builder) { b.AddASN1BitString(octets) })
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

// ListSpec is a CRL to be; every part is encoded as given.
type ListSpec struct {
	Algorithm, Issuer      []byte
	ThisUpdate, NextUpdate []byte // nextUpdate nil: absent
	Entries                [][]byte
	Extensions             [][]byte
	After                  []byte // faults
}

// Sign encodes the list.
func (s *ListSpec) Sign(key crypto.Signer) []byte {
	var revoked []byte
	if len(s.Entries) > 0 {
		revoked = Sequence(s.Entries...)
	}
	tbs := Sequence(
		Integer(1),
		s.Algorithm,
		s.Issuer,
		s.ThisUpdate,
		s.NextUpdate,
		revoked,
		Wrap(der.Tag0C, Sequence(s.Extensions...)),
		s.After,
	)
	return Signed(tbs, s.Algorithm, key)
}

// NumberExt encodes cRLNumber.
func NumberExt(n int64) []byte { return Ext(OIDCRLNumber, false, Integer(n)) }

// ReasonExt encodes reasonCode.
func ReasonExt(code byte) []byte { return Ext(OIDReasonCode, false, []byte{10, 1, code}) }

// Entry encodes an entry of a list.
func Entry(serial []byte, at time.Time, extensions ...[]byte) []byte {
	var list []byte
	if len(extensions) > 0 {
		list = Sequence(extensions...)
	}
	return Sequence(Wrap(cbasn1.INTEGER, serial), UtcTime(at), list)
}

// IDP encodes IssuingDistributionPoint of a city with flags after it.
func IDP(city string, flags ...[]byte) []byte {
	var point []byte
	if city != "" {
		point = Wrap(der.Tag0C, Wrap(der.Tag0C, Wrap(der.Tag4C, PointName(city))))
	}
	return Ext(OIDIssuingDistribution, true, Sequence(append([][]byte{point}, flags...)...))
}

// UserOnly is onlyContainsUserCerts.
var UserOnly = []byte{0x81, 1, 0xff}

// List is a well-formed list of the city with the number, in force for a day.
func (a *Authority) List(number int64, entries ...[]byte) ListSpec {
	return ListSpec{
		Algorithm: AlgorithmSHA256RSA, Issuer: a.Name, ThisUpdate: UtcTime(Now.Add(-6 * time.Hour)),
		NextUpdate: UtcTime(Now.Add(18 * time.Hour)), Entries: entries,
		Extensions: [][]byte{a.KeyIDExt(), NumberExt(number), IDP("Kiyose-shi", UserOnly)},
	}
}
