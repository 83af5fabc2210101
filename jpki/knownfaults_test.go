package jpki

import (
	"crypto"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// What the usual tools let through, and what this package says to it. Each test first shows that the usual tool still
// accepts; one that no longer does has to be looked at, not deleted.

// faultyResponse wants x/crypto/ocsp to say Good and ours to refuse at step.
func faultyResponse(t *testing.T, w *ocspWorld, der []byte, step string, reason Reason) {
	t.Helper()
	got, err := ocsp.ParseResponseForCert(der, w.leaf.X509, w.ca.cert)
	if err != nil || got.Status != ocsp.Good {
		t.Errorf("x/crypto/ocsp no longer accepts it: %v", err)
	}
	w.wantRefused(t, der, step, reason)
}

func TestOCSPFaultAnyCardholderAnswersForAnyone(t *testing.T) {
	w := newOCSPWorld(t)
	spec := w.ca.signingSpec(0x66)
	spec.subject, spec.key = w.responder.subject, spki(testKey("responder"))
	spec.notBefore, spec.notAfter = utcTime(now.Add(-2*year)), utcTime(now.Add(-year)) // it has even expired
	s := w.delegated()
	s.certificates = [][]byte{spec.sign(w.ca.key)}
	faultyResponse(t, w, s.sign(), "ocsp.responder-eku", ReasonResponse)
}

func TestOCSPFaultStaleResponse(t *testing.T) {
	w := newOCSPWorld(t)
	s := w.direct()
	s.producedAt = generalizedTime(now.Add(-42 * day))
	s.singles = [][]byte{single(w.id.der(), statusGood, now.Add(-42*day), now.Add(-41*day))}
	faultyResponse(t, w, s.sign(), "ocsp.this-update", ReasonResponseStale)
}

func TestOCSPFaultCertIDOfAnotherIssuer(t *testing.T) {
	w := newOCSPWorld(t)
	other, err := newCertID(crypto.SHA256, w.leaf.form, signingAuthority(t, "another").cert)
	if err != nil {
		t.Fatal(err)
	}
	s := w.direct()
	s.singles = [][]byte{single(other.der(), statusGood, now.Add(-time.Minute), now.Add(time.Hour))}
	faultyResponse(t, w, s.sign(), "ocsp.cert-id", ReasonResponse)
}

// x509 takes CertificatePolicies for the user-initial-policy-set only, which without require-explicit-policy refuses
// nothing (RFC 5280, 6.1.1 (c), 6.1.5 (g)).
func TestVerifyOptionsFaultWrongPolicyAccepted(t *testing.T) {
	a := signingAuthority(t, "ca")
	leaf := a.signingLeaf(t)
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	wrong, err := x509.OIDFromInts([]uint64{1, 2, 392, 200149, 8, 5, 1, 3, 30})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := leaf.X509.Verify(x509.VerifyOptions{
		Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}, CertificatePolicies: []x509.OID{wrong},
	}); err != nil {
		t.Errorf("x509 now refuses: %v", err)
	}
	// Ours decides by the policy what the certificate is for, and the caller says what it may be for.
	res, err := newVerifier(t, InsecureNoRevocation(), a).Verify(t.Context(), leaf, For(AuthenticationCard))
	if !errors.Is(err, &Error{Reason: ReasonKind}) || res.Status == Good {
		t.Errorf("%v, %v", res, err)
	}
}

func TestX509FaultDirectoryNameDistributionPointDropped(t *testing.T) {
	leaf := signingAuthority(t, "ca").signingLeaf(t)
	if len(leaf.X509.CRLDistributionPoints) != 0 {
		t.Error("x509 now reports directoryName distribution points")
	}
	if len(leaf.DistributionPoints) != 1 {
		t.Errorf("%d distribution points", len(leaf.DistributionPoints))
	}
}
