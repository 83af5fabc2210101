package jpki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"

	"github.com/kakunin-go/kakunin/internal/sigalg"
)

// Hierarchy is a set of authorities that belong together; the zero value is Production, which refuses test anchors and
// policies.
type Hierarchy int

// Hierarchies.
const (
	// Production is the real JPKI.
	Production Hierarchy = iota
	// JLISTest is the test environment of J-LIS, whose test cards are handed out under contract (O=JPKI-TEST).
	JLISTest
	// Simulated is the test JPKI of this module (package cardsim/issuer) or one like it (O=JPKI-TEST).
	Simulated
)

var hierarchyNames = [...]string{"production", "jlis-test", "simulated"}

// String returns "production", "jlis-test", "simulated" or "unknown".
func (h Hierarchy) String() string {
	if h < 0 || int(h) >= len(hierarchyNames) {
		return "unknown"
	}
	return hierarchyNames[h]
}

// test reports whether certificates of the hierarchy have test policies.
func (h Hierarchy) test() bool { return h != Production }

// Kind is what a certificate is for, decided by its policy OID and key usage.
type Kind int

// Kinds. The policies of certificates on phones (スマホ用電子証明書) are not published: such a certificate is
// UnknownKind, and is refused, except for those of a simulator (VerifierConfig.AssumedPhonePolicies).
const (
	// UnknownKind matches no profile. It is never accepted.
	UnknownKind Kind = iota
	// SigningCard is a signing certificate (署名用電子証明書) on a card.
	SigningCard
	// AuthenticationCard is an authentication certificate (利用者証明用電子証明書) on a card.
	AuthenticationCard
	// SigningPhone is a signing certificate on a phone.
	SigningPhone
	// AuthenticationPhone is an authentication certificate on a phone.
	AuthenticationPhone
)

var kindNames = [...]string{"unknown", "signing-card", "authentication-card", "signing-phone", "authentication-phone"}

// String returns "unknown", "signing-card", "authentication-card", "signing-phone" or "authentication-phone".
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return kindNames[UnknownKind]
	}
	return kindNames[k]
}

// MarshalText returns String.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what MarshalText wrote and refuses anything else.
func (k *Kind) UnmarshalText(text []byte) error {
	i := slices.Index(kindNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("jpki: not a kind of certificate")
	}
	*k = Kind(i)
	return nil
}

// Policies of the JPKI certificate profile (1.2.392.200149.8.5.1).
var (
	oidPolicySigning            = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 1, 20}
	oidPolicyAuthentication     = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 3, 30}
	oidPolicyTestSigning        = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 0, 20}
	oidPolicyTestAuthentication = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 0, 30}
	// Assumptions, which only a verifier with AssumedPhonePolicies uses.
	oidPolicyTestSigningPhone        = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 0, 40}
	oidPolicyTestAuthenticationPhone = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 0, 50}
)

// keyProfile is a kind of key together with the signature algorithm of the authority that certifies it.
type keyProfile struct {
	bits      int            // RSA
	exponent  int            // RSA
	curve     elliptic.Curve // ECDSA; nil for RSA
	signature *sigalg.Algorithm
}

var (
	rsa2048SHA256   = keyProfile{bits: 2048, exponent: 65537, signature: sigalg.SHA256WithRSA}
	ecdsaP384SHA384 = keyProfile{curve: elliptic.P384(), signature: sigalg.ECDSAWithSHA384}
)

// accepts reports whether the key is of this kind.
func (p *keyProfile) accepts(key crypto.PublicKey) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return p.curve == nil && k.N.BitLen() == p.bits && k.E == p.exponent
	case *ecdsa.PublicKey:
		return p.curve != nil && k.Curve == p.curve
	}
	return false
}

// profile is one row of the table that says what a certificate is for. Nothing outside the table knows a policy OID, a
// key size, an exponent or a hash.
type profile struct {
	kind     Kind
	test     bool
	policy   asn1.ObjectIdentifier
	key      *keyProfile
	keyUsage x509.KeyUsage // exactly these bits
	// extKeyUsage must be among the extended key usages if the certificate has that extension; ExtKeyUsageAny: any will
	// do.
	extKeyUsage x509.ExtKeyUsage
	// optional rows count only for a verifier with VerifierConfig.AssumedPhonePolicies.
	optional bool
}

const (
	usageSigning        = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	usageAuthentication = x509.KeyUsageDigitalSignature
)

// profiles is the table. The policies of production are published; those of test hierarchies were read from cards of
// J-LIS's test environment. An authentication certificate has extKeyUsage clientAuth, not critical; a signing
// certificate has none on the cards that were seen, and one that has is not refused for it. Policies of certificates on
// phones are not confirmed.
var profiles = [...]profile{
	{SigningCard, false, oidPolicySigning, &rsa2048SHA256, usageSigning, x509.ExtKeyUsageAny, false},
	{
		AuthenticationCard,
		false,
		oidPolicyAuthentication,
		&rsa2048SHA256,
		usageAuthentication,
		x509.ExtKeyUsageClientAuth,
		false,
	},
	{SigningCard, true, oidPolicyTestSigning, &rsa2048SHA256, usageSigning, x509.ExtKeyUsageAny, false},
	{
		AuthenticationCard,
		true,
		oidPolicyTestAuthentication,
		&rsa2048SHA256,
		usageAuthentication,
		x509.ExtKeyUsageClientAuth,
		false,
	},
	// The coming generation of cards has ECDSA P-384 with SHA-384. Its policies are not published, so it is an
	// assumption that they stay; production gets its rows when they are.
	{SigningCard, true, oidPolicyTestSigning, &ecdsaP384SHA384, usageSigning, x509.ExtKeyUsageAny, false},
	{
		AuthenticationCard,
		true,
		oidPolicyTestAuthentication,
		&ecdsaP384SHA384,
		usageAuthentication,
		x509.ExtKeyUsageClientAuth,
		false,
	},
	// Assumptions.
	{SigningPhone, true, oidPolicyTestSigningPhone, &rsa2048SHA256, usageSigning, x509.ExtKeyUsageAny, true},
	{
		AuthenticationPhone,
		true,
		oidPolicyTestAuthenticationPhone,
		&rsa2048SHA256,
		usageAuthentication,
		x509.ExtKeyUsageClientAuth,
		true,
	},
}

// anchorKeys are the keys that an authority may have.
var anchorKeys = [...]*keyProfile{&rsa2048SHA256, &ecdsaP384SHA384}

// profileOf returns the row of the certificate's policies, or nil when there is none or when the policies belong to
// rows that contradict each other in kind or in being for tests, so that no certificate can be two things. Among rows
// of one policy the one with the certificate's key wins; without one the first is returned, and the key check then
// fails.
func profileOf(policies []asn1.ObjectIdentifier, key crypto.PublicKey) *profile {
	return profileAmong(profiles[:], policies, key)
}

// withPhones returns the table with the phones that a caller knows; false if one of them is no phone or is in the
// table.
func withPhones(phones []PhonePolicy, test bool) ([]profile, bool) {
	rows := slices.Clone(profiles[:])
	for _, p := range phones {
		row := profile{kind: p.Kind, test: test, policy: slices.Clone(p.Policy), key: &rsa2048SHA256}
		switch p.Kind {
		case SigningPhone:
			row.keyUsage, row.extKeyUsage = usageSigning, x509.ExtKeyUsageAny
		case AuthenticationPhone:
			row.keyUsage, row.extKeyUsage = usageAuthentication, x509.ExtKeyUsageClientAuth
		default:
			return nil, false
		}
		if len(p.Policy) < 3 || slices.ContainsFunc(rows, func(r profile) bool { return r.policy.Equal(p.Policy) }) {
			return nil, false
		}
		rows = append(rows, row)
	}
	return rows, true
}

func profileAmong(rows []profile, policies []asn1.ObjectIdentifier, key crypto.PublicKey) *profile {
	var found *profile
	for i := range rows {
		row := &rows[i]
		if !slices.ContainsFunc(policies, row.policy.Equal) {
			continue
		}
		if found != nil && (found.kind != row.kind || found.test != row.test) {
			return nil
		}
		if found == nil || !found.key.accepts(key) && row.key.accepts(key) {
			found = row
		}
	}
	return found
}
