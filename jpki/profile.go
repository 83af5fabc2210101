package jpki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
)

// keyProfile is a kind of key together with the signature algorithm of the authority that certifies it.
type keyProfile struct {
	family    keyFamily
	bits      int            // RSA
	exponent  int            // RSA
	curve     elliptic.Curve // ECDSA
	signature *signatureAlgorithm
}

var (
	rsa2048SHA256   = keyProfile{family: keyRSA, bits: 2048, exponent: 65537, signature: &sha256WithRSA}
	ecdsaP384SHA384 = keyProfile{family: keyECDSA, curve: elliptic.P384(), signature: &ecdsaWithSHA384}
)

// accepts reports whether the key is of this kind.
func (p *keyProfile) accepts(key crypto.PublicKey) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return p.family == keyRSA && k.N.BitLen() == p.bits && k.E == p.exponent
	case *ecdsa.PublicKey:
		return p.family == keyECDSA && k.Curve == p.curve
	}
	return false
}

// profile is one row of the table that says what a certificate is for. Nothing outside the table knows a policy OID, a
// key size, an exponent or a hash.
type profile struct {
	kind        Kind
	environment Environment
	policy      asn1.ObjectIdentifier
	key         *keyProfile
	keyUsage    x509.KeyUsage // exactly these bits
	// extKeyUsage must be among the extended key usages if the certificate has that extension; ExtKeyUsageAny: any will do.
	extKeyUsage x509.ExtKeyUsage
	// optional rows count only for a verifier with VerifierConfig.AssumedPhonePolicies.
	optional bool
}

const (
	usageSigning        = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	usageAuthentication = x509.KeyUsageDigitalSignature
)

// profiles is the table. Three of the policies are published or were seen on test cards. The fourth, for authentication
// certificates of the test JPKI, is an ASSUMPTION by analogy with the signing policies (production …1.1.20, test
// …1.0.20): J-LIS has not published it. It is accepted only under test anchors, so a wrong guess can refuse a test card
// but can never accept anything in production. Policies of certificates on phones are not confirmed and not listed.
var profiles = [...]profile{
	{SigningCard, Production, oidPolicySigning, &rsa2048SHA256, usageSigning, x509.ExtKeyUsageAny, false},
	{AuthenticationCard, Production, oidPolicyAuthentication, &rsa2048SHA256, usageAuthentication, x509.ExtKeyUsageClientAuth, false},
	{SigningCard, Test, oidPolicyTestSigning, &rsa2048SHA256, usageSigning, x509.ExtKeyUsageAny, false},
	{AuthenticationCard, Test, oidPolicyTestAuthentication, &rsa2048SHA256, usageAuthentication, x509.ExtKeyUsageClientAuth, false}, // assumption
	// The coming generation of cards has ECDSA P-384 with SHA-384. Its policies are not published, so it is an assumption
	// that they stay; production gets its rows when they are.
	{SigningCard, Test, oidPolicyTestSigning, &ecdsaP384SHA384, usageSigning, x509.ExtKeyUsageAny, false},
	{AuthenticationCard, Test, oidPolicyTestAuthentication, &ecdsaP384SHA384, usageAuthentication, x509.ExtKeyUsageClientAuth, false},
	{SigningPhone, Test, oidPolicyTestSigningPhone, &rsa2048SHA256, usageSigning, x509.ExtKeyUsageAny, true},                             // assumption
	{AuthenticationPhone, Test, oidPolicyTestAuthenticationPhone, &rsa2048SHA256, usageAuthentication, x509.ExtKeyUsageClientAuth, true}, // assumption
}

// anchorKeys are the keys that an authority may have.
var anchorKeys = [...]*keyProfile{&rsa2048SHA256, &ecdsaP384SHA384}

// profileOf returns the row of the certificate's policies, or nil when there is none or when the policies belong to rows
// that contradict each other in kind or environment, so that no certificate can be two things. Among rows of one policy
// the one with the certificate's key wins; without one the first is returned, and the key check then fails.
func profileOf(policies []asn1.ObjectIdentifier, key crypto.PublicKey) *profile {
	var found *profile
	for i := range profiles {
		row := &profiles[i]
		if !containsOID(policies, row.policy) {
			continue
		}
		if found != nil && (found.kind != row.kind || found.environment != row.environment) {
			return nil
		}
		if found == nil || !found.key.accepts(key) && row.key.accepts(key) {
			found = row
		}
	}
	return found
}

func containsOID(list []asn1.ObjectIdentifier, id asn1.ObjectIdentifier) bool {
	for _, x := range list {
		if x.Equal(id) {
			return true
		}
	}
	return false
}
