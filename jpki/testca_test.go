package jpki

import (
	"bytes"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/jpki/internal/testca"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// Short names for what every test builds certificates and lists from.

type (
	certSpec = testca.CertSpec
)

const (
	day           = testca.Day
	year          = testca.Year
	personName    = testca.PersonName
	personAddress = testca.PersonAddress
	unitSigning   = testca.UnitSigning
	unitAuth      = testca.UnitAuth
	unitLASDEC    = testca.UnitLASDEC
)

var (
	attribute              = testca.Attr
	now                    = testca.Now
	testKey                = testca.TestKey
	spki                   = testca.SPKI
	name                   = testca.Name
	jpkiName               = testca.JpkiName
	pointName              = testca.PointName
	sequence               = testca.Sequence
	wrap                   = testca.Wrap
	oid                    = testca.OID
	ext                    = testca.Ext
	utcTime                = testca.UtcTime
	rawTime                = testca.RawTime
	integer                = testca.Integer
	algorithmSHA256RSA     = testca.AlgorithmSHA256RSA
	bitString              = testca.BitString
	keyUsage               = testca.KeyUsage
	caSpec                 = testca.CaSpec
	parsed                 = testca.Parsed
	policiesExt            = testca.PoliciesExt
	otherName              = testca.OtherName
	personNames            = testca.PersonNames
	sanExt                 = testca.SanExt
	reasonExt              = testca.ReasonExt
	entry                  = testca.Entry
	oidC                   = testca.OIDC
	oidO                   = testca.OIDO
	oidOU                  = testca.OIDOU
	oidKeyUsage            = testca.OIDKeyUsage
	oidSubjectAltName      = testca.OIDSubjectAltName
	oidBasicConstraints    = testca.OIDBasicConstraints
	oidCRLDistribution     = testca.OIDCRLDistribution
	oidCertificatePolicies = testca.OIDCertificatePolicies
	oidAuthorityKeyID      = testca.OIDAuthorityKeyID
	oidExtendedKeyUsage    = testca.OIDExtendedKeyUsage
	oidPersonalData        = testca.OIDPersonalData
	tag0                   = der.Tag0
	tag1                   = der.Tag1
	tag2                   = der.Tag2
	tag0c                  = der.Tag0C
	tag1c                  = der.Tag1C
	tag3c                  = der.Tag3C
	tag4c                  = der.Tag4C
)

// authority is a CA of the test JPKI.
type authority struct{ *testca.Authority }

func newAuthority(t testing.TB, label string, subject []byte, mutate ...func(*certSpec)) *authority {
	t.Helper()
	return &authority{testca.NewAuthority(t, label, subject, mutate...)}
}

func signingAuthority(t testing.TB, label string) *authority {
	t.Helper()
	return &authority{testca.SigningAuthority(t, label)}
}

func (a *authority) leaf(t testing.TB, spec certSpec) *Certificate {
	t.Helper()
	c, err := ParseCertificate(spec.Sign(a.Key))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (a *authority) signingLeaf(t testing.TB, mutate ...func(*certSpec)) *Certificate {
	t.Helper()
	spec := a.SigningSpec(0x01, 0x23, 0x45)
	for _, m := range mutate {
		m(&spec)
	}
	return a.leaf(t, spec)
}

func serialOf(c *Certificate) *big.Int { return c.X509().SerialNumber }

func newVerifier(t testing.TB, r revocation.Policy, authorities ...*authority) *Verifier {
	t.Helper()
	var anchors []*x509.Certificate
	for _, a := range authorities {
		anchors = append(anchors, a.Cert)
	}
	v, err := NewVerifier(VerifierConfig{
		Hierarchy: Simulated, Trust: InsecureTestTrust(anchors...), Revocation: r, Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func revoked(c *Certificate, at time.Time, extensions ...[]byte) []byte {
	return entry(c.read().form.Serial, at, extensions...)
}

// trusting is a store that knows its authority, with the lists.
func (a *authority) trusting(t testing.TB, lists ...[]byte) *revocation.Store {
	t.Helper()
	store, err := revocation.OpenStore(t.Context(), revocation.StoreConfig{Authorities: []*x509.Certificate{a.Cert}})
	if err != nil {
		t.Fatal(err)
	}
	return addTo(t, store, lists)
}

func added(t testing.TB, lists ...[]byte) *revocation.Store {
	t.Helper()
	return addTo(t, new(revocation.Store), lists)
}

func addTo(t testing.TB, store *revocation.Store, lists [][]byte) *revocation.Store {
	t.Helper()
	for _, l := range lists {
		if err := store.Add(t.Context(), bytes.NewReader(l)); err != nil {
			t.Fatal(err)
		}
	}
	return store
}
