package revocation

import (
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/jpki/internal/testca"
)

// Short names for what every test builds certificates and lists from.

type (
	certSpec = testca.CertSpec
	listSpec = testca.ListSpec
)

const (
	unitLASDEC  = testca.UnitLASDEC
	unitSigning = testca.UnitSigning
	day         = testca.Day
	year        = testca.Year
	unitAuth    = testca.UnitAuth
)

var (
	attribute              = testca.Attr
	now                    = testca.Now
	testKey                = testca.TestKey
	spki                   = testca.SPKI
	name                   = testca.Name
	jpkiName               = testca.JpkiName
	pointName              = testca.PointName
	build                  = testca.Build
	sequence               = testca.Sequence
	wrap                   = testca.Wrap
	oid                    = testca.OID
	ext                    = testca.Ext
	utcTime                = testca.UtcTime
	generalizedTime        = testca.GeneralizedTime
	rawTime                = testca.RawTime
	integer                = testca.Integer
	algorithmSHA256RSA     = testca.AlgorithmSHA256RSA
	signSHA256             = testca.SignSHA256
	bitString              = testca.BitString
	keyUsage               = testca.KeyUsage
	caSpec                 = testca.CaSpec
	parsed                 = testca.Parsed
	pointExt               = testca.PointExt
	numberExt              = testca.NumberExt
	reasonExt              = testca.ReasonExt
	entry                  = testca.Entry
	idp                    = testca.IDP
	userOnly               = testca.UserOnly
	oidC                   = testca.OIDC
	oidO                   = testca.OIDO
	oidOU                  = testca.OIDOU
	oidCN                  = testca.OIDCN
	oidBasicConstraints    = testca.OIDBasicConstraints
	oidCRLNumber           = testca.OIDCRLNumber
	oidDeltaCRLIndicator   = testca.OIDDeltaCRLIndicator
	oidIssuingDistribution = testca.OIDIssuingDistribution
	oidCertificateIssuer   = testca.OIDCertificateIssuer
	oidCRLDistribution     = testca.OIDCRLDistribution
	oidAuthorityKeyID      = testca.OIDAuthorityKeyID
	oidExtendedKeyUsage    = testca.OIDExtendedKeyUsage
	tag0c                  = der.Tag0C
	tag1c                  = der.Tag1C
	tag2c                  = der.Tag2C
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

// asked is the authority as a query names it.
func (a *authority) asked() *Certificate {
	c, err := ParseCertificate(a.Cert.Raw)
	if err != nil {
		panic(err)
	}
	return c
}

func revoked(c *Certificate, at time.Time, extensions ...[]byte) []byte {
	return entry(c.known().Serial, at, extensions...)
}
