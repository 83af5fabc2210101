package jpki

import (
	"crypto/x509"
	"errors"
	"testing"

	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// What the usual tools let through, and what this package says to it. Each test first shows that the usual tool still
// accepts; one that no longer does has to be looked at, not deleted.

// x509 takes CertificatePolicies for the user-initial-policy-set only, which without require-explicit-policy refuses
// nothing (RFC 5280, 6.1.1 (c), 6.1.5 (g)).
func TestVerifyOptionsFaultWrongPolicyAccepted(t *testing.T) {
	a := signingAuthority(t, "ca")
	leaf := a.signingLeaf(t)
	roots := x509.NewCertPool()
	roots.AddCert(a.Cert)
	wrong, err := x509.OIDFromInts([]uint64{1, 2, 392, 200149, 8, 5, 1, 3, 30})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := leaf.X509().Verify(x509.VerifyOptions{
		Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
		CertificatePolicies: []x509.OID{wrong},
	}); err != nil {
		t.Errorf("x509 now refuses: %v", err)
	}
	// Ours decides by the policy what the certificate is for, and the caller says what it may be for.
	res, err := newVerifier(t, revocation.InsecureNoRevocation(), a).Verify(t.Context(), leaf, For(AuthenticationCard))
	if !errors.Is(err, &Error{Reason: ReasonKind}) || res.Status == Good {
		t.Errorf("%v, %v", res, err)
	}
}

func TestX509FaultDirectoryNameDistributionPointDropped(t *testing.T) {
	leaf := signingAuthority(t, "ca").signingLeaf(t)
	if len(leaf.X509().CRLDistributionPoints) != 0 {
		t.Error("x509 now reports directoryName distribution points")
	}
	if len(leaf.DistributionPoints()) != 1 {
		t.Errorf("%d distribution points", len(leaf.DistributionPoints()))
	}
}
